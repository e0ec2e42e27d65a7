/* SPDX-License-Identifier: ISC */
/* A network on paper. */
#include "network.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/crypto/x25519.h>

#include "by_lane.h"
#include "session/snapshot.h"

static struct sim_node *node_at(struct sim *sim, const struct endpoint *udp)
{
	for (unsigned i = 0; i < SIM_NODES; i++) {
		if (endpoint_equal(&sim->nodes[i].udp, udp))
			return &sim->nodes[i];
	}
	return NULL;
}

static void swap(struct sim *sim, size_t a, size_t b)
{
	struct sim_flight *t = sim->flights[a];

	sim->flights[a] = sim->flights[b];
	sim->flights[b] = t;
}

static bool is_before(const struct sim_flight *a, const struct sim_flight *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->number < b->number;
}

static void push(struct sim *sim, struct sim_flight *flight)
{
	size_t i = sim->flight_count++;

	if (sim->flight_count > sim->flight_cap) {
		sim->flight_cap = sim->flight_cap ? 2 * sim->flight_cap : 64;
		sim->flights = realloc(sim->flights, sim->flight_cap * sizeof(struct sim_flight *));
		ck_assert_ptr_nonnull(sim->flights);
	}
	sim->flights[i] = flight;
	for (; i > 0 && is_before(flight, sim->flights[(i - 1) / 2]); i = (i - 1) / 2)
		swap(sim, i, (i - 1) / 2);
}

static struct sim_flight *pop(struct sim *sim)
{
	struct sim_flight *first = sim->flights[0];
	size_t i = 0, child;

	sim->flights[0] = sim->flights[--sim->flight_count];
	while ((child = 2 * i + 1) < sim->flight_count) {
		if (child + 1 < sim->flight_count &&
		    is_before(sim->flights[child + 1], sim->flights[child]))
			child++;
		if (is_before(sim->flights[i], sim->flights[child]))
			break;
		swap(sim, i, child);
		i = child;
	}
	return first;
}

static void fly(struct sim *sim, unsigned to, const struct path *from, uint64_t delay_ns,
		const uint8_t *msg, size_t len)
{
	struct sim_flight *flight = malloc(sizeof *flight);

	ck_assert_ptr_nonnull(flight);
	ck_assert_uint_le(len, sizeof flight->bytes);
	flight->at_ns = sim->now_ns + delay_ns;
	flight->number = sim->flights_ever++;
	flight->to = to;
	flight->from = *from;
	flight->len = len;
	memcpy(flight->bytes, msg, len);
	push(sim, flight);
}

static unsigned udp_copies(struct sim *sim)
{
	if (sim->udp_blocked || prng_below(&sim->prng, 100) < sim->loss_percent)
		return 0;
	return prng_below(&sim->prng, 100) < sim->duplicate_percent ? 2 : 1;
}

static unsigned send_udp(struct sim_node *from, const struct path *path, const uint8_t *msg,
			 size_t len)
{
	struct sim *sim = from->sim;
	struct sim_node *to = node_at(sim, &path->remote);
	struct path seen = {.transport = TRANSPORT_UDP, .socket = 1, .remote = from->udp};
	unsigned copies = to ? udp_copies(sim) : 0;

	for (unsigned i = 0; i < copies; i++)
		fly(sim, to->id, &seen, sim->delay_ns + prng_below(&sim->prng, sim->jitter_ns + 1),
		    msg, len);
	return copies;
}

/* Handles are 2n + 10 for one end of connection n and 2n + 11 for the other. */
static unsigned send_tcp(struct sim_node *from, const struct path *path, const uint8_t *msg,
			 size_t len)
{
	uint32_t n = (path->socket - 10) / 2, end = (path->socket - 10) % 2;
	struct path seen = {.transport = TRANSPORT_TCP, .socket = path->socket ^ 1};

	ck_assert_uint_lt(n, from->sim->tcp_count);
	seen.remote = from->udp;
	fly(from->sim, from->sim->tcp[n][!end], &seen, from->sim->delay_ns, msg, len);
	return 1;
}

static void on_send(void *ctx, const struct path *path, const uint8_t *msg, size_t len)
{
	struct sim_node *from = ctx;
	struct sim_hooks *hooks = &from->sim->hooks;
	uint64_t tag = from->next_tag;
	uint8_t copy[2048];
	unsigned copies = 0;

	ck_assert_uint_le(len, sizeof copy);
	memcpy(copy, msg, len);
	from->sent++;
	if (!hooks->message || hooks->message(hooks->ctx, from, copy, len))
		copies = path->transport == TRANSPORT_UDP ? send_udp(from, path, copy, len)
							  : send_tcp(from, path, copy, len);
	/* A rekey that the packet sets off is sent behind it. */
	from->next_tag = SIM_NO_TAG;
	if (tag != SIM_NO_TAG && hooks->fate)
		hooks->fate(hooks->ctx, from, tag, copies);
}

static void on_event(void *ctx, struct peer *peer, enum peer_event event)
{
	struct sim_node *node = ctx;
	struct sim_hooks *hooks = &node->sim->hooks;

	node->events[event]++;
	node->event_ns[event] = node->sim->now_ns;
	if (hooks->event)
		hooks->event(hooks->ctx, node, peer, event);
}

static void on_control(void *ctx, struct peer *peer, const uint8_t *msg, size_t len)
{
	struct sim_node *node = ctx;
	struct sim_hooks *hooks = &node->sim->hooks;

	if (hooks->control)
		hooks->control(hooks->ctx, node, peer, msg, len);
}

static uint64_t on_wall(void *ctx)
{
	const struct sim_node *node = ctx;

	return node->sim->now_ns - SIM_START_NS + SIM_WALL_NS + (uint64_t)node->wall_skew_ns;
}

static void on_store(void *ctx, const uint8_t stamp[TAI64N_SIZE])
{
	struct sim_node *node = ctx;

	memcpy(node->last_tai64n, stamp, TAI64N_SIZE);
}

void sim_init(struct sim *sim, uint64_t seed)
{
	memset(sim, 0, sizeof *sim);
	sim->now_ns = SIM_START_NS;
	sim->prng.state = seed;
	sim->delay_ns = NS_PER_MS;
	for (unsigned i = 0; i < SIM_NODES; i++) {
		struct sim_node *node = &sim->nodes[i];

		node->sim = sim;
		node->id = i;
		node->next_tag = SIM_NO_TAG;
		node->prng.state = seed * SIM_NODES + i;
		node->udp = (struct endpoint){
			.addr = {.family = 4, .bytes = {192, 0, 2, (uint8_t)(i + 1)}},
			.port = 51820};
		prng_fill(&node->prng, node->private_key, KEY_SIZE);
		x25519_clamp(node->private_key);
		x25519_public(node->private_key, node->public_key);
	}
}

void sim_free(struct sim *sim)
{
	while (sim->flight_count > 0)
		free(pop(sim));
	free(sim->flights);
	for (unsigned i = 0; i < SIM_NODES; i++)
		node_free(sim->nodes[i].node);
}

static struct node_config config_of(struct sim_node *node, uint32_t queue_slots)
{
	return (struct node_config){
		.ops = {node, on_send, on_event, on_control, on_wall, on_store},
		.rng = prng_rng(&node->prng),
		.handshake_queue = queue_slots,
		.mtu = 1420,
		.lanes = SIM_LANES,
		.whole_tso = 1u << TRANSPORT_TCP,
		.prefer_aes = true,
	};
}

void sim_start(struct sim *sim, unsigned id, uint32_t queue_slots, bool keep_clock)
{
	struct sim_node *node = &sim->nodes[id];
	struct node_config config = config_of(node, queue_slots);

	node_free(node->node);
	node->node = NULL;
	memcpy(config.private_key, node->private_key, KEY_SIZE);
	if (keep_clock)
		memcpy(config.last_tai64n, node->last_tai64n, TAI64N_SIZE);
	ck_assert_int_eq(node_new(&config, sim->now_ns, &node->node), 0);
}

size_t sim_snapshot(struct sim *sim, unsigned id, uint8_t *out, size_t cap)
{
	struct node *node = sim->nodes[id].node;
	struct writer w = writer_init(out, cap);

	drain_all(node, sim->now_ns);
	ck_assert_int_eq(snapshot_write(node, &w), 0);
	ck_assert(!w.failed);
	return w.len;
}

int sim_restore(struct sim *sim, unsigned id, const uint8_t *bytes, size_t len)
{
	struct sim_node *node = &sim->nodes[id];
	struct node_config config = config_of(node, 64);
	struct reader r = reader_init(bytes, len);

	node_free(node->node);
	node->node = NULL;
	return snapshot_read(&config, sim->now_ns, &r, &node->node);
}

struct peer *sim_add_peer(struct sim *sim, unsigned node, unsigned other, struct peer_config config)
{
	struct peer *peer;

	memcpy(config.public_key, sim->nodes[other].public_key, KEY_SIZE);
	ck_assert_int_eq(peer_add(sim->nodes[node].node, sim->now_ns, &config, &peer), 0);
	return peer;
}

struct path sim_udp_path(struct sim *sim, unsigned node, unsigned other)
{
	(void)node;
	return (struct path){
		.transport = TRANSPORT_UDP, .socket = 1, .remote = sim->nodes[other].udp};
}

struct path sim_tcp_path(struct sim *sim, unsigned node, unsigned other)
{
	uint32_t n = sim->tcp_count++;

	ck_assert_uint_lt(n, sizeof sim->tcp / sizeof sim->tcp[0]);
	sim->tcp[n][0] = node;
	sim->tcp[n][1] = other;
	return (struct path){
		.transport = TRANSPORT_TCP, .socket = 10 + 2 * n, .remote = sim->nodes[other].udp};
}

/* The lanes take turns. */
static struct lane *next_lane(struct sim_node *node)
{
	return node_lane(node->node, (unsigned)(node->sent + node->received) % SIM_LANES);
}

static int send_packet(struct sim_node *node, struct peer *peer, const uint8_t *packet, size_t len)
{
	uint8_t msg[BY_LANE_PACKET_MAX + PADDING + DATA_OVERHEAD];
	struct path to;
	ssize_t n = seal_by_lane(next_lane(node), node->sim->now_ns, peer, packet, len, &to, msg);

	if (n > 0)
		on_send(node, &to, msg, (size_t)n);
	drain_all(node->node, node->sim->now_ns);
	return n > 0 ? 0 : (int)n;
}

enum received_kind sim_receive(struct sim *sim, unsigned id, const struct path *from, uint8_t *msg,
			       size_t len, struct received *out)
{
	struct sim_node *node = &sim->nodes[id];

	node->received++;
	return receive_by_lane(node->node, next_lane(node), sim->now_ns, from, msg, len, out);
}

int sim_send(struct sim *sim, unsigned node, struct peer *peer, uint64_t tag, const uint8_t *packet,
	     size_t len)
{
	int result;

	sim->nodes[node].next_tag = tag;
	result = send_packet(&sim->nodes[node], peer, packet, len);
	sim->nodes[node].next_tag = SIM_NO_TAG;
	return result;
}

enum session_reason sim_inject(struct sim *sim, unsigned id, const struct path *from,
			       const uint8_t *msg, size_t len)
{
	struct sim_node *node = &sim->nodes[id];
	struct received r;
	uint8_t copy[2048];

	memcpy(copy, msg, len);
	if (sim_receive(sim, id, from, copy, len, &r) == RECEIVED_PACKET && sim->hooks.packet)
		sim->hooks.packet(sim->hooks.ctx, node, r.packet, r.len);
	while (node_work(node->node, sim->now_ns, 1) > 0)
		;
	return r.reason;
}

static uint64_t next_time(const struct sim *sim)
{
	uint64_t at = sim->flight_count > 0 ? sim->flights[0]->at_ns : TIME_NEVER;

	for (unsigned i = 0; i < SIM_NODES; i++) {
		if (sim->nodes[i].node && node_next_deadline(sim->nodes[i].node) < at)
			at = node_next_deadline(sim->nodes[i].node);
	}
	return at;
}

static void step(struct sim *sim)
{
	while (sim->flight_count > 0 && sim->flights[0]->at_ns <= sim->now_ns) {
		struct sim_flight *flight = pop(sim);

		if (sim->nodes[flight->to].node)
			sim_inject(sim, flight->to, &flight->from, flight->bytes, flight->len);
		free(flight);
	}
	for (unsigned i = 0; i < SIM_NODES; i++) {
		if (sim->nodes[i].node)
			node_tick(sim->nodes[i].node, sim->now_ns);
	}
}

void sim_run(struct sim *sim, uint64_t for_ns)
{
	uint64_t end_ns = sim->now_ns + for_ns, at;

	while ((at = next_time(sim)) <= end_ns) {
		if (at > sim->now_ns)
			sim->now_ns = at;
		step(sim);
	}
	sim->now_ns = end_ns;
}
