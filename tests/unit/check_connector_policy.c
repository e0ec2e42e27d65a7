/* SPDX-License-Identifier: ISC */
/* The connector's own check: it can only narrow, and it needs no rules to let pass what the edge
 * has accepted. */
#include <errno.h>
#include <string.h>

#include <tund/policy/connector_policy.h>
#include <tund/policy/forward.h>

#include "packets.h"
#include "tap.h"
#include "world.h"

#define ORIGIN "10.77.0.10"

static const struct siphash_key key = {1, 2};
static const char *const eng[] = {"eng"};

static struct identity identities[3];
static struct policy_spec *own;
static struct forward f;
static struct verdict v;
static uint32_t self;

static struct registry *registry;

static void build(void)
{
	const struct policy *previous = f.policy;
	struct registry_plan plan;
	struct policy *policy;

	ck_assert_int_eq(connector_policy_new(own, registry, previous, &policy), 0);
	ck_assert_int_eq(connector_policy_plan(registry, identities, 3, &plan), 0);
	registry_plan_commit(registry, &plan);
	self = connector_policy_self(registry)->number;
	policy_free((struct policy *)previous);
	next_hops_free((struct next_hops *)f.next_hops);
	f.policy = policy;
	f.next_hops = next_hops_new(policy, NULL);
	for (uint32_t r = 0; r < policy_spec(policy)->route_count; r++)
		next_hops_add((struct next_hops *)f.next_hops, r, connector_policy_self(registry));
}

/* The number of who holds it. */
static uint32_t holder(const struct ip_addr *a)
{
	const struct registry_device *d = registry_by_address(registry, 0, a);

	return d ? d->number : DEVICE_NONE;
}

static void setup(void)
{
	identities[0] = (struct identity){world_address(ALICE4), "alice", PRINCIPAL_USER, eng, 1};
	identities[1] = (struct identity){world_address(BOB4), "bob", PRINCIPAL_USER, NULL, 0};
	identities[2] =
		(struct identity){world_address("10.55.0.1"), "dc9", PRINCIPAL_CONNECTOR, NULL, 0};
	own = policy_spec_new();
	world_add_route(own, "10.77.0.0/24", (const char *const[]){NULL});
	registry = registry_new(NULL);
	f = (struct forward){
		.registry = registry,
		.limiter = refusal_limiter_new(100),
		.flows = flow_table_new(1000, &key),
		.fragments = fragment_table_new(),
	};
	build();
}

static void teardown(void)
{
	policy_free((struct policy *)f.policy);
	next_hops_free((struct next_hops *)f.next_hops);
	policy_spec_free(own);
	registry_free(registry);
	refusal_limiter_free(f.limiter);
	flow_table_free(f.flows);
	fragment_table_free(f.fragments);
}

/* From the edge: the sender is the holder of the source. */
static void from_edge(const char *src, uint16_t sport, const char *dst, uint16_t dport)
{
	struct ip_addr a = world_address(src);
	struct packet p;

	packet_tcp(&p, src, sport, dst, dport, TCP_SYN, 0);
	forward_judge(&f, NS_PER_SEC, holder(&a), p.data, p.len, false,
		      &v);
}

static void from_inside(const char *src, uint16_t sport, const char *dst, uint16_t dport,
			uint8_t flags)
{
	struct packet p;

	packet_tcp(&p, src, sport, dst, dport, flags, 0);
	forward_judge(&f, NS_PER_SEC, self, p.data, p.len, false, &v);
}

START_TEST(without_rules)
{
	from_edge(ALICE4, 1000, ORIGIN, 80);
	ck_assert_int_eq(v.kind, VERDICT_FORWARD);
	ck_assert_uint_eq(v.device, self);
	from_inside(ORIGIN, 80, ALICE4, 1000, TCP_SYN | TCP_ACK);
	ck_assert_int_eq(v.kind, VERDICT_FORWARD);
	ck_assert_uint_eq(v.device, holder(&identities[0].address));
	from_edge("10.55.0.1", 1000, ORIGIN, 80); /* another connector's: the edge let it */
	ck_assert_int_eq(v.kind, VERDICT_FORWARD);
	from_inside(ORIGIN, 4000, BOB4, 22, TCP_SYN); /* the edge judges it */
	ck_assert_int_eq(v.kind, VERDICT_FORWARD);
	from_edge(ALICE4, 1000, "10.77.1.1", 80); /* not announced */
	ck_assert_int_eq(v.reason, REASON_NO_ROUTE);
	from_edge("100.80.0.77", 1000, ORIGIN, 80); /* nobody's */
	ck_assert_int_eq(v.reason, REASON_UNKNOWN_DEVICE);
	from_inside("192.168.1.1", 80, ALICE4, 1000, TCP_ACK);
	ck_assert_int_eq(v.reason, REASON_SOURCE_NOT_OWNED);
}
END_TEST

START_TEST(with_rules)
{
	struct spec_rule *rule =
		world_add_rule(own, &own->routes[0], "web", "group:eng", PROTO_TCP, 80);

	rule->place.line = 77;
	build();
	from_edge(ALICE4, 1000, ORIGIN, 80);
	ck_assert_int_eq(v.kind, VERDICT_FORWARD);
	ck_assert_uint_eq(v.place.line, 77);
	from_edge(ALICE4, 1000, ORIGIN, 81);
	ck_assert_int_eq(v.reason, REASON_NO_RULE);
	from_edge(BOB4, 1000, ORIGIN, 80);
	ck_assert_int_eq(v.reason, REASON_NO_RULE);
	from_edge("10.55.0.1", 1000, ORIGIN, 80);
	ck_assert_int_eq(v.reason, REASON_NO_RULE);
}
END_TEST

START_TEST(a_identity_leaves)
{
	uint32_t alice = holder(&identities[0].address), before = self;

	from_edge(ALICE4, 1000, ORIGIN, 80);
	ck_assert_int_eq(v.kind, VERDICT_FORWARD);
	identities[1].address = world_address("100.80.0.44");
	build();
	ck_assert_uint_eq(holder(&identities[0].address), alice);
	ck_assert_uint_eq(self, before);
	from_inside(ORIGIN, 80, ALICE4, 1000, TCP_ACK); /* the flow goes on */
	ck_assert_int_eq(v.kind, VERDICT_FORWARD);
	from_edge(BOB4, 1000, ORIGIN, 80);
	ck_assert_int_eq(v.reason, REASON_UNKNOWN_DEVICE);
}
END_TEST

/* Two addresses of one person, and someone between them. */
START_TEST(one_principal_two_addresses)
{
	world_add_rule(own, &own->routes[0], "web", "user:alice", PROTO_TCP, 80);
	identities[2] =
		(struct identity){world_address("100.80.0.13"), "alice", PRINCIPAL_USER, eng, 1};
	build();
	from_edge(ALICE4, 1000, ORIGIN, 80);
	ck_assert_int_eq(v.kind, VERDICT_FORWARD);
	from_edge("100.80.0.13", 1000, ORIGIN, 80);
	ck_assert_int_eq(v.kind, VERDICT_FORWARD);
	from_edge(BOB4, 1000, ORIGIN, 80);
	ck_assert_int_eq(v.reason, REASON_NO_RULE);
}
END_TEST

START_TEST(bad_identities)
{
	struct registry_plan plan;

	identities[1].address = world_address("127.0.0.1");
	ck_assert_int_eq(connector_policy_plan(registry, identities, 3, &plan), -EINVAL);
	identities[1].address = identities[0].address;
	ck_assert_int_eq(connector_policy_plan(registry, identities, 3, &plan), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("narrow");
	TCase *tc = tcase_create("narrow");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, without_rules);
	tcase_add_test(tc, with_rules);
	tcase_add_test(tc, a_identity_leaves);
	tcase_add_test(tc, one_principal_two_addresses);
	tcase_add_test(tc, bad_identities);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
