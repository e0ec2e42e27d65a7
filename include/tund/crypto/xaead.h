/* SPDX-License-Identifier: ISC */
/*
 * XChaCha20-Poly1305 with a random 24-byte nonce (draft-irtf-cfrg-xchacha-03), which seals
 * WireGuard's cookies. Any thread; nothing allocates.
 */
#ifndef TUND_CRYPTO_XAEAD_H
#define TUND_CRYPTO_XAEAD_H

#include <stddef.h>
#include <stdint.h>

#define XAEAD_KEY_SIZE 32   /* bytes */
#define XAEAD_NONCE_SIZE 24 /* bytes */
#define XAEAD_TAG_SIZE 16   /* bytes */

/* Seals `len` bytes; writes len + XAEAD_TAG_SIZE bytes. dst may be src, or must not overlap. */
void xaead_seal(const uint8_t key[XAEAD_KEY_SIZE], const uint8_t nonce[XAEAD_NONCE_SIZE],
		const void *ad, size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst);

/*
 * Opens `len` bytes, the tag included; writes len - XAEAD_TAG_SIZE bytes. dst may be src, or must
 * not overlap. -EBADMSG: shorter than a tag (dst untouched) or not authentic (dst zeroed).
 */
int xaead_open(const uint8_t key[XAEAD_KEY_SIZE], const uint8_t nonce[XAEAD_NONCE_SIZE],
	       const void *ad, size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst);

#endif
