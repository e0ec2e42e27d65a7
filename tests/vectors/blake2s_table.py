#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Makes tests/unit/blake2s_table.h: BLAKE2s, its MAC, HMAC and HKDF by Python's own hashlib.

    blake2s_table.py > ../unit/blake2s_table.h

Keys and texts are the sequences of RFC 7693 appendix E, so that only the results need a table.
"""
import hashlib
import hmac

TEXT_LENGTHS = (0, 1, 3, 63, 64, 65, 127, 128, 129, 255, 1024)
MAC_KEY_LENGTHS = (1, 16, 31, 32)
HMAC_KEY_LENGTHS = (0, 1, 32, 63, 64, 65, 200)
HKDF_LENGTHS = (0, 1, 32, 64, 100)


def sequence(length, seed):
    """selftest_seq() of RFC 7693 appendix E."""
    a, b, out = (0xDEAD4BAD * seed) & 0xFFFFFFFF, 1, bytearray()
    for _ in range(length):
        a, b = b, (a + b) & 0xFFFFFFFF
        out.append(b >> 24)
    return bytes(out)


def mac(key, data):
    return hmac.new(key, data, hashlib.blake2s).digest()


def hkdf(chaining_key, data):
    temp_key, t, out = mac(chaining_key, data), b"", []
    for i in (1, 2, 3):
        t = mac(temp_key, t + bytes([i]))
        out.append(t)
    return out


def text(n):
    return sequence(n, n)


def key(n):
    return sequence(n, n + 1000)


def main():
    print("/* SPDX-License-Identifier: ISC */")
    print("/* Made by tests/vectors/blake2s_table.py; do not edit. */")
    print("#ifndef TUND_TESTS_UNIT_BLAKE2S_TABLE_H")
    print("#define TUND_TESTS_UNIT_BLAKE2S_TABLE_H\n")
    print("static const struct digest_case hash_cases[] = {")
    for n in TEXT_LENGTHS:
        print('\t{0, %d, "%s"},' % (n, hashlib.blake2s(text(n)).hexdigest()))
    print("};\n\nstatic const struct digest_case mac_cases[] = {")
    for k in MAC_KEY_LENGTHS:
        for n in TEXT_LENGTHS:
            digest = hashlib.blake2s(text(n), key=key(k), digest_size=16)
            print('\t{%d, %d, "%s"},' % (k, n, digest.hexdigest()))
    print("};\n\nstatic const struct digest_case hmac_cases[] = {")
    for k in HMAC_KEY_LENGTHS:
        for n in TEXT_LENGTHS:
            print('\t{%d, %d, "%s"},' % (k, n, mac(key(k), text(n)).hex()))
    print("};\n\nstatic const struct hkdf_case hkdf_cases[] = {")
    for n in HKDF_LENGTHS:
        outs = ",\n\t  ".join('"%s"' % o.hex() for o in hkdf(key(32), text(n)))
        print("\t{%d,\n\t {%s}}," % (n, outs))
    print("};\n\n#endif")


main()
