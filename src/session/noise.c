/* SPDX-License-Identifier: ISC */
/* Noise_IKpsk2_25519_*_BLAKE2s, token by token. */
#include "noise.h"

#include <errno.h>
#include <string.h>

#include <tund/crypto/secret.h>
#include <tund/crypto/x25519.h>

void noise_mix_hash(struct noise *noise, const void *data, size_t len)
{
	blake2s_hash2(noise->h, sizeof noise->h, data, len, noise->h);
}

static void mix_key(struct noise *noise, const void *data, size_t len)
{
	blake2s_hkdf(noise->ck, data, len, noise->ck, noise->k, NULL);
}

/* MixKey() where another follows before anything is encrypted: the key would be for nothing. */
static void mix_chaining_key(struct noise *noise, const void *data, size_t len)
{
	blake2s_hkdf(noise->ck, data, len, noise->ck, NULL, NULL);
}

/* MixKeyAndHash(), for a PSK. */
static void mix_key_and_hash(struct noise *noise, const uint8_t psk[KEY_SIZE])
{
	uint8_t temp[BLAKE2S_SIZE];

	blake2s_hkdf(noise->ck, psk, KEY_SIZE, noise->ck, temp, noise->k);
	noise_mix_hash(noise, temp, sizeof temp);
	secret_wipe(temp, sizeof temp);
}

/* MixKey(DH(private, public)), by one of the two functions above. */
static int mix_dh(struct noise *noise, const uint8_t private_key[KEY_SIZE],
		  const uint8_t public_key[KEY_SIZE],
		  void (*mix)(struct noise *noise, const void *data, size_t len))
{
	uint8_t shared[KEY_SIZE];
	int err = x25519_dh(private_key, public_key, shared);

	if (err == 0)
		mix(noise, shared, sizeof shared);
	secret_wipe(shared, sizeof shared);
	return err;
}

/* The key is fresh for each call, so the nonce is always 0 in this pattern. */
static int encrypt_and_hash(struct noise *noise, const uint8_t *plain, size_t len, uint8_t *out)
{
	struct aead_key key = {0};
	int err = aead_key_init(noise->aead, noise->k, &key);

	if (err == 0)
		err = aead_seal(&key, 0, noise->h, sizeof noise->h, plain, len, out);
	aead_key_clear(&key);
	if (err == 0)
		noise_mix_hash(noise, out, len + AEAD_TAG_SIZE);
	return err;
}

static int decrypt_and_hash(struct noise *noise, const uint8_t *sealed, size_t len, uint8_t *out)
{
	struct aead_key key = {0};
	uint8_t h[BLAKE2S_SIZE];
	int err = aead_key_init(noise->aead, noise->k, &key);

	memcpy(h, noise->h, sizeof h);
	noise_mix_hash(noise, sealed, len);
	if (err == 0)
		err = aead_open(&key, 0, h, sizeof h, sealed, len, out);
	aead_key_clear(&key);
	return err;
}

void noise_start(struct noise *noise, const struct aead *aead, const char *protocol_name,
		 const void *prologue, size_t prologue_len,
		 const uint8_t responder_public[KEY_SIZE])
{
	size_t n = strlen(protocol_name);

	*noise = (struct noise){.aead = aead};
	if (n <= sizeof noise->h)
		memcpy(noise->h, protocol_name, n);
	else
		blake2s_hash(protocol_name, n, noise->h);
	memcpy(noise->ck, noise->h, sizeof noise->ck);
	noise_mix_hash(noise, prologue, prologue_len);
	noise_mix_hash(noise, responder_public, KEY_SIZE);
}

/* -> e, with a PSK in the pattern also MixKey(e) (Noise section 9.2). */
static void write_e(struct noise *noise, const uint8_t ephemeral[KEY_SIZE], uint8_t *out)
{
	x25519_public(ephemeral, out);
	noise_mix_hash(noise, out, KEY_SIZE);
	mix_chaining_key(noise, out, KEY_SIZE);
}

static void read_e(struct noise *noise, const uint8_t e[KEY_SIZE])
{
	noise_mix_hash(noise, e, KEY_SIZE);
	mix_chaining_key(noise, e, KEY_SIZE);
}

int noise_write_first(struct noise *noise, const uint8_t ephemeral[KEY_SIZE],
		      const uint8_t own_public[KEY_SIZE],
		      const uint8_t responder_public[KEY_SIZE],
		      const uint8_t static_static[KEY_SIZE], const uint8_t *payload, size_t len,
		      uint8_t *out)
{
	int err;

	/* e */
	write_e(noise, ephemeral, out);
	/* es */
	err = mix_dh(noise, ephemeral, responder_public, mix_key);
	/* s */
	if (err == 0)
		err = encrypt_and_hash(noise, own_public, KEY_SIZE, out + KEY_SIZE);
	if (err < 0)
		return err;
	/* ss */
	mix_key(noise, static_static, KEY_SIZE);
	/* payload */
	return encrypt_and_hash(noise, payload, len, out + 2 * KEY_SIZE + AEAD_TAG_SIZE);
}

int noise_read_static(struct noise *noise, const uint8_t own_private[KEY_SIZE],
		      const uint8_t *message, uint8_t initiator_public[KEY_SIZE])
{
	int err;

	/* e */
	read_e(noise, message);
	/* es */
	err = mix_dh(noise, own_private, message, mix_key);
	if (err < 0)
		return err;
	/* s */
	return decrypt_and_hash(noise, message + KEY_SIZE, KEY_SIZE + AEAD_TAG_SIZE,
				initiator_public);
}

int noise_read_first(struct noise *noise, const uint8_t static_static[KEY_SIZE],
		     const uint8_t *message, size_t len, uint8_t *payload)
{
	/* ss */
	mix_key(noise, static_static, KEY_SIZE);
	/* payload */
	return decrypt_and_hash(noise, message + 2 * KEY_SIZE + AEAD_TAG_SIZE,
				len + AEAD_TAG_SIZE, payload);
}

int noise_write_second(struct noise *noise, const uint8_t ephemeral[KEY_SIZE],
		       const uint8_t initiator_ephemeral[KEY_SIZE],
		       const uint8_t initiator_public[KEY_SIZE], const uint8_t psk[KEY_SIZE],
		       const uint8_t *payload, size_t len, uint8_t *out)
{
	int err;

	/* e */
	write_e(noise, ephemeral, out);
	/* ee */
	err = mix_dh(noise, ephemeral, initiator_ephemeral, mix_chaining_key);
	/* se */
	if (err == 0)
		err = mix_dh(noise, ephemeral, initiator_public, mix_chaining_key);
	if (err < 0)
		return err;
	/* psk */
	mix_key_and_hash(noise, psk);
	/* payload */
	return encrypt_and_hash(noise, payload, len, out + KEY_SIZE);
}

int noise_read_second(struct noise *noise, const uint8_t ephemeral[KEY_SIZE],
		      const uint8_t own_private[KEY_SIZE], const uint8_t psk[KEY_SIZE],
		      const uint8_t *message, size_t len, uint8_t *payload)
{
	int err;

	/* e */
	read_e(noise, message);
	/* ee */
	err = mix_dh(noise, ephemeral, message, mix_chaining_key);
	/* se */
	if (err == 0)
		err = mix_dh(noise, own_private, message, mix_chaining_key);
	if (err < 0)
		return err;
	/* psk */
	mix_key_and_hash(noise, psk);
	/* payload */
	return decrypt_and_hash(noise, message + KEY_SIZE, len + AEAD_TAG_SIZE, payload);
}

void noise_split(const struct noise *noise, uint8_t initiator_sends[KEY_SIZE],
		 uint8_t responder_sends[KEY_SIZE])
{
	blake2s_hkdf(noise->ck, NULL, 0, initiator_sends, responder_sends, NULL);
}

void noise_wipe(struct noise *noise)
{
	secret_wipe(noise, sizeof *noise);
}
