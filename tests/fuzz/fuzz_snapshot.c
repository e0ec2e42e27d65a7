/* SPDX-License-Identifier: ISC */
/*
 * Snapshots of a node. Input: 4 bytes, the time in milliseconds; a snapshot. What is read is what
 * would have been written, byte for byte; the node that it makes then runs for a time longer than
 * any timer that has a limit, ends and leaks nothing.
 */
#include "nodes.h"

#include <stdlib.h>
#include <string.h>

#include "session/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define STEPS_MAX 200
#define LONGER_NS (600 * NS_PER_SEC)

static uint64_t now_ns;

static void on_send(void *ctx, const struct path *path, const uint8_t *msg, size_t len)
{
	(void)ctx;
	(void)path;
	expect(msg[0] >= MESSAGE_INITIATION && len >= DATA_MIN_SIZE);
}

static void on_event(void *ctx, struct peer *peer, enum peer_event event)
{
	(void)ctx;
	(void)event;
	expect(peer != NULL);
}

static void on_control(void *ctx, struct peer *peer, const uint8_t *msg, size_t len)
{
	(void)ctx;
	(void)peer;
	(void)msg;
	expect(len > 0);
}

static uint64_t on_wall(void *ctx)
{
	(void)ctx;
	return now_ns + START_WALL_NS;
}

static void on_store(void *ctx, const uint8_t stamp[TAI64N_SIZE])
{
	(void)ctx;
	(void)stamp;
}

static struct node *read_it(const uint8_t *data, size_t len)
{
	static struct prng prng;
	struct node_config config = {
		.ops = {.send = on_send,
			.event = on_event,
			.control = on_control,
			.wall_ns = on_wall,
			.store_tai64n = on_store},
		.handshake_queue = 8,
		.lanes = 1,
	};
	struct reader r = reader_init(data, len);
	struct node *node;

	prng.state = 1;
	config.rng = prng_rng(&prng);
	return snapshot_read(&config, now_ns, &r, &node) == 0 ? node : NULL;
}

static void write_it(struct node *node, const uint8_t *data, size_t len)
{
	size_t cap = snapshot_size(node);
	uint8_t *bytes = malloc(cap);
	struct writer w;

	expect(bytes != NULL && cap >= len);
	w = writer_init(bytes, cap);
	expect(snapshot_write(node, &w) == 0);
	expect(w.len == len && memcmp(bytes, data, len) == 0);
	free(bytes);
}

static void run(struct node *node)
{
	uint64_t end_ns = now_ns + LONGER_NS;

	for (unsigned i = 0; i < STEPS_MAX && node_next_deadline(node) <= end_ns; i++) {
		if (node_next_deadline(node) > now_ns)
			now_ns = node_next_deadline(node);
		node_tick(node, now_ns);
		expect(node_next_deadline(node) > now_ns);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reader r = reader_init(data, len);
	struct node *node;

	expect(crypto_init() == 0);
	now_ns = read_u32(&r) * NS_PER_MS;
	data += r.pos;
	len -= r.pos;
	node = read_it(data, len);
	if (!node)
		return 0;
	write_it(node, data, len);
	node_free(node);
	node = read_it(data, len);
	expect(node != NULL);
	run(node);
	node_free(node);
	return 0;
}
