/* SPDX-License-Identifier: ISC */
/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash for tables whose keys a stranger
 * chooses, so that nobody can aim at one bucket.
 */
#ifndef TUND_BASE_SIPHASH_H
#define TUND_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

/* Hash of `len` bytes. Any thread. */
uint64_t siphash(const struct siphash_key *key, const void *data, size_t len);

/* The same for `n` 64-bit words (the bytes are those of the words in little-endian order). */
uint64_t siphash_words(const struct siphash_key *key, const uint64_t *words, size_t n);

#endif
