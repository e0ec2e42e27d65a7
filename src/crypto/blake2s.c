/* SPDX-License-Identifier: ISC */
/*
 * BLAKE2s (RFC 7693), and HMAC and HKDF over it. libb2 has the hash as well, but nowhere to begin
 * in the middle: a handshake calls HMAC 24 times, and half of each is to compress the padded key,
 * which HKDF needs only once for all of its outputs.
 */
#include <tund/crypto/blake2s.h>

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/crypto/secret.h>

#define BLOCK_SIZE BLAKE2S_BLOCK_SIZE
#define KEY_MAX 32 /* bytes */

static const uint32_t iv[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint8_t sigma[10][16] = {
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	{14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
	{11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
	{7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
	{9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
	{2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
	{12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
	{13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
	{6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
	{10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

/* Keeps the compiler from gathering words into vectors, only to take them apart again. */
static inline uint32_t scalar(uint32_t x)
{
	__asm__("" : "+r"(x));
	return x;
}

static inline uint32_t word(const uint8_t block[BLOCK_SIZE], uint8_t i)
{
	return get_le32(block + 4 * i);
}

/* RFC 7693, 3.1: the mixing function G. */
static inline __attribute__((always_inline)) void mix(uint32_t v[16], int a, int b, int c, int d,
						      uint32_t x, uint32_t y)
{
	v[a] += v[b] + x;
	v[d] = rotate(v[d] ^ v[a], 16);
	v[c] += v[d];
	v[b] = rotate(v[b] ^ v[c], 12);
	v[a] += v[b] + y;
	v[d] = rotate(v[d] ^ v[a], 8);
	v[c] += v[d];
	v[b] = rotate(v[b] ^ v[c], 7);
}

/* RFC 7693, 3.2: the compression function F. All is unrolled, so that `v` is in registers. */
static void compress(struct blake2s *h, const uint8_t block[BLOCK_SIZE], bool last)
{
	uint32_t v[16];

	for (int i = 0; i < 8; i++) {
		v[i] = scalar(h->h[i]);
		v[i + 8] = iv[i];
	}
	v[12] ^= (uint32_t)h->count;
	v[13] ^= (uint32_t)(h->count >> 32);
	v[14] ^= last ? UINT32_MAX : 0;
#pragma GCC unroll 10
	for (int i = 0; i < 10; i++) {
		const uint8_t *s = sigma[i];

		mix(v, 0, 4, 8, 12, word(block, s[0]), word(block, s[1]));
		mix(v, 1, 5, 9, 13, word(block, s[2]), word(block, s[3]));
		mix(v, 2, 6, 10, 14, word(block, s[4]), word(block, s[5]));
		mix(v, 3, 7, 11, 15, word(block, s[6]), word(block, s[7]));
		mix(v, 0, 5, 10, 15, word(block, s[8]), word(block, s[9]));
		mix(v, 1, 6, 11, 12, word(block, s[10]), word(block, s[11]));
		mix(v, 2, 7, 8, 13, word(block, s[12]), word(block, s[13]));
		mix(v, 3, 4, 9, 14, word(block, s[14]), word(block, s[15]));
	}
	for (int i = 0; i < 8; i++)
		h->h[i] ^= scalar(v[i] ^ v[i + 8]);
}

/* RFC 7693, 2.5: the parameter block of a sequential hash. */
static void begin(struct blake2s *h, size_t out_len, size_t key_len)
{
	memset(h, 0, sizeof *h);
	memcpy(h->h, iv, sizeof iv);
	h->h[0] ^= 0x01010000 ^ (uint32_t)(key_len << 8) ^ (uint32_t)out_len;
}

void blake2s_start(struct blake2s *h)
{
	begin(h, BLAKE2S_SIZE, 0);
}

void blake2s_mac_start(struct blake2s *h, const uint8_t *key, size_t key_len)
{
	assert(key_len > 0 && key_len <= KEY_MAX);
	begin(h, BLAKE2S_MAC_SIZE, key_len);
	memcpy(h->block, key, key_len);
	h->buffered = BLOCK_SIZE;
}

/* The last block is compressed differently, so a full one waits until there is more. */
void blake2s_add(struct blake2s *h, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len > 0) {
		size_t room = BLOCK_SIZE - h->buffered, n = len < room ? len : room;

		if (room == 0) {
			h->count += BLOCK_SIZE;
			compress(h, h->block, false);
			h->buffered = 0;
			continue;
		}
		memcpy(h->block + h->buffered, p, n);
		h->buffered += n;
		p += n;
		len -= n;
	}
}

static void finish(struct blake2s *h, uint8_t *out, size_t out_len)
{
	h->count += h->buffered;
	memset(h->block + h->buffered, 0, BLOCK_SIZE - h->buffered);
	compress(h, h->block, true);
	for (int i = 0; i < 8; i++)
		put_le32(h->block + 4 * i, h->h[i]);
	memcpy(out, h->block, out_len);
	secret_wipe(h, sizeof *h);
}

void blake2s_finish(struct blake2s *h, uint8_t out[BLAKE2S_SIZE])
{
	finish(h, out, BLAKE2S_SIZE);
}

void blake2s_mac_finish(struct blake2s *h, uint8_t out[BLAKE2S_MAC_SIZE])
{
	finish(h, out, BLAKE2S_MAC_SIZE);
}

void blake2s_hash(const void *data, size_t len, uint8_t out[BLAKE2S_SIZE])
{
	blake2s_hash2(data, len, NULL, 0, out);
}

void blake2s_hash2(const void *a, size_t a_len, const void *b, size_t b_len,
		   uint8_t out[BLAKE2S_SIZE])
{
	struct blake2s h;

	blake2s_start(&h);
	blake2s_add(&h, a, a_len);
	blake2s_add(&h, b, b_len);
	blake2s_finish(&h, out);
}

void blake2s_mac(const uint8_t *key, size_t key_len, const void *data, size_t len,
		 uint8_t out[BLAKE2S_MAC_SIZE])
{
	struct blake2s h;

	blake2s_mac_start(&h, key, key_len);
	blake2s_add(&h, data, len);
	blake2s_mac_finish(&h, out);
}

/* What HMAC has compressed when it comes to the message: the key, padded in two ways. */
struct hmac_key {
	struct blake2s inner, outer;
};

/* A hash with one block behind it: the key, padded with zeros, each byte xored with `pad`. */
static void start_padded(struct blake2s *h, const uint8_t key[BLOCK_SIZE], uint8_t pad)
{
	blake2s_start(h);
	for (size_t i = 0; i < BLOCK_SIZE; i++)
		h->block[i] = key[i] ^ pad;
	h->count = BLOCK_SIZE;
	compress(h, h->block, false);
}

static void hmac_key_init(struct hmac_key *k, const uint8_t *key, size_t key_len)
{
	uint8_t padded[BLOCK_SIZE] = {0};

	if (key_len > BLOCK_SIZE)
		blake2s_hash(key, key_len, padded);
	else if (key_len > 0)
		memcpy(padded, key, key_len);
	start_padded(&k->inner, padded, 0x36);
	start_padded(&k->outer, padded, 0x5c);
	secret_wipe(padded, sizeof padded);
}

static void hmac(const struct hmac_key *k, const void *a, size_t a_len, const void *b, size_t b_len,
		 uint8_t out[BLAKE2S_SIZE])
{
	uint8_t inner[BLAKE2S_SIZE];
	struct blake2s h = k->inner;

	if (a_len == 0 && b_len == 0) {
		/* Then the padded key is the last block. */
		blake2s_start(&h);
		blake2s_add(&h, k->inner.block, BLOCK_SIZE);
	}
	blake2s_add(&h, a, a_len);
	blake2s_add(&h, b, b_len);
	blake2s_finish(&h, inner);
	h = k->outer;
	blake2s_add(&h, inner, sizeof inner);
	blake2s_finish(&h, out);
	secret_wipe(inner, sizeof inner);
}

void blake2s_hmac(const uint8_t *key, size_t key_len, const void *a, size_t a_len, const void *b,
		  size_t b_len, uint8_t out[BLAKE2S_SIZE])
{
	struct hmac_key k;

	hmac_key_init(&k, key, key_len);
	hmac(&k, a, a_len, b, b_len, out);
	secret_wipe(&k, sizeof k);
}

void blake2s_hkdf(const uint8_t chaining_key[BLAKE2S_SIZE], const void *input, size_t len,
		  uint8_t out1[BLAKE2S_SIZE], uint8_t *out2, uint8_t *out3)
{
	uint8_t *const outs[3] = {out1, out2, out3};
	uint8_t temp_key[BLAKE2S_SIZE], t[BLAKE2S_SIZE];
	struct hmac_key k;

	assert(out2 || !out3);
	blake2s_hmac(chaining_key, BLAKE2S_SIZE, input, len, NULL, 0, temp_key);
	hmac_key_init(&k, temp_key, sizeof temp_key);
	for (uint8_t i = 0; i < 3 && outs[i]; i++) {
		uint8_t number = (uint8_t)(i + 1);

		hmac(&k, t, i ? sizeof t : 0, &number, 1, t);
		memcpy(outs[i], t, sizeof t);
	}
	secret_wipe(temp_key, sizeof temp_key);
	secret_wipe(t, sizeof t);
	secret_wipe(&k, sizeof k);
}
