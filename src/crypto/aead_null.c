/* SPDX-License-Identifier: ISC */
/*
 * No AEAD at all: it copies, and its tag is zeros that nobody looks at. Its only use is to measure
 * what the real ones cost (configure --enable-benchmark-null-aead).
 */
#ifdef TUND_BENCHMARK_NULL_AEAD

#include <tund/crypto/aead.h>

#include <errno.h>
#include <string.h>

#include "aead_providers.h"

static int key_init(void *key, const uint8_t secret[AEAD_SECRET_SIZE])
{
	(void)key;
	(void)secret;
	return 0;
}

static void key_clear(void *key)
{
	(void)key;
}

static int seal(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	(void)key;
	(void)nonce;
	(void)ad;
	(void)ad_len;
	if (len > 0 && dst != src)
		memcpy(dst, src, len);
	memset(dst + len, 0, AEAD_TAG_SIZE);
	return 0;
}

static int open_sealed(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		       size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	(void)key;
	(void)nonce;
	(void)ad;
	(void)ad_len;
	if (len < AEAD_TAG_SIZE)
		return -EBADMSG;
	if (len > AEAD_TAG_SIZE && dst != src)
		memcpy(dst, src, len - AEAD_TAG_SIZE);
	return 0;
}

const struct aead aead_null_chacha = {
	.name = "null",
	.kind = AEAD_CHACHA20POLY1305,
	.key_init = key_init,
	.key_clear = key_clear,
	.seal = seal,
	.open = open_sealed,
};

const struct aead aead_null_aes = {
	.name = "null",
	.kind = AEAD_AES256GCM,
	.key_init = key_init,
	.key_clear = key_clear,
	.seal = seal,
	.open = open_sealed,
};

#endif
