/* SPDX-License-Identifier: ISC */
/* SipHash-2-4 against the vectors of its reference implementation: key 00..0f, input 00, 01, ... */
#include <string.h>

#include <tund/base/siphash.h>

#include "tap.h"

static const struct siphash_key key = {
	.k0 = UINT64_C(0x0706050403020100),
	.k1 = UINT64_C(0x0f0e0d0c0b0a0908),
};

static const struct {
	size_t len;
	uint64_t hash;
} vectors[] = {
	{0, UINT64_C(0x726fdb47dd0e0e31)}, {1, UINT64_C(0x74f839c593dc67fd)},
	{2, UINT64_C(0x0d6c8009d9a94f5a)}, {7, UINT64_C(0xab0200f58b01d137)},
	{8, UINT64_C(0x93f5f5799a932462)}, {15, UINT64_C(0xa129ca6149be45e5)},
};

START_TEST(reference_vectors)
{
	uint8_t input[16];

	for (size_t i = 0; i < sizeof input; i++)
		input[i] = (uint8_t)i;
	ck_assert_uint_eq(siphash(&key, input, vectors[_i].len), vectors[_i].hash);
}
END_TEST

START_TEST(words_are_bytes)
{
	uint64_t words[3] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908), 77};
	uint8_t bytes[24];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(words[i / 8] >> (8 * (i % 8)));
	for (size_t n = 0; n <= 3; n++)
		ck_assert_uint_eq(siphash_words(&key, words, n), siphash(&key, bytes, n * 8));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("siphash");
	TCase *tc = tcase_create("siphash");

	tcase_add_loop_test(tc, reference_vectors, 0, sizeof vectors / sizeof *vectors);
	tcase_add_test(tc, words_are_bytes);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
