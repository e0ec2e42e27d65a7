/* SPDX-License-Identifier: ISC */
/*
 * The registry of devices: one change at a time gives the same verdicts as everything made anew,
 * costs the same with many devices as with one, lets nobody else's flows be judged again, and may
 * happen while others read.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tund/base/bytes.h>
#include <tund/policy/forward.h>

#include "packets.h"
#include "policy_oracle.h"
#include "prng.h"
#include "random_policy.h"
#include "tap.h"
#include "world.h"

/* Puts a device in force as its spec has it. */
static void put(struct registry *r, const struct spec_principal *p, size_t position)
{
	struct registry_entry *e;

	ck_assert_int_eq(registry_prepare(r, p, position, &e), 0);
	if (e)
		registry_commit(r, e);
}

static void put_all(struct registry *r, const struct policy_spec *spec)
{
	struct registry_plan plan;

	ck_assert_int_eq(registry_plan(r, spec, &plan), 0);
	registry_plan_commit(r, &plan);
}

START_TEST(numbers_and_generations)
{
	struct registry *r = registry_new(NULL);
	struct policy_spec *spec = world_spec(NULL);
	struct spec_principal *alice = &spec->principals[0], *bob = &spec->principals[1];
	struct ip_addr a = world_address(ALICE4);
	const struct registry_device *d;
	uint32_t number, generation, other;

	put_all(r, spec);
	ck_assert_uint_eq(registry_count(r), 5);
	d = registry_by_address(r, 0, &a);
	ck_assert_ptr_nonnull(d);
	ck_assert_ptr_eq(d, registry_by_key(r, alice->devices[0].public_key));
	ck_assert_ptr_eq(d, registry_device(r, d->number));
	ck_assert_str_eq(d->id, "alice");
	number = d->number;
	generation = d->generation;
	other = registry_by_key(r, bob->devices[0].public_key)->generation;
	put(r, alice, 0); /* as it is */
	ck_assert_uint_eq(registry_device(r, number)->generation, generation);
	alice->devices[0].address_count = 1;
	put(r, alice, 0);
	d = registry_device(r, number);
	ck_assert_uint_gt(d->generation, generation);
	ck_assert_uint_eq(d->generation, registry_version(r));
	ck_assert_uint_eq(registry_by_key(r, bob->devices[0].public_key)->generation, other);
	registry_remove(r, number);
	ck_assert_ptr_null(registry_device(r, number));
	ck_assert_ptr_null(registry_by_address(r, 0, &a));
	ck_assert_ptr_null(registry_by_key(r, alice->devices[0].public_key));
	put(r, alice, 0);
	ck_assert_uint_ne(registry_by_address(r, 0, &a)->number, number); /* it rests */
	ck_assert_ptr_null(registry_device(r, UINT32_MAX));
	ck_assert_ptr_null(registry_device(r, registry_limit(r)));
	policy_spec_free(spec);
	registry_free(r);
}
END_TEST

/* However many come and go, numbers are used again, and no two devices have the same. */
START_TEST(numbers_come_back)
{
	struct registry *r = registry_new(NULL);
	struct policy_spec *spec = policy_spec_new();
	struct spec_principal *p =
		policy_spec_add_principal(spec, "alice", PRINCIPAL_USER, NULL, 0);
	struct spec_device *d = world_add_device(spec, p, "a", 1, (const char *const[]){NULL});

	for (uint32_t i = 0; i < 5000; i++) {
		uint8_t gone[KEY_SIZE] = {1};

		put_be32(d->public_key + 8, i);
		put(r, p, 0);
		put_be32(gone + 8, i - 10);
		if (i >= 10)
			registry_remove(r, registry_by_key(r, gone)->number);
	}
	ck_assert_uint_eq(registry_count(r), 10);
	ck_assert_uint_lt(registry_limit(r), 300);
	policy_spec_free(spec);
	registry_free(r);
}
END_TEST

/* A group has a bit if a rule has named it, and the device only after it was prepared again. */
START_TEST(groups_are_bits)
{
	struct registry *r = registry_new(NULL);
	struct policy_spec *spec = world_spec(NULL);
	struct spec_principal *alice = &spec->principals[0];
	const uint8_t *key = alice->devices[0].public_key;
	uint32_t bit = 0;
	char name[16];

	put_all(r, spec);
	for (int i = 0; i < 200; i++) { /* into the fourth word */
		snprintf(name, sizeof name, "g%d", i);
		bit = registry_group(r, i == 199 ? "eng" : name);
	}
	ck_assert_uint_eq(bit, 199);
	ck_assert(!registry_in_group(registry_by_key(r, key), bit));
	put_all(r, spec);
	ck_assert(registry_in_group(registry_by_key(r, key), bit));
	ck_assert(!registry_in_group(registry_by_key(r, key), 63));
	ck_assert(!registry_in_group(registry_by_key(r, key), 1000));
	ck_assert(!registry_in_group(registry_by_key(r, spec->principals[1].devices[0].public_key),
				     bit));
	policy_spec_free(spec);
	registry_free(r);
}
END_TEST

/* What a device gains by groups that the rules in force do not know is nothing to them. */
START_TEST(same_to_old_rules)
{
	struct registry *r = registry_new(NULL);
	struct policy_spec *spec = world_spec(NULL);
	struct spec_principal *alice = &spec->principals[0];
	struct registry_entry *e;
	uint32_t number, groups;

	registry_group(r, "ops");
	groups = registry_group_count(r);
	put_all(r, spec);
	number = registry_by_key(r, alice->devices[0].public_key)->number;
	registry_group(r, "eng"); /* in which alice is */
	ck_assert_int_eq(registry_prepare(r, alice, 0, &e), 0);
	ck_assert(registry_is_same_to(e, groups));
	ck_assert(!registry_is_same_to(e, registry_group_count(r)));
	registry_suspend(r, number);
	ck_assert_ptr_null(registry_device(r, number));
	ck_assert_ptr_nonnull(registry_by_address(r, 0, &alice->devices[0].addresses[0]));
	registry_commit(r, e);
	ck_assert_ptr_nonnull(registry_device(r, number));
	policy_spec_add_group(spec, alice, "ops");
	ck_assert_int_eq(registry_prepare(r, alice, 0, &e), 0);
	ck_assert(!registry_is_same_to(e, groups));
	registry_commit(r, e);
	alice->devices[0].address_count = 1;
	ck_assert_int_eq(registry_prepare(r, alice, 0, &e), 0);
	ck_assert(!registry_is_same_to(e, groups));
	registry_discard(r, e);
	policy_spec_free(spec);
	registry_free(r);
}
END_TEST

/* One device of one principal becomes another: a group more or less, an address less, or gone. */
static void change_one(struct prng *prng, struct policy_spec *spec, struct registry *r)
{
	struct spec_principal *p = &spec->principals[prng_below(prng, spec->principal_count - 1)];
	size_t n = prng_below(prng, 2);
	struct spec_device *d = &p->devices[n];
	const struct registry_device *known;

	if (p->device_count == 0)
		return;
	switch (prng_below(prng, 4)) {
	case 0:
		policy_spec_add_group(spec, p, prng_below(prng, 2) ? "x" : "y");
		break;
	case 1:
		p->groups.count -= p->groups.count > 0;
		break;
	case 2:
		if (n < p->device_count)
			d->address_count -= d->address_count > 0;
		break;
	default: /* the last one goes */
		known = registry_by_key(r, p->devices[--p->device_count].public_key);
		registry_remove(r, known->number);
	}
	for (size_t i = 0; i < p->device_count; i++)
		put(r, p, i);
}

static struct policy_spec *copy_of(const struct policy_spec *spec)
{
	size_t max = policy_spec_encoded_max(spec);
	uint8_t *bytes = malloc(max);
	struct writer w = writer_init(bytes, max);
	struct policy_spec *copy;
	struct reader reader;

	policy_spec_encode(spec, true, &w);
	ck_assert(!w.failed);
	reader = reader_init(bytes, w.len);
	ck_assert_int_eq(policy_spec_decode(&reader, &copy), 0);
	free(bytes);
	return copy;
}

/* Asks the registry that was changed, one that was made anew, and the oracle. */
static void compare(struct prng *prng, const struct policy_spec *spec, const struct policy *policy,
		    const struct registry *r)
{
	uint8_t bytes[400];
	struct registry *anew = registry_new(NULL);
	struct policy_spec *copy = copy_of(spec);
	struct draw d = {bytes, sizeof bytes};
	struct policy *fresh;

	ck_assert_int_eq(policy_new(copy, anew, NULL, &fresh), 0);
	put_all(anew, copy);
	prng_fill(prng, bytes, sizeof bytes);
	while (d.len) {
		struct draw same = d;
		const char *difference = compare_with_oracle(&d, spec, policy, r);

		ck_assert_msg(!difference, "%s", difference);
		difference = compare_with_oracle(&same, copy, fresh, anew);
		ck_assert_msg(!difference, "made anew: %s", difference);
	}
	ck_assert_uint_eq(registry_count(anew), registry_count(r));
	policy_free(fresh);
	registry_free(anew);
}

START_TEST(agrees_with_the_oracle)
{
	static uint8_t bytes[4096];
	struct prng prng = {(uint64_t)_i + 77};

	for (int round = 0; round < 20; round++) {
		struct registry *r = registry_new(NULL);
		struct draw d = {bytes, sizeof bytes};
		struct policy_spec *spec;
		struct policy *policy;

		prng_fill(&prng, bytes, sizeof bytes);
		spec = random_spec(&d);
		ck_assert_int_eq(policy_new(spec, r, NULL, &policy), 0);
		put_all(r, spec);
		for (int i = 0; i < 12; i++) {
			compare(&prng, spec, policy, r);
			change_one(&prng, spec, r);
		}
		policy_free(policy);
		registry_free(r);
	}
}
END_TEST

#define CLIENTS 200

/* An edge with many clients, one connector and a flow of each client. */
struct scene {
	struct registry *registry;
	struct policy *policy;
	struct policy_spec *spec;
	struct forward f;
	struct verdict v;
};

static const char *client_address(uint32_t i, char text[24])
{
	snprintf(text, 24, "100.%u.%u.%u", 81 + i / 40000, i / 200 % 200, 1 + i % 200);
	return text;
}

static void add_clients(struct policy_spec *spec, uint32_t count)
{
	char text[24], id[16];

	for (uint32_t i = 0; i < count; i++) {
		struct spec_principal *p;
		struct spec_device *d;

		snprintf(id, sizeof id, "c%u", i);
		p = policy_spec_add_principal(spec, id, PRINCIPAL_USER, NULL, 0);
		policy_spec_add_group(spec, p, "eng");
		d = world_add_device(spec, p, "a", 9,
				     (const char *const[]){client_address(i, text), NULL});
		put_be32(d->public_key + 8, i);
	}
}

static void scene_init(struct scene *s)
{
	static const struct siphash_key key = {1, 2};
	struct policy_spec *spec = world_spec(NULL);

	*s = (struct scene){.spec = spec};
	add_clients(spec, CLIENTS);
	s->policy = world_take(spec, NULL);
	s->registry = world_registry();
	s->f = (struct forward){
		.policy = s->policy,
		.registry = s->registry,
		.next_hops = world_next_hops(s->policy, true),
		.limiter = refusal_limiter_new(1000),
		.flows = flow_table_new(65536, &key),
		.fragments = fragment_table_new(),
		.cache = flow_cache_new(),
		.router = true,
	};
}

static void scene_clear(struct scene *s)
{
	policy_free(s->policy);
	next_hops_free((struct next_hops *)s->f.next_hops);
	refusal_limiter_free(s->f.limiter);
	flow_table_free(s->f.flows);
	fragment_table_free(s->f.fragments);
	flow_cache_free(s->f.cache);
}

static struct spec_principal *client(const struct scene *s, uint32_t i)
{
	return &s->spec->principals[s->spec->principal_count - CLIENTS + i];
}

static const struct registry_device *entry(const struct scene *s, uint32_t i)
{
	return registry_by_key(s->registry, client(s, i)->devices[0].public_key);
}

static enum verdict_kind say(struct scene *s, uint32_t device, const char *src, uint16_t port,
			      const char *dst, uint16_t dst_port)
{
	struct packet p;

	packet_udp(&p, src, port, dst, dst_port, 20);
	forward_judge(&s->f, NS_PER_SEC, device, p.data, p.len, false, &s->v);
	return s->v.kind;
}

/* When this client's flow was written last. */
static uint64_t written(const struct scene *s, uint32_t i)
{
	enum flow_direction direction;
	char text[24];
	struct flow flow;
	struct flow_tuple t = {
		.src = world_address(client_address(i, text)),
		.dst = world_address("10.77.0.10"),
		.src_port = 1000,
		.dst_port = 53,
		.proto = PROTO_UDP,
	};

	if (!flow_find(s->f.flows, NS_PER_SEC, &t, entry(s, i)->number, FLOW_ORIGINAL, &flow,
		       &direction))
		return 0;
	return flow.sequence;
}

/* Sends a packet on each flow; how many of those were judged. */
static uint32_t count_judged(struct scene *s)
{
	uint32_t judged = 0;
	char text[24];

	for (uint32_t i = 0; i < CLIENTS; i++) {
		uint64_t before = written(s, i);

		say(s, entry(s, i)->number, client_address(i, text), 1000, "10.77.0.10", 53);
		judged += written(s, i) != before;
	}
	return judged;
}

START_TEST(only_its_flows)
{
	struct scene *s = calloc(1, sizeof *s);

	scene_init(s);
	ck_assert_uint_eq(count_judged(s), CLIENTS);
	ck_assert_uint_eq(count_judged(s), 0);
	policy_spec_add_group(s->spec, client(s, 7), "other"); /* no rule names it */
	put(s->registry, client(s, 7), 0);
	ck_assert_uint_eq(count_judged(s), 0);
	client(s, 7)->groups.count = 0;
	put(s->registry, client(s, 7), 0);
	ck_assert_uint_eq(count_judged(s), 1);
	ck_assert_uint_eq(written(s, 7), 0); /* "eng" only */
	policy_spec_add_group(s->spec, client(s, 7), "eng");
	put(s->registry, client(s, 7), 0);
	ck_assert_uint_eq(count_judged(s), 1);
	client(s, 8)->devices[0].name = "renamed";
	put(s->registry, client(s, 8), 0);
	ck_assert_uint_eq(count_judged(s), 1);
	ck_assert_uint_eq(count_judged(s), 0);
	registry_remove(s->registry, world_device(KEY_BOB));
	ck_assert_uint_eq(count_judged(s), 0);
	scene_clear(s);
	free(s);
}
END_TEST

/* An address behind a connector becomes a device's: flows to it do not go on to the connector, and
 * when it is given up they do not go to who has its number then. */
START_TEST(an_address_changes_hands)
{
	struct scene *s = calloc(1, sizeof *s);
	struct spec_device *maya;
	struct spec_principal *p;
	uint32_t alice, dc1a;

	scene_init(s);
	alice = world_device(KEY_ALICE);
	dc1a = world_device(KEY_DC1A);
	ck_assert_int_eq(say(s, alice, ALICE4, 1000, "10.77.0.10", 53), VERDICT_FORWARD);
	ck_assert_int_eq(say(s, dc1a, "10.77.0.10", 53, ALICE4, 1000), VERDICT_FORWARD);
	p = policy_spec_add_principal(s->spec, "maya", PRINCIPAL_USER, NULL, 0);
	maya = world_add_device(s->spec, p, "desk", KEY_MAYA,
				(const char *const[]){"10.77.0.10", NULL});
	put(s->registry, p, 0);
	ck_assert_int_ne(say(s, alice, ALICE4, 1000, "10.77.0.10", 53), VERDICT_FORWARD);
	ck_assert_int_ne(say(s, dc1a, "10.77.0.10", 53, ALICE4, 1000), VERDICT_FORWARD);
	maya->address_count = 0;
	put(s->registry, p, 0);
	ck_assert_int_eq(say(s, alice, ALICE4, 1000, "10.77.0.10", 53), VERDICT_FORWARD);
	scene_clear(s);
	free(s);
}
END_TEST

/* The same the other way: a connector's flow to a device, from an address that is another's now. */
START_TEST(a_source_changes_hands)
{
	struct scene *s = calloc(1, sizeof *s);
	struct spec_principal *p;
	struct packet packet;
	uint32_t dc1a, alice;

	scene_init(s);
	dc1a = world_device(KEY_DC1A);
	alice = world_device(KEY_ALICE);
	packet_tcp(&packet, "10.77.0.10", 1000, ALICE4, 22, TCP_SYN, 0);
	forward_judge(&s->f, NS_PER_SEC, dc1a, packet.data, packet.len, false, &s->v);
	ck_assert_int_eq(s->v.kind, VERDICT_FORWARD);
	p = policy_spec_add_principal(s->spec, "maya", PRINCIPAL_USER, NULL, 0);
	world_add_device(s->spec, p, "desk", KEY_MAYA, (const char *const[]){"10.77.0.10", NULL});
	put(s->registry, p, 0);
	packet_tcp(&packet, ALICE4, 22, "10.77.0.10", 1000, TCP_ACK, 0);
	forward_judge(&s->f, NS_PER_SEC, alice, packet.data, packet.len, false, &s->v);
	ck_assert_int_eq(s->v.kind, VERDICT_DROP);
	ck_assert_int_eq(s->v.reason, REASON_SOURCE_NOT_OWNED);
	scene_clear(s);
	free(s);
}
END_TEST

#define MANY 65536

/* What one change takes of memory, and the CPU time of the median one. */
struct cost {
	size_t bytes;
	uint64_t ns;
};

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static struct cost cost_of_change(struct registry *r, struct spec_principal *p)
{
	struct cost cost = {0};
	uint64_t ns[101];

	for (size_t i = 0; i < 101; i++) {
		size_t before = mallinfo2().uordblks;
		struct registry_entry *e;
		uint64_t start = cpu_ns();

		p->devices[0].wireguard = !p->devices[0].wireguard;
		ck_assert_int_eq(registry_prepare(r, p, 0, &e), 0);
		cost.bytes = mallinfo2().uordblks - before;
		registry_commit(r, e);
		ns[i] = cpu_ns() - start;
	}
	qsort(ns, 101, sizeof *ns, by_value);
	cost.ns = ns[50];
	return cost;
}

START_TEST(many_cost_no_more_than_one)
{
	struct policy_spec *spec = policy_spec_new();
	struct registry *r = registry_new(NULL);
	struct cost one, many;

	add_clients(spec, MANY);
	put(r, &spec->principals[0], 0);
	one = cost_of_change(r, &spec->principals[0]);
	put_all(r, spec);
	ck_assert_uint_eq(registry_count(r), MANY);
	many = cost_of_change(r, &spec->principals[MANY / 2]);
	/* allocators round, names differ in length */
	ck_assert_uint_le(many.bytes, one.bytes + 256);
	ck_assert_msg(many.ns < 100 * one.ns + 100000, "%llu ns instead of %llu",
		      (unsigned long long)many.ns, (unsigned long long)one.ns);
	policy_spec_free(spec);
	registry_free(r);
}
END_TEST

#define READERS 3

/* Who reads while devices change. */
struct shared {
	struct epoch *epoch;
	struct registry *registry;
	atomic_bool stop;
};

struct reader_thread {
	pthread_t thread;
	struct shared *shared;
	unsigned number, found, wrong;
};

/* Device i is called by its address, in each of its versions. */
static void read_once(struct reader_thread *w, uint32_t i)
{
	const struct registry *r = w->shared->registry;
	const struct registry_device *d;
	struct ip_addr a;
	char text[24];

	a = world_address(client_address(i, text));
	epoch_enter(w->shared->epoch, w->number);
	d = registry_by_address(r, 0, &a);
	if (d) {
		w->found++;
		w->wrong += !registry_holds(d, &a) || d->spec->address_count == 0 ||
			    !ip_addr_equal(&d->spec->addresses[0], &a) || d->id[0] != 'c';
		d = registry_device(r, d->number);
		w->wrong += d && d->generation > registry_version(r) + 1;
	}
	epoch_leave(w->shared->epoch, w->number);
}

static void *read_all(void *arg)
{
	struct reader_thread *w = arg;
	struct prng prng = {w->number};

	while (!atomic_load_explicit(&w->shared->stop, memory_order_relaxed))
		read_once(w, (uint32_t)prng_below(&prng, 20));
	return NULL;
}

START_TEST(readers_while_it_changes)
{
	struct policy_spec *spec = policy_spec_new();
	struct reader_thread w[READERS];
	struct shared s = {.epoch = epoch_new(READERS)};
	struct prng prng = {1};

	add_clients(spec, 20);
	s.registry = registry_new(s.epoch);
	put_all(s.registry, spec);
	for (unsigned i = 0; i < READERS; i++) {
		w[i] = (struct reader_thread){.shared = &s, .number = i};
		ck_assert_int_eq(pthread_create(&w[i].thread, NULL, read_all, &w[i]), 0);
	}
	for (unsigned i = 0; i < 20000; i++) {
		struct spec_principal *p = &spec->principals[prng_below(&prng, 20)];
		const struct registry_device *d =
			registry_by_key(s.registry, p->devices[0].public_key);

		p->devices[0].wireguard = !p->devices[0].wireguard;
		if (d && i % 3 == 0)
			registry_remove(s.registry, d->number);
		else
			put(s.registry, p, 0);
		epoch_collect(s.epoch);
	}
	atomic_store(&s.stop, true);
	for (unsigned i = 0; i < READERS; i++) {
		ck_assert_int_eq(pthread_join(w[i].thread, NULL), 0);
		ck_assert_uint_eq(w[i].wrong, 0);
		ck_assert_uint_gt(w[i].found, 0);
	}
	registry_free(s.registry);
	epoch_free(s.epoch);
	policy_spec_free(spec);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("registry");
	TCase *tc = tcase_create("registry");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, numbers_and_generations);
	tcase_add_test(tc, numbers_come_back);
	tcase_add_test(tc, groups_are_bits);
	tcase_add_test(tc, same_to_old_rules);
	tcase_add_loop_test(tc, agrees_with_the_oracle, 0, 4);
	tcase_add_test(tc, only_its_flows);
	tcase_add_test(tc, an_address_changes_hands);
	tcase_add_test(tc, a_source_changes_hands);
	tcase_add_test(tc, many_cost_no_more_than_one);
	tcase_add_test(tc, readers_while_it_changes);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
