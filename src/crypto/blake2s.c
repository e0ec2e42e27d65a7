/* SPDX-License-Identifier: ISC */
/* BLAKE2s by libb2, and HMAC and HKDF over it. */
#include <assert.h>
#include <blake2.h>
#include <string.h>

#include <tund/crypto/blake2s.h>
#include <tund/crypto/secret.h>

_Static_assert(sizeof(blake2s_state) <= sizeof(struct blake2s), "libb2's state must fit");

#define BLOCK_SIZE BLAKE2S_BLOCKBYTES

static blake2s_state *state_of(struct blake2s *h)
{
	return (blake2s_state *)(void *)h->opaque;
}

void blake2s_start(struct blake2s *h)
{
	blake2s_init(state_of(h), BLAKE2S_SIZE);
}

void blake2s_mac_start(struct blake2s *h, const uint8_t *key, size_t key_len)
{
	assert(key_len > 0 && key_len <= BLAKE2S_KEYBYTES);
	blake2s_init_key(state_of(h), BLAKE2S_MAC_SIZE, key, key_len);
}

void blake2s_add(struct blake2s *h, const void *data, size_t len)
{
	if (len > 0)
		blake2s_update(state_of(h), data, len);
}

void blake2s_finish(struct blake2s *h, uint8_t out[BLAKE2S_SIZE])
{
	blake2s_final(state_of(h), out, BLAKE2S_SIZE);
	secret_wipe(h, sizeof *h);
}

void blake2s_mac_finish(struct blake2s *h, uint8_t out[BLAKE2S_MAC_SIZE])
{
	blake2s_final(state_of(h), out, BLAKE2S_MAC_SIZE);
	secret_wipe(h, sizeof *h);
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

/* Begins a hash with one block: the key, padded with zeros, each byte xored with `pad`. */
static void start_padded(struct blake2s *h, const uint8_t key[BLOCK_SIZE], uint8_t pad)
{
	uint8_t block[BLOCK_SIZE];

	for (size_t i = 0; i < sizeof block; i++)
		block[i] = key[i] ^ pad;
	blake2s_start(h);
	blake2s_add(h, block, sizeof block);
	secret_wipe(block, sizeof block);
}

void blake2s_hmac(const uint8_t *key, size_t key_len, const void *a, size_t a_len, const void *b,
		  size_t b_len, uint8_t out[BLAKE2S_SIZE])
{
	uint8_t padded_key[BLOCK_SIZE] = {0}, inner[BLAKE2S_SIZE];
	struct blake2s h;

	if (key_len > BLOCK_SIZE)
		blake2s_hash(key, key_len, padded_key);
	else if (key_len > 0)
		memcpy(padded_key, key, key_len);
	start_padded(&h, padded_key, 0x36);
	blake2s_add(&h, a, a_len);
	blake2s_add(&h, b, b_len);
	blake2s_finish(&h, inner);
	start_padded(&h, padded_key, 0x5c);
	blake2s_add(&h, inner, sizeof inner);
	blake2s_finish(&h, out);
	secret_wipe(padded_key, sizeof padded_key);
	secret_wipe(inner, sizeof inner);
}

void blake2s_hkdf(const uint8_t chaining_key[BLAKE2S_SIZE], const void *input, size_t len,
		  uint8_t out1[BLAKE2S_SIZE], uint8_t *out2, uint8_t *out3)
{
	uint8_t *const outs[3] = {out1, out2, out3};
	uint8_t temp_key[BLAKE2S_SIZE], t[BLAKE2S_SIZE];

	assert(out2 || !out3);
	blake2s_hmac(chaining_key, BLAKE2S_SIZE, input, len, NULL, 0, temp_key);
	for (uint8_t i = 0; i < 3 && outs[i]; i++) {
		uint8_t number = (uint8_t)(i + 1);

		blake2s_hmac(temp_key, sizeof temp_key, t, i ? sizeof t : 0, &number, 1, t);
		memcpy(outs[i], t, sizeof t);
	}
	secret_wipe(temp_key, sizeof temp_key);
	secret_wipe(t, sizeof t);
}
