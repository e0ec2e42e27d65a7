# SPDX-License-Identifier: ISC
"""Knocks at every TCP and UDP port of the addresses given, and prints who answers.

usage: probe.py SOURCE ADDRESS...

One line for each answer: ADDRESS PROTOCOL PORT WHAT. A refusal (RST, ICMP) is an answer, too.
Ends when nothing has come for half a second after the last knock. Needs root (raw sockets).
"""
import select
import socket
import struct
import sys

PORTS = range(1, 65536)
OUR_PORT = 40000
SILENCE_S = 0.5
INITIATION = bytes([1, 0, 0, 0]) + bytes(range(144))  # the size of one, and nothing right in it


def fold(total):
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def words(data):
    return sum(struct.unpack("!%dH" % (len(data) // 2), data))


def syn(family, source, target, port):
    def header(checksum):
        return struct.pack("!HHIIBBHHH", OUR_PORT, port, 1, 0, 5 << 4, 2, 1024, checksum, 0)
    pseudo = socket.inet_pton(family, source) + socket.inet_pton(family, target)
    return header(fold(words(pseudo) + socket.IPPROTO_TCP + 20 + words(header(0))))


class Probe:
    def __init__(self, source):
        self.source = source
        self.family = socket.AF_INET6 if ":" in source else socket.AF_INET
        self.icmp = socket.IPPROTO_ICMPV6 if ":" in source else socket.IPPROTO_ICMP
        self.tcp = self.open(socket.SOCK_RAW, socket.IPPROTO_TCP)
        self.error = self.open(socket.SOCK_RAW, self.icmp)
        self.udp = self.open(socket.SOCK_DGRAM, 0)
        self.answers = set()

    def open(self, kind, protocol):
        s = socket.socket(self.family, kind, protocol)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        s.bind((self.source, 0))
        s.setblocking(False)
        return s

    def collect(self, timeout):
        """True when something came."""
        ready = select.select([self.tcp, self.error, self.udp], [], [], timeout)[0]
        for s in ready:
            data, peer = s.recvfrom(65536)
            if s is self.udp:
                self.answers.add((peer[0], "udp", peer[1], "datagram of %d bytes" % len(data)))
            elif s is self.error:
                self.heard_icmp(data, peer[0])
            else:
                self.heard_tcp(data, peer[0])
        return bool(ready)

    def heard_icmp(self, data, peer):
        if self.family == socket.AF_INET:
            data = data[(data[0] & 15) * 4:]
        neighbour = self.family == socket.AF_INET6 and 133 <= data[0] <= 137
        if peer != self.source and not neighbour:
            self.answers.add((peer, "icmp", 0, "type %d code %d" % (data[0], data[1])))

    def heard_tcp(self, data, peer):
        if self.family == socket.AF_INET:
            data = data[(data[0] & 15) * 4:]
        port, ours = struct.unpack_from("!HH", data)
        if ours == OUR_PORT:
            self.answers.add((peer, "tcp", port, "RST" if data[13] & 4 else "SYN+ACK"))

    def knock(self, target):
        for port in PORTS:
            # A port in the address of a raw IPv6 socket would be taken for a protocol.
            self.tcp.sendto(syn(self.family, self.source, target, port), (target, 0))
            self.udp.sendto(INITIATION, (target, port))
            if port % 64 == 0:
                self.collect(0)
        while self.collect(SILENCE_S):
            pass


def main(source, targets):
    probe = Probe(source)
    for target in targets:
        probe.knock(target)
    for answer in sorted(probe.answers):
        print(*answer)


main(sys.argv[1], sys.argv[2:])
