/* SPDX-License-Identifier: ISC */
/*
 * The AEAD providers against each other: random lengths, alignments and associated data, in place
 * and not, anything tampered with refused, one key used by several threads; and all of that again
 * in threads that have called aead_thread_start().
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/crypto/aead.h>
#include <tund/crypto/random.h>
#include <tund/crypto/secret.h>

#include "tap.h"

#define LEN_MAX 2000 /* bytes of text */
#define AD_MAX 64    /* bytes */
#define SLACK 64     /* bytes around each buffer, for alignments and a guard */
#define GUARD 0xc3
#define ROUNDS 300 /* random messages for each pair of providers */
#define THREADS 6
#define KINDS 2

static const enum aead_kind kinds[KINDS] = {AEAD_CHACHA20POLY1305, AEAD_AES256GCM};

/* splitmix64, by Vigna: random enough, the same each time. */
static void splitmix_fill(void *ctx, uint8_t *out, size_t n)
{
	uint64_t *state = ctx, z = 0;

	for (size_t i = 0; i < n; i++) {
		if (i % 8 == 0) {
			z = *state += UINT64_C(0x9e3779b97f4a7c15);
			z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
			z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
			z ^= z >> 31;
		}
		out[i] = (uint8_t)(z >> i % 8 * 8);
	}
}

/* A random message. */
struct message {
	uint64_t counter;
	size_t len, ad_len; /* bytes */
	uint8_t secret[AEAD_SECRET_SIZE], ad[AD_MAX], text[LEN_MAX];
};

static void message_make(const struct rng *rng, struct message *m)
{
	rng_fill(rng, m, sizeof *m);
	m->len = rng_u32(rng) % 8 == 0 ? rng_u32(rng) % 40 : rng_u32(rng) % (LEN_MAX + 1);
	m->ad_len = rng_u32(rng) % 3 == 0 ? 0 : rng_u32(rng) % (AD_MAX + 1);
}

/* The providers of a kind that work on this CPU. */
static size_t working(enum aead_kind kind, const struct aead *out[8])
{
	const struct aead *a;
	size_t n = 0;

	for (size_t i = 0; (a = aead_providers(kind, i)) != NULL; i++) {
		if (aead_self_test(a) == 0)
			out[n++] = a;
	}
	return n;
}

static bool is_guard(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != GUARD)
			return false;
	}
	return true;
}

/* Seals into `out` at an odd place, in place or not, and checks that nothing else is written. */
static void seal_at(const struct aead_key *key, const struct message *m, size_t at, bool in_place,
		    uint8_t out[LEN_MAX + AEAD_TAG_SIZE])
{
	static uint8_t src[LEN_MAX + SLACK], dst[LEN_MAX + AEAD_TAG_SIZE + 2 * SLACK];
	size_t sealed = m->len + AEAD_TAG_SIZE;
	const uint8_t *from = src + (at * 7) % 32;

	memset(dst, GUARD, sizeof dst);
	memcpy(src + (at * 7) % 32, m->text, m->len);
	if (in_place) {
		memcpy(dst + at, m->text, m->len);
		from = dst + at;
	}
	ck_assert_int_eq(aead_seal(key, m->counter, m->ad, m->ad_len, from, m->len, dst + at), 0);
	ck_assert(is_guard(dst, at) && is_guard(dst + at + sealed, sizeof dst - at - sealed));
	memcpy(out, dst + at, sealed);
}

/* Opens likewise; returns the result, and the text in `out`. */
static int open_at(const struct aead_key *key, const struct message *m, const uint8_t *sealed,
		   size_t len, size_t at, uint8_t out[LEN_MAX])
{
	static uint8_t src[LEN_MAX + AEAD_TAG_SIZE + SLACK], dst[LEN_MAX + 2 * SLACK];
	size_t end = at / 2 + len - AEAD_TAG_SIZE;
	int r;

	memcpy(src + at, sealed, len);
	memset(dst, GUARD, sizeof dst);
	r = aead_open(key, m->counter, m->ad, m->ad_len, src + at, len, dst + at / 2);
	ck_assert(is_guard(dst, at / 2) && is_guard(dst + end, sizeof dst - end));
	memcpy(out, dst + at / 2, len - AEAD_TAG_SIZE);
	ck_assert_int_eq(aead_open(key, m->counter, m->ad, m->ad_len, src + at, len, src + at), r);
	ck_assert_mem_eq(src + at, out, len - AEAD_TAG_SIZE);
	return r;
}

static void check_pair(const struct aead *a, const struct aead *b, const struct message *m,
		       size_t at)
{
	static uint8_t first[LEN_MAX + AEAD_TAG_SIZE], second[LEN_MAX + AEAD_TAG_SIZE];
	static uint8_t text[LEN_MAX];
	static struct aead_key ka, kb;
	size_t sealed = m->len + AEAD_TAG_SIZE;

	ck_assert_int_eq(aead_key_init(a, m->secret, &ka), 0);
	ck_assert_int_eq(aead_key_init(b, m->secret, &kb), 0);
	seal_at(&ka, m, at, false, first);
	seal_at(&kb, m, (at * 5) % SLACK, true, second);
	ck_assert_msg(memcmp(first, second, sealed) == 0, "%s and %s differ, %zu bytes", a->name,
		      b->name, m->len);
	ck_assert_int_eq(open_at(&kb, m, first, sealed, at, text), 0);
	ck_assert_mem_eq(text, m->text, m->len);
	aead_key_clear(&ka);
	aead_key_clear(&kb);
	ck_assert(secret_is_zero(&ka, sizeof ka));
}

START_TEST(providers_agree)
{
	uint64_t state = 1;
	struct rng rng = {.fill = splitmix_fill, .ctx = &state};
	const struct aead *list[8];
	static struct message m;
	size_t n = working(kinds[_i], list);

	ck_assert_uint_ge(n, 1);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i; j < n; j++) {
			for (int round = 0; round < ROUNDS; round++) {
				message_make(&rng, &m);
				check_pair(list[i], list[j], &m, rng_u32(&rng) % SLACK);
			}
		}
	}
}
END_TEST

START_TEST(every_length)
{
	uint64_t state = 2;
	struct rng rng = {.fill = splitmix_fill, .ctx = &state};
	const struct aead *list[8];
	static struct message m;
	size_t n = working(kinds[_i], list);

	message_make(&rng, &m);
	for (m.len = 0; m.len < 600; m.len++) {
		for (size_t i = 0; i < n; i++)
			check_pair(list[0], list[i], &m, m.len % SLACK);
	}
}
END_TEST

/* A message with one thing changed must be refused, and nothing of it shown. */
static void refuse(const struct aead_key *key, const struct message *m, const uint8_t *sealed,
		   size_t len)
{
	static uint8_t text[LEN_MAX];

	ck_assert_int_eq(open_at(key, m, sealed, len, 3, text), -EBADMSG);
	ck_assert(secret_is_zero(text, len - AEAD_TAG_SIZE));
}

static void check_tampering(const struct aead *a, struct message *m, const struct rng *rng)
{
	static uint8_t sealed[LEN_MAX + AEAD_TAG_SIZE];
	size_t len = m->len + AEAD_TAG_SIZE, bit = rng_u32(rng) % (len * 8);
	size_t tag_bit = m->len * 8 + rng_u32(rng) % (AEAD_TAG_SIZE * 8);
	static struct aead_key key;

	ck_assert_int_eq(aead_key_init(a, m->secret, &key), 0);
	seal_at(&key, m, 0, false, sealed);
	sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	refuse(&key, m, sealed, len);
	sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	sealed[tag_bit / 8] ^= (uint8_t)(1 << tag_bit % 8);
	refuse(&key, m, sealed, len);
	sealed[tag_bit / 8] ^= (uint8_t)(1 << tag_bit % 8);
	if (m->len > 0)
		refuse(&key, m, sealed, len - 1);
	m->ad[rng_u32(rng) % m->ad_len] ^= 4;
	refuse(&key, m, sealed, len);
	m->ad_len--;
	refuse(&key, m, sealed, len);
	m->ad_len++;
	m->counter ^= UINT64_C(1) << rng_u32(rng) % 64;
	refuse(&key, m, sealed, len);
	aead_key_clear(&key);
}

START_TEST(tampering_refused)
{
	uint64_t state = 3;
	struct rng rng = {.fill = splitmix_fill, .ctx = &state};
	const struct aead *list[8];
	static struct message m;
	size_t n = working(kinds[_i], list);

	for (size_t i = 0; i < n; i++) {
		for (int round = 0; round < ROUNDS; round++) {
			message_make(&rng, &m);
			m.ad_len += m.ad_len == 0;
			check_tampering(list[i], &m, &rng);
		}
	}
}
END_TEST

START_TEST(too_short_for_a_tag)
{
	uint8_t secret[AEAD_SECRET_SIZE] = {1}, sealed[AEAD_TAG_SIZE] = {2}, out = GUARD;
	const struct aead *list[8];
	size_t n = working(kinds[_i], list);
	static struct aead_key key;

	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(aead_key_init(list[i], secret, &key), 0);
		for (size_t len = 0; len < sizeof sealed; len++)
			ck_assert_int_eq(aead_open(&key, 0, NULL, 0, sealed, len, &out), -EBADMSG);
		ck_assert_uint_eq(out, GUARD);
		aead_key_clear(&key);
		aead_key_clear(&key);
	}
}
END_TEST

/* WireGuard and Noise: the counter's byte order depends on the kind. */
START_TEST(nonce_layout)
{
	const uint64_t counter = UINT64_C(0x0102030405060708);
	uint8_t secret[AEAD_SECRET_SIZE] = {9}, nonce[AEAD_NONCE_SIZE] = {0}, a[20], b[20];
	const struct aead *aead = aead_select(kinds[_i], NULL);
	static struct aead_key key;

	for (uint8_t i = 0; i < 8; i++)
		nonce[4 + i] = kinds[_i] == AEAD_AES256GCM ? (uint8_t)(i + 1) : (uint8_t)(8 - i);
	ck_assert_int_eq(aead_key_init(aead, secret, &key), 0);
	ck_assert_int_eq(aead_seal(&key, counter, NULL, 0, (const uint8_t *)"text", 4, a), 0);
	ck_assert_int_eq(
		aead->seal(key.opaque, nonce, NULL, 0, (const uint8_t *)"text", 4, b), 0);
	ck_assert_mem_eq(a, b, sizeof a);
	aead_key_clear(&key);
}
END_TEST

START_TEST(selecting)
{
	const struct aead *list[8];
	size_t n = working(kinds[_i], list);

	ck_assert_ptr_eq(aead_select(kinds[_i], NULL), list[0]);
	for (size_t i = 0; i < n; i++) {
		ck_assert_ptr_eq(aead_select(kinds[_i], list[i]->name), list[i]);
		ck_assert_int_eq(list[i]->kind, kinds[_i]);
		ck_assert_uint_le(list[i]->key_size, AEAD_KEY_SIZE);
	}
	ck_assert_ptr_nonnull(aead_select(kinds[_i], "libcrypto"));
	ck_assert_ptr_null(aead_select(kinds[_i], "none"));
	ck_assert_ptr_null(aead_providers(kinds[_i], 100));
	ck_assert(aead_in_hardware(AEAD_CHACHA20POLY1305));
}
END_TEST

static int wrong_seal(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		      size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	int r = aead_providers(AEAD_CHACHA20POLY1305, 0)
			->seal(key, nonce, ad, ad_len, src, len, dst);

	dst[len / 2] ^= 1;
	return r;
}

static int trusting_open(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
			 size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	(void)aead_providers(AEAD_CHACHA20POLY1305, 0)
		->open(key, nonce, ad, ad_len, src, len, dst);
	return 0;
}

START_TEST(self_test_can_fail)
{
	struct aead broken = *aead_select(AEAD_CHACHA20POLY1305, NULL);

	ck_assert_int_eq(aead_self_test(&broken), 0);
	broken.seal = wrong_seal;
	ck_assert_int_eq(aead_self_test(&broken), -EIO);
	broken = *aead_select(AEAD_CHACHA20POLY1305, NULL);
	broken.open = trusting_open;
	ck_assert_int_eq(aead_self_test(&broken), -EIO);
}
END_TEST

/* What one thread does with the shared key: seals and opens under counters of its own. */
struct worker {
	pthread_t thread;
	const struct aead_key *key;
	uint64_t base;
	bool prepared; /* by aead_thread_start() */
	int failures;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	uint8_t text[300], sealed[sizeof text + AEAD_TAG_SIZE], back[sizeof text];

	memset(text, (int)w->base + 1, sizeof text);
	if (w->prepared && aead_thread_start() != 0)
		w->failures++;
	for (uint64_t i = 0; i < 2000; i++) {
		uint64_t counter = w->base << 32 | i;

		if (aead_seal(w->key, counter, "ad", 2, text, sizeof text, sealed) != 0 ||
		    aead_open(w->key, counter, "ad", 2, sealed, sizeof sealed, back) != 0 ||
		    memcmp(text, back, sizeof text) != 0)
			w->failures++;
	}
	if (w->prepared)
		aead_thread_end();
	return NULL;
}

START_TEST(one_key_many_threads)
{
	uint8_t secret[AEAD_SECRET_SIZE] = {7};
	struct worker workers[THREADS];
	const struct aead *list[8];
	size_t n = working(kinds[_i], list);
	static struct aead_key key;

	for (size_t p = 0; p < n; p++) {
		ck_assert_int_eq(aead_key_init(list[p], secret, &key), 0);
		for (size_t i = 0; i < THREADS; i++) {
			workers[i] = (struct worker){
				.key = &key, .base = i, .prepared = i % 2 == 0};
			ck_assert_int_eq(
				pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
		}
		for (size_t i = 0; i < THREADS; i++) {
			pthread_join(workers[i].thread, NULL);
			ck_assert_msg(workers[i].failures == 0, "%s", list[p]->name);
		}
		aead_key_clear(&key);
	}
}
END_TEST

START_TEST(thread_starts_and_ends)
{
	ck_assert_int_eq(aead_thread_start(), 0);
	ck_assert_int_eq(aead_thread_start(), 0);
	aead_thread_end();
	aead_thread_end();
}
END_TEST

static void prepare(void)
{
	ck_assert_int_eq(aead_thread_start(), 0);
}

static TCase *with_messages(const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, providers_agree, 0, KINDS);
	tcase_add_loop_test(tc, every_length, 0, KINDS);
	tcase_add_loop_test(tc, tampering_refused, 0, KINDS);
	tcase_add_loop_test(tc, too_short_for_a_tag, 0, KINDS);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("aead");
	TCase *tc = with_messages("aead"), *prepared = with_messages("prepared");

	if (crypto_init() != 0)
		return EXIT_FAILURE;
	tcase_add_loop_test(tc, nonce_layout, 0, KINDS);
	tcase_add_loop_test(tc, selecting, 0, KINDS);
	tcase_add_loop_test(tc, one_key_many_threads, 0, KINDS);
	tcase_add_test(tc, self_test_can_fail);
	tcase_add_test(tc, thread_starts_and_ends);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(prepared, prepare, aead_thread_end);
	suite_add_tcase(suite, prepared);
	return tap_run(suite);
}
