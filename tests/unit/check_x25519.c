/* SPDX-License-Identifier: ISC */
/* X25519 against RFC 7748, and with injected randomness. */
#include <errno.h>
#include <string.h>

#include <tund/crypto/random.h>
#include <tund/crypto/x25519.h>

#include "tap.h"

#define BYTES(text) ((const uint8_t *)(text))

static const uint8_t *const alice =
	BYTES("\x77\x07\x6d\x0a\x73\x18\xa5\x7d\x3c\x16\xc1\x72\x51\xb2\x66\x45"
	      "\xdf\x4c\x2f\x87\xeb\xc0\x99\x2a\xb1\x77\xfb\xa5\x1d\xb9\x2c\x2a");
static const uint8_t *const alice_public =
	BYTES("\x85\x20\xf0\x09\x89\x30\xa7\x54\x74\x8b\x7d\xdc\xb4\x3e\xf7\x5a"
	      "\x0d\xbf\x3a\x0d\x26\x38\x1a\xf4\xeb\xa4\xa9\x8e\xaa\x9b\x4e\x6a");
static const uint8_t *const bob =
	BYTES("\x5d\xab\x08\x7e\x62\x4a\x8a\x4b\x79\xe1\x7f\x8b\x83\x80\x0e\xe6"
	      "\x6f\x3b\xb1\x29\x26\x18\xb6\xfd\x1c\x2f\x8b\x27\xff\x88\xe0\xeb");
static const uint8_t *const bob_public =
	BYTES("\xde\x9e\xdb\x7d\x7b\x7d\xc1\xb4\xd3\x5b\x61\xc2\xec\xe4\x35\x37"
	      "\x3f\x83\x43\xc8\x5b\x78\x67\x4d\xad\xfc\x7e\x14\x6f\x88\x2b\x4f");
static const uint8_t *const both =
	BYTES("\x4a\x5d\x9d\x5b\xa4\xce\x2d\xe1\x72\x8e\x3b\xf4\x80\x35\x0f\x25"
	      "\xe0\x7e\x21\xc9\x47\xd1\x9e\x33\x76\xf0\x9b\x3c\x1e\x16\x17\x42");

START_TEST(rfc7748_section_6_1)
{
	uint8_t out[X25519_SIZE];

	x25519_public(alice, out);
	ck_assert_mem_eq(out, alice_public, sizeof out);
	x25519_public(bob, out);
	ck_assert_mem_eq(out, bob_public, sizeof out);
	ck_assert_int_eq(x25519_dh(alice, bob_public, out), 0);
	ck_assert_mem_eq(out, both, sizeof out);
	ck_assert_int_eq(x25519_dh(bob, alice_public, out), 0);
	ck_assert_mem_eq(out, both, sizeof out);
}
END_TEST

START_TEST(clamped_is_the_same_key)
{
	uint8_t clamped[X25519_SIZE], a[X25519_SIZE], b[X25519_SIZE];

	memset(clamped, 0xff, sizeof clamped);
	x25519_public(clamped, a);
	x25519_clamp(clamped);
	ck_assert_uint_eq(clamped[0], 0xf8);
	ck_assert_uint_eq(clamped[31], 0x7f);
	x25519_public(clamped, b);
	ck_assert_mem_eq(a, b, sizeof a);
	memset(clamped, 0, sizeof clamped);
	x25519_clamp(clamped);
	ck_assert_uint_eq(clamped[31], 0x40);
}
END_TEST

START_TEST(low_order_refused)
{
	uint8_t point[X25519_SIZE] = {0}, out[X25519_SIZE], before[X25519_SIZE];

	memset(out, 0x5a, sizeof out);
	memcpy(before, out, sizeof out);
	for (uint8_t first = 0; first < 2; first++) {
		point[0] = first;
		ck_assert_int_eq(x25519_dh(alice, point, out), -EINVAL);
		ck_assert_mem_eq(out, before, sizeof out);
	}
}
END_TEST

/* A source that counts up. */
static void count_up(void *ctx, uint8_t *out, size_t n)
{
	uint8_t *next = ctx;

	while (n-- > 0)
		*out++ = (*next)++;
}

START_TEST(randomness_is_injected)
{
	uint8_t next = 1, secret[X25519_SIZE], expected[X25519_SIZE];
	struct rng rng = {.fill = count_up, .ctx = &next};

	x25519_generate(&rng, secret);
	for (size_t i = 0; i < sizeof expected; i++)
		expected[i] = (uint8_t)(i + 1);
	x25519_clamp(expected);
	ck_assert_mem_eq(secret, expected, sizeof secret);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("x25519");
	TCase *tc = tcase_create("x25519");

	if (crypto_init() != 0)
		return EXIT_FAILURE;
	tcase_add_test(tc, rfc7748_section_6_1);
	tcase_add_test(tc, clamped_is_the_same_key);
	tcase_add_test(tc, low_order_refused);
	tcase_add_test(tc, randomness_is_injected);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
