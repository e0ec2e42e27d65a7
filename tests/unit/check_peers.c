/* SPDX-License-Identifier: ISC */
/* Slots move, keys stay. */
#include <string.h>

#include "control/peers.h"

#include "tap.h"

static const uint8_t key_a[KEY_SIZE] = {1}, key_b[KEY_SIZE] = {2};

START_TEST(ids_name_keys)
{
	struct peers peers;
	struct known_peer *a, *b;

	peers_init(&peers);
	ck_assert_ptr_null(peers_find(&peers, 1));
	a = peers_place(&peers, key_a, 1);
	b = peers_place(&peers, key_b, UINT64_C(1) << 32 | 1);
	ck_assert_ptr_ne(a, b);
	ck_assert_ptr_eq(peers_find(&peers, 1), a);
	ck_assert_ptr_eq(peers_find(&peers, UINT64_C(1) << 32 | 1), b);
	ck_assert_ptr_eq(peers_find_key(&peers, key_b), b);
	ck_assert_ptr_eq(peers_place(&peers, key_a, 1), a);
	peers_clear(&peers);
}
END_TEST

START_TEST(a_key_with_another_id)
{
	struct peers peers;
	struct known_peer *a, *b;

	peers_init(&peers);
	a = peers_place(&peers, key_a, 1);
	b = peers_place(&peers, key_b, 2);
	ck_assert_ptr_eq(peers_place(&peers, key_b, 3), b);
	ck_assert_ptr_null(peers_find(&peers, 2));
	ck_assert_ptr_eq(peers_find(&peers, 3), b);
	ck_assert_ptr_eq(peers_find(&peers, 1), a);
	/* An engine that broke its word would do no harm. */
	ck_assert_ptr_eq(peers_place(&peers, key_b, 1), b);
	ck_assert_uint_eq(a->id, 0);
	ck_assert_ptr_eq(peers_find(&peers, 1), b);
	peers_clear(&peers);
}
END_TEST

START_TEST(removed)
{
	struct peers peers;
	struct known_peer *a, *b;

	peers_init(&peers);
	a = peers_place(&peers, key_a, 1);
	b = peers_place(&peers, key_b, 2);
	a->announced = malloc(sizeof *a->announced);
	peers_set_due(&peers, a, 1.);
	peers_set_due(&peers, b, 2.);
	peers_remove(&peers, a);
	ck_assert_ptr_null(peers_find(&peers, 1));
	ck_assert_ptr_null(peers_find_key(&peers, key_a));
	ck_assert_ptr_eq(TAILQ_FIRST(&peers.due), b);
	peers_forget_engine(&peers);
	peers_remove(&peers, b); /* without an id */
	ck_assert_ptr_null(peers.by_key);
	ck_assert_ptr_null(peers.by_id);
	peers_clear(&peers);
}
END_TEST

START_TEST(another_configuration)
{
	struct peers peers;
	struct known_peer *a;

	peers_init(&peers);
	a = peers_place(&peers, key_a, 3);
	a->up = a->greeted = a->has_more = true;
	peers_set_due(&peers, a, 1.);
	peers_forget_config(&peers);
	ck_assert(a->up && !a->greeted && !a->has_more && !a->due);
	ck_assert(TAILQ_EMPTY(&peers.due));
	ck_assert_ptr_eq(peers_find(&peers, 3), a);
	peers_clear(&peers);
}
END_TEST

/* Its ids may be the same, and mean others; what is known of a key stays. */
START_TEST(another_engine)
{
	struct peers peers;
	struct known_peer *a;

	peers_init(&peers);
	a = peers_place(&peers, key_a, 3);
	a->up = true;
	a->remote.port = 5;
	peers_forget_engine(&peers);
	ck_assert(!a->up);
	ck_assert_uint_eq(a->id, 0);
	ck_assert_ptr_null(peers_find(&peers, 3));
	ck_assert_ptr_ne(peers_place(&peers, key_b, 3), a);
	ck_assert_ptr_eq(peers_place(&peers, key_a, 4), a);
	ck_assert_uint_eq(a->remote.port, 5);
	peers_clear(&peers);
}
END_TEST

START_TEST(many)
{
	uint8_t key[KEY_SIZE] = {0};
	struct peers peers;

	peers_init(&peers);
	for (unsigned round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 20000; i++) {
			memcpy(key, &i, sizeof i);
			ck_assert_ptr_nonnull(peers_place(&peers, key, 1 + i + round * 7));
		}
		ck_assert_uint_eq(HASH_CNT(by_key, peers.by_key), 20000);
		ck_assert_uint_eq(HASH_CNT(by_id, peers.by_id), 20000);
		peers_forget_engine(&peers);
	}
	peers_clear(&peers);
}
END_TEST

START_TEST(due_once)
{
	struct peers peers;
	struct known_peer *a;

	peers_init(&peers);
	a = peers_place(&peers, key_a, 3);
	peers_set_due(&peers, a, 1.);
	peers_set_due(&peers, a, 2.);
	ck_assert_ptr_eq(TAILQ_FIRST(&peers.due), a);
	ck_assert_ptr_null(TAILQ_NEXT(a, due_entry));
	peers_clear_due(&peers, a);
	peers_clear_due(&peers, a);
	ck_assert(TAILQ_EMPTY(&peers.due));
	peers_clear(&peers);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("roster");
	TCase *tc = tcase_create("roster");

	tcase_add_test(tc, ids_name_keys);
	tcase_add_test(tc, a_key_with_another_id);
	tcase_add_test(tc, removed);
	tcase_add_test(tc, another_engine);
	tcase_add_test(tc, another_configuration);
	tcase_add_test(tc, many);
	tcase_add_test(tc, due_once);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
