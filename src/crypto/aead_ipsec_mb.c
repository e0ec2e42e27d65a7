/* SPDX-License-Identifier: ISC */
/*
 * AEADs by Intel's ipsec-mb. Its direct functions keep their state in a context on our stack and
 * so run in any thread. Which of them suits the CPU is read once from a manager that is not kept;
 * after that the table never changes. ChaCha20-Poly1305 has a faster way through the jobs of a
 * manager, which serves one thread: one that has called aead_thread_start() owns one.
 */
#ifdef HAVE_IPSEC_MB

#include <tund/crypto/aead.h>

#include <errno.h>
#include <intel-ipsec-mb.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <tund/crypto/secret.h>

#include "aead_providers.h"

_Static_assert(sizeof(struct gcm_key_data) <= AEAD_KEY_SIZE, "ipsec-mb's key must fit");

/* The library writes all of a context; zeros first (-ftrivial-auto-var-init) cost each packet. */
#define UNINITIALIZED __attribute__((uninitialized))

/* The functions for this CPU; NULL where it lacks what they need. */
static struct {
	aes_gcm_pre_t gcm_pre;
	aes_gcm_enc_dec_t gcm_enc, gcm_dec;
	chacha_poly_init_t chacha_init;
	chacha_poly_enc_dec_update_t chacha_enc, chacha_dec;
	chacha_poly_finalize_t chacha_finalize;
} cpu;
static pthread_once_t cpu_once = PTHREAD_ONCE_INIT;

static _Thread_local IMB_MGR *manager; /* this thread's; NULL: it has none */

/* 0 or -ENOMEM, or -ENOTSUP: nothing in it fits this CPU. */
static int manager_new(IMB_MGR **out)
{
	IMB_MGR *m = alloc_mb_mgr(0);

	if (!m)
		return -ENOMEM;
	init_mb_mgr_auto(m, NULL);
	if (imb_get_errno(m) != 0) {
		free_mb_mgr(m);
		return -ENOTSUP;
	}
	*out = m;
	return 0;
}

static void cpu_probe(void)
{
	IMB_MGR *m;

	if (manager_new(&m) < 0)
		return;
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

/* In constant time, as secret_equal(), which goes byte by byte. */
static bool tags_equal(const uint8_t *a, const uint8_t *b)
{
	uint64_t x[2], y[2];

	_Static_assert(sizeof x == AEAD_TAG_SIZE, "a tag is two words");
	memcpy(x, a, sizeof x);
	memcpy(y, b, sizeof y);
	return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

/* ipsec-mb decrypts and leaves the comparison to us. */
static int check_tag(const uint8_t *tag, const uint8_t *expected, size_t len, uint8_t *dst)
{
	if (tags_equal(tag, expected))
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
	UNINITIALIZED struct gcm_context_data ctx;

	cpu.gcm_enc(key, &ctx, dst, src, len, nonce, ad, ad_len, dst + len, AEAD_TAG_SIZE);
	secret_wipe(&ctx, sizeof ctx);
	return 0;
}

static int aes_open(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		    size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	UNINITIALIZED struct gcm_context_data ctx;
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

/* What both directions and both ways of computing share; `tag` is written, never compared. */
struct chacha_text {
	const void *key, *ad;
	const uint8_t *nonce, *src;
	uint8_t *dst, *tag;
	size_t ad_len, len; /* bytes */
	bool sealing;
};

static void chacha_direct(const struct chacha_text *t)
{
	UNINITIALIZED struct chacha20_poly1305_context_data ctx;

	cpu.chacha_init(t->key, &ctx, t->nonce, t->ad, t->ad_len);
	if (t->len > 0)
		(t->sealing ? cpu.chacha_enc : cpu.chacha_dec)(t->key, &ctx, t->dst, t->src, t->len);
	cpu.chacha_finalize(&ctx, t->tag, AEAD_TAG_SIZE);
	secret_wipe(&ctx, sizeof ctx);
}

/*
 * A manager completes a job of this cipher at once, holding none back for others to come; and the
 * library wipes what it derives from the key. Its checks of arguments are left out, for they write
 * to a variable of all threads.
 */
static int chacha_job(const struct chacha_text *t)
{
	IMB_JOB *job = IMB_GET_NEXT_JOB(manager);

	job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	job->cipher_direction = t->sealing ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
	job->chain_order = t->sealing ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	job->enc_keys = job->dec_keys = t->key;
	job->key_len_in_bytes = AEAD_SECRET_SIZE;
	job->iv = t->nonce;
	job->iv_len_in_bytes = AEAD_NONCE_SIZE;
	job->u.CHACHA20_POLY1305.aad = t->ad;
	job->u.CHACHA20_POLY1305.aad_len_in_bytes = t->ad_len;
	job->src = t->src;
	job->dst = t->dst;
	job->cipher_start_src_offset_in_bytes = job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_cipher_in_bytes = job->msg_len_to_hash_in_bytes = t->len;
	job->auth_tag_output = t->tag;
	job->auth_tag_output_len_in_bytes = AEAD_TAG_SIZE;
	job = IMB_SUBMIT_JOB_NOCHECK(manager);
	return job && job->status == IMB_STATUS_COMPLETED ? 0 : -EIO;
}

static int chacha_run(const struct chacha_text *t)
{
	if (manager)
		return chacha_job(t);
	chacha_direct(t);
	return 0;
}

static int chacha_seal(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		       size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	struct chacha_text t = {key, ad, nonce, src, dst, dst + len, ad_len, len, true};
	int r = chacha_run(&t);

	if (r < 0)
		memset(dst, 0, len + AEAD_TAG_SIZE);
	return r;
}

static int chacha_open(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		       size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	uint8_t tag[AEAD_TAG_SIZE] = {0};
	struct chacha_text t = {key, ad, nonce, src, dst, tag, ad_len, 0, false};

	if (len < AEAD_TAG_SIZE)
		return -EBADMSG;
	t.len = len - AEAD_TAG_SIZE;
	if (chacha_run(&t) == 0)
		return check_tag(src + t.len, tag, t.len, dst);
	memset(dst, 0, t.len);
	return -EBADMSG;
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

int aead_ipsec_mb_thread_start(void)
{
	int r = manager ? 0 : manager_new(&manager);

	if (r == 0)
		r = aead_self_test(&aead_ipsec_mb_chacha);
	if (r < 0)
		aead_ipsec_mb_thread_end();
	return r == -ENOTSUP ? 0 : r;
}

void aead_ipsec_mb_thread_end(void)
{
	if (manager)
		free_mb_mgr(manager);
	manager = NULL;
}

#endif
