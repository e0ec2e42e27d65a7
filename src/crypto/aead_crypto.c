/* SPDX-License-Identifier: ISC */
/*
 * AEADs by OpenSSL's libcrypto, the provider for every CPU. An EVP context serves one thread at a
 * time and must not be made for each packet, so each key has a few of them; a thread takes one
 * that is not in use, and waits where all are.
 */
#include <tund/crypto/aead.h>

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "aead_providers.h"

#define SLOTS 4 /* threads that use one key at the same moment without waiting */

struct slot {
	atomic_flag busy;
	EVP_CIPHER_CTX *ctx;
};

struct crypto_key {
	struct slot *slots;
};

_Static_assert(sizeof(struct crypto_key) <= AEAD_KEY_SIZE, "the key must fit");

static struct slot *slot_take(const struct crypto_key *key)
{
	for (;;) {
		for (size_t i = 0; i < SLOTS; i++) {
			struct slot *s = &key->slots[i];

			if (!atomic_flag_test_and_set_explicit(&s->busy, memory_order_acquire))
				return s;
		}
		sched_yield();
	}
}

static void slot_give(struct slot *s)
{
	atomic_flag_clear_explicit(&s->busy, memory_order_release);
}

static void key_clear(void *opaque)
{
	struct crypto_key *key = opaque;

	for (size_t i = 0; key->slots && i < SLOTS; i++)
		EVP_CIPHER_CTX_free(key->slots[i].ctx); /* wipes its copy of the key */
	free(key->slots);
	key->slots = NULL;
}

static int key_init(void *opaque, const EVP_CIPHER *cipher, const uint8_t *secret)
{
	struct crypto_key *key = opaque;

	key->slots = calloc(SLOTS, sizeof *key->slots);
	if (!key->slots)
		return -ENOMEM;
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *s = &key->slots[i];

		atomic_flag_clear(&s->busy);
		s->ctx = EVP_CIPHER_CTX_new();
		if (!s->ctx || !EVP_EncryptInit_ex(s->ctx, cipher, NULL, secret, NULL)) {
			key_clear(key);
			return -ENOMEM;
		}
	}
	return 0;
}

/* Without this, the first use of libcrypto reads openssl.cnf. */
static void start(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

static int chacha_key_init(void *key, const uint8_t secret[AEAD_SECRET_SIZE])
{
	start();
	return key_init(key, EVP_chacha20_poly1305(), secret);
}

static int aes_key_init(void *key, const uint8_t secret[AEAD_SECRET_SIZE])
{
	start();
	return key_init(key, EVP_aes_256_gcm(), secret);
}

/* The part that both directions share: nonce, associated data, text. */
static int process(EVP_CIPHER_CTX *ctx, int encrypt, const uint8_t *nonce, const void *ad,
		   size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	int n;

	if (len > INT_MAX || ad_len > INT_MAX)
		return 0;
	if (!EVP_CipherInit_ex(ctx, NULL, NULL, NULL, nonce, encrypt))
		return 0;
	if (ad_len > 0 && !EVP_CipherUpdate(ctx, NULL, &n, ad, (int)ad_len))
		return 0;
	return len == 0 || EVP_CipherUpdate(ctx, dst, &n, src, (int)len);
}

static int seal(const void *opaque, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	struct slot *s = slot_take(opaque);
	int n, ok;

	ok = process(s->ctx, 1, nonce, ad, ad_len, src, len, dst) &&
	     EVP_CipherFinal_ex(s->ctx, dst + len, &n) &&
	     EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_SIZE, dst + len);
	slot_give(s);
	if (ok)
		return 0;
	memset(dst, 0, len + AEAD_TAG_SIZE);
	return -EIO;
}

static int open_sealed(const void *opaque, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		       size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	uint8_t tag[AEAD_TAG_SIZE], none[AEAD_TAG_SIZE];
	struct slot *s;
	int n, ok;

	if (len < AEAD_TAG_SIZE)
		return -EBADMSG;
	len -= AEAD_TAG_SIZE;
	memcpy(tag, src + len, sizeof tag);
	s = slot_take(opaque);
	ok = process(s->ctx, 0, nonce, ad, ad_len, src, len, dst) &&
	     EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) &&
	     EVP_CipherFinal_ex(s->ctx, none, &n) > 0;
	slot_give(s);
	if (ok)
		return 0;
	if (len > 0)
		memset(dst, 0, len);
	return -EBADMSG;
}

const struct aead aead_crypto_chacha = {
	.name = "libcrypto",
	.kind = AEAD_CHACHA20POLY1305,
	.key_size = sizeof(struct crypto_key),
	.key_init = chacha_key_init,
	.key_clear = key_clear,
	.seal = seal,
	.open = open_sealed,
};

const struct aead aead_crypto_aes = {
	.name = "libcrypto",
	.kind = AEAD_AES256GCM,
	.key_size = sizeof(struct crypto_key),
	.key_init = aes_key_init,
	.key_clear = key_clear,
	.seal = seal,
	.open = open_sealed,
};
