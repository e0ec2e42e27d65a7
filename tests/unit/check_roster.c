/* SPDX-License-Identifier: ISC */
/* Slots move, keys stay. */
#include <string.h>

#include "control/roster.h"

#include "tap.h"

static const uint8_t key_a[KEY_SIZE] = {1}, key_b[KEY_SIZE] = {2};

START_TEST(slots_name_keys)
{
	struct roster roster;
	struct known_peer *a, *b;

	roster_init(&roster);
	ck_assert_ptr_null(roster_find(&roster, 0));
	a = roster_place(&roster, key_a, 0);
	b = roster_place(&roster, key_b, 7);
	ck_assert_ptr_ne(a, b);
	ck_assert_ptr_eq(roster_find(&roster, 0), a);
	ck_assert_ptr_eq(roster_find(&roster, 7), b);
	ck_assert_ptr_eq(roster_find_key(&roster, key_b), b);
	ck_assert_ptr_eq(roster_place(&roster, key_a, 0), a);
	roster_clear(&roster);
}
END_TEST

START_TEST(a_slot_changes_hands)
{
	struct roster roster;
	struct known_peer *a, *b;

	roster_init(&roster);
	a = roster_place(&roster, key_a, 0);
	b = roster_place(&roster, key_b, 1);
	ck_assert_ptr_eq(roster_place(&roster, key_b, 0), b);
	ck_assert(!a->has_slot && b->has_slot);
	ck_assert_ptr_eq(roster_find(&roster, 0), b);
	ck_assert_ptr_null(roster_find(&roster, 1));
	ck_assert_ptr_eq(roster_place(&roster, key_a, 1), a);
	ck_assert_ptr_eq(roster_find(&roster, 1), a);
	roster_clear(&roster);
}
END_TEST

START_TEST(another_configuration)
{
	struct roster roster;
	struct known_peer *a;

	roster_init(&roster);
	a = roster_place(&roster, key_a, 3);
	a->up = true;
	roster_set_due(&roster, a, 1.);
	roster_forget_slots(&roster);
	ck_assert(a->up && !a->has_slot && !a->due);
	ck_assert(TAILQ_EMPTY(&roster.due));
	ck_assert_ptr_null(roster_find(&roster, 3));
	ck_assert_ptr_eq(roster_place(&roster, key_a, 4), a);
	roster_forget_sessions(&roster);
	ck_assert(!a->up && !a->has_slot);
	roster_clear(&roster);
}
END_TEST

START_TEST(many)
{
	uint8_t key[KEY_SIZE] = {0};
	struct roster roster;

	roster_init(&roster);
	for (unsigned round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 20000; i++) {
			memcpy(key, &i, sizeof i);
			ck_assert_ptr_nonnull(roster_place(&roster, key, i + round * 7));
		}
		ck_assert_uint_eq(HASH_CNT(by_key, roster.by_key), 20000);
		ck_assert_uint_eq(HASH_CNT(by_slot, roster.by_slot), 20000);
		roster_forget_slots(&roster);
	}
	roster_clear(&roster);
}
END_TEST

START_TEST(due_once)
{
	struct roster roster;
	struct known_peer *a;

	roster_init(&roster);
	a = roster_place(&roster, key_a, 3);
	roster_set_due(&roster, a, 1.);
	roster_set_due(&roster, a, 2.);
	ck_assert_ptr_eq(TAILQ_FIRST(&roster.due), a);
	ck_assert_ptr_null(TAILQ_NEXT(a, due_entry));
	roster_clear_due(&roster, a);
	roster_clear_due(&roster, a);
	ck_assert(TAILQ_EMPTY(&roster.due));
	roster_clear(&roster);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("roster");
	TCase *tc = tcase_create("roster");

	tcase_add_test(tc, slots_name_keys);
	tcase_add_test(tc, a_slot_changes_hands);
	tcase_add_test(tc, another_configuration);
	tcase_add_test(tc, many);
	tcase_add_test(tc, due_once);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
