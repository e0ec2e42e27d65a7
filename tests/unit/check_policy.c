/* SPDX-License-Identifier: ISC */
/* The compiled rules: against the oracle on random policies, generations, zones, and a table of
 * judgements. */
#include <errno.h>
#include <string.h>

#include <tund/policy/lpm.h>

#include "prng.h"
#include "random_policy.h"
#include "tap.h"
#include "world.h"

START_TEST(agrees_with_the_oracle)
{
	static uint8_t bytes[4096];

	struct prng prng = {(uint64_t)_i};

	for (int round = 0; round < 60; round++) {
		struct draw d = {bytes, sizeof bytes};
		struct policy_error error;
		struct policy_spec *spec;
		struct policy *policy;

		prng_fill(&prng, bytes, sizeof bytes);
		spec = random_spec(&d);
		ck_assert_msg(policy_spec_validate(spec, POLICY_OF_EDGE, &error) == 0, "%s",
			      error.text);
		policy = world_take(spec, NULL);
		for (uint32_t r = 0; r < spec->route_count; r++)
			ck_assert_uint_eq(policy_route_at(policy, 0, &spec->routes[r].prefix), r);
		while (d.len) {
			const char *difference = compare_with_oracle(&d, spec, policy, world_registry());

			ck_assert_msg(!difference, "%s", difference);
		}
		policy_free(policy);
	}
}
END_TEST

static const struct {
	enum world_key from;
	const char *dst;
	uint8_t proto;
	uint16_t port;
	enum policy_action action;
	enum reason reason;
	uint32_t line;
} judgements[] = {
	{KEY_ALICE, "10.77.0.10", 6, 80, POLICY_ACCEPT, REASON_ACCEPTED, 101},
	{KEY_ALICE, "10.77.0.10", 6, 443, POLICY_ACCEPT, REASON_ACCEPTED, 101},
	{KEY_ALICE, "10.77.0.10", 6, 81, POLICY_REJECT, REASON_NO_RULE, 100},
	{KEY_ALICE, "10.77.0.10", 17, 80, POLICY_REJECT, REASON_NO_RULE, 100},
	{KEY_ALICE, "10.77.0.10", 1, 0, POLICY_ACCEPT, REASON_ACCEPTED, 103},
	{KEY_ALICE, "10.77.0.10", 58, 0, POLICY_ACCEPT, REASON_ACCEPTED, 103},
	{KEY_BOB, "10.77.0.10", 1, 0, POLICY_ACCEPT, REASON_ACCEPTED, 102},
	{KEY_BOB, "10.77.0.10", 6, 80, POLICY_REJECT, REASON_NO_RULE, 100},
	{KEY_BOB, "10.77.0.10", 6, 23, POLICY_DROP, REASON_DENIED, 105},
	{KEY_BOB, "10.77.0.200", 6, 23, POLICY_ACCEPT, REASON_ACCEPTED, 111},
	{KEY_BOB, "10.77.1.1", 6, 80, POLICY_REJECT, REASON_NO_ROUTE, 0},
	{KEY_BOB, "fd77::1", 6, 80, POLICY_REJECT, REASON_NO_RULE, 120},
	{KEY_BOB, OWN4, 6, 80, POLICY_REJECT, REASON_NO_ROUTE, 0},
	{KEY_BOB, BOB4, 6, 22, POLICY_REJECT, REASON_NO_ROUTE, 0},
	{KEY_BOB, ALICE4, 6, 22, POLICY_REJECT, REASON_NO_RULE, 140},
	{KEY_BOB, "100.80.0.200", 6, 22, POLICY_REJECT, REASON_NO_ROUTE, 0},
	{KEY_DC1A, ALICE4, 6, 22, POLICY_ACCEPT, REASON_ACCEPTED, 141},
	{KEY_DC2C, ALICE4, 6, 22, POLICY_REJECT, REASON_NO_RULE, 140},
	{KEY_DC1A, "10.77.0.200", 6, 22, POLICY_REJECT, REASON_NO_RULE, 110},
	{KEY_MAYA, "10.77.0.10", 6, 80, POLICY_REJECT, REASON_UNKNOWN_DEVICE, 0},
};

START_TEST(routes_by_prefix)
{
	static const char *const none[] = {"10.77.0.0/23", "10.77.0.0/26", "10.77.0.128/26",
					   "0.0.0.0/0", "fd77::/127"};
	struct policy *policy = world_policy(NULL, NULL);
	struct ip_prefix p;

	ck_assert_int_eq(ip_prefix_parse("10.77.0.128/25", &p), 0);
	ck_assert_uint_eq(policy_route_at(policy, 0, &p), policy_route_of(policy, 0, &p.addr));
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		ck_assert_int_eq(ip_prefix_parse(none[i], &p), 0);
		ck_assert_uint_eq(policy_route_at(policy, 0, &p), LPM_NONE);
	}
	policy_free(policy);
}
END_TEST

START_TEST(judges)
{
	struct policy *policy = world_policy(NULL, NULL);
	struct policy_query q = {
		.device = world_entry(judgements[_i].from),
		.dst = world_address(judgements[_i].dst),
		.proto = judgements[_i].proto,
		.dst_port = judgements[_i].port,
	};
	struct judgement j;

	policy_judge(policy, world_registry(), &q, &j);
	ck_assert_int_eq(j.action, judgements[_i].action);
	ck_assert_int_eq(j.reason, judgements[_i].reason);
	ck_assert_uint_eq(j.place.line, judgements[_i].line);
	ck_assert(j.place.line == 0 || strcmp(j.place.file, "tund.policy") == 0);
	policy_free(policy);
}
END_TEST

/* Only what verdicts depend on makes a new generation. */
START_TEST(generations)
{
	struct policy *first = world_policy(NULL, NULL), *second, *third, *fourth;
	struct policy_spec *spec = world_spec(NULL);
	struct spec_principal *p;

	p = policy_spec_add_principal(spec, "maya", PRINCIPAL_USER, NULL, 0);
	world_add_device(spec, p, "desk", KEY_MAYA, (const char *const[]){"100.80.0.13", NULL});
	ck_assert(policy_is_of(first, spec));
	spec->routes[0].rules[0].place.line++;
	ck_assert(!policy_is_of(first, spec));
	second = world_take(spec, first);
	spec = world_spec(NULL);
	spec->routes[0].rules[0].ports[0].last++;
	third = world_take(spec, second);
	fourth = world_policy("10.77.0.0/24", third);
	ck_assert_uint_eq(policy_generation(first), 1);
	ck_assert_uint_eq(policy_generation(second), 1);
	ck_assert_uint_eq(policy_generation(third), 2);
	ck_assert_uint_eq(policy_generation(fourth), 3);
	policy_free(first);
	policy_free(second);
	policy_free(third);
	policy_free(fourth);
}
END_TEST

START_TEST(holders_and_routes)
{
	struct policy *policy = world_policy(NULL, NULL);
	struct ip_addr alice = world_address(ALICE6), own = world_address(OWN4);
	struct ip_addr shared = world_address("10.99.1.1"), nowhere = world_address("192.0.2.1");
	uint32_t route = policy_route_of(policy, 0, &shared);

	ck_assert_uint_eq(world_holder(&alice), world_device(KEY_ALICE));
	ck_assert_uint_eq(world_holder(&own), DEVICE_NONE);
	ck_assert_uint_eq(world_holder(&shared), DEVICE_NONE);
	ck_assert_uint_eq(policy_route_of(policy, 0, &nowhere), UINT32_MAX);
	ck_assert_uint_eq(policy_route_of(policy, 0, &own), UINT32_MAX);
	ck_assert_uint_eq(policy_route_rank(policy, route, world_entry(KEY_DC2C)->principal), 0);
	ck_assert_uint_eq(policy_route_rank(policy, route, world_entry(KEY_DC1A)->principal), 1);
	ck_assert_uint_eq(policy_route_rank(policy, route, world_entry(KEY_BOB)->principal),
			  UINT32_MAX);
	policy_free(policy);
}
END_TEST

/* The same addresses twice: a route and its rules are of one zone, as are devices. */
START_TEST(zones)
{
	struct policy_spec *spec = world_spec(NULL);
	struct spec_route *r =
		world_add_route(spec, "10.77.0.0/24", (const char *const[]){"dc2", NULL});
	struct spec_principal *maya =
		policy_spec_add_principal(spec, "maya", PRINCIPAL_USER, NULL, 0);
	struct policy_query q = {.dst = world_address("10.77.0.10"), .proto = 6, .dst_port = 81};
	struct ip_addr address = world_address(ALICE4);
	struct policy *policy;
	struct judgement j;

	r->zone = 3;
	world_add_rule(spec, r, "other", "user:maya", 6, 81);
	world_add_device(spec, maya, "desk", KEY_MAYA, (const char *const[]){ALICE4, NULL});
	maya->devices[0].zone = 3;
	policy = world_take(spec, NULL);
	ck_assert_uint_eq(world_holder(&address), world_device(KEY_ALICE));
	ck_assert_ptr_eq(registry_by_address(world_registry(), 3, &address),
			 world_entry(KEY_MAYA));
	ck_assert_ptr_null(registry_by_address(world_registry(), 1, &address));
	ck_assert_uint_eq(policy_route_at(policy, 3, &r->prefix), spec->route_count - 1);
	ck_assert_uint_ne(policy_route_at(policy, 0, &r->prefix), spec->route_count - 1);
	ck_assert_uint_eq(policy_route_of(policy, 4, &address), LPM_NONE);
	q.device = world_entry(KEY_MAYA);
	policy_judge(policy, world_registry(), &q, &j);
	ck_assert_int_eq(j.action, POLICY_ACCEPT);
	q.device = world_entry(KEY_ALICE);
	policy_judge(policy, world_registry(), &q, &j);
	ck_assert_int_eq(j.reason, REASON_NO_RULE);
	policy_free(policy);
}
END_TEST

START_TEST(what_was_not_validated)
{
	struct registry *registry = registry_new(NULL);
	struct policy_spec *spec = world_spec(NULL);
	struct policy *policy = NULL;

	world_add_route(spec, "10.77.0.0/24", (const char *const[]){"dc1", NULL});
	ck_assert_int_eq(policy_new(spec, registry, NULL, &policy), -EINVAL);
	policy_spec_free(spec);
	spec = world_spec(NULL);
	world_add_route(spec, "10.1.0.0/24", (const char *const[]){"alice", NULL});
	ck_assert_int_eq(policy_new(spec, registry, NULL, &policy), -EINVAL);
	policy_spec_free(spec);
	ck_assert_ptr_null(policy);
	registry_free(registry);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy");
	TCase *tc = tcase_create("policy");

	tcase_add_loop_test(tc, agrees_with_the_oracle, 0, 4);
	tcase_add_loop_test(tc, judges, 0, sizeof judgements / sizeof *judgements);
	tcase_add_test(tc, routes_by_prefix);
	tcase_add_test(tc, generations);
	tcase_add_test(tc, zones);
	tcase_add_test(tc, holders_and_routes);
	tcase_add_test(tc, what_was_not_validated);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
