/* SPDX-License-Identifier: ISC */
/* What an edge grants of what a connector announces: a table. */
#include <string.h>

#include "control/edge_grant.h"

#include "tap.h"

struct grant_case {
	const char *routes[4]; /* of the policy, via the connector; "!" in front: via another */
	const char *announced[4];
	const char *granted[4];
};

static const struct grant_case cases[] = {
	{{"10.77.0.0/24"}, {"10.77.0.0/24"}, {"10.77.0.0/24"}},
	{{"10.77.0.0/24"}, {"10.0.0.0/8"}, {"10.77.0.0/24"}},
	{{"10.77.0.0/24"}, {"10.77.0.10"}, {"10.77.0.10/32"}},
	{{"10.77.0.0/24"}, {"10.78.0.0/24"}, {NULL}},
	{{"10.77.0.0/24"}, {NULL}, {NULL}},
	{{NULL}, {"10.77.0.0/24"}, {NULL}},
	{{"!10.77.0.0/24"}, {"10.77.0.0/24"}, {NULL}},
	{{"!10.77.0.0/24", "10.0.0.0/8"}, {"10.77.0.0/24"}, {"10.77.0.0/24"}},
	{{"10.77.0.0/24"}, {"0.0.0.0/0"}, {"10.77.0.0/24"}},
	{{"10.77.0.0/24"}, {"::/0"}, {NULL}},
	{{"10.77.0.0/24", "fd00:77::/64"}, {"0.0.0.0/0", "::/0"}, {"10.77.0.0/24", "fd00:77::/64"}},
	/* once, although several pairs overlap */
	{{"10.77.0.0/24"}, {"10.0.0.0/8", "10.77.0.0/16"}, {"10.77.0.0/24"}},
	{{"10.0.0.0/8", "10.77.0.0/16"}, {"10.77.0.0/24"}, {"10.77.0.0/24"}},
	{{"10.0.0.0/8", "10.77.0.0/16"}, {"10.77.0.0/16"}, {"10.77.0.0/16"}},
};

static void add_route(struct policy_spec *spec, const char *text)
{
	const char *via = text[0] == '!' ? "dc2" : "dc1";
	struct ip_prefix p;

	ck_assert_int_eq(ip_prefix_parse(text + (text[0] == '!'), &p), 0);
	ck_assert_int_eq(policy_spec_add_via(spec, policy_spec_add_route(spec, &p, "test", 1), via),
			 0);
}

START_TEST(grants)
{
	const struct grant_case *c = &cases[_i];
	struct policy_spec *spec = policy_spec_new();
	struct control_message_routes announced = {0}, granted;
	char text[IP_PREFIX_STRLEN];
	uint32_t n = 0;

	for (size_t i = 0; i < 4 && c->routes[i]; i++)
		add_route(spec, c->routes[i]);
	for (size_t i = 0; i < 4 && c->announced[i]; i++)
		ck_assert_int_eq(
			ip_prefix_parse(c->announced[i], &announced.route[announced.route_count++]),
			0);
	edge_grant(spec, "dc1", &announced, &granted);
	for (; n < 4 && c->granted[n]; n++)
		ck_assert_str_eq(ip_prefix_format(&granted.route[n], text), c->granted[n]);
	ck_assert_uint_eq(granted.route_count, n);
	policy_spec_free(spec);
}
END_TEST

START_TEST(never_more_than_a_message_takes)
{
	struct policy_spec *spec = policy_spec_new();
	struct control_message_routes announced = {.route_count = 1}, granted;
	char text[IP_PREFIX_STRLEN];

	for (unsigned i = 0; i < NETWORK_ROUTES_MAX + 10; i++) {
		snprintf(text, sizeof text, "10.%u.%u.0/24", i / 256, i % 256);
		add_route(spec, text);
	}
	ck_assert_int_eq(ip_prefix_parse("10.0.0.0/8", &announced.route[0]), 0);
	edge_grant(spec, "dc1", &announced, &granted);
	ck_assert_uint_eq(granted.route_count, NETWORK_ROUTES_MAX);
	policy_spec_free(spec);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("edge");
	TCase *tc = tcase_create("edge");

	tcase_add_loop_test(tc, grants, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tc, never_more_than_a_message_takes);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
