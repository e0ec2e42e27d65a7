/* SPDX-License-Identifier: ISC */
/*
 * A worker's cache of flows. The question is always whether it lets something pass that would not
 * pass without it: asked of keys that differ in one place, of a judge and its twin that has no
 * cache, for random packets while policy, reach and time change, and of four threads.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/policy/forward.h>

#include "packets.h"
#include "prng.h"
#include "tap.h"
#include "world.h"

static const struct siphash_key hash_key = {1, 2};

/* What a packet's key is made of. */
struct from {
	struct packet packet;
	uint32_t device;
	const struct policy *policy;
	const struct next_hops *next_hops;
};

static bool key_of(const struct from *from, struct flow_cache_key *key)
{
	struct inner_packet p;

	ck_assert_int_eq(inner_parse(from->packet.data, from->packet.len, &p), INNER_OK);
	return flow_cache_key(from->packet.data, &p, from->device, from->policy, from->next_hops,
			      world_registry(), key);
}

static bool known(const struct flow_cache *c, const struct from *from)
{
	enum flow_direction direction;
	struct flow_cache_key key;

	return key_of(from, &key) && flow_cache_find(c, &key, &direction);
}

static void store(struct flow_cache *c, const struct from *from)
{
	const struct flow flow = {.client = from->device};
	struct flow_cache_key key;

	ck_assert(key_of(from, &key));
	flow_cache_store(c, &key, &flow, FLOW_ORIGINAL);
}

START_TEST(all_of_the_key_counts)
{
	struct policy *policy = world_policy(NULL, NULL), *next = world_policy(NULL, policy);
	struct next_hops *next_hops = world_next_hops(policy, false),
			 *other = world_next_hops(policy, false);
	struct flow_cache *c = flow_cache_new();
	struct from from = {.device = 1, .policy = policy, .next_hops = next_hops}, another;
	/* addresses and ports, low and high bits */
	static const size_t bytes4[] = {12, 15, 16, 19, 20, 21, 22, 23};
	static const size_t bytes6[] = {8, 15, 16, 23, 24, 31, 32, 39, 40, 41, 42, 43};

	for (int v6 = 0; v6 < 2; v6++) {
		const size_t *bytes = v6 ? bytes6 : bytes4, n = v6 ? 12 : 8;

		packet_udp(&from.packet, v6 ? ALICE6 : ALICE4, 1000, v6 ? "fd77::10" : "10.77.0.10",
			   53, 20);
		ck_assert(!known(c, &from));
		store(c, &from);
		ck_assert(known(c, &from));
		for (size_t i = 0; i < n * 8; i++) {
			another = from;
			another.packet.data[bytes[i / 8]] ^= (uint8_t)(1 << i % 8);
			if (!v6)
				packet_fix(&another.packet);
			ck_assert_msg(!known(c, &another), "byte %zu", bytes[i / 8]);
		}
		another = from;
		another.device = 2;
		ck_assert(!known(c, &another));
		another = from;
		another.policy = next;
		ck_assert(!known(c, &another));
		another = from;
		another.next_hops = other;
		ck_assert(!known(c, &another));
		another = from;
		packet_tcp(&another.packet, v6 ? ALICE6 : ALICE4, 1000,
			   v6 ? "fd77::10" : "10.77.0.10", 53, TCP_ACK, 20);
		ck_assert(!known(c, &another));
	}
	ck_assert(known(c, &from));
	ck_assert_int_eq(next_hops_add(next_hops, 0, world_entry(KEY_DC1A)), 0);
	ck_assert(!known(c, &from));
	flow_cache_free(c);
	next_hops_free(next_hops);
	next_hops_free(other);
	policy_free(policy);
	policy_free(next);
}
END_TEST

START_TEST(never_cached)
{
	struct policy *policy = world_policy(NULL, NULL);
	struct next_hops *next_hops = world_next_hops(policy, false);
	struct from from = {.device = 1, .policy = policy, .next_hops = next_hops};
	struct flow_cache_key key;
	struct packet whole;

	packet_echo(&from.packet, ALICE4, "10.77.0.10", false, 7);
	ck_assert(!key_of(&from, &key));
	packet_udp(&whole, ALICE4, 1000, "10.77.0.10", 53, 1000);
	packet_unreachable(&from.packet, "10.77.0.10", ALICE4, &whole);
	ck_assert(!key_of(&from, &key));
	packet_fragment(&from.packet, &whole, 1, 0, 496);
	ck_assert(!key_of(&from, &key));
	packet_fragment(&from.packet, &whole, 1, 496, 1000);
	ck_assert(!key_of(&from, &key));
	next_hops_free(next_hops);
	policy_free(policy);
}
END_TEST

/* Two judges that are asked the same. */
struct twins {
	struct prng prng;
	uint64_t now_ns;
	struct policy *policy;
	struct forward with, without;
	struct verdict v, expected;
	/* what is said again and again: from whom, and the packet */
	struct from said[12];
	uint32_t devices[4]; /* without dc1's second, which only answers */
	unsigned forwarded;
};

static void adopt(struct twins *t, struct policy *policy)
{
	struct forward *both[] = {&t->with, &t->without};

	for (size_t i = 0; i < 2; i++) {
		next_hops_free((struct next_hops *)both[i]->next_hops);
		refusal_limiter_free(both[i]->limiter);
		both[i]->policy = policy;
		both[i]->registry = world_registry();
		both[i]->next_hops = world_next_hops(policy, true);
		both[i]->limiter = refusal_limiter_new(100);
	}
	policy_free(t->policy);
	t->policy = policy;
}

static void twins_init(struct twins *t, uint64_t seed)
{
	struct forward *both[] = {&t->with, &t->without};

	*t = (struct twins){.prng = {seed}, .now_ns = 1000 * NS_PER_SEC};
	for (size_t i = 0; i < 2; i++) {
		both[i]->flows = flow_table_new(64, &hash_key); /* small: entries go often */
		both[i]->fragments = fragment_table_new();
		both[i]->router = true;
	}
	t->with.cache = flow_cache_new();
	adopt(t, world_policy(NULL, NULL));
	t->devices[0] = world_device(KEY_ALICE);
	t->devices[1] = world_device(KEY_BOB);
	t->devices[2] = world_device(KEY_DC1A);
	t->devices[3] = world_device(KEY_DC2C);
}

static void twins_clear(struct twins *t)
{
	struct forward *both[] = {&t->with, &t->without};

	for (size_t i = 0; i < 2; i++) {
		next_hops_free((struct next_hops *)both[i]->next_hops);
		refusal_limiter_free(both[i]->limiter);
		flow_table_free(both[i]->flows);
		fragment_table_free(both[i]->fragments);
	}
	flow_cache_free(t->with.cache);
	policy_free(t->policy);
}

static const char *const ends4[] = {ALICE4,	  BOB4,		"10.77.0.10", "10.77.0.10",
				    "10.77.0.20", "10.77.0.200", "10.99.0.5",  "10.1.1.1"};
static const char *const ends6[] = {ALICE6, BOB6, "fd77::10", "fd77::10", "fd77::20", "fd99::1"};
static const uint16_t ports[] = {80, 443, 22, 53, 23, 1000};

static const char *random_end(struct twins *t, bool v6)
{
	if (v6)
		return ends6[prng_below(&t->prng, sizeof ends6 / sizeof *ends6)];
	return ends4[prng_below(&t->prng, sizeof ends4 / sizeof *ends4)];
}

static uint16_t random_port(struct twins *t)
{
	return ports[prng_below(&t->prng, sizeof ports / sizeof *ports)];
}

/* Never 22, which connectors may go to: two of them that start the same flow, as no others can,
 * would leave open to which of the two its replies go. */
static uint16_t random_source_port(struct twins *t)
{
	return (uint16_t)(1000 + prng_below(&t->prng, 2));
}

static uint8_t random_flags(struct twins *t)
{
	static const uint8_t flags[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK, TCP_ACK, TCP_ACK,
					TCP_FIN | TCP_ACK, TCP_RST};

	return flags[prng_below(&t->prng, sizeof flags)];
}

static void random_packet(struct twins *t, struct packet *p)
{
	bool v6 = prng_below(&t->prng, 3) == 0;
	const char *src = random_end(t, v6), *dst = random_end(t, v6);
	struct packet quote;

	switch (prng_below(&t->prng, 8)) {
	case 0:
		packet_echo(p, src, dst, prng_below(&t->prng, 2), 7);
		break;
	case 1:
		packet_udp(&quote, dst, random_port(t), src, random_port(t), 20);
		packet_unreachable(p, src, dst, &quote);
		break;
	case 2:
		packet_udp(&quote, src, random_source_port(t), dst, random_port(t), 96);
		packet_fragment(p, &quote, 5, 0, 48);
		break;
	case 3:
	case 4:
		packet_udp(p, src, random_source_port(t), dst, random_port(t), 20);
		break;
	default:
		packet_tcp(p, src, random_source_port(t), dst, random_port(t), random_flags(t),
			   20);
	}
}

/* Something new to say, by a sender that may, mostly; or the answer to what was said before. */
static void random_from(struct twins *t, struct from *out)
{
	random_packet(t, &out->packet);
	for (unsigned i = 0; i < 4; i++) {
		struct inner_packet p;

		out->device = t->devices[prng_below(&t->prng, 4)];
		if (inner_parse(out->packet.data, out->packet.len, &p) == INNER_OK &&
		    policy_owns(t->policy, world_registry(),
				registry_device(world_registry(), out->device), &p.src))
			break;
	}
}

/* The packet that would answer a TCP or UDP packet without options. */
static void answer(struct twins *t, const struct from *from, uint32_t device, struct from *out)
{
	bool v6 = from->packet.data[0] >> 4 == 6;
	size_t size = v6 ? 16 : 4, src = v6 ? 8 : 12, l4 = v6 ? 40 : 20;
	const uint8_t *in = from->packet.data;

	*out = *from;
	out->device = device;
	memcpy(out->packet.data + src, in + src + size, size);
	memcpy(out->packet.data + src + size, in + src, size);
	memcpy(out->packet.data + l4, in + l4 + 2, 2);
	memcpy(out->packet.data + l4 + 2, in + l4, 2);
	if (in[v6 ? 6 : 9] == PROTO_TCP)
		out->packet.data[l4 + 13] = random_flags(t);
	if (!v6)
		packet_fix(&out->packet);
}

/* A small change that makes it another packet, or none: a hop limit, a length, a byte. */
static void spoil(struct twins *t, struct packet *p)
{
	bool v4 = p->data[0] >> 4 == 4;

	p->data[prng_below(&t->prng, 60)] ^= (uint8_t)(1 << prng_below(&t->prng, 8));
	if (v4 && prng_below(&t->prng, 4))
		packet_fix(p);
}

static void ask_both(struct twins *t, const struct from *from)
{
	struct packet a = from->packet, b = a;
	struct verdict *v = &t->v, *w = &t->expected;

	memset(v, 0xee, sizeof *v);
	memset(w, 0xee, sizeof *w);
	forward_judge(&t->with, t->now_ns, from->device, a.data, a.len, false, v);
	forward_judge(&t->without, t->now_ns, from->device, b.data, b.len, false, w);
	ck_assert_msg(v->kind == w->kind && v->reason == w->reason && v->device == w->device,
		      "kind %d, %s, to %u; without a cache kind %d, %s, to %u", v->kind,
		      reason_name(v->reason), v->device, w->kind, reason_name(w->reason), w->device);
	ck_assert_uint_eq(v->len, w->len);
	ck_assert_ptr_eq(v->rule, w->rule);
	ck_assert_uint_eq(v->piece_count, w->piece_count);
	ck_assert_uint_eq(v->refusal_len, w->refusal_len);
	ck_assert_mem_eq(v->refusal, w->refusal, v->refusal_len);
	ck_assert_mem_eq(a.data, b.data, a.len);
	t->forwarded += v->kind == VERDICT_FORWARD;
}

static void say(struct twins *t)
{
	struct from *from = &t->said[prng_below(&t->prng, 12)], other = *from;

	if (!from->packet.len || prng_below(&t->prng, 6) == 0)
		random_from(t, from);
	other = *from;
	if (prng_below(&t->prng, 12) == 0)
		spoil(t, &other.packet);
	if (prng_below(&t->prng, 12) == 0)
		other.device = t->devices[prng_below(&t->prng, 4)];
	ask_both(t, &other);
	if (t->v.kind == VERDICT_FORWARD && prng_below(&t->prng, 3) == 0) {
		answer(t, from, t->v.device, &other);
		ask_both(t, &other);
		t->said[prng_below(&t->prng, 12)] = other;
	}
}

static void change_next_hops(struct twins *t)
{
	uint32_t route = (uint32_t)prng_below(&t->prng, policy_spec(t->policy)->route_count);
	bool up = prng_below(&t->prng, 2);
	static const enum world_key keys[] = {KEY_DC1A, KEY_DC1B, KEY_DC2C};
	const struct registry_device *d = world_entry(keys[prng_below(&t->prng, 3)]);
	struct forward *both[] = {&t->with, &t->without};

	for (size_t i = 0; d && i < 2; i++) {
		if (up)
			next_hops_add((struct next_hops *)both[i]->next_hops, route, d);
		else
			next_hops_remove((struct next_hops *)both[i]->next_hops, route, d->number);
	}
}

static void reload(struct twins *t)
{
	static const char *const without[] = {NULL, "10.77.0.0/24", "10.77.0.128/25", "fd77::/64",
					      "10.99.0.0/16", NULL};

	adopt(t, world_policy(without[prng_below(&t->prng, 6)], t->policy));
}

START_TEST(twins_agree)
{
	static const uint64_t pauses[] = {NS_PER_MS, NS_PER_SEC, 31 * NS_PER_SEC, 121 * NS_PER_SEC,
					  301 * NS_PER_SEC};
	struct twins *t = calloc(1, sizeof *t);

	twins_init(t, (uint64_t)_i + 1);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned what = (unsigned)prng_below(&t->prng, 400);

		if (what == 0)
			reload(t);
		else if (what < 6)
			change_next_hops(t);
		else if (what < 12)
			t->now_ns += pauses[prng_below(&t->prng, 5)];
		say(t);
	}
	ck_assert_uint_gt(t->forwarded, 1000);
	twins_clear(t);
	free(t);
}
END_TEST

#define THREADS 4
#define PACKETS 20000

/* What four workers share; the policy changes once they are at it. */
struct shared {
	struct policy *policy[2];
	struct next_hops *next_hops[2];
	struct refusal_limiter *limiter[2];
	struct flow_table *flows;
	atomic_int current;
	uint32_t alice, dc1[2];
};

struct worker {
	pthread_t thread;
	struct shared *shared;
	struct prng prng;
	unsigned forwarded, wrong;
};

/* Port 80 is alice's under both policies, 22 nobody's; what goes out goes to a connector of dc1,
 * and what comes back to alice. */
static void work_once(struct worker *w, struct forward *f, struct verdict *v)
{
	const struct shared *s = w->shared;
	uint16_t port = (uint16_t)(40000 + prng_below(&w->prng, 8));
	bool denied = prng_below(&w->prng, 8) == 0;
	int current = atomic_load_explicit(&s->current, memory_order_acquire);
	struct packet p;

	f->policy = s->policy[current];
	f->next_hops = s->next_hops[current];
	f->limiter = s->limiter[current];
	packet_tcp(&p, ALICE4, port, "10.77.0.10", denied ? 22 : 80, TCP_ACK, 0);
	forward_judge(f, 1000 * NS_PER_SEC, s->alice, p.data, p.len, false, v);
	if (v->kind == VERDICT_FORWARD) {
		w->wrong += denied || (v->device != s->dc1[0] && v->device != s->dc1[1]);
		w->forwarded++;
		packet_tcp(&p, "10.77.0.10", 80, ALICE4, port, TCP_ACK, 0);
		forward_judge(f, 1000 * NS_PER_SEC, v->device, p.data, p.len, false, v);
		w->wrong += v->kind == VERDICT_FORWARD && v->device != s->alice;
	} else {
		w->wrong += !denied && v->reason != REASON_NO_CONNECTOR;
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct verdict *v = malloc(sizeof *v);
	struct forward f = {
		.registry = world_registry(),
		.flows = w->shared->flows,
		.fragments = fragment_table_new(),
		.cache = flow_cache_new(),
		.router = true,
	};

	for (unsigned i = 0; i < PACKETS; i++)
		work_once(w, &f, v);
	flow_cache_free(f.cache);
	fragment_table_free(f.fragments);
	free(v);
	return NULL;
}

static void shared_init(struct shared *s)
{
	*s = (struct shared){.flows = flow_table_new(64, &hash_key)};
	for (int i = 0; i < 2; i++) {
		s->policy[i] = world_policy(i ? "fd77::/64" : NULL, i ? s->policy[0] : NULL);
		s->next_hops[i] = world_next_hops(s->policy[i], true);
		s->limiter[i] = refusal_limiter_new(100);
	}
	s->alice = world_device(KEY_ALICE);
	s->dc1[0] = world_device(KEY_DC1A);
	s->dc1[1] = world_device(KEY_DC1B);
}

static void shared_clear(struct shared *s)
{
	for (int i = 0; i < 2; i++) {
		refusal_limiter_free(s->limiter[i]);
		next_hops_free(s->next_hops[i]);
		policy_free(s->policy[i]);
	}
	flow_table_free(s->flows);
}

START_TEST(four_workers)
{
	struct worker w[THREADS];
	struct shared s;

	shared_init(&s);
	for (size_t i = 0; i < THREADS; i++) {
		w[i] = (struct worker){.shared = &s, .prng = {i}};
		ck_assert_int_eq(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
	for (unsigned i = 0; i < 2000; i++) {
		atomic_store_explicit(&s.current, i >= 1000, memory_order_release);
		if (i / 2 % 2)
			next_hops_add(s.next_hops[i >= 1000], 0, world_entry(i % 2 ? KEY_DC1B : KEY_DC1A));
		else
			next_hops_remove(s.next_hops[i >= 1000], 0, s.dc1[i % 2]);
	}
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(w[i].thread, NULL), 0);
		ck_assert_uint_eq(w[i].wrong, 0);
		ck_assert_uint_gt(w[i].forwarded, 0);
	}
	shared_clear(&s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("flow_cache");
	TCase *tc = tcase_create("flow_cache");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, all_of_the_key_counts);
	tcase_add_test(tc, never_cached);
	tcase_add_loop_test(tc, twins_agree, 0, 8);
	tcase_add_test(tc, four_workers);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
