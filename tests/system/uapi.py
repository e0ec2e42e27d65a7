# SPDX-License-Identifier: ISC
# A client of WireGuard's configuration protocol that makes mistakes: uapi.py SOCKET CASES.
import base64
import os
import socket
import sys
import time

path, cases = sys.argv[1:]
key = lambda n: ("%064x" % n)


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)  # blocks while many are waiting
    s.settimeout(10)
    return s


def until_errno(s, data=b""):
    while not (b"\n\n" in data and b"errno=" in data):
        more = s.recv(1 << 16)
        if not more:
            raise SystemExit("hung up after %r" % data)
        data += more
    return data.decode()


def ask(s, text):
    s.sendall(text.encode())
    return until_errno(s)


def errno(answer):
    return int(answer.rsplit("errno=", 1)[1].split("\n")[0])


def get(s):
    return ask(s, "get=1\n\n")


failures = 0


def expect(what, got, wanted):
    global failures
    if got != wanted:
        failures += 1
        print("%s: %r, not %r" % (what, got, wanted))


def mistakes():
    s = connect()
    # What it is before anything was said.
    expect("empty", get(s), "errno=0\n\n")
    everything = (
        "set=1\nprivate_key=%s\nlisten_port=51777\nfwmark=7\nreplace_peers=true\n"
        "public_key=%s\npreshared_key=%s\nendpoint=192.0.2.7:1234\n"
        "persistent_keepalive_interval=0\nreplace_allowed_ips=true\nallowed_ip=10.1.0.0/16\n"
        "allowed_ip=fd01::/64\nprotocol_version=1\n\n" % (key(5), key(77), key(8)))
    expect("every key", errno(ask(s, everything)), 0)
    said = get(s)
    clamped = "00" * 31 + "45"
    for line in ("private_key=" + clamped, "listen_port=51777", "fwmark=7", "public_key=" + key(77),
                 "preshared_key=" + key(8), "endpoint=192.0.2.7:1234", "protocol_version=1",
                 "persistent_keepalive_interval=0", "allowed_ip=10.1.0.0/16", "allowed_ip=fd01::/64",
                 "last_handshake_time_sec=0", "last_handshake_time_nsec=0", "rx_bytes=0",
                 "tx_bytes=0", "errno=0"):
        expect("get has " + line, line in said.split("\n"), True)
    # One mistake at a time, each answered, and the connection goes on.
    peer = "public_key=%s\n" % key(77)
    for line, wanted in (
            ("private_key", -71), ("", 0), ("nonsense=1", -22), ("private_key=", -22),
            ("private_key=" + "g" * 64, -22), ("listen_port=65536", -22), ("listen_port=-1", -22),
            ("fwmark=4294967296", -22), ("replace_peers=false", -22), ("public_key=00", -22),
            ("remove=true", -22), ("allowed_ip=10.0.0.0/8", -22), ("errno=0", -22),
            (peer + "private_key=" + key(1), -22), (peer + "remove=1", -22),
            (peer + "update_only=false", -22), (peer + "preshared_key=1", -22),
            (peer + "endpoint=[fe80::1%nosuch]:1", -19), (peer + "endpoint=[fe80::1%" + "x" * 16 + "]:1", -22),
            (peer + "endpoint=192.0.2.1", -22), (peer + "endpoint=example.com:1", -22),
            (peer + "persistent_keepalive_interval=off", -22),
            (peer + "replace_allowed_ips=", -22), (peer + "allowed_ip=10.0.0.0/33", -22),
            (peer + "allowed_ip=10.0.0.0", -22), (peer + "protocol_version=2", -22),
            (peer + "x" * 5000 + "=1", -22), (peer + "x" * 20000, -71)):
        expect("set " + line[:40], errno(ask(s, "set=1\n" + line + ("\n\n" if line else "\n"))),
               wanted)
    for text in ("get=2\n\n", "foo\n\n", "get=1\nx\n\n", "set=2\n\n", "GET=1\n\n"):
        expect(text, errno(ask(s, text)), -22)
    expect("nothing of that is left", get(s), said)
    # Answered before the transaction has ended, and the next operation is understood.
    s.sendall(b"set=1\nbogus=1\n")
    expect("answered at once", errno(until_errno(s)), -22)
    expect("the next one", get(s), said)
    # Allowed IPs by sign, peers by update_only and remove, our own key.
    expect("minus", errno(ask(s, "set=1\n%sallowed_ip=-10.1.0.0/16\nallowed_ip=+10.2.0.0/16\n\n" % peer)), 0)
    expect("minus and plus", [l for l in get(s).split("\n") if "allowed_ip" in l],
           ["allowed_ip=fd01::/64", "allowed_ip=10.2.0.0/16"])
    expect("update_only", errno(ask(s, "set=1\npublic_key=%s\nupdate_only=true\nallowed_ip=10.2.0.0/16\n\n" % key(78))), 0)
    expect("makes nothing", key(78) in get(s), False)
    expect("a zone by its name", errno(ask(s, "set=1\n%sendpoint=[fe80::1%%lo]:1\n\n" % peer)), 0)
    expect("is shown", "endpoint=[fe80::1%1]:1\n" in get(s), True)
    many = [connect() for _ in range(20)]
    for i, c in enumerate(many):
        c.sendall(("set=1\n%sendpoint=[fe80::2%%%s]:2\nfwmark\n\n" % (peer, "lo" if i % 2 else "nosuch%d" % i)).encode())
    expect("many at once", [errno(until_errno(c)) for c in many], [-19, -71] * 10)
    gone = connect()
    gone.sendall(("set=1\n%sendpoint=[fe80::2%%wg0]:2\n" % peer).encode())
    gone.close()
    expect("remove nothing", errno(ask(s, "set=1\npublic_key=%s\nremove=true\n\n" % key(78))), 0)
    expect("a peer of low order", errno(ask(s, "set=1\npublic_key=%s\n\n" % key(0))), 0)
    expect("is shown", "public_key=" + key(0) in get(s), True)
    expect("remove", errno(ask(s, "set=1\npublic_key=%s\nremove=true\n%sremove=true\n\n" % (key(0), peer))), 0)
    expect("removed", "public_key" in get(s), False)
    # A peer with the key that becomes our own goes, and is one again under another key.
    ours = "public_key=2fe57da347cd62431528daac5fbb290730fff684afc4cfc2ed90995f58cb3b74"  # of 1
    for private, there in (("00" * 32, True), ("01" + "00" * 31, False), (key(5), True)):
        expect("our key", errno(ask(s, "set=1\nprivate_key=%s\n\n" % private)), 0)
        expect("nothing more than that", errno(ask(s, "set=1\n%s\n\n" % ours)), 0)
        expect("a peer with our key", ours in get(s), there)
    expect("remove it", errno(ask(s, "set=1\nreplace_peers=true\n\n")), 0)
    expect("no key", errno(ask(s, "set=1\nprivate_key=%s\nfwmark=0\nlisten_port=0\n\n" % key(0))), 0)
    expect("empty again", get(s), "errno=0\n\n")


def clients():
    silent = [connect() for _ in range(100)]
    half = connect()
    half.sendall(b"set=1\nfwmark=9\npublic_key=" + key(99).encode())
    expect("answered", errno(get(connect())), 0)
    expect("half a line is not done", "public_key" in get(connect()), False)
    half.close()
    # Two that make the same peer at the same time.
    first, second = connect(), connect()
    first.sendall(b"set=1\npublic_key=" + key(99).encode() + b"\n")
    expect("one has begun", "public_key" in get(second), False)
    expect("the other makes it", errno(ask(second, "set=1\npublic_key=%s\n\n" % key(99))), 0)
    expect("it is there for the one", errno(ask(first, "\n")), 0)
    expect("remove it", errno(ask(first, "set=1\nreplace_peers=true\n\n")), 0)
    end = connect()
    end.sendall(b"get=1\n\n")
    end.shutdown(socket.SHUT_WR)
    expect("after its end", errno(until_errno(end)), 0)
    # One that asks and does not read holds up nobody.
    greedy = connect()
    greedy.setblocking(False)
    try:
        while True:
            greedy.send(b"get=1\n\n" * 1000)
    except BlockingIOError:
        pass
    expect("beside a greedy one", errno(get(connect())), 0)
    assert silent


def many():
    peers = []
    for i in range(10000):
        peers.append((os.urandom(31).hex() + "00", ["10.%d.%d.0/24" % (i >> 8, i & 255),
                      "172.16.%d.%d/32" % (i >> 8, i & 255), "fd00:%x::/64" % (i + 1)]))
    text = ["set=1", "private_key=" + key(5), "replace_peers=true"]
    for public, prefixes in peers:
        text += ["public_key=" + public, "replace_allowed_ips=true"]
        text += ["allowed_ip=" + p for p in prefixes]
    text = "\n".join(text) + "\n\n"
    s = connect()
    begun = time.monotonic()
    expect("set", errno(ask(s, text)), 0)
    took = time.monotonic() - begun
    print("set in %.2f s" % took)
    expect("under 2 s", took < 2, True)
    got = {}
    for line in get(s).split("\n"):
        name, _, value = line.partition("=")
        if name == "public_key":
            current = got.setdefault(value, [])
        elif name == "allowed_ip":
            current.append(value)
    expect("read back", got, dict(peers)) if got != dict(peers) else None


{"mistakes": mistakes, "clients": clients, "many": many}[cases]()
sys.exit(failures > 0)
