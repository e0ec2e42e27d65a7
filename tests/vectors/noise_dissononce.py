#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Makes ikpsk2_dissononce.json: IKpsk2 handshakes by an independent implementation of Noise.

    noise_dissononce.py > ikpsk2_dissononce.json
    noise_dissononce.py --check FILE...   recomputes the vectors of FILE and compares

The format is that of the cacophony project, plus the two keys that the handshake ends with
(split_init: initiator to responder, split_resp: back). The keys are hashes of labels, so that the
file is the same each time. Needs Debian's python3-dissononce.
"""
import hashlib
import json
import sys

from dissononce.cipher.aesgcm import AESGCMCipher
from dissononce.cipher.chachapoly import ChaChaPolyCipher
from dissononce.dh.x25519.private import PrivateKey
from dissononce.dh.x25519.x25519 import X25519DH
from dissononce.extras.dh.dangerous.dh_nogen import NoGenDH
from dissononce.hash.blake2s import Blake2sHash
from dissononce.processing.handshakepatterns.interactive.IK import IKHandshakePattern
from dissononce.processing.impl.cipherstate import CipherState
from dissononce.processing.impl.handshakestate import HandshakeState
from dissononce.processing.impl.symmetricstate import SymmetricState
from dissononce.processing.modifiers.psk import PSKPatternModifier

CIPHERS = {"ChaChaPoly": ChaChaPolyCipher, "AESGCM": AESGCMCipher}
TIMESTAMP = bytes.fromhex("400000006553f10a00000000")  # a TAI64N, what WireGuard sends first

# Name, prologue, pre-shared key (None: 32 zero bytes), payloads.
CASES = [
    ("odd", b"a prologue", b"psk", [b"x", b"y" * 63, b"", b"z" * 64, b"w" * 17, b"v" * 1420]),
    ("wireguard", b"WireGuard v1 zx2c4 Jason@zx2c4.com", b"psk",
     [TIMESTAMP, b"", b"", b"q" * 16, b"r" * 1408, b""]),
    ("wireguard without psk", b"WireGuard v1 zx2c4 Jason@zx2c4.com", None,
     [TIMESTAMP, b"", b"", b""]),
    ("tund", b"tund v1", b"psk", [TIMESTAMP, b"", b"", b"s" * 160]),
]


def derive(*labels):
    return hashlib.sha256("/".join(labels).encode()).digest()


def keypair(private):
    return X25519DH().generate_keypair(PrivateKey(private))


def side(cipher, ephemeral):
    dh = NoGenDH(X25519DH(), PrivateKey(ephemeral))
    return HandshakeState(SymmetricState(CipherState(CIPHERS[cipher]()), Blake2sHash()), dh)


def pattern():
    return PSKPatternModifier(2).modify(IKHandshakePattern())


def start(vector):
    """The two sides of a vector's handshake, before the first message."""
    cipher = vector["protocol_name"].split("_")[3]
    resp_static = keypair(bytes.fromhex(vector["resp_static"]))
    init = side(cipher, bytes.fromhex(vector["init_ephemeral"]))
    init.initialize(pattern(), True, bytes.fromhex(vector["init_prologue"]),
                    s=keypair(bytes.fromhex(vector["init_static"])), rs=resp_static.public,
                    psks=[bytes.fromhex(p) for p in vector["init_psks"]])
    resp = side(cipher, bytes.fromhex(vector["resp_ephemeral"]))
    resp.initialize(pattern(), False, bytes.fromhex(vector["resp_prologue"]), s=resp_static,
                    psks=[bytes.fromhex(p) for p in vector["resp_psks"]])
    return init, resp


def run(vector):
    """Plays a vector's handshake; returns its outputs."""
    init, resp = start(vector)
    payloads = [bytes.fromhex(m["payload"]) for m in vector["messages"]]
    first, second, got = bytearray(), bytearray(), bytearray()
    init.write_message(payloads[0], first)
    resp.read_message(bytes(first), got)
    assert bytes(got) == payloads[0]
    resp_ciphers = resp.write_message(payloads[1], second)
    init_ciphers = init.read_message(bytes(second), bytearray())
    keys = [c._key.hex() for c in init_ciphers]
    assert keys == [c._key.hex() for c in resp_ciphers]

    sent = [bytes(first), bytes(second)]
    for i, payload in enumerate(payloads[2:]):
        sent.append(init_ciphers[i % 2].encrypt_with_ad(b"", payload))
    return {
        "handshake_hash": init.symmetricstate.get_handshake_hash().hex(),
        "split_init": keys[0],
        "split_resp": keys[1],
        "messages": [{"payload": p.hex(), "ciphertext": c.hex()} for p, c in zip(payloads, sent)],
    }


def make(cipher, name, prologue, psk, payloads):
    psk = derive(name, cipher, "psk").hex() if psk else "00" * 32
    resp_static = derive(name, cipher, "resp static")
    vector = {
        "protocol_name": "Noise_IKpsk2_25519_%s_BLAKE2s" % cipher,
        "comment": name,
        "init_prologue": prologue.hex(),
        "init_psks": [psk],
        "init_static": derive(name, cipher, "init static").hex(),
        "init_ephemeral": derive(name, cipher, "init ephemeral").hex(),
        "init_remote_static": keypair(resp_static).public.data.hex(),
        "resp_prologue": prologue.hex(),
        "resp_psks": [psk],
        "resp_static": resp_static.hex(),
        "resp_ephemeral": derive(name, cipher, "resp ephemeral").hex(),
        "messages": [{"payload": p.hex()} for p in payloads],
    }
    vector.update(run(vector))
    return vector


def check(path):
    with open(path, encoding="utf-8") as f:
        vectors = json.load(f)["vectors"]
    for vector in vectors:
        for key, value in run(vector).items():
            if vector.get(key, value) != value:
                sys.exit("%s: %s: %s differs" % (path, vector["protocol_name"], key))
    print("%s: %d vectors agree" % (path, len(vectors)))


def main():
    if sys.argv[1:2] == ["--check"]:
        for path in sys.argv[2:]:
            check(path)
        return
    vectors = [make(cipher, *case) for cipher in CIPHERS for case in CASES]
    json.dump({"vectors": vectors}, sys.stdout, indent=1)
    print()


main()
