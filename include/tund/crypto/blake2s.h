/* SPDX-License-Identifier: ISC */
/*
 * BLAKE2s (RFC 7693) and what Noise and WireGuard build on it: the 16-byte keyed MAC, HMAC and
 * HKDF. Any thread; nothing allocates, nothing fails; every secret intermediate is wiped.
 */
#ifndef TUND_CRYPTO_BLAKE2S_H
#define TUND_CRYPTO_BLAKE2S_H

#include <stddef.h>
#include <stdint.h>

#define BLAKE2S_SIZE 32     /* bytes of a hash */
#define BLAKE2S_MAC_SIZE 16 /* bytes of mac1, mac2 and a cookie */
#define BLAKE2S_BLOCK_SIZE 64 /* bytes */

/* A hash in progress; embed it, its content belongs to this module. */
struct blake2s {
	uint32_t h[8];
	uint64_t count;  /* bytes compressed */
	size_t buffered; /* bytes of `block` */
	uint8_t block[BLAKE2S_BLOCK_SIZE];
};

/* Begins an unkeyed 32-byte hash. */
void blake2s_start(struct blake2s *h);

/* Begins a keyed 16-byte hash; `key_len` 1..32 bytes. */
void blake2s_mac_start(struct blake2s *h, const uint8_t *key, size_t key_len);

/* Adds `len` bytes; `data` may be NULL where `len` is 0. */
void blake2s_add(struct blake2s *h, const void *data, size_t len);

/* Ends a hash begun with blake2s_start() and wipes the state. */
void blake2s_finish(struct blake2s *h, uint8_t out[BLAKE2S_SIZE]);

/* Ends a hash begun with blake2s_mac_start() and wipes the state. */
void blake2s_mac_finish(struct blake2s *h, uint8_t out[BLAKE2S_MAC_SIZE]);

/* HASH(data). `out` may be where `data` is. */
void blake2s_hash(const void *data, size_t len, uint8_t out[BLAKE2S_SIZE]);

/* HASH(a || b), Noise's MixHash. `out` may be where `a` or `b` is. */
void blake2s_hash2(const void *a, size_t a_len, const void *b, size_t b_len,
		   uint8_t out[BLAKE2S_SIZE]);

/* WireGuard's MAC(key, data): BLAKE2s keyed, 16 bytes out (paper, 5.4). `key_len` 1..32 bytes. */
void blake2s_mac(const uint8_t *key, size_t key_len, const void *data, size_t len,
		 uint8_t out[BLAKE2S_MAC_SIZE]);

/* HMAC-BLAKE2s (RFC 2104, block of 64 bytes) of a || b; any key length; `b` may be NULL. */
void blake2s_hmac(const uint8_t *key, size_t key_len, const void *a, size_t a_len, const void *b,
		  size_t b_len, uint8_t out[BLAKE2S_SIZE]);

/*
 * HKDF of Noise section 4.3 (WireGuard's KDF1..3): one, two or three outputs from a chaining key
 * and input key material of any length. Pass NULL for the outputs not wanted, the last ones
 * first. An output may be where `chaining_key` or `input` is.
 */
void blake2s_hkdf(const uint8_t chaining_key[BLAKE2S_SIZE], const void *input, size_t len,
		  uint8_t out1[BLAKE2S_SIZE], uint8_t *out2, uint8_t *out3);

#endif
