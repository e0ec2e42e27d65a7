/* SPDX-License-Identifier: ISC */
/* Who is asked for a new configuration, in which order, and what becomes of each answer. */
#include <errno.h>
#include <string.h>

#include "parent/reload.h"

#include "tap.h"

#define T0 (1000 * NS_PER_SEC)

static struct reload r;

static void setup(void)
{
	r = (struct reload){0};
}

/* Everybody in front of `voter` says yes. */
static void ask_up_to(enum reload_voter voter)
{
	ck_assert_int_eq(reload_begin(&r, T0), RELOAD_ASK);
	for (enum reload_voter v = RELOAD_LOADER; v < voter; v++) {
		ck_assert_int_eq(r.asked, v);
		ck_assert_int_eq(reload_vote(&r, v, 0, "", T0), RELOAD_ASK);
	}
	ck_assert_int_eq(r.asked, voter);
}

START_TEST(all_say_yes)
{
	ask_up_to(RELOAD_ENGINE);
	ck_assert_int_eq(reload_vote(&r, RELOAD_ENGINE, 0, "", T0), RELOAD_COMMIT);
	ck_assert(!r.silent);
	ck_assert_uint_eq(reload_due(&r), TIME_NEVER);
	ck_assert(!reload_finish(&r));
	ck_assert(!r.is_under_way);
}
END_TEST

/* Loader, parent and engine in turn; whoever comes behind is not asked. */
START_TEST(one_refuses)
{
	ask_up_to((enum reload_voter)_i);
	ck_assert_int_eq(reload_vote(&r, (enum reload_voter)_i, -EINVAL, "no: line 3", T0),
			 RELOAD_REFUSE);
	ck_assert_int_eq(r.error, -EINVAL);
	ck_assert_str_eq(r.text, "no: line 3");
	ck_assert_int_eq(r.asked, RELOAD_NOBODY);
	ck_assert_uint_eq(reload_due(&r), TIME_NEVER);
	for (enum reload_voter v = RELOAD_LOADER; v < RELOAD_NOBODY; v++)
		ck_assert_int_eq(reload_vote(&r, v, 0, "", T0), RELOAD_WAIT);
	ck_assert(!reload_finish(&r));
	ask_up_to(RELOAD_ENGINE); /* and the next one begins from the front */
	ck_assert_int_eq(r.error, 0);
}
END_TEST

/* Nobody may answer for another, twice, or unasked. */
START_TEST(only_who_is_asked)
{
	for (enum reload_voter v = RELOAD_LOADER; v < RELOAD_NOBODY; v++)
		ck_assert_int_eq(reload_vote(&r, v, -EINVAL, "", T0), RELOAD_WAIT);
	ask_up_to((enum reload_voter)_i);
	for (enum reload_voter v = RELOAD_LOADER; v < RELOAD_NOBODY; v++)
		if (v != (enum reload_voter)_i)
			ck_assert_int_eq(reload_vote(&r, v, -EINVAL, "", T0), RELOAD_WAIT);
	ck_assert_int_eq(r.asked, _i);
	ck_assert_int_eq(r.error, 0);
}
END_TEST

START_TEST(a_silent_engine)
{
	ask_up_to(RELOAD_ENGINE);
	ck_assert_uint_eq(reload_due(&r), T0 + RELOAD_SILENCE_NS);
	ck_assert_int_eq(reload_tick(&r, T0 + RELOAD_SILENCE_NS - 1), RELOAD_WAIT);
	ck_assert(!r.silent);
	ck_assert_int_eq(reload_tick(&r, T0 + RELOAD_SILENCE_NS), RELOAD_COMMIT);
	ck_assert(r.silent);
	ck_assert_uint_eq(reload_due(&r), TIME_NEVER);
	/* Too late; nor is its end, which follows, a no. */
	ck_assert_int_eq(reload_vote(&r, RELOAD_ENGINE, -EINVAL, "no", T0), RELOAD_WAIT);
	ck_assert_int_eq(reload_engine_ended(&r, T0), RELOAD_WAIT);
	ck_assert(!reload_finish(&r));
	ck_assert(!r.silent);
}
END_TEST

/* The parent itself waits for the loader, and never for itself. */
START_TEST(only_the_engine_can_be_silent)
{
	ck_assert_uint_eq(reload_due(&r), TIME_NEVER);
	ask_up_to((enum reload_voter)_i);
	ck_assert((reload_due(&r) == TIME_NEVER) == (_i != RELOAD_ENGINE));
}
END_TEST

START_TEST(an_engine_that_ends)
{
	ck_assert_int_eq(reload_engine_ended(&r, T0), RELOAD_WAIT);
	ask_up_to(RELOAD_ENGINE);
	ck_assert_int_eq(reload_engine_ended(&r, T0 + 1), RELOAD_REFUSE);
	ck_assert_int_eq(r.error, -ECHILD);
	ck_assert_ptr_nonnull(strstr(r.text, "engine ended"));
	ck_assert_int_eq(reload_tick(&r, T0 + RELOAD_SILENCE_NS), RELOAD_WAIT);
}
END_TEST

/* However often it is asked for meanwhile, it is done once more, from the front. */
START_TEST(asked_for_again)
{
	ask_up_to(RELOAD_ENGINE);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(reload_begin(&r, T0 + 1), RELOAD_WAIT);
	ck_assert_int_eq(r.asked, RELOAD_ENGINE);
	ck_assert_uint_eq(reload_due(&r), T0 + RELOAD_SILENCE_NS);
	ck_assert_int_eq(reload_vote(&r, RELOAD_ENGINE, _i ? -ENOMEM : 0, "no", T0 + 2),
			 _i ? RELOAD_REFUSE : RELOAD_COMMIT);
	ck_assert(reload_finish(&r));
	ask_up_to(RELOAD_ENGINE);
	ck_assert_int_eq(reload_vote(&r, RELOAD_ENGINE, 0, "", T0 + 3), RELOAD_COMMIT);
	ck_assert(!reload_finish(&r));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reload");
	TCase *tc = tcase_create("reload");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, all_say_yes);
	tcase_add_loop_test(tc, one_refuses, RELOAD_LOADER, RELOAD_NOBODY);
	tcase_add_loop_test(tc, only_who_is_asked, RELOAD_LOADER, RELOAD_NOBODY);
	tcase_add_test(tc, a_silent_engine);
	tcase_add_loop_test(tc, only_the_engine_can_be_silent, RELOAD_LOADER, RELOAD_NOBODY);
	tcase_add_test(tc, an_engine_that_ends);
	tcase_add_loop_test(tc, asked_for_again, 0, 2);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
