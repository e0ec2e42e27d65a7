# SPDX-License-Identifier: ISC
# A host whose kernel has no IPv6: without_ipv6.py COMMAND... runs it so that socket(AF_INET6) is
# EAFNOSUPPORT for it and its children, by a seccomp filter.
import ctypes
import errno
import os
import platform
import socket
import struct
import sys

NR_SOCKET = {"x86_64": 41, "aarch64": 198}[platform.machine()]
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
ALLOW, ERRNO = 0x7fff0000, 0x00050000

filters = b"".join(struct.pack("HBBI", *f) for f in (
    (LOAD, 0, 0, 0),                   # seccomp_data.nr
    (EQUAL, 0, 3, NR_SOCKET),
    (LOAD, 0, 0, 16),                  # .args[0], low half
    (EQUAL, 0, 1, socket.AF_INET6),
    (RETURN, 0, 0, ERRNO | errno.EAFNOSUPPORT),
    (RETURN, 0, 0, ALLOW)))
text = ctypes.create_string_buffer(filters)
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(filters) // 8, ctypes.addressof(text)))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0):
    raise OSError(ctypes.get_errno(), "prctl")
try:
    socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    raise SystemExit("IPv6 is still there")
except OSError as e:
    if e.errno != errno.EAFNOSUPPORT:
        raise
os.execvp(sys.argv[1], sys.argv[1:])
