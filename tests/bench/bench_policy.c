/* SPDX-License-Identifier: ISC */
/*
 * What a verdict costs: forward_judge() on the packets of one flow, of many, and of flows that are
 * new, with a small policy and with 10,000 devices and routes. Names say which: "1x1" is one client
 * and one route, "10000x10000" what issue trackers call large; each route has RULES rules, of which
 * the last one matches.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/policy/forward.h>
#include <tund/policy/registry_plan.h>
#include <tund/wire/checksum.h>

#include "bench.h"

#define RULES 10
#define CLIENTS_PER_CONNECTOR 100
#define FLOW_CAPACITY 262144
#define MANY 100000 /* flows */
#define PACKET_BYTES 1420
#define BATCH 64  /* packets that are in memory at once */
#define HOPS 200  /* a batch is judged so often before its TTLs are put back */

/* A judge with a policy of `size` clients and as many routes. */
struct scene {
	size_t size;
	struct registry *registry;
	struct forward forward;
	struct verdict verdict; /* large: not on the stack, where it would be zeroed each time */
	uint64_t now_ns;
	uint8_t *fresh;          /* BATCH packets as they were sent */
	uint8_t *packets;        /* and as forward_judge() left them */
	uint32_t *devices;       /* of each packet: who sends it */
	size_t flows, next;      /* flows to go round, and the one whose turn it is */
	size_t run;              /* packets of a flow in a row */
	uint64_t fault;          /* verdicts that were not FORWARD: none */
};

static void *need(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		exit(71);
	}
	return p;
}

static struct ip_addr client_address(bool v6, size_t i)
{
	struct ip_addr a = {.family = v6 ? 6 : 4};

	if (v6)
		put_be64(a.bytes, UINT64_C(0xfd74756e00640000));
	put_be32(a.bytes + (v6 ? 12 : 0), (uint32_t)(0x64500000 + i + 16));
	return a;
}

/* Route i is a /28, or a /108. */
static struct ip_addr origin_address(bool v6, size_t i)
{
	struct ip_addr a = {.family = v6 ? 6 : 4};

	if (v6)
		put_be64(a.bytes, UINT64_C(0xfd77000000000000));
	put_be32(a.bytes + (v6 ? 8 : 0), (uint32_t)(0x0a4d0000 + i * 16 + 5));
	return a;
}

static void add_device(struct policy_spec *spec, struct spec_principal *p, size_t number,
		       size_t client)
{
	struct spec_device *d = need(policy_spec_add_device(spec, p, "a", NULL, 0));

	put_be64(d->public_key, number + 1);
	for (int v6 = 0; client != SIZE_MAX && v6 < 2; v6++) {
		struct ip_addr a = client_address(v6, client);

		if (policy_spec_add_address(spec, d, &a) < 0)
			need(NULL);
	}
}

static void add_principals(struct policy_spec *spec, size_t n)
{
	char id[32];

	for (size_t i = 0; i < n; i++) {
		struct spec_principal *p;

		snprintf(id, sizeof id, "user%zu@example.com", i);
		p = need(policy_spec_add_principal(spec, id, PRINCIPAL_USER, NULL, 0));
		if (policy_spec_add_group(spec, p, "staff") < 0)
			need(NULL);
		add_device(spec, p, i, i);
	}
	for (size_t i = 0; i <= n / CLIENTS_PER_CONNECTOR; i++) {
		snprintf(id, sizeof id, "dc%zu", i);
		add_device(spec,
			   need(policy_spec_add_principal(spec, id, PRINCIPAL_CONNECTOR, NULL, 0)),
			   n + i, SIZE_MAX);
	}
}

static void add_rules(struct policy_spec *spec, struct spec_route *r)
{
	char name[16];

	for (size_t i = 0; i < RULES; i++) {
		uint16_t port = (uint16_t)(i == RULES - 1 ? 443 : 1000 + i);
		struct spec_rule *rule;

		snprintf(name, sizeof name, "rule%zu", i);
		rule = need(policy_spec_add_rule(spec, r, name, NULL, 0));
		rule->proto = PROTO_TCP;
		if (policy_spec_add_from(spec, rule, "group:staff") < 0 ||
		    policy_spec_add_ports(spec, rule, port, port) < 0)
			need(NULL);
	}
}

static void add_routes(struct policy_spec *spec, size_t n)
{
	char id[32];

	for (size_t i = 0; i < 2 * n; i++) {
		bool v6 = i & 1;
		struct ip_addr a = origin_address(v6, i / 2);
		struct ip_prefix prefix = ip_prefix_of(&a, v6 ? 92 : 28);
		struct spec_route *r = need(policy_spec_add_route(spec, &prefix, NULL, 0));

		snprintf(id, sizeof id, "dc%zu", i / 2 / CLIENTS_PER_CONNECTOR);
		if (policy_spec_add_via(spec, r, id) < 0)
			need(NULL);
		add_rules(spec, r);
	}
}

static struct policy *make_policy(size_t n, struct registry *registry)
{
	struct policy_spec *spec = need(policy_spec_new());
	struct policy_error error = {.text = "out of memory"};
	struct registry_plan plan;
	struct policy *policy;

	add_principals(spec, n);
	add_routes(spec, n);
	if (policy_spec_validate(spec, POLICY_OF_EDGE, &error) < 0 ||
	    policy_new(spec, registry, NULL, &policy) < 0 ||
	    registry_plan(registry, spec, &plan) < 0) {
		fprintf(stderr, "policy: %s\n", error.text);
		exit(71);
	}
	registry_plan_commit(registry, &plan);
	return policy;
}

/* Every connector announces its routes. */
static struct next_hops *make_next_hops(const struct policy *policy, size_t clients,
					const struct registry *registry)
{
	struct next_hops *next_hops = need(next_hops_new(policy, NULL));

	for (uint32_t i = 0; i < policy_spec(policy)->route_count; i++) {
		size_t number = clients + i / 2 / CLIENTS_PER_CONNECTOR;

		if (next_hops_add(next_hops, i, registry_device(registry, (uint32_t)number)) < 0)
			need(NULL);
	}
	return next_hops;
}

static void scene_init(struct scene *s, size_t size)
{
	const struct siphash_key key = {1, 2};
	struct registry *registry = need(registry_new(NULL));
	struct policy *policy = make_policy(size, registry);

	*s = (struct scene){.size = size, .now_ns = 1000 * NS_PER_SEC, .run = 1, .registry = registry};
	s->forward = (struct forward){
		.policy = policy,
		.next_hops = make_next_hops(policy, size, registry),
		.registry = registry,
		.limiter = need(refusal_limiter_new(65536)),
		.flows = need(flow_table_new(FLOW_CAPACITY, &key)),
		.fragments = need(fragment_table_new()),
		.cache = need(flow_cache_new()),
		.router = true,
	};
	s->fresh = need(calloc(BATCH, PACKET_BYTES));
	s->packets = need(calloc(BATCH, PACKET_BYTES));
	s->devices = need(calloc(BATCH, sizeof *s->devices));
}

static void scene_clear(struct scene *s)
{
	policy_free((struct policy *)s->forward.policy);
	next_hops_free((struct next_hops *)s->forward.next_hops);
	registry_free(s->registry);
	refusal_limiter_free(s->forward.limiter);
	flow_table_free(s->forward.flows);
	fragment_table_free(s->forward.fragments);
	flow_cache_free(s->forward.cache);
	free(s->fresh);
	free(s->packets);
	free(s->devices);
}

/* A TCP segment between a client and an origin, as large as a tunnel's MTU lets it be. */
static void put_segment(uint8_t *d, const struct ip_addr *src, const struct ip_addr *dst,
			uint16_t src_port, uint16_t dst_port)
{
	bool v6 = src->family == 6;
	uint8_t *l4 = d + (v6 ? 40 : 20);

	memset(d, 0, 60);
	d[0] = v6 ? 0x60 : 0x45;
	put_be16(d + (v6 ? 4 : 2), v6 ? PACKET_BYTES - 40 : PACKET_BYTES);
	d[v6 ? 7 : 8] = 255;
	d[v6 ? 6 : 9] = PROTO_TCP;
	memcpy(d + (v6 ? 8 : 12), src->bytes, ip_addr_size(src));
	memcpy(d + (v6 ? 24 : 16), dst->bytes, ip_addr_size(dst));
	if (!v6)
		put_be16(d + 10, checksum_fold(checksum_add(0, d, 20)));
	put_be16(l4, src_port);
	put_be16(l4 + 2, dst_port);
	l4[12] = 5 << 4;
	l4[13] = TCP_ACK;
}

/* The packet of flow `i`: clients and routes take turns; ports, then addresses of the same route,
 * tell the rounds apart. */
static void put_flow_packet(struct scene *s, size_t k, size_t i, bool v6, bool reply)
{
	struct ip_addr client = client_address(v6, i % s->size);
	struct ip_addr origin = origin_address(v6, i * 7919 % s->size);
	uint16_t port = (uint16_t)(1024 + i / s->size % 60000);
	uint8_t *d = s->fresh + k * PACKET_BYTES;

	origin.bytes[v6 ? 15 : 3] = (uint8_t)(origin.bytes[v6 ? 15 : 3] + i / s->size / 60000 % 8);
	if (reply)
		put_segment(d, &origin, &client, 443, port);
	else
		put_segment(d, &client, &origin, port, 443);
	/* devices are numbered in the order of the spec */
	s->devices[k] = (uint32_t)(reply ? s->size + i * 7919 % s->size / CLIENTS_PER_CONNECTOR
					 : i % s->size);
}

static void refresh(struct scene *s)
{
	memcpy(s->packets, s->fresh, (size_t)BATCH * PACKET_BYTES);
}

static void judge(struct scene *s, size_t k)
{
	forward_judge(&s->forward, s->now_ns, s->devices[k], s->packets + k * PACKET_BYTES,
		      PACKET_BYTES, true, &s->verdict);
	s->fault += s->verdict.kind != VERDICT_FORWARD;
}

/* The packets of the batch, again and again. */
static void run_same(void *ctx, size_t n)
{
	struct scene *s = ctx;
	size_t rounds = 0;

	refresh(s);
	for (size_t i = 0; i < n; i++) {
		judge(s, i % BATCH);
		if (i % BATCH == BATCH - 1 && ++rounds % HOPS == 0) {
			refresh(s);
			s->now_ns += 1000;
		}
	}
}

/* A flow that is one further each time, or each `run` packets. Writing the packet counts, too. */
static void run_round(void *ctx, size_t n)
{
	struct scene *s = ctx;

	for (size_t i = 0; i < n; i++) {
		size_t k = i % BATCH;

		put_flow_packet(s, k, s->next, false, false);
		memcpy(s->packets + k * PACKET_BYTES, s->fresh + k * PACKET_BYTES, 64);
		judge(s, k);
		if (i % s->run == s->run - 1)
			s->next = (s->next + 1) % s->flows;
	}
}

/* What run_round() does besides judging. */
static void run_round_unjudged(void *ctx, size_t n)
{
	struct scene *s = ctx;

	for (size_t i = 0; i < n; i++) {
		size_t k = i % BATCH;

		put_flow_packet(s, k, s->next, false, false);
		memcpy(s->packets + k * PACKET_BYTES, s->fresh + k * PACKET_BYTES, 64);
		bench_keep(s->packets);
		if (i % s->run == s->run - 1)
			s->next = (s->next + 1) % s->flows;
	}
}

static void run_parse(void *ctx, size_t n)
{
	struct scene *s = ctx;
	struct inner_packet p;

	refresh(s);
	for (size_t i = 0; i < n; i++) {
		s->fault += inner_parse(s->packets + i % BATCH * PACKET_BYTES, PACKET_BYTES, &p) !=
			    INNER_OK;
		bench_keep(&p);
	}
}

static void check(const struct scene *s, const char *name)
{
	if (s->fault) {
		fprintf(stderr, "%s: %llu packets were not forwarded\n", name,
			(unsigned long long)s->fault);
		exit(70);
	}
}

static void same(const struct bench *b, struct scene *s, const char *what,
		 void (*run)(void *ctx, size_t n), bool v6, bool reply)
{
	const struct bench_op op = {.run = run, .ctx = s};
	char name[64];

	put_flow_packet(s, 0, 0, v6, false);
	refresh(s);
	judge(s, 0); /* so that a reply has a flow */
	for (size_t k = 0; k < BATCH; k++)
		put_flow_packet(s, k, 0, v6, reply);
	snprintf(name, sizeof name, "%s%s_%zux%zu", what, v6 ? "6" : "4", s->size, s->size);
	bench_run(b, name, &op);
	check(s, name);
}

/* Goes round `flows` flows, `run` packets each at a time. */
static void round_of(const struct bench *b, struct scene *s, const char *what, size_t flows,
		     size_t run)
{
	const struct bench_op op = {.run = run_round, .ctx = s};
	const struct bench_op rest = {.run = run_round_unjudged, .ctx = s};
	char name[64];

	snprintf(name, sizeof name, "%s_%zux%zu", what, s->size, s->size);
	if (!bench_wanted(b, name))
		return;
	s->flows = flows;
	s->run = run;
	s->next = 0;
	run_round(s, (flows < MANY ? flows : MANY) * run);
	bench_print(name, bench_ns(&op, NULL) - bench_ns(&rest, NULL), "ns");
	check(s, name);
}

static void measure(const struct bench *b, size_t size)
{
	struct scene s;

	scene_init(&s, size);
	same(b, &s, "parse_tcp", run_parse, false, false);
	same(b, &s, "parse_tcp", run_parse, true, false);
	same(b, &s, "policy_known_flow", run_same, false, false);
	same(b, &s, "policy_known_flow", run_same, true, false);
	same(b, &s, "policy_known_reply", run_same, false, true);
	same(b, &s, "policy_known_reply", run_same, true, true);
	round_of(b, &s, "policy_2_flows_in_turn", 2, 1);
	round_of(b, &s, "policy_1000_flows_in_turn", 1000, 1);
	round_of(b, &s, "policy_100000_flows_in_turn", MANY, 1);
	round_of(b, &s, "policy_100000_flows_in_runs_of_16", MANY, 16);
	/* far more than the table holds: each one is new, and pushes one out */
	round_of(b, &s, "policy_new_flow", 60000 * 8 * size, 1);
	scene_clear(&s);
}

int main(int argc, char **argv)
{
	struct bench b;

	bench_init(&b, argc, argv);
	measure(&b, 1);
	measure(&b, 10000);
	return 0;
}
