# SPDX-License-Identifier: ISC
"""Sends datagrams that a server must survive.

usage: flood.py random|initiations ADDRESS PORT COUNT
       flood.py spoofed ADDRESS PORT COUNT KEY RATE

random:      lengths 0 to 2048, every type, reserved bytes that are not zero
initiations: of the exact size, for suites 0 to 2, with a mac1 that is wrong
spoofed:     initiations whose mac1 is right for the public KEY (base64), from sources that are not
             ours, RATE a second
Prints how many were sent; says when an answer came.
"""
import base64
import hashlib
import random
import socket
import struct
import sys
import time


def random_datagram(rng, i):
    data = bytearray(rng.randbytes(rng.randrange(2049)))
    if data and i % 2:
        data[0] = rng.randrange(6)
        data[1:4] = bytes(3) if i % 4 == 1 else data[1:4]
    return bytes(data)


def initiation(rng, i):
    return bytes([1, i % 3, 0, 0]) + rng.randbytes(116) + rng.randbytes(16) + bytes(16)


def proven_initiation(rng, i, key):
    """mac1 is a keyed hash of what is in front of it (WireGuard paper, section 5.4.4)."""
    front = bytes([1, 1 + i % 2, 0, 0]) + rng.randbytes(112)
    label = hashlib.blake2s(b"mac1----" + key).digest()
    return front + hashlib.blake2s(front, key=label, digest_size=16).digest() + bytes(16)


def flood(kind, address, port, count):
    make = {"random": random_datagram, "initiations": initiation}[kind]
    rng = random.Random(7)
    stock = [make(rng, i) for i in range(4096)]
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.connect((address, port))
    for i in range(count):
        s.send(stock[i % len(stock)])
    print(count, "sent")
    s.settimeout(0.5)
    try:
        print("answered by", len(s.recv(4096)), "bytes")
    except OSError:
        pass


def packet(rng, address, port, payload):
    source = bytes([192, 0, 2, rng.randrange(64, 120)]) if rng.randrange(2) else \
        bytes([198, 51, 100, rng.randrange(64, 250)])
    udp = struct.pack("!HHHH", rng.randrange(1024, 65536), port, 8 + len(payload), 0) + payload
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + source + \
        socket.inet_aton(address) + udp


def flood_spoofed(address, port, count, key, rate):
    rng = random.Random(7)
    stock = [packet(rng, address, port, proven_initiation(rng, i, base64.b64decode(key)))
             for i in range(8192)]
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    begin = time.monotonic()
    for i in range(count):
        while i > (time.monotonic() - begin) * rate:
            time.sleep(0.001)
        try:
            s.sendto(stock[i % len(stock)], (address, 0))
        except OSError:  # a full queue: that is a loss, as on any line
            pass
    print("%d sent, %.0f a second" % (count, count / (time.monotonic() - begin)))


if sys.argv[1] == "spoofed":
    flood_spoofed(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5], int(sys.argv[6]))
else:
    flood(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
