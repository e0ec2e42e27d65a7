/* SPDX-License-Identifier: ISC */
/* An edge that pushes without end, by the clock. */
#include <stdlib.h>

#include "parent/pace.h"

#include "tap.h"

#define T0 (1000 * NS_PER_SEC)

static struct request_network numbered(uint32_t id)
{
	return (struct request_network){.id = id, .network = {.mtu = 1420}};
}

START_TEST(the_first_at_once)
{
	struct request_network r = numbered(1);
	struct pace pace = {0};

	ck_assert_uint_eq(pace_due(&pace), TIME_NEVER);
	ck_assert_ptr_null(pace_take(&pace, T0));
	pace_put(&pace, &r);
	ck_assert_uint_le(pace_due(&pace), T0);
	ck_assert_uint_eq(pace_take(&pace, T0)->id, 1);
	ck_assert_ptr_null(pace_take(&pace, T0));
	ck_assert_uint_eq(pace_due(&pace), TIME_NEVER);
}
END_TEST

START_TEST(the_latest_in_time)
{
	struct pace pace = {0};

	for (uint32_t id = 1; id <= 3; id++) {
		struct request_network r = numbered(id);

		pace_put(&pace, &r);
		ck_assert((pace_take(&pace, T0 + id) != NULL) == (id == 1));
	}
	ck_assert_uint_eq(pace_due(&pace), T0 + 1 + PACE_NS);
	ck_assert_ptr_null(pace_take(&pace, T0 + PACE_NS));
	ck_assert_uint_eq(pace_take(&pace, T0 + 1 + PACE_NS)->id, 3);
}
END_TEST

/* A request in every millisecond of ten seconds. */
START_TEST(bounded)
{
	struct pace pace = {0};
	unsigned applied = 0;

	for (uint32_t ms = 0; ms < 10000; ms++) {
		struct request_network r = numbered(ms);

		pace_put(&pace, &r);
		applied += pace_take(&pace, T0 + ms * NS_PER_MS) != NULL;
	}
	ck_assert_uint_eq(applied, 10 * NS_PER_SEC / PACE_NS);
}
END_TEST

START_TEST(forgotten)
{
	struct request_network r = numbered(1);
	struct pace pace = {0};

	pace_put(&pace, &r);
	pace_forget(&pace);
	ck_assert_uint_eq(pace_due(&pace), TIME_NEVER);
	ck_assert_ptr_null(pace_take(&pace, T0));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pace");
	TCase *tc = tcase_create("pace");

	tcase_add_test(tc, the_first_at_once);
	tcase_add_test(tc, the_latest_in_time);
	tcase_add_test(tc, bounded);
	tcase_add_test(tc, forgotten);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
