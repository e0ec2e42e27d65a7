/* SPDX-License-Identifier: ISC */
/* Randomness from the system, and from a source that the caller injects. */
#include <string.h>

#include <tund/crypto/random.h>

#include "tap.h"

START_TEST(start_is_repeatable)
{
	ck_assert_int_eq(crypto_init(), 0);
	ck_assert_int_eq(crypto_init(), 0);
}
END_TEST

/* Every byte is written, none behind, and two calls differ. */
START_TEST(system_fills_exactly)
{
	struct rng rng = rng_system();
	uint8_t a[66] = {0}, b[66] = {0}, seen[64] = {0};

	for (int i = 0; i < 40; i++) {
		rng_fill(&rng, a + 1, 64);
		rng_fill(&rng, b + 1, 64);
		ck_assert_mem_ne(a, b, sizeof a);
		for (size_t j = 0; j < sizeof seen; j++)
			seen[j] |= a[j + 1];
	}
	for (size_t j = 0; j < sizeof seen; j++)
		ck_assert_uint_ne(seen[j], 0);
	ck_assert_uint_eq(a[0] | a[65], 0);
}
END_TEST

/* A source that counts up. */
static void count_up(void *ctx, uint8_t *out, size_t n)
{
	uint8_t *next = ctx;

	while (n-- > 0)
		*out++ = (*next)++;
}

START_TEST(injected)
{
	uint8_t next = 1, bytes[3];
	struct rng rng = {.fill = count_up, .ctx = &next};

	ck_assert_uint_eq(rng_u32(&rng), 0x04030201);
	rng_fill(&rng, bytes, sizeof bytes);
	ck_assert_mem_eq(bytes, "\5\6\7", 3);
	ck_assert_uint_eq(rng_u32(&rng), 0x0b0a0908);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("random");
	TCase *tc = tcase_create("random");

	if (crypto_init() != 0)
		return EXIT_FAILURE;
	tcase_add_test(tc, start_is_repeatable);
	tcase_add_test(tc, system_fills_exactly);
	tcase_add_test(tc, injected);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
