/* SPDX-License-Identifier: ISC */
/* Two nodes that know each other, for the fuzz targets of the session protocol. */
#include "nodes.h"

#include <stdlib.h>
#include <string.h>

#include <tund/crypto/x25519.h>

#include "../sim/by_lane.h"

void expect(bool holds)
{
	if (!holds)
		abort();
}

static void on_send(void *ctx, const struct path *path, const uint8_t *msg, size_t len)
{
	struct side *side = ctx;
	struct message *m = &side->sent[side->sent_count++ % SENT_MAX];

	(void)path;
	expect(len <= sizeof m->bytes);
	m->len = len;
	memcpy(m->bytes, msg, len);
}

static void on_event(void *ctx, struct peer *peer, enum peer_event event)
{
	struct side *side = ctx;

	(void)peer;
	(void)event;
	side->events++;
}

/* What came is consumed at once. */
static void on_control(void *ctx, struct peer *peer, const uint8_t *msg, size_t len)
{
	struct side *side = ctx;

	(void)peer;
	(void)msg;
	expect(len >= 1 && len <= 65000);
	side->events++;
}

static uint64_t on_wall(void *ctx)
{
	const struct side *side = ctx;

	return *side->now_ns - START_NS + START_WALL_NS;
}

static void on_store(void *ctx, const uint8_t stamp[TAI64N_SIZE])
{
	(void)ctx;
	(void)stamp;
}

void side_make_keys(struct side *side, uint8_t seed)
{
	memset(side->private_key, seed, KEY_SIZE);
	x25519_clamp(side->private_key);
	x25519_public(side->private_key, side->public_key);
}

void side_start(struct world *world, struct side *side, uint8_t number, uint32_t queue_slots)
{
	struct node_config config = {
		.ops = {.ctx = side,
			.send = on_send,
			.event = on_event,
			.control = on_control,
			.wall_ns = on_wall,
			.store_tai64n = on_store},
		.handshake_queue = queue_slots,
		.lanes = 1,
	};

	side->prng.state = number;
	side->now_ns = &world->now_ns;
	side->path = (struct path){
		.remote = {.addr = {.family = 4, .bytes = {192, 0, 2, number}}, .port = 51820},
	};
	side_make_keys(side, number);
	config.rng = prng_rng(&side->prng);
	memcpy(config.private_key, side->private_key, KEY_SIZE);
	expect(node_new(&config, world->now_ns, &side->node) == 0);
}

void side_add_peer(struct side *side, const uint8_t other[KEY_SIZE], struct peer_config config)
{
	memcpy(config.public_key, other, KEY_SIZE);
	expect(peer_add(side->node, *side->now_ns, &config, &side->peer) == 0);
}

enum received_kind side_receive(struct side *side, const struct path *from, const uint8_t *bytes,
				size_t len, struct received *out, uint8_t packet[2048])
{
	uint8_t *exact = malloc(len ? len : 1);
	enum received_kind kind;

	expect(exact != NULL && len <= 2048);
	if (len)
		memcpy(exact, bytes, len);
	kind = receive_by_lane(side->node, node_lane(side->node, 0), *side->now_ns, from, exact, len,
			       out);
	if (kind == RECEIVED_PACKET) {
		expect(out->reason == SESSION_OK && out->peer == side->peer);
		expect(out->packet >= exact && out->packet + out->len <= exact + len);
		memcpy(packet, out->packet, out->len);
	}
	out->packet = NULL; /* the memory goes */
	free(exact);
	expect(node_work(side->node, *side->now_ns, 64) == 0);
	return kind;
}

int side_send(struct side *side, const uint8_t *packet, size_t len)
{
	uint8_t msg[BY_LANE_PACKET_MAX + PADDING + DATA_OVERHEAD];
	struct path to;
	ssize_t n;

	expect(len <= 2048 - PADDING - DATA_OVERHEAD);
	n = seal_by_lane(node_lane(side->node, 0), *side->now_ns, side->peer, packet, len, &to, msg);
	if (n > 0)
		on_send(side, &to, msg, (size_t)n);
	drain_all(side->node, *side->now_ns);
	return n > 0 ? 0 : (int)n;
}

void world_free(struct world *world)
{
	node_free(world->sides[0].node);
	node_free(world->sides[1].node);
}
