/* SPDX-License-Identifier: ISC */
/* Choice of an AEAD provider, and nonces from counters. */
#include <tund/crypto/aead.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#ifdef __aarch64__
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include <tund/base/bytes.h>
#include <tund/crypto/secret.h>

#include "aead_providers.h"

/* Fastest first, as measured with 1420-byte packets. */
static const struct aead *const chacha_providers[] = {
#ifdef HAVE_IPSEC_MB
	&aead_ipsec_mb_chacha,
#endif
	&aead_crypto_chacha,
	&aead_sodium_chacha,
	NULL,
};

static const struct aead *const aes_providers[] = {
#ifdef HAVE_IPSEC_MB
	&aead_ipsec_mb_aes,
#endif
	&aead_crypto_aes,
	&aead_sodium_aes,
	NULL,
};

static const struct aead *const *provider_table(enum aead_kind kind)
{
	return kind == AEAD_AES256GCM ? aes_providers : chacha_providers;
}

const struct aead *aead_providers(enum aead_kind kind, size_t i)
{
	const struct aead *const *table = provider_table(kind);

	for (; *table && i > 0; i--)
		table++;
	return *table;
}

const struct aead *aead_select(enum aead_kind kind, const char *name)
{
	const struct aead *const *table = provider_table(kind);

#ifdef TUND_BENCHMARK_NULL_AEAD
	if (!name)
		return kind == AEAD_AES256GCM ? &aead_null_aes : &aead_null_chacha;
#endif
	for (; *table; table++) {
		if (name && strcmp((*table)->name, name) != 0)
			continue;
		if (aead_self_test(*table) == 0)
			return *table;
	}
	return NULL;
}

int aead_thread_start(void)
{
#ifdef HAVE_IPSEC_MB
	return aead_ipsec_mb_thread_start();
#else
	return 0;
#endif
}

void aead_thread_end(void)
{
#ifdef HAVE_IPSEC_MB
	aead_ipsec_mb_thread_end();
#endif
}

static bool cpu_has_aes(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__aarch64__)
	return (getauxval(AT_HWCAP) & (HWCAP_AES | HWCAP_PMULL)) == (HWCAP_AES | HWCAP_PMULL);
#else
	return false;
#endif
}

bool aead_in_hardware(enum aead_kind kind)
{
	return kind == AEAD_CHACHA20POLY1305 || cpu_has_aes();
}

int aead_key_init(const struct aead *a, const uint8_t secret[AEAD_SECRET_SIZE],
		  struct aead_key *key)
{
	int r = a->key_init(key->opaque, secret);

	if (r == 0)
		key->aead = a;
	else
		secret_wipe(key, sizeof *key);
	return r;
}

void aead_key_clear(struct aead_key *key)
{
	if (key->aead)
		key->aead->key_clear(key->opaque);
	secret_wipe(key, sizeof *key);
}

static void nonce_of(enum aead_kind kind, uint64_t counter, uint8_t nonce[AEAD_NONCE_SIZE])
{
	memset(nonce, 0, 4);
	switch (kind) {
	case AEAD_CHACHA20POLY1305:
		put_le64(nonce + 4, counter);
		break;
	case AEAD_AES256GCM:
		put_be64(nonce + 4, counter);
		break;
	}
}

int aead_seal(const struct aead_key *key, uint64_t counter, const void *ad, size_t ad_len,
	      const uint8_t *src, size_t len, uint8_t *dst)
{
	uint8_t nonce[AEAD_NONCE_SIZE];

	nonce_of(key->aead->kind, counter, nonce);
	return key->aead->seal(key->opaque, nonce, ad, ad_len, src, len, dst);
}

int aead_open(const struct aead_key *key, uint64_t counter, const void *ad, size_t ad_len,
	      const uint8_t *src, size_t len, uint8_t *dst)
{
	uint8_t nonce[AEAD_NONCE_SIZE];

	nonce_of(key->aead->kind, counter, nonce);
	return key->aead->open(key->opaque, nonce, ad, ad_len, src, len, dst);
}
