/* SPDX-License-Identifier: ISC */
/*
 * AEADs by Intel's ipsec-mb, by its direct functions: they keep their state in a context on our
 * stack and so run in any thread. Which of them suits the CPU is read once from a manager that is
 * not kept; after that the table never changes.
 */
#ifdef HAVE_IPSEC_MB

#include <errno.h>
#include <intel-ipsec-mb.h>
#include <pthread.h>
#include <string.h>

#include <tund/crypto/secret.h>

#include "aead_providers.h"

_Static_assert(sizeof(struct gcm_key_data) <= AEAD_KEY_SIZE, "ipsec-mb's key must fit");

/* The functions for this CPU; NULL where it lacks what they need. */
static struct {
	aes_gcm_pre_t gcm_pre;
	aes_gcm_enc_dec_t gcm_enc, gcm_dec;
	chacha_poly_init_t chacha_init;
	chacha_poly_enc_dec_update_t chacha_enc, chacha_dec;
	chacha_poly_finalize_t chacha_finalize;
} cpu;
static pthread_once_t cpu_once = PTHREAD_ONCE_INIT;

static void cpu_probe(void)
{
	IMB_MGR *m = alloc_mb_mgr(0);

	if (!m)
		return;
	init_mb_mgr_auto(m, NULL);
	if (imb_get_errno(m) != 0)
		goto out;
	cpu.chacha_init = m->chacha20_poly1305_init;
	cpu.chacha_enc = m->chacha20_poly1305_enc_update;
	cpu.chacha_dec = m->chacha20_poly1305_dec_update;
	cpu.chacha_finalize = m->chacha20_poly1305_finalize;
	if (!(m->features & IMB_FEATURE_AESNI) || !(m->features & IMB_FEATURE_PCLMULQDQ))
		goto out; /* what it has then are tables, not constant in time */
	cpu.gcm_pre = m->gcm256_pre;
	cpu.gcm_enc = m->gcm256_enc;
	cpu.gcm_dec = m->gcm256_dec;
out:
	free_mb_mgr(m);
}

static void key_clear(void *key)
{
	(void)key;
}

/* ipsec-mb decrypts and leaves the comparison to us. */
static int check_tag(const uint8_t *tag, const uint8_t *expected, size_t len, uint8_t *dst)
{
	if (secret_equal(tag, expected, AEAD_TAG_SIZE))
		return 0;
	if (len > 0)
		memset(dst, 0, len);
	return -EBADMSG;
}

static int aes_key_init(void *key, const uint8_t secret[AEAD_SECRET_SIZE])
{
	pthread_once(&cpu_once, cpu_probe);
	if (!cpu.gcm_pre)
		return -ENOTSUP;
	cpu.gcm_pre(secret, key);
	return 0;
}

static int aes_seal(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		    size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	struct gcm_context_data ctx;

	cpu.gcm_enc(key, &ctx, dst, src, len, nonce, ad, ad_len, dst + len, AEAD_TAG_SIZE);
	secret_wipe(&ctx, sizeof ctx);
	return 0;
}

static int aes_open(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		    size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	struct gcm_context_data ctx;
	uint8_t tag[AEAD_TAG_SIZE];

	if (len < AEAD_TAG_SIZE)
		return -EBADMSG;
	len -= AEAD_TAG_SIZE;
	cpu.gcm_dec(key, &ctx, dst, src, len, nonce, ad, ad_len, tag, sizeof tag);
	secret_wipe(&ctx, sizeof ctx);
	return check_tag(src + len, tag, len, dst);
}

static int chacha_key_init(void *key, const uint8_t secret[AEAD_SECRET_SIZE])
{
	pthread_once(&cpu_once, cpu_probe);
	if (!cpu.chacha_init)
		return -ENOTSUP;
	memcpy(key, secret, AEAD_SECRET_SIZE);
	return 0;
}

static int chacha_seal(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		       size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	struct chacha20_poly1305_context_data ctx;

	cpu.chacha_init(key, &ctx, nonce, ad, ad_len);
	if (len > 0)
		cpu.chacha_enc(key, &ctx, dst, src, len);
	cpu.chacha_finalize(&ctx, dst + len, AEAD_TAG_SIZE);
	secret_wipe(&ctx, sizeof ctx);
	return 0;
}

static int chacha_open(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		       size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	struct chacha20_poly1305_context_data ctx;
	uint8_t tag[AEAD_TAG_SIZE];

	if (len < AEAD_TAG_SIZE)
		return -EBADMSG;
	len -= AEAD_TAG_SIZE;
	cpu.chacha_init(key, &ctx, nonce, ad, ad_len);
	if (len > 0)
		cpu.chacha_dec(key, &ctx, dst, src, len);
	cpu.chacha_finalize(&ctx, tag, sizeof tag);
	secret_wipe(&ctx, sizeof ctx);
	return check_tag(src + len, tag, len, dst);
}

const struct aead aead_ipsec_mb_chacha = {
	.name = "ipsec-mb",
	.kind = AEAD_CHACHA20POLY1305,
	.key_size = AEAD_SECRET_SIZE,
	.key_init = chacha_key_init,
	.key_clear = key_clear,
	.seal = chacha_seal,
	.open = chacha_open,
};

const struct aead aead_ipsec_mb_aes = {
	.name = "ipsec-mb",
	.kind = AEAD_AES256GCM,
	.key_size = sizeof(struct gcm_key_data),
	.key_init = aes_key_init,
	.key_clear = key_clear,
	.seal = aes_seal,
	.open = aes_open,
};

#endif
