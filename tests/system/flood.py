# SPDX-License-Identifier: ISC
"""Sends datagrams that mean nothing, as fast as it can.

usage: flood.py random|initiations ADDRESS PORT COUNT

random:      lengths 0 to 2048, every type, reserved bytes that are not zero
initiations: of the exact size, for suites 0 to 2, with a mac1 that is wrong
Prints how many were sent; says when an answer came.
"""
import random
import socket
import sys


def random_datagram(rng, i):
    data = bytearray(rng.randbytes(rng.randrange(2049)))
    if data and i % 2:
        data[0] = rng.randrange(6)
        data[1:4] = bytes(3) if i % 4 == 1 else data[1:4]
    return bytes(data)


def initiation(rng, i):
    return bytes([1, i % 3, 0, 0]) + rng.randbytes(116) + rng.randbytes(16) + bytes(16)


def main(kind, address, port, count):
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


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
