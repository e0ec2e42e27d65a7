/* SPDX-License-Identifier: ISC */
/* The arena: everything it gave stays intact and zeroed until it is cleared. */
#include <stdint.h>
#include <string.h>

#include <tund/base/arena.h>

#include "tap.h"

START_TEST(allocations_do_not_touch)
{
	struct arena a = {0};
	uint8_t *p[200];

	for (size_t i = 0; i < 200; i++) {
		p[i] = arena_alloc(&a, i * 7);
		ck_assert_ptr_nonnull(p[i]);
		ck_assert_uint_eq((uintptr_t)p[i] % 16, 0);
		for (size_t j = 0; j < i * 7; j++)
			ck_assert_uint_eq(p[i][j], 0);
		memset(p[i], (int)i, i * 7);
	}
	for (size_t i = 0; i < 200; i++) {
		for (size_t j = 0; j < i * 7; j++)
			ck_assert_uint_eq(p[i][j], i & 0xff);
	}
	arena_clear(&a);
	ck_assert_ptr_null(a.chunks);
}
END_TEST

START_TEST(impossible_sizes_fail)
{
	struct arena a = {0};

	ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX));
	arena_clear(&a);
}
END_TEST

START_TEST(push_keeps_what_was_there)
{
	struct arena a = {0};
	uint32_t *array = NULL;
	size_t count = 0;

	for (uint32_t i = 0; i < 5000; i++) {
		uint32_t *slot = arena_push(&a, (void **)&array, &count, sizeof *array);

		ck_assert_ptr_nonnull(slot);
		ck_assert_ptr_eq(slot, &array[i]);
		ck_assert_uint_eq(*slot, 0);
		*slot = i * 3;
	}
	ck_assert_uint_eq(count, 5000);
	for (uint32_t i = 0; i < 5000; i++)
		ck_assert_uint_eq(array[i], i * 3);
	arena_clear(&a);
}
END_TEST

START_TEST(texts_are_terminated)
{
	struct arena a = {0};

	ck_assert_str_eq(arena_strndup(&a, "abcdef", 3), "abc");
	ck_assert_str_eq(arena_strndup(&a, "", 0), "");
	arena_clear(&a);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arena");
	TCase *tc = tcase_create("arena");

	tcase_add_test(tc, allocations_do_not_touch);
	tcase_add_test(tc, impossible_sizes_fail);
	tcase_add_test(tc, push_keeps_what_was_there);
	tcase_add_test(tc, texts_are_terminated);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
