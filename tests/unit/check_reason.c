/* SPDX-License-Identifier: ISC */
/* Every reason, of policy and of session, has a name of its own, fit for a counter. */
#include <string.h>

#include <tund/policy/reason.h>
#include <tund/session/reason.h>

#include "tap.h"

START_TEST(names)
{
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		const char *name = reason_name((enum reason)i);

		ck_assert_ptr_nonnull(name);
		ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"),
				  strlen(name));
		ck_assert_ptr_nonnull(reason_text((enum reason)i));
		for (unsigned j = 0; j < i; j++)
			ck_assert_str_ne(name, reason_name((enum reason)j));
	}
	ck_assert_str_eq(reason_name(reason_of_inner(INNER_BAD_IHL)), "inner_bad_ihl");
}
END_TEST

START_TEST(session_names)
{
	for (unsigned i = 0; i < SESSION_REASON_COUNT; i++) {
		const char *name = session_reason_name((enum session_reason)i);

		ck_assert_ptr_nonnull(name);
		ck_assert_uint_gt(strlen(name), 0);
		ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"),
				  strlen(name));
		for (unsigned j = 0; j < i; j++)
			ck_assert_str_ne(name, session_reason_name((enum session_reason)j));
	}
	ck_assert_str_eq(session_reason_name(SESSION_BAD_MAC1), "bad_mac1");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reason");
	TCase *tc = tcase_create("reason");

	tcase_add_test(tc, names);
	tcase_add_test(tc, session_names);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
