/* SPDX-License-Identifier: ISC */
/*
 * What a lane takes to seal and to open a message beyond the AEAD, which is replaced by one that
 * does nothing: counters, header, padding; gate, index, key age, replay window, path, timers,
 * statistics. By runs of 64 messages, and one by one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/crypto/x25519.h>

#include "../sim/by_lane.h"
#include "bench.h"
#include "session/node_state.h"

#define PACKET 1420 /* bytes */
#define RUN 64

struct end {
	struct node *node;
	struct peer *peer;
	struct end *other;
	struct path path; /* where the other sees it */
	uint8_t public_key[KEY_SIZE];
	struct rng rng;
};

static struct end ends[2];
static uint64_t now_ns = 1000 * NS_PER_SEC;
static uint8_t packet[PACKET + PADDING], message[PACKET + PADDING + DATA_OVERHEAD];
static uint64_t failures;

static void on_send(void *ctx, const struct path *path, const uint8_t *msg, size_t len)
{
	struct end *from = ctx;
	uint8_t copy[2048];
	struct node *to = from->other->node;
	struct received r;

	(void)path;
	memcpy(copy, msg, len);
	receive_by_lane(to, node_lane(to, 0), now_ns, &from->path, copy, len, &r);
}

static void on_event(void *ctx, struct peer *peer, enum peer_event event)
{
	(void)ctx;
	(void)peer;
	(void)event;
}

static uint64_t on_wall(void *ctx)
{
	(void)ctx;
	return now_ns;
}

static void on_store(void *ctx, const uint8_t stamp[TAI64N_SIZE])
{
	(void)ctx;
	(void)stamp;
}

static int start(struct end *end, struct end *other, uint8_t number)
{
	struct node_config config = {
		.ops = {.ctx = end,
			.send = on_send,
			.event = on_event,
			.wall_ns = on_wall,
			.store_tai64n = on_store},
		.rng = rng_system(),
		.handshake_queue = 16,
		.mtu = PACKET,
		.lanes = 1,
	};

	end->other = other;
	end->path = (struct path){
		.local = {.addr = {.family = 4, .bytes = {192, 0, 2, 3}}, .port = 51820},
		.remote = {.addr = {.family = 4, .bytes = {192, 0, 2, number}}, .port = 51820},
	};
	memset(config.private_key, number, KEY_SIZE);
	x25519_clamp(config.private_key);
	x25519_public(config.private_key, end->public_key);
	return node_new(&config, now_ns, &end->node);
}

static int join(struct end *end)
{
	struct peer_config config = {.pinned_suite = SUITE_AESGCM};

	memcpy(config.public_key, end->other->public_key, KEY_SIZE);
	return peer_add(end->node, now_ns, &config, &end->peer);
}

/* A session, after which the AEAD may do nothing. */
static bool establish(void)
{
	if (start(&ends[0], &ends[1], 1) < 0 || start(&ends[1], &ends[0], 2) < 0 ||
	    join(&ends[0]) < 0 || join(&ends[1]) < 0)
		return false;
	peer_path_use(ends[0].peer, now_ns, &ends[1].path);
	lane_stage(node_lane(ends[0].node, 0), now_ns, ends[0].peer, packet, PACKET);
	drain_all(ends[0].node, now_ns);
	for (int i = 0; i < 4; i++)
		node_work(ends[i % 2 == 0].node, now_ns, 16);
	return ends[0].peer->current && ends[1].peer->current;
}

static int do_nothing(const void *key, const uint8_t nonce[AEAD_NONCE_SIZE], const void *ad,
		      size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	(void)key;
	(void)nonce;
	(void)ad;
	(void)ad_len;
	(void)src;
	(void)len;
	bench_keep(dst);
	return 0;
}

static struct aead nothing;

static void disarm(struct aead_key *key)
{
	nothing = *key->aead;
	nothing.seal = nothing.open = do_nothing;
	key->aead = &nothing;
}

static void seal_run(uint32_t count)
{
	struct lane *lane = node_lane(ends[0].node, 0);
	struct sealing s;

	lane_enter(lane);
	if (lane_send_begin(lane, now_ns, ends[0].peer, count, &s) < 0) {
		failures++;
	} else {
		for (uint32_t i = 0; i < count; i++)
			failures += lane_seal(&s, 0, packet, PACKET - 9, message) < 0;
		lane_send_end(&s);
	}
	lane_leave(lane);
}

static void open_run(uint32_t count)
{
	static uint64_t counter = 1000;
	struct lane *lane = node_lane(ends[1].node, 0);
	struct received r;

	lane_enter(lane);
	for (uint32_t i = 0; i < count; i++) {
		put_le64(message + DATA_COUNTER, counter++);
		failures += lane_receive(lane, now_ns, &ends[0].path, message,
					 PACKET + DATA_OVERHEAD, &r) != RECEIVED_PACKET;
	}
	lane_leave(lane);
}

static void run(void *ctx, size_t n)
{
	void (*one_run)(uint32_t) = *(void (**)(uint32_t))ctx;

	for (; n >= RUN; n -= RUN)
		one_run(RUN);
	if (n > 0)
		one_run((uint32_t)n);
}

static void one_by_one(void *ctx, size_t n)
{
	void (*one_run)(uint32_t) = *(void (**)(uint32_t))ctx;

	while (n-- > 0)
		one_run(1);
}

int main(int argc, char **argv)
{
	void (*seal)(uint32_t) = seal_run, (*open)(uint32_t) = open_run;
	struct bench b;

	bench_init(&b, argc, argv);
	if (crypto_init() != 0 || !establish())
		return EXIT_FAILURE;
	seal_run(1); /* the message that is opened below */
	bench_run(&b, "lane_seal_whole", &(struct bench_op){run, &seal});
	disarm(&atomic_load(&ends[0].peer->current)->send);
	disarm(&atomic_load(&ends[1].peer->current)->receive);
	bench_run(&b, "lane_seal", &(struct bench_op){run, &seal});
	bench_run(&b, "lane_seal_single", &(struct bench_op){one_by_one, &seal});
	put_le32(message + DATA_RECEIVER, atomic_load(&ends[1].peer->current)->local_index);
	bench_run(&b, "lane_receive", &(struct bench_op){run, &open});
	bench_run(&b, "lane_receive_single", &(struct bench_op){one_by_one, &open});
	if (failures > 0)
		fprintf(stderr, "%llu messages failed\n", (unsigned long long)failures);
	node_free(ends[0].node);
	node_free(ends[1].node);
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
