/* SPDX-License-Identifier: ISC */
/* The heap of deadlines: a few by hand, and random ones against a plain search. */
#include <stdbool.h>

#include <check.h>

#include <tund/base/time.h>

#include "prng.h"
#include "session/timer_heap.h"
#include "tap.h"

START_TEST(by_hand)
{
	struct timer_element a, b, c;
	struct timer_heap heap = {0};

	ck_assert_ptr_null(timer_heap_first(&heap));
	ck_assert_int_eq(timer_heap_add(&heap, &a), 0);
	ck_assert_ptr_eq(timer_heap_first(&heap), &a);
	ck_assert_uint_eq(a.at_ns, TIME_NEVER);
	ck_assert_int_eq(timer_heap_add(&heap, &b), 0);
	ck_assert_int_eq(timer_heap_add(&heap, &c), 0);
	timer_heap_set(&heap, &c, 30);
	timer_heap_set(&heap, &a, 10);
	timer_heap_set(&heap, &b, 20);
	ck_assert_ptr_eq(timer_heap_first(&heap), &a);
	timer_heap_set(&heap, &a, 25); /* later */
	ck_assert_ptr_eq(timer_heap_first(&heap), &b);
	timer_heap_set(&heap, &c, 5); /* earlier */
	ck_assert_ptr_eq(timer_heap_first(&heap), &c);
	timer_heap_remove(&heap, &c);
	ck_assert_ptr_eq(timer_heap_first(&heap), &b);
	timer_heap_remove(&heap, &a);
	timer_heap_remove(&heap, &b);
	ck_assert_ptr_null(timer_heap_first(&heap));
	timer_heap_clear(&heap);
}
END_TEST

enum { ELEMENTS = 200, STEPS = 200000 };

static struct timer_element elements[ELEMENTS];
static bool is_in[ELEMENTS];
static uint64_t at_ns[ELEMENTS]; /* what the oracle thinks */

static uint64_t earliest(void)
{
	uint64_t at = TIME_NEVER;

	for (int i = 0; i < ELEMENTS; i++) {
		if (is_in[i] && at_ns[i] < at)
			at = at_ns[i];
	}
	return at;
}

static void step(struct timer_heap *heap, struct prng *prng)
{
	unsigned i = (unsigned)prng_below(prng, ELEMENTS);

	if (!is_in[i]) {
		ck_assert_int_eq(timer_heap_add(heap, &elements[i]), 0);
		at_ns[i] = TIME_NEVER;
		is_in[i] = true;
	} else if (prng_below(prng, 8) == 0) {
		timer_heap_remove(heap, &elements[i]);
		is_in[i] = false;
	} else {
		/* Few values, so that many are the same. */
		at_ns[i] = prng_below(prng, 10) ? prng_below(prng, 300) : TIME_NEVER;
		timer_heap_set(heap, &elements[i], at_ns[i]);
	}
}

START_TEST(against_a_search)
{
	struct prng prng = {.state = (uint64_t)_i};
	struct timer_heap heap = {0};
	unsigned count = 0;

	for (int i = 0; i < ELEMENTS; i++)
		is_in[i] = false;
	for (int i = 0; i < STEPS; i++) {
		const struct timer_element *first;

		step(&heap, &prng);
		first = timer_heap_first(&heap);
		ck_assert_uint_eq(first ? first->at_ns : TIME_NEVER, earliest());
		ck_assert(!first || is_in[first - elements]);
	}
	/* In order, and all of them. */
	for (uint64_t last = 0; heap.count > 0; count++) {
		struct timer_element *first = timer_heap_first(&heap);

		ck_assert_uint_ge(first->at_ns, last);
		ck_assert_uint_eq(first->at_ns, at_ns[first - elements]);
		last = first->at_ns;
		timer_heap_remove(&heap, first);
		is_in[first - elements] = false;
	}
	for (int i = 0; i < ELEMENTS; i++)
		ck_assert(!is_in[i]);
	ck_assert_uint_gt(count, 0);
	timer_heap_clear(&heap);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timer_heap");
	TCase *tc = tcase_create("timer_heap");

	tcase_add_test(tc, by_hand);
	tcase_add_loop_test(tc, against_a_search, 0, 3);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
