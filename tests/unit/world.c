/* SPDX-License-Identifier: ISC */
/* The policy that the tests of layer policy share. */
#include <check.h>
#include <string.h>

#include "world.h"

#define FILE_NAME "tund.policy"
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NOTHING ((const char *const[]){NULL})

struct ip_addr world_address(const char *text)
{
	struct ip_addr a;

	ck_assert_int_eq(ip_addr_parse(text, &a), 0);
	return a;
}

struct spec_device *world_add_device(struct policy_spec *spec, struct spec_principal *p,
				     const char *name, uint8_t key, const char *const *addresses)
{
	struct spec_device *d = policy_spec_add_device(spec, p, name, FILE_NAME, key);

	d->public_key[0] = key;
	for (; *addresses; addresses++) {
		struct ip_addr a = world_address(*addresses);

		ck_assert_int_eq(policy_spec_add_address(spec, d, &a), 0);
	}
	return d;
}

struct spec_route *world_add_route(struct policy_spec *spec, const char *prefix,
				   const char *const *via)
{
	struct ip_prefix p;
	struct spec_route *r;

	ck_assert_int_eq(ip_prefix_parse(prefix, &p), 0);
	r = policy_spec_add_route(spec, &p, FILE_NAME, 100 + (uint32_t)spec->route_count * 10);
	for (; *via; via++)
		ck_assert_int_eq(policy_spec_add_via(spec, r, *via), 0);
	return r;
}

struct spec_rule *world_add_rule(struct policy_spec *spec, struct spec_route *r, const char *name,
				 const char *from, uint16_t proto, uint16_t port)
{
	uint32_t line = r->place.line + 1 + (uint32_t)r->rule_count;
	struct spec_rule *rule = policy_spec_add_rule(spec, r, name, FILE_NAME, line);

	rule->proto = proto;
	ck_assert_int_eq(policy_spec_add_from(spec, rule, from), 0);
	if (port)
		ck_assert_int_eq(policy_spec_add_ports(spec, rule, port, port), 0);
	return rule;
}

static void add_principals(struct policy_spec *spec)
{
	struct ip_addr own = world_address(OWN4);
	struct spec_principal *p;

	ck_assert_int_eq(policy_spec_add_own(spec, &own), 0);
	p = policy_spec_add_principal(spec, "alice", PRINCIPAL_USER, FILE_NAME, 1);
	ck_assert_int_eq(policy_spec_add_group(spec, p, "eng"), 0);
	world_add_device(spec, p, "laptop", KEY_ALICE, LIST(ALICE4, ALICE6));
	p = policy_spec_add_principal(spec, "bob", PRINCIPAL_USER, FILE_NAME, 2);
	world_add_device(spec, p, "phone", KEY_BOB, LIST(BOB4, BOB6));
	p = policy_spec_add_principal(spec, "dc1", PRINCIPAL_CONNECTOR, FILE_NAME, 3);
	world_add_device(spec, p, "a", KEY_DC1A, NOTHING);
	world_add_device(spec, p, "b", KEY_DC1B, NOTHING);
	p = policy_spec_add_principal(spec, "dc2", PRINCIPAL_CONNECTOR, FILE_NAME, 4);
	world_add_device(spec, p, "c", KEY_DC2C, NOTHING);
}

static void add_dc1_route(struct policy_spec *spec)
{
	struct spec_route *r = world_add_route(spec, "10.77.0.0/24", LIST("dc1"));
	struct spec_rule *rule = world_add_rule(spec, r, "web", "group:eng", 6, 80);

	ck_assert_int_eq(policy_spec_add_ports(spec, rule, 443, 443), 0);
	world_add_rule(spec, r, "ping", "user:bob", POLICY_PROTO_ICMP, 0);
	world_add_rule(spec, r, "ping-eng", "group:eng", POLICY_PROTO_ICMP, 0);
	world_add_rule(spec, r, "dns", "group:eng", 17, 53);
	rule = world_add_rule(spec, r, "telnet", "user:bob", 6, 23);
	rule->action = POLICY_DROP;
}

static bool wanted(const char *prefix, const char *without)
{
	return !without || strcmp(prefix, without) != 0;
}

struct policy_spec *world_spec(const char *without)
{
	struct policy_spec *spec = policy_spec_new();
	struct spec_route *r;

	ck_assert_ptr_nonnull(spec);
	add_principals(spec);
	if (wanted("10.77.0.0/24", without))
		add_dc1_route(spec);
	if (wanted("10.77.0.128/25", without)) {
		r = world_add_route(spec, "10.77.0.128/25", LIST("dc2"));
		world_add_rule(spec, r, "all", "any", POLICY_PROTO_ANY, 0);
	}
	if (wanted("fd77::/64", without)) {
		r = world_add_route(spec, "fd77::/64", LIST("dc1"));
		world_add_rule(spec, r, "web6", "group:eng", 6, 80);
		world_add_rule(spec, r, "ping6", "group:eng", POLICY_PROTO_ICMP, 0);
		world_add_rule(spec, r, "dns6", "group:eng", 17, 53);
	}
	if (wanted("10.99.0.0/16", without)) {
		r = world_add_route(spec, "10.99.0.0/16", LIST("dc2", "dc1"));
		world_add_rule(spec, r, "alice", "user:alice", POLICY_PROTO_ANY, 0);
		world_add_rule(spec, r, "replica", "connector:dc2", POLICY_PROTO_ANY, 0);
	}
	if (wanted("100.80.0.0/16", without)) {
		r = world_add_route(spec, "100.80.0.0/16", NOTHING);
		world_add_rule(spec, r, "monitor", "connector:dc1", 6, 22);
	}
	return spec;
}

static struct registry *registry;

struct policy *world_take(struct policy_spec *spec, const struct policy *previous)
{
	struct registry_plan plan;
	struct policy *policy;

	if (!previous) {
		registry_free(registry);
		registry = registry_new(NULL);
		ck_assert_ptr_nonnull(registry);
	}
	ck_assert_int_eq(policy_new(spec, registry, previous, &policy), 0);
	ck_assert_int_eq(registry_plan(registry, spec, &plan), 0);
	registry_plan_commit(registry, &plan);
	return policy;
}

struct policy *world_policy(const char *without, const struct policy *previous)
{
	struct policy_spec *spec = world_spec(without);
	struct policy_error error;

	ck_assert_msg(policy_spec_validate(spec, POLICY_OF_EDGE, &error) == 0, "%s", error.text);
	return world_take(spec, previous);
}

struct registry *world_registry(void)
{
	return registry;
}

const struct registry_device *world_entry(enum world_key key)
{
	uint8_t bytes[KEY_SIZE] = {(uint8_t)key};

	return registry_by_key(registry, bytes);
}

uint32_t world_device(enum world_key key)
{
	const struct registry_device *d = world_entry(key);

	return d ? d->number : DEVICE_NONE;
}

uint32_t world_holder(const struct ip_addr *a)
{
	const struct registry_device *d = registry_by_address(registry, 0, a);

	return d ? d->number : DEVICE_NONE;
}

struct next_hops *world_next_hops(const struct policy *policy, bool up)
{
	struct next_hops *next_hops = next_hops_new(policy, NULL);

	ck_assert_ptr_nonnull(next_hops);
	for (uint32_t r = 0; up && r < policy_spec(policy)->route_count; r++) {
		for (uint32_t i = 0; i < registry_limit(registry); i++) {
			const struct registry_device *d = registry_device(registry, i);

			if (d)
				next_hops_add(next_hops, r, d);
		}
	}
	return next_hops;
}
