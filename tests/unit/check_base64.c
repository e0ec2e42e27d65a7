/* SPDX-License-Identifier: ISC */
/* Keys in base64: round trips, and texts that are none. */
#include <errno.h>
#include <string.h>

#include <tund/base/base64.h>

#include "tap.h"

START_TEST(keys_round_trip)
{
	uint8_t key[KEY_SIZE], back[KEY_SIZE];
	char text[KEY_BASE64_LEN + 1];

	for (unsigned fill = 0; fill < 256; fill++) {
		for (size_t i = 0; i < sizeof key; i++)
			key[i] = (uint8_t)(fill + i * 37);
		key_to_base64(key, text);
		ck_assert_int_eq(key_from_base64(text, back), 0);
		ck_assert_mem_eq(key, back, sizeof key);
	}
	memset(key, 0, sizeof key);
	key_to_base64(key, text);
	ck_assert_str_eq(text, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	memset(key, 0xff, sizeof key);
	key_to_base64(key, text);
	ck_assert_str_eq(text, "//////////////////////////////////////////8=");
}
END_TEST

START_TEST(bad_keys_refused)
{
	static const char *const bad[] = {
		"",
		"AAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", /* spare bits */
		"AAAAAAAAAAAAAAAAAAAAA!AAAAAAAAAAAAAAAAAAAAA=",
		"AAAAAAAAAAAAAAAAAAAAA\xc3"
		"AAAAAAAAAAAAAAAAAAAAA=",
		"AAAAAAAAAAAAAAAAAAAAA-AAAAAAAAAAAAAAAAAAAAA=",
	};
	uint8_t key[KEY_SIZE];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_int_eq(key_from_base64(bad[i], key), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base64");
	TCase *tc = tcase_create("base64");

	tcase_add_test(tc, keys_round_trip);
	tcase_add_test(tc, bad_keys_refused);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
