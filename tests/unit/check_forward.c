/* SPDX-License-Identifier: ISC */
/* The data path's decision, on the policy of world.h: identity, flows, reloads, fragments, ICMP and
 * refusals. */
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/policy/forward.h>

#include "packets.h"
#include "tap.h"
#include "world.h"

#define ORIGIN4 "10.77.0.10"
#define OTHER4 "10.77.0.20"
#define DC2_ORIGIN4 "10.77.0.200"
#define ORIGIN6 "fd77::10"

static const struct siphash_key key = {1, 2};

static struct forward f;
static struct verdict v;
static uint64_t now;
static uint32_t alice, bob, dc1a, dc1b, dc2c;

static void setup(void)
{
	struct policy *policy = world_policy(NULL, NULL);

	now = 1000 * NS_PER_SEC;
	f = (struct forward){
		.policy = policy,
		.next_hops = world_next_hops(policy, true),
		.registry = world_registry(),
		.limiter = refusal_limiter_new(100),
		.flows = flow_table_new(4096, &key),
		.fragments = fragment_table_new(),
		.router = true,
	};
	alice = world_device(KEY_ALICE);
	bob = world_device(KEY_BOB);
	dc1a = world_device(KEY_DC1A);
	dc1b = world_device(KEY_DC1B);
	dc2c = world_device(KEY_DC2C);
}

static void teardown(void)
{
	policy_free((struct policy *)f.policy);
	next_hops_free((struct next_hops *)f.next_hops);
	refusal_limiter_free(f.limiter);
	flow_table_free(f.flows);
	fragment_table_free(f.fragments);
}

/* A reload: what `without` names is gone. */
static void reload(const char *without)
{
	struct policy *policy = world_policy(without, f.policy);

	policy_free((struct policy *)f.policy);
	next_hops_free((struct next_hops *)f.next_hops);
	refusal_limiter_free(f.limiter);
	f.policy = policy;
	f.next_hops = world_next_hops(policy, true);
	f.limiter = refusal_limiter_new(100);
}

static void judge(uint32_t device, struct packet *p)
{
	memset(&v, 0xee, sizeof v);
	now += NS_PER_MS;
	forward_judge(&f, now, device, p->data, p->len, false, &v);
}

#define EXPECT(wanted_kind, wanted_reason)                                       \
	ck_assert_msg(v.kind == (wanted_kind) && v.reason == (wanted_reason),    \
		      "kind %d, reason %s; expected kind %d, reason %s", v.kind, \
		      reason_name(v.reason), wanted_kind, reason_name(wanted_reason))

static void expect_forward(uint32_t to)
{
	EXPECT(VERDICT_FORWARD, REASON_ACCEPTED);
	ck_assert_uint_eq(v.device, to);
}

/* The refusal parses, its sums hold, and it comes from where the packet was going. */
static struct inner_packet expect_refusal(enum reason reason, const char *from, const char *to)
{
	struct ip_addr src = world_address(from), dst = world_address(to);
	struct inner_packet in;

	EXPECT(VERDICT_REFUSE, reason);
	ck_assert_int_eq(inner_parse(v.refusal, v.refusal_len, &in), INNER_OK);
	ck_assert(packet_sums_hold(v.refusal, v.refusal_len));
	ck_assert(ip_addr_equal(&in.src, &src));
	ck_assert(ip_addr_equal(&in.dst, &dst));
	return in;
}

static void tcp(uint32_t device, const char *src, uint16_t sport, const char *dst, uint16_t dport,
		uint8_t flags)
{
	struct packet p;

	packet_tcp(&p, src, sport, dst, dport, flags, 0);
	judge(device, &p);
}

static void udp(uint32_t device, const char *src, uint16_t sport, const char *dst, uint16_t dport)
{
	struct packet p;

	packet_udp(&p, src, sport, dst, dport, 20);
	judge(device, &p);
}

static void echo(uint32_t device, const char *src, const char *dst, bool reply, uint16_t id)
{
	struct packet p;

	packet_echo(&p, src, dst, reply, id);
	judge(device, &p);
}

START_TEST(accepted_flow_and_its_replies)
{
	tcp(alice, ALICE4, 40000, ORIGIN4, 80, TCP_SYN);
	expect_forward(dc1a);
	ck_assert_str_eq(v.rule->name, "web");
	ck_assert_str_eq(v.place.file, "tund.policy");
	ck_assert_uint_eq(v.place.line, 101);
	tcp(dc1a, ORIGIN4, 80, ALICE4, 40000, TCP_SYN | TCP_ACK);
	expect_forward(alice);
	tcp(alice, ALICE4, 40000, ORIGIN4, 80, TCP_ACK);
	expect_forward(dc1a);
	udp(alice, ALICE6, 1000, ORIGIN6, 53);
	expect_forward(dc1a);
	udp(dc1a, ORIGIN6, 53, ALICE6, 1000);
	expect_forward(alice);
	echo(bob, BOB4, ORIGIN4, false, 5);
	expect_forward(dc1a);
	echo(dc1a, ORIGIN4, BOB4, true, 5);
	expect_forward(bob);
}
END_TEST

START_TEST(a_hop_is_taken_off)
{
	struct packet p;

	packet_tcp(&p, ALICE4, 40000, ORIGIN4, 80, TCP_SYN, 0);
	judge(alice, &p);
	expect_forward(dc1a);
	ck_assert_uint_eq(p.data[8], 63);
	ck_assert(packet_sums_hold(p.data, p.len));
	p.data[8] = 1;
	packet_fix(&p);
	judge(alice, &p);
	expect_refusal(REASON_TTL_EXCEEDED, ORIGIN4, ALICE4);
	f.router = false;
	judge(alice, &p);
	expect_forward(dc1a);
	ck_assert_uint_eq(p.data[8], 1);
}
END_TEST

/* What two parsers could read differently goes nowhere. */
START_TEST(malformed_is_dropped)
{
	struct packet p;

	packet_tcp(&p, ALICE4, 40000, ORIGIN4, 80, TCP_SYN, 0);
	p.data[0] = 0x44;
	judge(alice, &p);
	EXPECT(VERDICT_DROP, reason_of_inner(INNER_BAD_IHL));
	packet_tcp(&p, ALICE6, 40000, ORIGIN6, 80, TCP_SYN, 0);
	p.data[6] = 43;
	judge(alice, &p);
	EXPECT(VERDICT_DROP, reason_of_inner(INNER_ROUTING_HEADER));
	p.len = 0;
	judge(alice, &p);
	EXPECT(VERDICT_DROP, reason_of_inner(INNER_EMPTY));
	/* ports where TCP and UDP have them, but another protocol: no rule is for it */
	packet_udp(&p, ALICE4, 1, ORIGIN4, 53, 8);
	p.data[9] = 132;
	packet_fix(&p);
	judge(alice, &p);
	EXPECT(VERDICT_REFUSE, REASON_NO_RULE);
	/* a checksum to be completed has no place in ICMP */
	packet_echo(&p, ALICE4, ORIGIN4, false, 1);
	forward_judge(&f, now, alice, p.data, p.len, true, &v);
	EXPECT(VERDICT_DROP, reason_of_inner(INNER_BAD_L4));
}
END_TEST

/* Sources that are not the device's own, and addresses that no packet inside may have. */
static const struct {
	enum world_key from;
	const char *src, *dst;
	enum reason reason;
} spoofed[] = {
	{KEY_BOB, ALICE4, ORIGIN4, REASON_SOURCE_NOT_OWNED},
	{KEY_BOB, ALICE6, ORIGIN6, REASON_SOURCE_NOT_OWNED},
	{KEY_BOB, "127.0.0.1", ORIGIN4, REASON_SOURCE_SPECIAL},
	{KEY_BOB, "169.254.1.1", ORIGIN4, REASON_SOURCE_SPECIAL},
	{KEY_BOB, "224.0.0.1", ORIGIN4, REASON_SOURCE_SPECIAL},
	{KEY_BOB, "255.255.255.255", ORIGIN4, REASON_SOURCE_SPECIAL},
	{KEY_BOB, "0.0.0.0", ORIGIN4, REASON_SOURCE_SPECIAL},
	{KEY_BOB, "::1", ORIGIN6, REASON_SOURCE_SPECIAL},
	{KEY_BOB, "fe80::1", ORIGIN6, REASON_SOURCE_SPECIAL},
	{KEY_BOB, "ff02::1", ORIGIN6, REASON_SOURCE_SPECIAL},
	{KEY_BOB, "::ffff:100.80.0.12", ORIGIN6, REASON_SOURCE_SPECIAL},
	{KEY_BOB, OWN4, ORIGIN4, REASON_SOURCE_NOT_OWNED},
	{KEY_BOB, ORIGIN4, ALICE4, REASON_SOURCE_NOT_OWNED},
	{KEY_BOB, "203.0.113.7", ORIGIN4, REASON_SOURCE_NOT_OWNED},
	{KEY_DC2C, ORIGIN4, ALICE4, REASON_SOURCE_NOT_OWNED},
	{KEY_DC1A, DC2_ORIGIN4, ALICE4, REASON_SOURCE_NOT_OWNED},
	{KEY_DC1A, ALICE4, ORIGIN4, REASON_SOURCE_NOT_OWNED},
	{KEY_DC1A, OWN4, ALICE4, REASON_SOURCE_NOT_OWNED},
	{KEY_DC1A, "203.0.113.7", ALICE4, REASON_SOURCE_NOT_OWNED},
	{KEY_MAYA, ALICE4, ORIGIN4, REASON_UNKNOWN_DEVICE},
	{KEY_ALICE, ALICE4, "224.0.0.251", REASON_DESTINATION_SPECIAL},
	{KEY_ALICE, ALICE4, "127.0.0.1", REASON_DESTINATION_SPECIAL},
	{KEY_ALICE, ALICE4, "255.255.255.255", REASON_DESTINATION_SPECIAL},
	{KEY_ALICE, ALICE6, "ff02::fb", REASON_DESTINATION_SPECIAL},
};

START_TEST(identity_first)
{
	uint32_t device = world_device(spoofed[_i].from);

	/* a live flow of alice's with the very tuple changes nothing */
	tcp(alice, ALICE4, 40000, ORIGIN4, 80, TCP_SYN);
	expect_forward(dc1a);
	tcp(device, spoofed[_i].src, 40000, spoofed[_i].dst, 80, TCP_ACK);
	EXPECT(VERDICT_DROP, spoofed[_i].reason);
	udp(device, spoofed[_i].src, 53, spoofed[_i].dst, 53);
	EXPECT(VERDICT_DROP, spoofed[_i].reason);
}
END_TEST

/* Without SYN, to a denied port. */
START_TEST(stray_segments)
{
	tcp(alice, ALICE4, 40000, ORIGIN4, 22, TCP_ACK);
	ck_assert_uint_eq(expect_refusal(REASON_NO_RULE, ORIGIN4, ALICE4).tcp_flags, TCP_RST);
	tcp(alice, ALICE4, 40000, ORIGIN4, 22, TCP_FIN | TCP_ACK);
	expect_refusal(REASON_NO_RULE, ORIGIN4, ALICE4);
	tcp(alice, ALICE4, 40000, ORIGIN4, 22, TCP_RST);
	EXPECT(VERDICT_DROP, REASON_NO_RULE);
	tcp(alice, ALICE4, 40000, ORIGIN4, 22, TCP_RST | TCP_ACK);
	EXPECT(VERDICT_DROP, REASON_NO_RULE);
}
END_TEST

/* Whoever asks cannot tell a denied destination from one that does not exist. */
START_TEST(refusals_look_the_same)
{
	uint8_t denied[REFUSAL_MAX_BYTES], unknown[REFUSAL_MAX_BYTES];
	size_t len;

	tcp(bob, BOB4, 40000, ORIGIN4, 80, TCP_SYN);
	ck_assert_uint_eq(expect_refusal(REASON_NO_RULE, ORIGIN4, BOB4).tcp_flags,
			  TCP_RST | TCP_ACK);
	ck_assert_uint_eq(get_be32(v.refusal + 28), 0x12345679); /* acknowledges the SYN */
	len = v.refusal_len;
	memcpy(denied, v.refusal, len);
	tcp(bob, BOB4, 40000, "10.200.0.1", 80, TCP_SYN);
	expect_refusal(REASON_NO_ROUTE, "10.200.0.1", BOB4);
	ck_assert_uint_eq(v.refusal_len, len);
	memcpy(unknown, v.refusal, len);
	for (size_t i = 0; i < len; i++) /* but for addresses and what sums them up */
		ck_assert(denied[i] == unknown[i] || (i >= 10 && i < 16) || i == 36 || i == 37);
	/* another user's address and the edge's own are no routes either */
	tcp(bob, BOB4, 40000, ALICE4, 80, TCP_SYN);
	expect_refusal(REASON_NO_RULE, ALICE4, BOB4);
	tcp(bob, BOB4, 40000, OWN4, 80, TCP_SYN);
	expect_refusal(REASON_NO_ROUTE, OWN4, BOB4);
}
END_TEST

START_TEST(refusals_by_icmp)
{
	struct inner_packet in;

	udp(bob, BOB4, 1000, ORIGIN4, 53);
	in = expect_refusal(REASON_NO_RULE, ORIGIN4, BOB4);
	ck_assert_uint_eq(in.icmp_type, 3);
	ck_assert_uint_eq(in.icmp_code, 13);
	udp(bob, BOB6, 1000, ORIGIN6, 53);
	in = expect_refusal(REASON_NO_RULE, ORIGIN6, BOB6);
	ck_assert_uint_eq(in.icmp_type, 1);
	ck_assert_uint_eq(in.icmp_code, 1);
	echo(bob, BOB6, ORIGIN6, false, 5);
	expect_refusal(REASON_NO_RULE, ORIGIN6, BOB6);
}
END_TEST

START_TEST(no_refusal_for)
{
	struct packet quote, p;

	tcp(bob, BOB4, 40000, ORIGIN4, 23, TCP_SYN); /* action = drop */
	EXPECT(VERDICT_DROP, REASON_DENIED);
	ck_assert_str_eq(v.rule->name, "telnet");
	echo(bob, BOB4, ORIGIN4, true, 5); /* a reply to nothing */
	EXPECT(VERDICT_DROP, REASON_NO_FLOW);
	packet_udp(&quote, ORIGIN4, 53, BOB4, 1000, 20);
	packet_unreachable(&p, BOB4, ORIGIN4, &quote);
	judge(bob, &p);
	EXPECT(VERDICT_DROP, REASON_ICMP_NO_FLOW);
	packet_icmp(&p, BOB4, ORIGIN4, 5, 1, quote.data, 28); /* redirect */
	judge(bob, &p);
	EXPECT(VERDICT_DROP, REASON_ICMP_TYPE);
	packet_icmp(&p, BOB6, ORIGIN6, 136, 0, quote.data, 16); /* neighbour advertisement */
	judge(bob, &p);
	EXPECT(VERDICT_DROP, REASON_ICMP_TYPE);
}
END_TEST

START_TEST(refusals_are_limited)
{
	unsigned refused = 0;
	struct packet p;

	for (int i = 0; i < 10000; i++) {
		packet_tcp(&p, BOB4, (uint16_t)(1024 + i), ORIGIN4, 80, TCP_SYN, 0);
		now += NS_PER_SEC / 10000;
		forward_judge(&f, now, bob, p.data, p.len, false, &v);
		ck_assert_int_eq(v.reason, REASON_NO_RULE);
		refused += v.kind == VERDICT_REFUSE;
	}
	ck_assert_uint_le(refused, 100);
	ck_assert_uint_ge(refused, 80);
	tcp(alice, ALICE4, 40000, ORIGIN4, 22, TCP_SYN); /* another device's allowance */
	EXPECT(VERDICT_REFUSE, REASON_NO_RULE);
}
END_TEST

/* Whatever routes a client gives itself, the policy is asked. */
START_TEST(unknown_destinations)
{
	static const char *const destinations[] = {"10.76.255.255", "10.77.1.0", "192.0.2.1",
						   "203.0.113.1",   BOB4,        OWN4,
						   "100.80.0.99",   "10.98.0.1"};

	for (size_t i = 0; i < sizeof destinations / sizeof *destinations; i++) {
		tcp(alice, ALICE4, 40000, destinations[i], 80, TCP_SYN);
		ck_assert_int_eq(v.kind, VERDICT_REFUSE);
		udp(alice, ALICE4, 40000, destinations[i], 53);
		ck_assert_int_eq(v.kind, VERDICT_REFUSE);
		now += NS_PER_SEC;
	}
}
END_TEST

START_TEST(connectors_start_nothing)
{
	udp(dc1a, ORIGIN4, 53, ALICE4, 1000);
	EXPECT(VERDICT_DROP, REASON_NO_FLOW);
	echo(dc1a, ORIGIN4, ALICE4, true, 5);
	EXPECT(VERDICT_DROP, REASON_NO_FLOW);
	tcp(dc1a, ORIGIN4, 40000, ALICE4, 8080, TCP_SYN);
	expect_refusal(REASON_NO_RULE, ALICE4, ORIGIN4);
	tcp(dc1a, ORIGIN4, 40000, DC2_ORIGIN4, 80, TCP_SYN); /* "any" does not mean connectors */
	expect_refusal(REASON_NO_RULE, DC2_ORIGIN4, ORIGIN4);
	tcp(dc2c, DC2_ORIGIN4, 40000, ALICE4, 22, TCP_SYN);
	expect_refusal(REASON_NO_RULE, ALICE4, DC2_ORIGIN4);
	/* the one that a rule is for */
	tcp(dc1a, ORIGIN4, 40000, ALICE4, 22, TCP_SYN);
	expect_forward(alice);
	tcp(alice, ALICE4, 22, ORIGIN4, 40000, TCP_SYN | TCP_ACK);
	expect_forward(dc1a);
	tcp(dc1a, ORIGIN4, 40001, ALICE4, 22, TCP_ACK); /* and in the middle of it */
	expect_forward(alice);
}
END_TEST

START_TEST(replies_from_the_next_hop_only)
{
	tcp(alice, ALICE4, 40000, ORIGIN4, 80, TCP_SYN);
	expect_forward(dc1a);
	tcp(dc1b, ORIGIN4, 80, ALICE4, 40000, TCP_SYN | TCP_ACK);
	EXPECT(VERDICT_DROP, REASON_WRONG_NEXT_HOP);
	udp(alice, ALICE4, 1000, ORIGIN4, 53);
	expect_forward(dc1a);
	udp(dc1b, ORIGIN4, 53, ALICE4, 1000);
	EXPECT(VERDICT_DROP, REASON_WRONG_NEXT_HOP);
	echo(alice, ALICE4, ORIGIN4, false, 9);
	echo(dc1b, ORIGIN4, ALICE4, true, 9);
	EXPECT(VERDICT_DROP, REASON_WRONG_NEXT_HOP);
	udp(dc1a, ORIGIN4, 53, ALICE4, 1001); /* another port is another flow */
	EXPECT(VERDICT_DROP, REASON_NO_FLOW);
	echo(dc1a, ORIGIN4, ALICE4, false, 9); /* a query is no reply */
	EXPECT(VERDICT_REFUSE, REASON_NO_RULE);
}
END_TEST

START_TEST(an_echo_reply_is_no_query)
{
	echo(alice, ALICE4, ORIGIN4, false, 9);
	expect_forward(dc1a);
	echo(alice, ALICE4, ORIGIN4, true, 9);
	EXPECT(VERDICT_DROP, REASON_NO_FLOW);
}
END_TEST

START_TEST(a_connector_is_not_its_own_next_hop)
{
	tcp(dc1a, "10.99.1.1", 4000, "10.99.1.2", 80, TCP_SYN); /* no rule */
	EXPECT(VERDICT_REFUSE, REASON_NO_RULE);
	tcp(dc2c, "10.99.1.1", 4000, "10.99.1.2", 80, TCP_SYN);
	EXPECT(VERDICT_REFUSE, REASON_NO_CONNECTOR);
	tcp(alice, ALICE4, 4000, "10.99.1.2", 80, TCP_SYN);
	expect_forward(dc2c);
}
END_TEST

/* The edge was restarted: connections go on, whichever side sends first. */
START_TEST(flows_are_resumed)
{
	tcp(dc1a, ORIGIN4, 80, ALICE4, 40000, TCP_ACK);
	expect_forward(alice);
	tcp(alice, ALICE4, 40000, ORIGIN4, 80, TCP_ACK);
	expect_forward(dc1a);
	tcp(alice, ALICE4, 40001, ORIGIN4, 443, TCP_ACK);
	expect_forward(dc1a);
	tcp(dc1a, ORIGIN4, 22, ALICE4, 40000, TCP_ACK); /* alice may not: silence */
	EXPECT(VERDICT_DROP, REASON_NO_FLOW);
	tcp(dc1a, ORIGIN4, 80, BOB4, 40000, TCP_ACK);
	EXPECT(VERDICT_DROP, REASON_NO_FLOW);
	tcp(dc1a, ORIGIN4, 80, "192.0.2.1", 40000, TCP_ACK);
	EXPECT(VERDICT_DROP, REASON_NO_FLOW);
}
END_TEST

START_TEST(no_connector)
{
	struct inner_packet in;
	uint32_t route;
	struct ip_addr a = world_address(ORIGIN4);

	tcp(alice, ALICE4, 40000, ORIGIN4, 80, TCP_SYN);
	expect_forward(dc1a);
	route = policy_route_of(f.policy, 0, &a);
	next_hops_remove((struct next_hops *)f.next_hops, route, dc1a);
	tcp(alice, ALICE4, 40000, ORIGIN4, 80, TCP_ACK); /* its replica takes over */
	expect_forward(dc1b);
	tcp(dc1b, ORIGIN4, 80, ALICE4, 40000, TCP_ACK);
	expect_forward(alice);
	tcp(dc1a, ORIGIN4, 80, ALICE4, 40000, TCP_ACK);
	EXPECT(VERDICT_DROP, REASON_WRONG_NEXT_HOP);
	next_hops_remove((struct next_hops *)f.next_hops, route, dc1b);
	tcp(alice, ALICE4, 40000, ORIGIN4, 80, TCP_ACK);
	in = expect_refusal(REASON_NO_CONNECTOR, ORIGIN4, ALICE4);
	ck_assert_uint_eq(in.icmp_type, 3);
	ck_assert_uint_eq(in.icmp_code, 1);
	tcp(alice, ALICE4, 40001, ORIGIN4, 80, TCP_SYN);
	EXPECT(VERDICT_REFUSE, REASON_NO_CONNECTOR);
	tcp(bob, BOB4, 40001, ORIGIN4, 80, TCP_SYN); /* bob learns nothing of it */
	EXPECT(VERDICT_REFUSE, REASON_NO_RULE);
}
END_TEST

START_TEST(reload_judges_anew)
{
	tcp(alice, ALICE4, 40000, ORIGIN4, 80, TCP_SYN);
	tcp(alice, ALICE4, 40000, DC2_ORIGIN4, 80, TCP_SYN);
	expect_forward(dc2c);
	reload(NULL); /* nothing changed: flows go on, replies first */
	tcp(dc1a, ORIGIN4, 80, ALICE4, 40000, TCP_SYN | TCP_ACK);
	expect_forward(alice);
	tcp(alice, ALICE4, 40000, ORIGIN4, 80, TCP_ACK);
	expect_forward(dc1a);
	reload("10.77.0.0/24");
	tcp(dc1a, ORIGIN4, 80, ALICE4, 40000, TCP_ACK); /* no longer its prefix */
	EXPECT(VERDICT_DROP, REASON_SOURCE_NOT_OWNED);
	tcp(alice, ALICE4, 40000, ORIGIN4, 80, TCP_ACK);
	EXPECT(VERDICT_REFUSE, REASON_NO_ROUTE);
	tcp(dc2c, DC2_ORIGIN4, 80, ALICE4, 40000, TCP_SYN | TCP_ACK);
	expect_forward(alice);
	reload("10.77.0.128/25"); /* now the route around it decides, and dc1 has it */
	tcp(alice, ALICE4, 40000, DC2_ORIGIN4, 80, TCP_ACK);
	expect_forward(dc1a);
	tcp(dc2c, DC2_ORIGIN4, 80, ALICE4, 40000, TCP_ACK);
	EXPECT(VERDICT_DROP, REASON_SOURCE_NOT_OWNED);
}
END_TEST

/* Takes over a spec as a reload would. */
static void reload_spec(struct policy_spec *spec)
{
	const struct policy *old = f.policy;
	struct policy *policy = world_take(spec, old);

	next_hops_free((struct next_hops *)f.next_hops);
	f.policy = policy;
	f.next_hops = world_next_hops(policy, true);
	policy_free((struct policy *)old);
}

START_TEST(reload_denies_replies)
{
	struct policy_spec *spec = world_spec("10.77.0.0/24");
	struct spec_route *r =
		world_add_route(spec, "10.77.0.0/24", (const char *const[]){"dc1", NULL});

	udp(alice, ALICE4, 1000, ORIGIN4, 53);
	expect_forward(dc1a);
	world_add_rule(spec, r, "web", "group:eng", 6, 80); /* no "dns" any more */
	reload_spec(spec);
	udp(dc1a, ORIGIN4, 53, ALICE4, 1000);
	EXPECT(VERDICT_DROP, REASON_NO_RULE);
	ck_assert_uint_eq(flow_count(f.flows, now), 0);
}
END_TEST

/* Who only receives hears of it as well: once, and not if the rule is to be silent. */
START_TEST(reload_ends_a_download)
{
	for (int silent = 0; silent < 2; silent++) {
		struct policy_spec *spec = world_spec("10.77.0.0/24");
		struct spec_route *r =
			world_add_route(spec, "10.77.0.0/24", (const char *const[]){"dc1", NULL});
		struct spec_rule *rule = world_add_rule(spec, r, "no", "group:eng", PROTO_TCP, 80);
		struct inner_packet in;
		struct packet p;

		rule->action = silent ? POLICY_DROP : POLICY_REJECT;
		tcp(alice, ALICE4, 40000, ORIGIN4, 80, TCP_SYN);
		tcp(dc1a, ORIGIN4, 80, ALICE4, 40000, TCP_SYN | TCP_ACK);
		expect_forward(alice);
		reload_spec(spec);
		packet_tcp(&p, ORIGIN4, 80, ALICE4, 40000, TCP_ACK, 1000);
		judge(dc1a, &p);
		EXPECT(silent ? VERDICT_DROP : VERDICT_END, REASON_DENIED);
		if (!silent) {
			ck_assert_uint_eq(v.device, alice);
			ck_assert_int_eq(inner_parse(v.refusal, v.refusal_len, &in), INNER_OK);
			ck_assert_uint_eq(in.tcp_flags, TCP_RST | TCP_ACK);
			ck_assert_mem_eq(v.refusal + 12, p.data + 12, 20); /* up to the numbers */
		}
		tcp(dc1a, ORIGIN4, 80, ALICE4, 40000, TCP_ACK);
		EXPECT(VERDICT_DROP, REASON_NO_FLOW);
		reload(NULL);
	}
}
END_TEST

/* Alice's address now is bob's: what was on its way to her is not his. */
START_TEST(an_address_moves)
{
	struct policy_spec *spec = world_spec(NULL);
	struct ip_addr other = world_address("100.80.0.77");

	udp(alice, ALICE4, 1000, ORIGIN4, 53);
	expect_forward(dc1a);
	spec->principals[1].devices[0].addresses[0] = world_address(ALICE4);
	spec->principals[0].devices[0].addresses[0] = other;
	reload_spec(spec);
	udp(dc1a, ORIGIN4, 53, ALICE4, 1000);
	EXPECT(VERDICT_DROP, REASON_SOURCE_NOT_OWNED);
	udp(dc1a, ORIGIN4, 53, ALICE4, 1000);
	EXPECT(VERDICT_DROP, REASON_NO_FLOW);
}
END_TEST

/* An error that a router reports from an address of its own is judged by the flow alone, so the
 * flow must still lead to its connector. */
START_TEST(a_route_moves)
{
	struct policy_spec *spec = world_spec("10.77.0.0/24");
	struct spec_route *r =
		world_add_route(spec, "10.77.0.0/24", (const char *const[]){"dc2", NULL});
	struct packet sent, p;

	world_add_rule(spec, r, "dns", "group:eng", PROTO_UDP, 53);
	packet_udp(&sent, ALICE4, 1000, ORIGIN4, 53, 20);
	p = sent;
	judge(alice, &p);
	expect_forward(dc1a);
	reload_spec(spec);
	packet_unreachable(&p, "192.168.7.1", ALICE4, &sent);
	judge(dc1a, &p);
	EXPECT(VERDICT_DROP, REASON_WRONG_NEXT_HOP);
	p = sent;
	judge(alice, &p);
	expect_forward(dc2c);
}
END_TEST

/* Errors that quote another device's flow, and errors from inside. */
START_TEST(icmp_errors)
{
	struct packet sent, p;
	struct inner_packet in;
	struct ip_addr origin = world_address(ORIGIN4);

	packet_udp(&sent, ALICE4, 1000, ORIGIN4, 53, 20);
	p = sent;
	judge(alice, &p);
	expect_forward(dc1a);
	packet_unreachable(&p, ORIGIN4, ALICE4, &sent); /* by the origin itself */
	judge(dc1a, &p);
	expect_forward(alice);
	packet_unreachable(&p, "192.168.7.1", ALICE4, &sent); /* by a router in between */
	judge(dc1a, &p);
	expect_forward(alice);
	ck_assert(packet_sums_hold(p.data, p.len));
	ck_assert_int_eq(inner_parse(p.data, p.len, &in), INNER_OK);
	ck_assert(ip_addr_equal(&in.src, &origin));
	packet_unreachable(&p, ORIGIN4, ALICE4, &sent); /* by a connector that has no part in it */
	judge(dc1b, &p);
	EXPECT(VERDICT_DROP, REASON_ICMP_NO_FLOW);
	packet_unreachable(&p, "192.168.7.1", ALICE4, &sent);
	judge(dc2c, &p);
	EXPECT(VERDICT_DROP, REASON_ICMP_NO_FLOW);
	packet_unreachable(&p, "192.168.7.1", BOB4, &sent); /* to someone else */
	judge(dc1a, &p);
	EXPECT(VERDICT_DROP, REASON_ICMP_NO_FLOW);
	packet_unreachable(&p, BOB4, ORIGIN4, &sent); /* another user's flow */
	judge(bob, &p);
	EXPECT(VERDICT_DROP, REASON_ICMP_NO_FLOW);
	packet_unreachable(&p, ALICE4, BOB4, &sent); /* an address that a device holds */
	judge(dc1a, &p);
	EXPECT(VERDICT_DROP, REASON_SOURCE_NOT_OWNED);
}
END_TEST

START_TEST(icmp_errors_from_the_client)
{
	struct packet answer, p;

	for (int v6 = 0; v6 < 2; v6++) {
		const char *client = v6 ? ALICE6 : ALICE4, *origin = v6 ? ORIGIN6 : ORIGIN4;

		udp(alice, client, 1000, origin, 53);
		packet_udp(&answer, origin, 53, client, 1000, 20);
		packet_unreachable(&p, client, origin, &answer);
		judge(alice, &p);
		expect_forward(dc1a);
		packet_unreachable(&p, v6 ? BOB6 : BOB4, origin, &answer);
		judge(bob, &p);
		EXPECT(VERDICT_DROP, REASON_ICMP_NO_FLOW);
	}
	/* a router behind the connector, about a flow that the connector's side started */
	tcp(dc1a, ORIGIN4, 40000, ALICE4, 22, TCP_SYN);
	packet_tcp(&answer, ALICE4, 22, ORIGIN4, 40000, TCP_SYN | TCP_ACK, 0);
	packet_unreachable(&p, "192.168.7.1", ALICE4, &answer);
	judge(dc1a, &p);
	expect_forward(alice);
	ck_assert(packet_sums_hold(p.data, p.len));
	ck_assert_int_eq(get_be32(p.data + 12), 0x0a4d000a);
	packet_icmp(&p, ALICE4, ORIGIN4, 3, 3, (const uint8_t *)"\x45", 1);
	judge(alice, &p);
	EXPECT(VERDICT_DROP, REASON_ICMP_QUOTE);
}
END_TEST

/* A datagram in pieces, in every order. */
static const size_t piece_at[] = {0, 496, 1000, 1496, 2008};

static void fragments_in_order(uint32_t device, const char *src, const char *dst, uint16_t port,
			       uint32_t id, const int *order, unsigned *forwarded)
{
	struct packet whole, p;

	packet_udp(&whole, src, 1000, dst, port, 2000);
	*forwarded = 0;
	for (int i = 0; i < 4; i++) {
		packet_fragment(&p, &whole, id, piece_at[order[i]], piece_at[order[i] + 1]);
		judge(device, &p);
		if (v.kind == VERDICT_FORWARD) {
			ck_assert_uint_eq(v.device, dc1a);
			*forwarded += 1 + (unsigned)v.piece_count;
		} else {
			ck_assert(v.piece_count == 0);
		}
	}
}

START_TEST(fragments_in_every_order)
{
	unsigned forwarded, id = 0;
	int order[4];

	for (int n = 0; n < 256; n++) {
		int seen = 0;

		for (int i = 0; i < 4; i++) {
			order[i] = n >> (2 * i) & 3;
			seen |= 1 << order[i];
		}
		if (seen != 15)
			continue;
		fragments_in_order(alice, ALICE4, ORIGIN4, 53, ++id, order, &forwarded);
		ck_assert_uint_eq(forwarded, 4);
		fragments_in_order(alice, ALICE6, ORIGIN6, 53, id, order, &forwarded);
		ck_assert_uint_eq(forwarded, 4);
		fragments_in_order(alice, ALICE4, ORIGIN4, 54, ++id, order, &forwarded);
		ck_assert_uint_eq(forwarded, 0);
		fragments_in_order(bob, BOB4, ORIGIN4, 53, id, order, &forwarded);
		ck_assert_uint_eq(forwarded, 0);
	}
	ck_assert_uint_eq(id, 48);
}
END_TEST

START_TEST(fragment_attacks)
{
	struct packet whole, p;

	packet_udp(&whole, ALICE4, 1000, ORIGIN4, 53, 2000);
	packet_fragment(&p, &whole, 1, 0, 496);
	judge(alice, &p);
	expect_forward(dc1a);
	packet_fragment(&p, &whole, 1, 488, 1000); /* overlaps by 8 bytes */
	judge(alice, &p);
	EXPECT(VERDICT_DROP, REASON_FRAGMENT_OVERLAP);
	packet_fragment(&p, &whole, 1, 496, 1000); /* and the datagram is dead */
	judge(alice, &p);
	EXPECT(VERDICT_DROP, REASON_FRAGMENT_OVERLAP);
	packet_tcp(&whole, ALICE4, 1000, ORIGIN4, 22, TCP_SYN, 100);
	for (size_t first = 8; first <= 16; first += 8) { /* would rewrite ports or flags */
		packet_fragment(&p, &whole, 2, first, 120);
		judge(alice, &p);
		EXPECT(VERDICT_DROP, reason_of_inner(INNER_TINY_FRAGMENT));
	}
	packet_fragment(&p, &whole, 3, 0, 8);
	judge(alice, &p);
	EXPECT(VERDICT_DROP, reason_of_inner(INNER_TINY_FRAGMENT));
	packet_fragment(&p, &whole, 4, 0, 48); /* the first is refused, the rest follows it */
	judge(alice, &p);
	EXPECT(VERDICT_REFUSE, REASON_NO_RULE);
	packet_fragment(&p, &whole, 4, 48, 120);
	judge(alice, &p);
	EXPECT(VERDICT_DROP, REASON_FRAGMENT_DENIED);
	packet_fragment(&p, &whole, 4, 48, 120); /* another device's has nothing to do with it */
	judge(bob, &p);
	EXPECT(VERDICT_DROP, REASON_SOURCE_NOT_OWNED);
}
END_TEST

START_TEST(fragments_wait_a_second)
{
	uint64_t expired, evicted;
	struct packet whole, p;

	packet_udp(&whole, ALICE4, 1000, ORIGIN4, 53, 2000);
	packet_fragment(&p, &whole, 1, 496, 1000);
	judge(alice, &p);
	EXPECT(VERDICT_HELD, REASON_ACCEPTED);
	now += FRAGMENT_HOLD_NS;
	packet_fragment(&p, &whole, 1, 0, 496);
	judge(alice, &p);
	expect_forward(dc1a);
	ck_assert_uint_eq(v.piece_count, 0);
	fragment_lost(f.fragments, now, &expired, &evicted);
	ck_assert_uint_eq(expired, 1);
}
END_TEST

START_TEST(reload_ends_half_a_datagram)
{
	struct packet whole, p;

	packet_udp(&whole, ALICE4, 1000, ORIGIN4, 53, 2000);
	packet_fragment(&p, &whole, 1, 0, 496);
	judge(alice, &p);
	expect_forward(dc1a);
	reload("fd77::/64");
	packet_fragment(&p, &whole, 1, 496, 1000);
	judge(alice, &p);
	EXPECT(VERDICT_DROP, REASON_FRAGMENT_DENIED);
}
END_TEST

START_TEST(too_big)
{
	struct inner_packet in;
	struct packet p;

	packet_udp(&p, ALICE6, 1000, ORIGIN6, 53, 1400);
	forward_too_big(&f, now, alice, p.data, p.len, false, 1280, &v);
	in = expect_refusal(REASON_TOO_BIG, ORIGIN6, ALICE6);
	ck_assert_uint_eq(in.icmp_type, 2);
	ck_assert_uint_eq(get_be32(v.refusal + 44), 1280);
	packet_udp(&p, ALICE4, 1000, ORIGIN4, 53, 1400);
	forward_too_big(&f, now, alice, p.data, p.len, false, 1280, &v);
	EXPECT(VERDICT_DROP, REASON_TOO_BIG); /* may be fragmented: not by us */
	p.data[6] = 0x40;
	packet_fix(&p);
	forward_too_big(&f, now, alice, p.data, p.len, false, 1280, &v);
	in = expect_refusal(REASON_TOO_BIG, ORIGIN4, ALICE4);
	ck_assert_uint_eq(in.icmp_code, 4);
	ck_assert_uint_eq(get_be16(v.refusal + 26), 1280);
}
END_TEST

/* What one read of the TUN may bring, larger than struct packet holds. */
static uint8_t large[INNER_MAX_BYTES];

/* A TCP packet of `payload` bytes, its checksum left to be completed. */
static size_t super_packet(bool v6, size_t payload)
{
	struct packet p;
	size_t ip = v6 ? 40 : 20, total = ip + 20 + payload;

	packet_tcp(&p, v6 ? ALICE6 : ALICE4, 40000, v6 ? ORIGIN6 : ORIGIN4, 80, TCP_ACK, 0);
	memset(large, 0x5a, sizeof large);
	put_be16(p.data + (v6 ? 4 : 2), (uint16_t)(v6 ? total - 40 : total));
	if (!v6) {
		p.data[6] = 0x40;
		packet_fix(&p);
	}
	memcpy(large, p.data, p.len);
	return total;
}

static void judge_large(uint32_t device, size_t len)
{
	memset(&v, 0xee, sizeof v);
	forward_judge(&f, now, device, large, len, true, &v);
}

/* One that the kernel did not cut is one packet, up to the largest that its length field can say,
 * first of its flow or not; and it is refused as one. */
START_TEST(super_packets)
{
	f.cache = flow_cache_new();
	for (int v6 = 0; v6 < 2; v6++) {
		size_t most = v6 ? 65535 - 20 : 65535 - 40;
		size_t sizes[] = {100, 1400, 60000, most - 1, most, most};

		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			size_t len = super_packet(v6, sizes[i]);

			judge_large(alice, len);
			expect_forward(dc1a);
			ck_assert_uint_eq(v.len, len);
		}
		super_packet(v6, most);
		judge_large(alice, most); /* cut short on its way */
		EXPECT(VERDICT_DROP, reason_of_inner(INNER_LENGTH_BEYOND));
		judge_large(bob, super_packet(v6, most));
		EXPECT(VERDICT_DROP, REASON_SOURCE_NOT_OWNED);
	}
	put_be16(large + 40 + 2, 81); /* another port, and no rule for it */
	judge_large(alice, 40 + 65535);
	expect_refusal(REASON_NO_RULE, ORIGIN6, ALICE6);
	flow_cache_free(f.cache);
}
END_TEST

/* The quote is the segment that did not fit, with the checksum that it would have had. */
START_TEST(too_big_segments)
{
	for (int v6 = 0; v6 < 2; v6++) {
		size_t ip = v6 ? 40 : 20, segment = ip + 20 + 1000, quoted;
		struct inner_packet in;
		uint8_t *quote;

		super_packet(v6, 60000);
		memset(&v, 0xee, sizeof v);
		forward_too_big(&f, now, alice, large, segment, true, 1000, &v);
		in = expect_refusal(REASON_TOO_BIG, v6 ? ORIGIN6 : ORIGIN4, v6 ? ALICE6 : ALICE4);
		ck_assert_uint_eq(in.icmp_type, v6 ? 2 : 3);
		quote = v.refusal + ip + 8;
		quoted = v.refusal_len - ip - 8;
		ck_assert_int_eq(inner_parse_quote(quote, quoted, &in), INNER_OK);
		ck_assert_uint_eq(in.len, segment);
		memcpy(large, quote, ip + 20);
		ck_assert(packet_sums_hold(large, segment));
	}
}
END_TEST

START_TEST(too_big_datagrams)
{
	struct inner_packet in;
	struct packet p;

	packet_udp(&p, ALICE6, 1000, ORIGIN6, 53, 3000);
	forward_too_big(&f, now, alice, p.data, 40 + 8 + 1000, true, 1000, &v);
	expect_refusal(REASON_TOO_BIG, ORIGIN6, ALICE6);
	ck_assert_int_eq(inner_parse_quote(v.refusal + 48, v.refusal_len - 48, &in), INNER_OK);
	ck_assert_uint_eq(in.len, 40 + 8 + 1000);
	ck_assert_uint_eq(get_be16(v.refusal + 48 + 44), 8 + 1000);
	packet_udp(&p, ALICE6, 1000, ORIGIN6, 53, 3000);
	forward_too_big(&f, now, alice, p.data, 44, true, 1000, &v); /* not even its header */
	EXPECT(VERDICT_DROP, reason_of_inner(INNER_LENGTH_BEYOND));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("forward");
	TCase *tc = tcase_create("forward");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, accepted_flow_and_its_replies);
	tcase_add_test(tc, a_hop_is_taken_off);
	tcase_add_test(tc, malformed_is_dropped);
	tcase_add_loop_test(tc, identity_first, 0, sizeof spoofed / sizeof *spoofed);
	tcase_add_test(tc, stray_segments);
	tcase_add_test(tc, refusals_look_the_same);
	tcase_add_test(tc, refusals_by_icmp);
	tcase_add_test(tc, no_refusal_for);
	tcase_add_test(tc, refusals_are_limited);
	tcase_add_test(tc, unknown_destinations);
	tcase_add_test(tc, connectors_start_nothing);
	tcase_add_test(tc, replies_from_the_next_hop_only);
	tcase_add_test(tc, an_echo_reply_is_no_query);
	tcase_add_test(tc, a_connector_is_not_its_own_next_hop);
	tcase_add_test(tc, flows_are_resumed);
	tcase_add_test(tc, no_connector);
	tcase_add_test(tc, reload_judges_anew);
	tcase_add_test(tc, reload_denies_replies);
	tcase_add_test(tc, reload_ends_a_download);
	tcase_add_test(tc, an_address_moves);
	tcase_add_test(tc, a_route_moves);
	tcase_add_test(tc, icmp_errors);
	tcase_add_test(tc, icmp_errors_from_the_client);
	tcase_add_test(tc, fragments_in_every_order);
	tcase_add_test(tc, fragment_attacks);
	tcase_add_test(tc, fragments_wait_a_second);
	tcase_add_test(tc, reload_ends_half_a_datagram);
	tcase_add_test(tc, too_big);
	tcase_add_test(tc, too_big_segments);
	tcase_add_test(tc, too_big_datagrams);
	tcase_add_test(tc, super_packets);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
