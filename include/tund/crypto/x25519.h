/* SPDX-License-Identifier: ISC */
/* X25519 (RFC 7748). Any thread; constant time in the secrets. */
#ifndef TUND_CRYPTO_X25519_H
#define TUND_CRYPTO_X25519_H

#include <stdint.h>

#include <tund/crypto/random.h>

#define X25519_SIZE 32 /* bytes of a secret, a public key and a shared secret */

/* Sets and clears the bits that make a secret canonical (RFC 7748 section 5), as `wg genkey`. */
void x25519_clamp(uint8_t secret[X25519_SIZE]);

/* A fresh clamped secret. */
void x25519_generate(const struct rng *rng, uint8_t secret[X25519_SIZE]);

/* The public key of a secret, clamped or not. */
void x25519_public(const uint8_t secret[X25519_SIZE], uint8_t public_key[X25519_SIZE]);

/*
 * The shared secret. -EINVAL where it is all zero, that is for a public key of low order: the
 * handshake must be aborted (RFC 7748, section 6.1), for anybody knows the keys that would come of
 * it; `shared` is untouched.
 */
int x25519_dh(const uint8_t secret[X25519_SIZE], const uint8_t public_key[X25519_SIZE],
	      uint8_t shared[X25519_SIZE]);

#endif
