/* SPDX-License-Identifier: ISC */
/* Which connectors are there: only pairs that the policy knows, chosen in the order of `via`. */
#include <errno.h>

#include <tund/policy/next_hops.h>

#include "tap.h"
#include "world.h"

START_TEST(chosen_in_order)
{
	struct policy *policy = world_policy(NULL, NULL);
	struct next_hops *next_hops = next_hops_new(policy, NULL);
	struct ip_addr a = world_address("10.99.1.1"), b = world_address("10.77.0.1");
	uint32_t shared = policy_route_of(policy, 0, &a), single = policy_route_of(policy, 0, &b);
	uint32_t dc1a = world_device(KEY_DC1A), dc2c = world_device(KEY_DC2C);

	ck_assert_uint_eq(next_hops_choose(next_hops, shared), DEVICE_NONE);
	ck_assert_int_eq(next_hops_add(next_hops, shared, world_entry(KEY_DC1A)), 0);
	ck_assert_uint_eq(next_hops_choose(next_hops, shared), dc1a);
	ck_assert_int_eq(next_hops_add(next_hops, shared, world_entry(KEY_DC2C)), 0);
	ck_assert_uint_eq(next_hops_choose(next_hops, shared), dc2c);
	ck_assert(next_hops_get(next_hops, shared, dc1a));
	ck_assert(!next_hops_get(next_hops, single, dc1a)); /* another route */
	next_hops_remove(next_hops, shared, dc2c);
	ck_assert_uint_eq(next_hops_choose(next_hops, shared), dc1a);
	next_hops_free(next_hops);
	policy_free(policy);
}
END_TEST

START_TEST(unknown_pairs)
{
	struct policy *policy = world_policy(NULL, NULL);
	struct next_hops *next_hops = next_hops_new(policy, NULL);
	struct ip_addr a = world_address("10.77.0.1"), devices = world_address(ALICE4);
	uint32_t route = policy_route_of(policy, 0, &a);

	ck_assert_int_eq(next_hops_add(next_hops, route, world_entry(KEY_ALICE)),
			 -ENOENT);
	ck_assert_int_eq(next_hops_add(next_hops, route, world_entry(KEY_DC2C)),
			 -ENOENT);
	ck_assert_int_eq(next_hops_add(next_hops, UINT32_MAX, world_entry(KEY_DC1A)),
			 -ENOENT);
	ck_assert(!next_hops_get(next_hops, UINT32_MAX, 0));
	ck_assert_uint_eq(next_hops_choose(next_hops, route), DEVICE_NONE);
	ck_assert_uint_eq(next_hops_choose(next_hops, policy_route_of(policy, 0, &devices)),
			  DEVICE_NONE);
	next_hops_free(next_hops);
	policy_free(policy);
}
END_TEST

START_TEST(each_change_has_a_version)
{
	struct policy *policy = world_policy(NULL, NULL);
	struct next_hops *next_hops = next_hops_new(policy, NULL);
	struct ip_addr a = world_address("10.77.0.1");
	uint32_t route = policy_route_of(policy, 0, &a), dc1a = world_device(KEY_DC1A);
	uint32_t before = next_hops_version(next_hops), after;

	next_hops_remove(next_hops, route, dc1a); /* as it is */
	ck_assert_int_eq(next_hops_add(next_hops, UINT32_MAX, world_entry(KEY_DC1A)), -ENOENT);
	ck_assert_uint_eq(next_hops_version(next_hops), before);
	ck_assert_int_eq(next_hops_add(next_hops, route, world_entry(KEY_DC1A)), 0);
	after = next_hops_version(next_hops);
	ck_assert_uint_ne(after, before);
	next_hops_remove(next_hops, route, dc1a);
	ck_assert_uint_ne(next_hops_version(next_hops), after);
	ck_assert_uint_ne(next_hops_version(next_hops), before);
	next_hops_free(next_hops);
	policy_free(policy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reach");
	TCase *tc = tcase_create("reach");

	tcase_add_test(tc, chosen_in_order);
	tcase_add_test(tc, unknown_pairs);
	tcase_add_test(tc, each_change_has_a_version);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
