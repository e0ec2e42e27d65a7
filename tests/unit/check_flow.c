/* SPDX-License-Identifier: ISC */
/* The flow table: directions and owners, a table of TCP's lives, eviction, and four threads that
 * look up, insert, renew and remove the same flows at once (run under ThreadSanitizer, too). */
#include <pthread.h>

#include <tund/policy/flow.h>
#include <tund/wire/inner.h>

#include "prng.h"
#include "tap.h"

static const struct siphash_key key = {3, 4};
static const uint64_t start = 1000 * NS_PER_SEC;

static enum flow_direction dir; /* as flow_find() says */

static struct flow_tuple tuple(uint8_t proto, uint32_t n)
{
	struct flow_tuple t = {
		.src = {.family = 4, .bytes = {100, 80, (uint8_t)(n >> 24), (uint8_t)(n >> 16)}},
		.dst = {.family = 4, .bytes = {10, 77, 0, 10}},
		.src_port = (uint16_t)n,
		.dst_port = 80,
		.proto = proto,
	};

	return t;
}

static struct flow_tuple back(struct flow_tuple t)
{
	return (struct flow_tuple){
		.src = t.dst,
		.dst = t.src,
		.src_port = t.dst_port,
		.dst_port = t.src_port,
		.proto = t.proto,
	};
}

static bool same_tuple(const struct flow_tuple *a, const struct flow_tuple *b)
{
	return ip_addr_equal(&a->src, &b->src) && ip_addr_equal(&a->dst, &b->dst) &&
	       a->src_port == b->src_port && a->dst_port == b->dst_port && a->proto == b->proto;
}

static struct flow make(uint8_t proto, uint32_t n)
{
	return (struct flow){
		.tuple = tuple(proto, n),
		.client = 1,
		.next_hop = 2,
		.route = 7,
		.generation = 9,
	};
}

START_TEST(directions_and_owners)
{
	struct flow_table *t = flow_table_new(100, &key);
	struct flow f = make(PROTO_UDP, 5), g;
	struct flow_tuple reply = back(f.tuple), other = tuple(PROTO_UDP, 6);

	flow_insert(t, start, &f);
	ck_assert(flow_find(t, start, &f.tuple, 1, FLOW_ORIGINAL, &g, &dir));
	ck_assert(same_tuple(&g.tuple, &f.tuple));
	ck_assert_uint_eq(g.client, 1);
	ck_assert_uint_eq(g.next_hop, 2);
	ck_assert_uint_eq(g.route, 7);
	ck_assert_uint_eq(g.generation, 9);
	ck_assert(flow_find(t, start, &reply, 2, FLOW_REPLY, &g, &dir));
	ck_assert(same_tuple(&g.tuple, &f.tuple));
	ck_assert(flow_find(t, start, &reply, 2, FLOW_EITHER, &g, &dir));
	ck_assert_int_eq(dir, FLOW_REPLY);
	ck_assert(flow_find(t, start, &f.tuple, 1, FLOW_EITHER, &g, &dir));
	ck_assert_int_eq(dir, FLOW_ORIGINAL);
	ck_assert(!flow_find(t, start, &f.tuple, 2, FLOW_ORIGINAL, &g, &dir));
	ck_assert(!flow_find(t, start, &f.tuple, 1, FLOW_REPLY, &g, &dir));
	ck_assert(!flow_find(t, start, &reply, 1, FLOW_REPLY, &g, &dir));
	ck_assert(!flow_find(t, start, &reply, 3, FLOW_REPLY, &g, &dir));
	ck_assert(!flow_find(t, start, &other, 1, FLOW_ORIGINAL, &g, &dir));
	ck_assert(!flow_find(t, start, &reply, UINT32_MAX, FLOW_REPLY, &g, &dir));
	ck_assert(flow_exists(t, start, &reply, FLOW_REPLY));
	ck_assert(!flow_exists(t, start, &reply, FLOW_ORIGINAL));
	other = f.tuple;
	other.proto = PROTO_TCP;
	ck_assert(!flow_find(t, start, &other, 1, FLOW_ORIGINAL, &g, &dir));
	flow_table_free(t);
}
END_TEST

START_TEST(same_tuple_of_two_clients)
{
	struct flow_table *t = flow_table_new(100, &key);
	struct flow f = make(PROTO_UDP, 5), g;

	flow_insert(t, start, &f);
	f.client = 4;
	f.next_hop = 5;
	flow_insert(t, start, &f);
	flow_insert(t, start, &f); /* again: replaces */
	ck_assert_uint_eq(flow_count(t, start), 2);
	ck_assert(flow_find(t, start, &f.tuple, 1, FLOW_ORIGINAL, &g, &dir));
	ck_assert_uint_eq(g.next_hop, 2);
	ck_assert(flow_find(t, start, &f.tuple, 4, FLOW_ORIGINAL, &g, &dir));
	ck_assert_uint_eq(g.next_hop, 5);
	flow_table_free(t);
}
END_TEST

START_TEST(renew_and_remove)
{
	struct flow_table *t = flow_table_new(100, &key);
	struct flow f = make(PROTO_UDP, 5), g, stale;

	flow_insert(t, start, &f);
	ck_assert(flow_find(t, start, &f.tuple, 1, FLOW_ORIGINAL, &g, &dir));
	stale = g;
	g.generation = 10;
	g.next_hop = 3;
	g.route = 8;
	flow_renew(t, &g);
	flow_remove(t, &stale); /* about an entry that has changed since */
	ck_assert(flow_find(t, start, &f.tuple, 1, FLOW_ORIGINAL, &stale, &dir));
	ck_assert_uint_eq(stale.generation, 10);
	ck_assert_uint_eq(stale.next_hop, 3);
	ck_assert_uint_eq(stale.route, 8);
	ck_assert_uint_eq(stale.sequence, g.sequence);
	flow_remove(t, &g);
	ck_assert(!flow_find(t, start, &f.tuple, 1, FLOW_ORIGINAL, &g, &dir));
	flow_touch(t, start, &stale, FLOW_REPLY, 0);
	flow_renew(t, &stale);
	ck_assert_uint_eq(flow_count(t, start), 0);
	flow_table_free(t);
}
END_TEST

START_TEST(current_until_written)
{
	struct flow_table *t = flow_table_new(1, &key);
	struct flow f = make(PROTO_UDP, 5), g, renewed;

	flow_insert(t, start, &f);
	ck_assert(flow_find(t, start, &f.tuple, 1, FLOW_ORIGINAL, &g, &dir));
	ck_assert(flow_is_current(t, start, &g));
	ck_assert(flow_is_current(t, start + FLOW_UDP_UNANSWERED_NS - NS_PER_MS, &g));
	ck_assert(!flow_is_current(t, start + FLOW_UDP_UNANSWERED_NS, &g));
	flow_touch(t, start + NS_PER_SEC, &g, FLOW_REPLY, 0); /* moves its state only */
	ck_assert(flow_is_current(t, start + FLOW_UDP_ANSWERED_NS, &g));
	renewed = g;
	flow_renew(t, &renewed);
	ck_assert(!flow_is_current(t, start, &g));
	ck_assert(flow_is_current(t, start, &renewed));
	flow_insert(t, start, &f); /* the same again */
	ck_assert(!flow_is_current(t, start, &renewed));
	ck_assert(flow_find(t, start, &f.tuple, 1, FLOW_ORIGINAL, &g, &dir));
	flow_remove(t, &g);
	ck_assert(!flow_is_current(t, start, &g));
	flow_table_free(t);
}
END_TEST

START_TEST(another_flow_in_the_same_place)
{
	struct flow_table *t = flow_table_new(1, &key);
	struct flow f = make(PROTO_TCP, 5), g = make(PROTO_TCP, 6), stale;

	flow_insert(t, start, &f);
	ck_assert(flow_find(t, start, &f.tuple, 1, FLOW_ORIGINAL, &stale, &dir));
	flow_remove(t, &stale);
	flow_insert(t, start, &g);
	flow_touch(t, start, &stale, FLOW_REPLY, TCP_RST);
	flow_remove(t, &stale);
	ck_assert(flow_find(t, start, &g.tuple, 1, FLOW_ORIGINAL, &f, &dir));
	ck_assert_uint_eq(f.slot, stale.slot);
	ck_assert_int_eq(f.state, FLOW_UNANSWERED);
	flow_table_free(t);
}
END_TEST

/* What passes, one character each: lower case by the client, upper case by the peer; s SYN,
 * a ACK, f FIN, r RST. */
static const struct {
	uint8_t proto;
	const char *packets;
	enum flow_state state;
	uint64_t life_ns;
} lives[] = {
	{PROTO_TCP, "s", FLOW_UNANSWERED, FLOW_TCP_OPENING_NS},
	{PROTO_TCP, "ss", FLOW_UNANSWERED, FLOW_TCP_OPENING_NS},
	{PROTO_TCP, "sS", FLOW_ANSWERED, FLOW_TCP_ESTABLISHED_NS},
	{PROTO_TCP, "sSaA", FLOW_ANSWERED, FLOW_TCP_ESTABLISHED_NS},
	{PROTO_TCP, "sSaf", FLOW_FIN_FROM_CLIENT, FLOW_TCP_ESTABLISHED_NS},
	{PROTO_TCP, "sSaff", FLOW_FIN_FROM_CLIENT, FLOW_TCP_ESTABLISHED_NS},
	{PROTO_TCP, "sSaF", FLOW_FIN_FROM_PEER, FLOW_TCP_ESTABLISHED_NS},
	{PROTO_TCP, "sSafAF", FLOW_CLOSING, FLOW_TCP_CLOSING_NS},
	{PROTO_TCP, "sSaFafa", FLOW_CLOSING, FLOW_TCP_CLOSING_NS},
	{PROTO_TCP, "sSafFs", FLOW_UNANSWERED, FLOW_TCP_OPENING_NS},
	{PROTO_TCP, "sSas", FLOW_ANSWERED, FLOW_TCP_ESTABLISHED_NS},
	{PROTO_TCP, "sR", FLOW_CLOSING, FLOW_TCP_CLOSING_NS},
	{PROTO_TCP, "sSar", FLOW_CLOSING, FLOW_TCP_CLOSING_NS},
	{PROTO_UDP, "aa", FLOW_UNANSWERED, FLOW_UDP_UNANSWERED_NS},
	{PROTO_UDP, "aA", FLOW_ANSWERED, FLOW_UDP_ANSWERED_NS},
	{PROTO_ICMP, "aA", FLOW_ANSWERED, FLOW_ICMP_NS},
	{PROTO_ICMPV6, "a", FLOW_UNANSWERED, FLOW_ICMP_NS},
	{47, "aA", FLOW_ANSWERED, FLOW_OTHER_NS},
};

static uint8_t flags_of(char c)
{
	switch (c | 0x20) {
	case 's':
		return c == 'S' ? TCP_SYN | TCP_ACK : TCP_SYN;
	case 'f':
		return TCP_FIN | TCP_ACK;
	case 'r':
		return TCP_RST;
	}
	return TCP_ACK;
}

START_TEST(lives_of_a_flow)
{
	struct flow_table *t = flow_table_new(100, &key);
	struct flow f = make(lives[_i].proto, 5), g;
	uint64_t now = start;

	flow_insert(t, now, &f);
	for (const char *c = lives[_i].packets; *c; c++) {
		now += 2 * NS_PER_SEC;
		ck_assert(flow_find(t, now, &f.tuple, 1, FLOW_ORIGINAL, &g, &dir));
		flow_touch(t, now, &g, *c >= 'a' ? FLOW_ORIGINAL : FLOW_REPLY, flags_of(*c));
	}
	ck_assert(flow_find(t, now, &f.tuple, 1, FLOW_ORIGINAL, &g, &dir));
	ck_assert_int_eq(g.state, lives[_i].state);
	now += lives[_i].life_ns;
	ck_assert(flow_find(t, now - NS_PER_MS, &f.tuple, 1, FLOW_ORIGINAL, &g, &dir));
	ck_assert(!flow_find(t, now, &f.tuple, 1, FLOW_ORIGINAL, &g, &dir));
	ck_assert_uint_eq(flow_count(t, now), 0);
	flow_table_free(t);
}
END_TEST

/* 100,000 attempts to fill the table do not push out the flows that were answered. */
START_TEST(answered_flows_survive_a_flood)
{
	struct flow_table *t = flow_table_new(4096, &key);
	struct flow f, g;
	unsigned alive = 0;

	for (uint32_t i = 0; i < 500; i++) {
		f = make(PROTO_ICMP, i);
		f.state = FLOW_ANSWERED;
		flow_insert(t, start, &f);
	}
	for (uint32_t i = 0; i < 100000; i++) {
		f = make(PROTO_UDP, 0x10000 + i); /* and would live longer than those */
		flow_insert(t, start + i * 1000, &f);
	}
	for (uint32_t i = 0; i < 500; i++) {
		f = make(PROTO_ICMP, i);
		alive += flow_find(t, start, &f.tuple, 1, FLOW_ORIGINAL, &g, &dir);
	}
	ck_assert_uint_eq(alive, 500);
	ck_assert_uint_le(flow_count(t, start), 4096);
	f = make(PROTO_UDP, 0x10000 + 99999); /* and the newest is in */
	ck_assert(flow_find(t, start, &f.tuple, 1, FLOW_ORIGINAL, &g, &dir));
	flow_table_free(t);
}
END_TEST

/* Nor do 100,000 answered flows of one client push out those of another. */
START_TEST(a_client_has_its_share)
{
	struct flow_table *t = flow_table_new(4096, &key);
	struct flow f, g;

	for (uint32_t i = 0; i < 200; i++) {
		f = make(PROTO_ICMP, i);
		f.client = 9;
		f.state = FLOW_ANSWERED;
		flow_insert(t, start, &f);
	}
	for (uint32_t i = 0; i < 100000; i++) {
		f = make(PROTO_UDP, 0x10000 + i); /* and would live longer than those */
		f.state = FLOW_ANSWERED;
		flow_insert(t, start + i * 1000, &f);
	}
	for (uint32_t i = 0; i < 200; i++) {
		f = make(PROTO_ICMP, i);
		ck_assert(flow_find(t, start, &f.tuple, 9, FLOW_ORIGINAL, &g, &dir));
	}
	flow_table_free(t);
}
END_TEST

START_TEST(the_oldest_goes_first)
{
	struct flow_table *t = flow_table_new(8, &key);
	struct flow f, g;

	for (uint32_t i = 0; i < 9; i++) {
		f = make(PROTO_UDP, i);
		flow_insert(t, start + i * NS_PER_SEC, &f);
	}
	for (uint32_t i = 0; i < 9; i++) {
		f = make(PROTO_UDP, i);
		ck_assert_int_eq(flow_find(t, start, &f.tuple, 1, FLOW_ORIGINAL, &g, &dir), i != 0);
	}
	flow_table_free(t);
}
END_TEST

#define THREADS 4
#define ROUNDS 60000

struct worker {
	pthread_t thread;
	struct flow_table *t;
	struct prng prng;
	uint32_t tuples;
	unsigned found, wrong;
};

/* An entry always is what one insert or renewal wrote, never a mixture: next hop, route and
 * generation follow from the client and each other. */
static bool is_whole(const struct flow *g, uint32_t n)
{
	struct flow_tuple expected = tuple(PROTO_UDP, n);

	return g->client == n + 1 && g->route == g->generation &&
	       g->next_hop == g->generation + 1 && same_tuple(&g->tuple, &expected);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint32_t n = (uint32_t)prng_below(&w->prng, w->tuples);
		struct flow f = make(PROTO_UDP, n), g;
		enum flow_direction found;

		f.client = n + 1;
		f.generation = f.route = i;
		f.next_hop = i + 1;
		if (!flow_find(w->t, start, &f.tuple, n + 1, FLOW_EITHER, &g, &found)) {
			flow_insert(w->t, start, &f);
			continue;
		}
		w->found++;
		w->wrong += !is_whole(&g, n);
		flow_touch(w->t, start + i, &g, i % 2 ? FLOW_REPLY : FLOW_ORIGINAL, 0);
		if (i % 16 == 0) {
			g.generation = g.route = i;
			g.next_hop = i + 1;
			flow_renew(w->t, &g);
		} else if (i % 64 == 1) {
			flow_remove(w->t, &g);
		} else if (i % 8 == 2) {
			flow_insert(w->t, start, &f);
		}
	}
	return NULL;
}

/* On one entry all the time, and on more than the table holds, so that they evict, too. */
START_TEST(four_workers)
{
	const uint32_t tuples = _i == 0 ? 1 : 64;
	struct worker w[THREADS];
	unsigned found = 0;
	struct flow_table *t = flow_table_new(48, &key);

	for (uint32_t i = 0; i < THREADS; i++) {
		w[i] = (struct worker){.t = t, .prng = {i}, .tuples = tuples};
		ck_assert_int_eq(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(w[i].thread, NULL), 0);
		ck_assert_uint_eq(w[i].wrong, 0);
		found += w[i].found;
	}
	ck_assert_uint_gt(found, ROUNDS);
	flow_table_free(t);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("flow");
	TCase *tc = tcase_create("flow");

	tcase_add_test(tc, directions_and_owners);
	tcase_add_test(tc, same_tuple_of_two_clients);
	tcase_add_test(tc, renew_and_remove);
	tcase_add_test(tc, current_until_written);
	tcase_add_test(tc, another_flow_in_the_same_place);
	tcase_add_loop_test(tc, lives_of_a_flow, 0, sizeof lives / sizeof *lives);
	tcase_add_test(tc, answered_flows_survive_a_flood);
	tcase_add_test(tc, a_client_has_its_share);
	tcase_add_test(tc, the_oldest_goes_first);
	tcase_add_loop_test(tc, four_workers, 0, 2);
	tcase_set_timeout(tc, 30);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
