/* SPDX-License-Identifier: ISC */
/* Texts with numbers: the same text has the same one, until nobody uses it. */
#include <stdio.h>

#include "policy/names.h"
#include "tap.h"

START_TEST(numbers)
{
	struct names n;
	uint32_t a, b;

	ck_assert_int_eq(names_init(&n), 0);
	a = names_use(&n, "alice");
	b = names_pin(&n, "bob");
	ck_assert_uint_ne(a, b);
	ck_assert_uint_eq(names_use(&n, "alice"), a);
	ck_assert_uint_eq(names_find(&n, "alice"), a);
	ck_assert_uint_eq(names_find(&n, "alic"), NAME_NONE);
	names_release(&n, a);
	ck_assert_uint_eq(names_find(&n, "alice"), a); /* is used once more */
	names_release(&n, a);
	ck_assert_uint_eq(names_find(&n, "alice"), NAME_NONE);
	ck_assert_uint_eq(names_use(&n, "bob"), b);
	names_release(&n, b);
	ck_assert_uint_eq(names_find(&n, "bob"), b); /* for good */
	ck_assert_uint_eq(names_use(&n, "carol"), a); /* was given back */
	names_clear(&n);
}
END_TEST

/* More than there are chains: they share them, come and go. */
START_TEST(many)
{
	static uint32_t number[200000];
	struct names n;
	char text[16];

	ck_assert_int_eq(names_init(&n), 0);
	for (uint32_t i = 0; i < 200000; i++) {
		snprintf(text, sizeof text, "n%u", i);
		number[i] = names_use(&n, text);
		ck_assert_uint_eq(number[i], i);
	}
	for (uint32_t i = 0; i < 200000; i += 2)
		names_release(&n, number[i]);
	for (uint32_t i = 0; i < 200000; i++) {
		snprintf(text, sizeof text, "n%u", i);
		ck_assert_uint_eq(names_find(&n, text), i % 2 ? i : NAME_NONE);
	}
	names_clear(&n);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("names");
	TCase *tc = tcase_create("names");

	tcase_add_test(tc, numbers);
	tcase_add_test(tc, many);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
