/* SPDX-License-Identifier: ISC */
/* AEADs by libsodium: constant time everywhere, so its AES exists only where the CPU has it. */
#include <tund/crypto/aead.h>

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "aead_providers.h"

_Static_assert(sizeof(crypto_aead_aes256gcm_state) <= AEAD_KEY_SIZE, "libsodium's key must fit");

/* libsodium leaves dst as it was when a tag is wrong. */
static int open_result(int r, size_t len, uint8_t *dst)
{
	if (r == 0)
		return 0;
	if (len > AEAD_TAG_SIZE)
		memset(dst, 0, len - AEAD_TAG_SIZE);
	return -EBADMSG;
}

static void key_clear(void *key)
{
	(void)key;
}

static int chacha_key_init(void *key, const uint8_t secret[AEAD_SECRET_SIZE])
{
	memcpy(key, secret, AEAD_SECRET_SIZE);
	return 0;
}

static int chacha_seal(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		       size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	crypto_aead_chacha20poly1305_ietf_encrypt(dst, NULL, src, len, ad, ad_len, NULL, nonce,
						  key);
	return 0;
}

static int chacha_open(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		       size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	if (len < AEAD_TAG_SIZE)
		return -EBADMSG;
	return open_result(crypto_aead_chacha20poly1305_ietf_decrypt(dst, NULL, NULL, src, len, ad,
								     ad_len, nonce, key),
			   len, dst);
}

static int aes_key_init(void *key, const uint8_t secret[AEAD_SECRET_SIZE])
{
	if (!crypto_aead_aes256gcm_is_available())
		return -ENOTSUP;
	return crypto_aead_aes256gcm_beforenm(key, secret) == 0 ? 0 : -ENOTSUP;
}

static int aes_seal(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		    size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	if (crypto_aead_aes256gcm_encrypt_afternm(dst, NULL, src, len, ad, ad_len, NULL, nonce,
						  key) == 0)
		return 0;
	memset(dst, 0, len + AEAD_TAG_SIZE);
	return -EIO;
}

static int aes_open(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		    size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	if (len < AEAD_TAG_SIZE)
		return -EBADMSG;
	return open_result(crypto_aead_aes256gcm_decrypt_afternm(dst, NULL, NULL, src, len, ad,
								 ad_len, nonce, key),
			   len, dst);
}

const struct aead aead_sodium_chacha = {
	.name = "libsodium",
	.kind = AEAD_CHACHA20POLY1305,
	.key_size = AEAD_SECRET_SIZE,
	.key_init = chacha_key_init,
	.key_clear = key_clear,
	.seal = chacha_seal,
	.open = chacha_open,
};

const struct aead aead_sodium_aes = {
	.name = "libsodium",
	.kind = AEAD_AES256GCM,
	.key_size = sizeof(crypto_aead_aes256gcm_state),
	.key_init = aes_key_init,
	.key_clear = key_clear,
	.seal = aes_seal,
	.open = aes_open,
};
