# SPDX-License-Identifier: ISC
"""Cells of tund-wg and wireguard-go, all at once, and traffic through them; speaks TAP.

usage: interop.py WORK TUND-WG WIREGUARD-GO WIREGUARD-GO-WITH-OFFLOADS

One cell, two network namespaces:

     a: tund-wg                             b: wireguard-go
     wgNa 100.80.0.1, fd74:756e:64::1       wgNb 100.80.0.2, fd74:756e:64::2
       |                                      |
     outer 192.0.2.1, 2001:db8::1 ------- 192.0.2.2, 2001:db8::2

Only the initiator knows where the other is: where nothing is lost, behind a relay in its own
namespace that holds every packet back for 20 ms, so that packets are under way in both directions
under the old keys whenever new ones are made. Numbered UDP packets of all sizes over IPv6 and a TCP
stream over IPv4 run both ways inside, from the first handshake to behind the last rekey wanted.
tund-wg rekeys every $TUND_TEST_REKEY_S seconds, wireguard-go after its 120.
"""
import collections
import concurrent.futures
import ctypes
import itertools
import os
import random
import socket
import subprocess
import sys
import time

WORK, TUND_WG = sys.argv[1:3]
PACKAGES = (("wireguard-go of bookworm", sys.argv[3]),
            ("wireguard-go of bookworm-backports", sys.argv[4]))
OUTER = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}
INNER = {4: ("100.80.0.1", "100.80.0.2"), 6: ("fd74:756e:64::1", "fd74:756e:64::2")}
PORT, UDP_PORT, TCP_PORT = 51820, 7000, 7001
PATTERN = random.Random(7).randbytes(70000)
SIZES = [8, 9, 63, 64, 512, 1000, 1371, 1372]  # of UDP payloads; the last fills the MTU of 1420
CHUNK = 16000  # of TCP
TICK = 0.005
DELAY, RELAY_PORT = 0.02, 40000
SO_RCVBUFFORCE = 33  # asm-generic/socket.h
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
count = failures = 0


def ok(holds, name, *evidence):
    global count, failures
    count += 1
    failures += not holds
    print(f"{'' if holds else 'not '}ok {count} - {name}")
    for line in () if holds else evidence:
        print(f"# {line}")
    sys.stdout.flush()


def run(*words, stdin=None):
    p = subprocess.run(words, input=stdin, capture_output=True, text=True)
    if p.returncode:
        raise RuntimeError(f"{' '.join(words)}: exit {p.returncode}: {p.stderr.strip()}")
    return p.stdout


def uapi(interface, request):
    """The answer as text, without its errno, which is returned as a number."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(f"/run/wireguard/{interface}.sock")
        s.sendall(request.encode())
        parts = []
        while not (parts and (parts[-1].endswith(b"\n\n") or b"".join(parts[-2:]).endswith(b"\n\n"))):
            part = s.recv(1 << 20)
            if not part:
                break
            parts.append(part)
    text, _, errno = b"".join(parts).decode().rpartition("errno=")
    return text, int(errno)


def in_namespace(name, make):
    """Sockets stay in the namespace in which they are made."""
    home, there = os.open("/proc/self/ns/net", os.O_RDONLY), os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {name}")
        return make()
    finally:
        libc.setns(home, CLONE_NEWNET)
        os.close(home)
        os.close(there)


class Direction:
    """Numbered UDP packets and a TCP stream from one side to the other."""

    def __init__(self):
        self.sent, self.got, self.again, self.broken = 0, set(), 0, 0
        self.tcp_sent = self.tcp_got = 0

    @staticmethod
    def payload(number):
        size = SIZES[number % len(SIZES)]
        return number.to_bytes(8, "big") + PATTERN[number % 1000:number % 1000 + size - 8]

    def send(self, s):
        try:
            s.send(self.payload(self.sent))
            self.sent += 1
        except (BlockingIOError, ConnectionRefusedError):
            pass

    def receive(self, s):
        while True:
            try:
                data = s.recv(4096)
            except (BlockingIOError, ConnectionRefusedError):
                return
            number = int.from_bytes(data[:8], "big")
            if data != self.payload(number):
                self.broken += 1
            elif number in self.got:
                self.again += 1
            self.got.add(number)

    def stream(self, s):
        start = self.tcp_sent % 50000
        try:
            self.tcp_sent += s.send(PATTERN[start:min(start + CHUNK, 50000)])
        except BlockingIOError:
            pass

    def drain(self, s):
        while True:
            try:
                data = s.recv(65536)
            except BlockingIOError:
                return
            if not data:
                return
            while data:
                start = self.tcp_got % 50000
                piece = data[:50000 - start]
                self.broken += PATTERN[start:start + len(piece)] != piece
                self.tcp_got += len(piece)
                data = data[len(piece):]

    def lost(self):
        return self.sent - len(self.got)


class Relay:
    """Between an initiator, in whose namespace it is made, and the responder."""

    def __init__(self, family, here, there):
        self.near, self.far = (
            socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET,
                          socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) for _ in range(2))
        self.near.bind((here, RELAY_PORT))
        self.far.connect((there, PORT))
        for s in (self.near, self.far):
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        self.initiator = None
        self.held = collections.deque()

    def step(self, now):
        for s in (self.near, self.far):
            while True:
                try:
                    data, source = s.recvfrom(4096)
                except (BlockingIOError, ConnectionRefusedError):
                    break
                if s is self.near:
                    self.initiator = source
                self.held.append((now + DELAY, s is self.near, data))
        while self.held and self.held[0][0] <= now:
            _, outward, data = self.held.popleft()
            try:
                if outward:
                    self.far.send(data)
                elif self.initiator:
                    self.near.sendto(data, self.initiator)
            except (BlockingIOError, ConnectionRefusedError):
                pass


class Cell:
    def __init__(self, number, package, tund_initiates, psk, family, loss):
        self.name = ", ".join(filter(None, (
            f"tund-wg to {package[0]}" if tund_initiates else f"{package[0]} to tund-wg",
            "PSK" if psk else "no PSK", f"IPv{family}", "5 % lost" if loss else "")))
        self.number, self.program, self.tund_initiates = number, package[1], tund_initiates
        self.psk, self.family, self.loss = psk, family, loss
        self.a, self.b = f"c{number}a", f"c{number}b"
        self.handshakes = set()
        self.problem = None
        self.state, self.since = "asks", 0.0
        self.next_udp = self.next_tcp = self.next_poll = self.next_ask = 0.0
        self.wanted = 3 if tund_initiates else 1
        self.deadline = 75 if tund_initiates else 175
        self.to_b, self.to_a = Direction(), Direction()

    # Setting up: first links, since IPv6 on a fresh one takes a moment, then the daemons.

    def link(self):
        a, b = self.a, self.b
        run("ip", "netns", "add", a)
        run("ip", "netns", "add", b)
        run("ip", "link", "add", "outer", "netns", a, "type", "veth", "peer", "name", "outer",
            "netns", b)
        for side, name in enumerate((a, b)):
            run("ip", "-n", name, "-batch", "-", stdin=f"""link set lo up
address add {OUTER[4][side]}/24 dev outer
address add {OUTER[6][side]}/64 dev outer nodad
link set outer up
""")
            if self.loss:
                run("ip", "netns", "exec", name, "nft", "-f", "-", stdin="""
table inet loss {
    chain input {
        type filter hook input priority 0;
        iifname "outer" meta l4proto udp numgen random mod 100 < 5 drop
    }
}
""")

    def conf(self, private, public, peer_side, initiates):
        lines = ["[Interface]", f"PrivateKey = {private}", f"ListenPort = {PORT}", "[Peer]",
                 f"PublicKey = {public}",
                 f"AllowedIPs = {INNER[4][peer_side]}/32, {INNER[6][peer_side]}/128"]
        if self.psk:
            lines.append(f"PresharedKey = {self.key}")
        if initiates:
            host, port = OUTER[self.family][peer_side], PORT
            if not self.loss:
                host, port = OUTER[self.family][1 - peer_side], RELAY_PORT
            lines.append(f"Endpoint = {f'[{host}]' if self.family == 6 else host}:{port}")
        return "\n".join(lines) + "\n"

    def side(self, name, side, program, conf):
        with open(f"{WORK}/{name}.log", "w") as log:
            p = subprocess.run(["ip", "netns", "exec", name, program, f"wg{name}"],
                               stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                               env=dict(os.environ, LOG_LEVEL="error"))
        if p.returncode:
            raise RuntimeError(f"{program} wg{name}: exit {p.returncode}: "
                               + open(f"{WORK}/{name}.log").read())
        with open(f"{WORK}/{name}.conf", "w") as f:
            f.write(conf)
        run("wg", "setconf", f"wg{name}", f"{WORK}/{name}.conf")
        run("ip", "-n", name, "-batch", "-", stdin=f"""address add {INNER[4][side]}/24 dev wg{name}
address add {INNER[6][side]}/64 dev wg{name} nodad
link set wg{name} mtu 1420 up
""")

    def start(self):
        keys = [run("wg", "genkey").strip() for _ in range(2)]
        public = [run("wg", "pubkey", stdin=k).strip() for k in keys]
        self.key = run("wg", "genpsk").strip()
        self.side(self.a, 0, TUND_WG, self.conf(keys[0], public[1], 1, self.tund_initiates))
        self.side(self.b, 1, self.program, self.conf(keys[1], public[0], 0, not self.tund_initiates))

    def udp(self, side):
        s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        s.bind((INNER[6][side], UDP_PORT))
        s.connect((INNER[6][1 - side], UDP_PORT))
        return s

    def listener(self):
        s = socket.create_server((INNER[4][0], TCP_PORT))
        s.setblocking(False)
        return s

    def connecting(self):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        s.connect_ex((INNER[4][0], TCP_PORT))
        return s

    def open(self, now):
        self.udp_a = in_namespace(self.a, lambda: self.udp(0))
        self.udp_b = in_namespace(self.b, lambda: self.udp(1))
        self.relay = None
        if not self.loss:
            side = 0 if self.tund_initiates else 1
            ends = OUTER[self.family][side], OUTER[self.family][1 - side]
            self.relay = in_namespace((self.a, self.b)[side], lambda: Relay(self.family, *ends))
        self.tcp_a, self.listen = None, in_namespace(self.a, self.listener)
        self.since = now

    # One step: asks until the first packet comes through, runs, then waits for what is under way.

    def rekeys(self):
        return max(0, len(self.handshakes) - 1)

    def poll(self, now):
        text, _ = uapi(f"wg{self.a}", "get=1\n\n")
        values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        seen = (values.get("last_handshake_time_sec"), values.get("last_handshake_time_nsec"))
        if now - self.since < 8:  # with losses the first session may need several handshakes
            self.handshakes.clear()
        self.handshakes.add(seen)

    def asks(self, now):
        first, other = (self.udp_a, self.udp_b) if self.tund_initiates else (self.udp_b, self.udp_a)
        if now >= self.next_ask:
            self.next_ask = now + 0.2
            try:
                first.send(b"hello")
            except (BlockingIOError, ConnectionRefusedError):
                pass
        try:
            arrived = other.recv(100) == b"hello"
        except (BlockingIOError, ConnectionRefusedError):
            arrived = False
        if arrived:
            self.tcp_b = in_namespace(self.b, self.connecting)
            self.state = "settles"

    def settles(self, now):
        """Greetings of before are none of the numbered packets."""
        if self.tcp_a is None:
            try:
                self.tcp_a, _ = self.listen.accept()
                self.tcp_a.setblocking(False)
                self.quiet = now + 1
            except BlockingIOError:
                pass
        elif now > self.quiet:
            for s in (self.udp_a, self.udp_b):
                try:
                    while s.recv(100):
                        pass
                except (BlockingIOError, ConnectionRefusedError):
                    pass
            self.state = "runs"

    def runs(self, now):
        since = now - self.since
        dense = not self.loss and (self.tund_initiates or since > 110)
        if now >= self.next_udp:
            self.next_udp = now + (0.007 if dense else 0.05)
            self.to_b.send(self.udp_a)
            self.to_a.send(self.udp_b)
        if now >= self.next_tcp:
            self.next_tcp = now + 0.4
            self.to_b.stream(self.tcp_a)
            self.to_a.stream(self.tcp_b)
        self.receive()
        if now >= self.next_poll:
            self.next_poll = now + 1
            if self.rekeys() >= self.wanted:
                self.state, self.until = "ends", now + (10 if self.loss else 1.5)
            self.poll(now)

    def receive(self):
        self.to_b.receive(self.udp_b)
        self.to_a.receive(self.udp_a)
        self.to_b.drain(self.tcp_b)
        self.to_a.drain(self.tcp_a)

    def ends(self, now):
        self.receive()
        whole = all(d.tcp_sent == d.tcp_got for d in (self.to_a, self.to_b))
        lossless = self.loss or all(d.lost() == 0 for d in (self.to_a, self.to_b))
        if now > self.until or (whole and lossless and now > self.until - 1):
            self.state = "done"

    def step(self, now):
        if self.state != "done" and now - self.since > self.deadline:
            self.problem = f"no end after {self.deadline} s, in state \"{self.state}\""
            self.state = "done"
        if self.state != "done":
            getattr(self, self.state)(now)
            if self.relay:
                self.relay.step(now)
        return self.state != "done"

    def verdict(self):
        problems = [self.problem] if self.problem else []
        if self.rekeys() < self.wanted:
            problems.append(f"{self.rekeys()} rekeys, {self.wanted} wanted")
        for where, d in (("to wireguard-go", self.to_b), ("to tund-wg", self.to_a)):
            allowed = d.sent * 0.1 if self.loss else 0
            if d.lost() > allowed or d.again or d.broken or not d.got:
                problems.append(f"UDP {where}: {d.sent} sent, {d.lost()} lost, {d.again} twice, "
                                f"{d.broken} changed")
            if d.tcp_got != d.tcp_sent or not d.tcp_got:
                problems.append(f"TCP {where}: {d.tcp_got} of {d.tcp_sent} bytes")
        if problems:
            for name in (self.a, self.b):
                problems += [f"{name}: {line.rstrip()}" for line in open(f"{WORK}/{name}.log")
                             if "│" not in line and "─" not in line][-5:]
        ok(not problems, f"{self.name}: {self.rekeys()} rekeys, {self.to_b.sent}+{self.to_a.sent} "
           f"packets", *problems)


def all_cells():
    wanted = itertools.product((False, True), PACKAGES, (True, False), (True, False), (4, 6))
    return [Cell(n, package, initiates, psk, family, loss)
            for n, (loss, package, initiates, psk, family) in enumerate(wanted)]


def traffic(cells):
    for cell in cells:
        cell.open(time.monotonic())
    busy = cells
    while busy:
        begun = time.monotonic()
        still = []
        for cell in busy:
            if cell.step(time.monotonic()):
                still.append(cell)
            else:
                cell.verdict()
        busy = still
        time.sleep(max(0.0005, begun + TICK - time.monotonic()))


def many_peers():
    """10,000 peers with 3 allowed IPs each, in one transaction and read back."""
    run("ip", "netns", "add", "many")
    run("ip", "netns", "exec", "many", TUND_WG, "wgmany")
    rng = random.Random(10000)
    peers = {}
    for i in range(10000):
        rest = f"{i >> 8}.{i & 255}"
        peers[rng.randbytes(32).hex()] = {f"10.{rest}.1/32",
                          f"100.64.{rest}/32", f"fd00:{i + 1:x}::/64"}
    request = ["set=1", f"private_key={rng.randbytes(32).hex()}", "replace_peers=true"]
    for key, allowed in peers.items():
        request += [f"public_key={key}", "replace_allowed_ips=true"]
        request += [f"allowed_ip={prefix}" for prefix in sorted(allowed)]
    text = "\n".join(request) + "\n\n"
    began = time.monotonic()
    _, errno = uapi("wgmany", text)
    took = time.monotonic() - began
    ok(errno == 0 and took < 2, f"10,000 peers in one transaction of {len(text)} bytes in {took:.2f} s",
       f"errno {errno}")
    began = time.monotonic()
    answer, errno = uapi("wgmany", "get=1\n\n")
    took = time.monotonic() - began
    back = {}
    for line in answer.splitlines():
        key, _, value = line.partition("=")
        if key == "public_key":
            peer = back.setdefault(value, set())
        elif key == "allowed_ip":
            peer.add(value)
    ok(errno == 0 and back == peers and took < 2, f"read back identical in {took:.2f} s",
       f"{len(back)} peers")
    dump = run("wg", "show", "wgmany", "dump").splitlines()
    ok(len(dump) == 10001, "wg shows them all", f"{len(dump)} lines")


def main():
    cells = all_cells()
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(Cell.link, cells))
        list(pool.map(Cell.start, cells))
    print(f"# {len(cells)} cells set up in {time.monotonic() - began:.1f} s")
    traffic(cells)
    for cell in cells:
        for name in (cell.a, cell.b):
            run("ip", "-n", name, "link", "del", f"wg{name}")
    many_peers()
    print(f"# {time.monotonic() - began:.0f} s")
    print(f"1..{count}")
    return failures != 0


sys.exit(main())
