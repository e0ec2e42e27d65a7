/* SPDX-License-Identifier: ISC */
/* "Why was I refused?": whom it takes, what it says, and that it is the data path's judgement. */
#include <errno.h>
#include <string.h>

#include <tund/policy/explain.h>

#include "tap.h"
#include "world.h"

static const struct {
	const char *principal, *source, *dst;
	uint8_t proto;
	uint16_t port;
	int result;
	enum reason reason;
	const char *says[3];
} questions[] = {
	{"alice", NULL, "10.77.0.10", 6, 80, 0, REASON_ACCEPTED, {"web", "tund.policy:101"}},
	{"alice/laptop", ALICE4, "10.77.0.10", 6, 80, 0, REASON_ACCEPTED, {"web"}},
	{"alice", NULL, "fd77::1", 6, 80, 0, REASON_ACCEPTED, {"web6", ALICE6}},
	{"bob", NULL, "10.77.0.10", 6, 80, 0, REASON_NO_RULE, {"tund.policy:100"}},
	{"bob", NULL, "10.77.0.10", 6, 23, 0, REASON_DENIED, {"telnet", "tund.policy:105"}},
	{"bob", NULL, "192.0.2.1", 6, 80, 0, REASON_NO_ROUTE, {"192.0.2.1"}},
	{"carol", NULL, "10.77.0.10", 6, 80, -ENOENT, 0, {NULL}},
	{"alic", NULL, "10.77.0.10", 6, 80, -ENOENT, 0, {NULL}},
	{"alice/phone", NULL, "10.77.0.10", 6, 80, -ENOENT, 0, {NULL}},
	{"alice", BOB4, "10.77.0.10", 6, 80, -EADDRNOTAVAIL, 0, {NULL}},
	{"dc1", NULL, "10.77.0.10", 6, 80, -EADDRNOTAVAIL, 0, {NULL}},
	{"dc1", "10.77.0.10", ALICE4, 6, 22, 0, REASON_ACCEPTED, {"monitor"}},
};

START_TEST(explains)
{
	struct policy *policy = world_policy(NULL, NULL);
	struct explain_question q = {
		.principal = questions[_i].principal,
		.dst = world_address(questions[_i].dst),
		.proto = questions[_i].proto,
		.port = questions[_i].port,
	};
	struct explain_answer a;

	if (questions[_i].source)
		q.source = world_address(questions[_i].source);
	ck_assert_int_eq(policy_explain(policy, world_registry(), &q, &a), questions[_i].result);
	if (questions[_i].result == 0) {
		ck_assert_int_eq(a.judgement.reason, questions[_i].reason);
		ck_assert_int_eq(a.accepted, questions[_i].reason == REASON_ACCEPTED);
		for (const char *const *s = questions[_i].says; *s; s++)
			ck_assert_msg(strstr(a.text, *s) != NULL, "no \"%s\" in: %s", *s, a.text);
	}
	policy_free(policy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("explain");
	TCase *tc = tcase_create("explain");

	tcase_add_loop_test(tc, explains, 0, sizeof questions / sizeof *questions);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
