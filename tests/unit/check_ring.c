/* SPDX-License-Identifier: ISC */
/* Records come out as they went in, and never more than fit. */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>

#include <tund/base/ring.h>

#include "prng.h"
#include "tap.h"

START_TEST(sizes)
{
	struct ring *r;

	ck_assert_ptr_null(ring_new(0));
	ck_assert_ptr_null(ring_new(32));
	ck_assert_ptr_null(ring_new(96));
	r = ring_new(64);
	ck_assert_ptr_null(ring_reserve(r, 0));
	ck_assert_ptr_null(ring_reserve(r, 25));
	ck_assert_ptr_null(ring_reserve(r, SIZE_MAX));
	ck_assert_ptr_nonnull(ring_reserve(r, 24));
	ring_free(r);
	ring_free(NULL);
}
END_TEST

START_TEST(nothing_is_seen_before_its_commit)
{
	struct ring *r = ring_new(64);
	size_t len;
	void *p = ring_reserve(r, 3);

	memcpy(p, "abc", 3);
	ck_assert_ptr_null(ring_peek(r, &len));
	p = ring_reserve(r, 2); /* instead */
	memcpy(p, "de", 2);
	ring_commit(r);
	ck_assert_mem_eq(ring_peek(r, &len), "de", 2);
	ck_assert_uint_eq(len, 2);
	ck_assert_ptr_eq(ring_peek(r, &len), p);
	ring_consume(r);
	ck_assert_ptr_null(ring_peek(r, &len));
	ring_free(r);
}
END_TEST

START_TEST(full_is_full)
{
	struct ring *r = ring_new(64);
	size_t len;

	for (unsigned i = 0; i < 4; i++) {
		ck_assert_ptr_nonnull(ring_reserve(r, 8));
		ring_commit(r);
	}
	ck_assert_ptr_null(ring_reserve(r, 1));
	ck_assert_ptr_nonnull(ring_peek(r, &len));
	ring_consume(r);
	ck_assert_ptr_null(ring_reserve(r, 9));
	ck_assert_ptr_nonnull(ring_reserve(r, 8));
	ring_free(r);
}
END_TEST

/* The longest record fits into an empty ring wherever its positions stand. */
START_TEST(the_longest_always_fits)
{
	struct ring *r = ring_new(256);
	size_t len;

	for (unsigned i = 0; i < 1000; i++) {
		size_t n = i % 2 ? 256 / 2 - RING_ALIGN : 1 + i % 100;

		ck_assert_ptr_nonnull(ring_reserve(r, n));
		ring_commit(r);
		ck_assert_ptr_nonnull(ring_peek(r, &len));
		ck_assert_uint_eq(len, n);
		ring_consume(r);
	}
	ring_free(r);
}
END_TEST

#define RECORDS 100000

static size_t length_of(struct prng *prng)
{
	return 1 + prng_below(prng, 200);
}

static void *produce(void *arg)
{
	struct ring *r = arg;
	struct prng prng = {1};

	for (uint32_t i = 0; i < RECORDS; i++) {
		size_t len = length_of(&prng);
		uint8_t *p;

		while (!(p = ring_reserve(r, len)))
			sched_yield();
		memset(p, (int)(i & 0xff), len);
		ring_commit(r);
	}
	return NULL;
}

START_TEST(across_threads)
{
	struct ring *r = ring_new(16 * 1024); /* few turns on a busy machine */
	struct prng prng = {1};
	pthread_t thread;
	size_t wrong = 0;

	ck_assert_int_eq(pthread_create(&thread, NULL, produce, r), 0);
	for (uint32_t i = 0; i < RECORDS; i++) {
		size_t expected = length_of(&prng), len;
		const uint8_t *p;

		while (!(p = ring_peek(r, &len)))
			sched_yield();
		ck_assert_uint_eq(len, expected);
		ck_assert_uint_eq((uintptr_t)p % RING_ALIGN, 0);
		for (size_t k = 0; k < len; k++)
			wrong += p[k] != (i & 0xff); /* ck_assert would take minutes here */
		ring_consume(r);
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(wrong, 0);
	ring_free(r);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ring");
	TCase *tc = tcase_create("ring");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, sizes);
	tcase_add_test(tc, nothing_is_seen_before_its_commit);
	tcase_add_test(tc, full_is_full);
	tcase_add_test(tc, the_longest_always_fits);
	tcase_add_test(tc, across_threads);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
