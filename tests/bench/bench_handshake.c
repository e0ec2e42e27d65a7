/* SPDX-License-Identifier: ISC */
/*
 * How many handshakes a node answers in a second on one core, and how much of that is X25519: one
 * of its key pairs is made and three secrets are shared for each (es, ee, se; ss it keeps). The
 * initiators are in the same process and are not counted. Every handshake is whole: an initiation,
 * the response, and the keepalive that confirms the keys. No rate limit is met, for there is time
 * between the rounds and the queue is longer than a round.
 *
 *     initiator 0..ROUND-1 ----> node <---- OTHERS peers that are silent
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tund/base/time.h>
#include <tund/crypto/aead.h>
#include <tund/crypto/x25519.h>

#include "../sim/by_lane.h"
#include "bench.h"

#define ROUND 64    /* handshakes at a time */
#define ROUNDS 41   /* odd: the median is one of them */
#define OTHERS 1000
#define PER_TURN 2 /* handshakes in a call, as the engine does it */
#define RESPONDER ROUND /* its number among the stations */

/* A node, and the last message that it sent. */
struct station {
	struct node *node;
	struct peer *peer; /* an initiator's */
	uint64_t *now_ns;
	uint8_t public_key[KEY_SIZE];
	struct station *stations; /* all of them: a path's socket is the number of an initiator */
	uint8_t out[256];
	size_t len; /* bytes of it; 0: none */
};

struct scene {
	uint64_t now_ns;
	struct rng rng;
	struct station stations[ROUND + 1];
	unsigned failures;
};

/* What the responder sends is put down at the initiator for whom it is. */
static void on_send(void *ctx, const struct path *path, const uint8_t *msg, size_t len)
{
	struct station *own = ctx, *place = path->socket ? &own->stations[path->socket - 1] : own;

	if (len > sizeof place->out)
		return;
	memcpy(place->out, msg, len);
	place->len = len;
}

static void on_event(void *ctx, struct peer *peer, enum peer_event event)
{
	(void)ctx;
	(void)peer;
	(void)event;
}

static void on_control(void *ctx, struct peer *peer, const uint8_t *msg, size_t len)
{
	(void)ctx;
	(void)peer;
	(void)msg;
	(void)len;
}

static uint64_t on_wall(void *ctx)
{
	return *((struct station *)ctx)->now_ns + UINT64_C(1790000000) * NS_PER_SEC;
}

static void on_store(void *ctx, const uint8_t stamp[TAI64N_SIZE])
{
	(void)ctx;
	(void)stamp;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_handshake: %s\n", what);
	exit(EXIT_FAILURE);
}

static void start(struct scene *s, unsigned i)
{
	struct station *own = &s->stations[i];
	struct node_config config = {
		.ops = {.ctx = own,
			.send = on_send,
			.event = on_event,
			.control = on_control,
			.wall_ns = on_wall,
			.store_tai64n = on_store},
		.rng = s->rng,
		.handshake_queue = ROUND * 16,
		.mtu = 1420,
		.lanes = 1,
		.prefer_aes = aead_in_hardware(AEAD_AES256GCM),
	};

	own->now_ns = &s->now_ns;
	own->stations = s->stations;
	x25519_generate(&s->rng, config.private_key);
	if (node_new(&config, s->now_ns, &own->node) < 0)
		die("no node");
	node_public_key(own->node, own->public_key);
}

static void introduce(struct scene *s, unsigned initiator, bool wireguard)
{
	struct station *a = &s->stations[initiator], *b = &s->stations[RESPONDER];
	struct peer_config config = {.wireguard = wireguard, .pinned_suite = wireguard ? 0 : -1};
	struct path path = {0};
	struct peer *known;

	path.remote.addr.family = 4;
	memcpy(config.public_key, b->public_key, KEY_SIZE);
	if (peer_add(a->node, s->now_ns, &config, &a->peer) < 0)
		die("no peer");
	peer_path_use(a->peer, s->now_ns, &path);
	memcpy(config.public_key, a->public_key, KEY_SIZE);
	if (peer_add(b->node, s->now_ns, &config, &known) < 0)
		die("no peer");
}

static void scene_make(struct scene *s, bool wireguard)
{
	struct peer_config other = {.pinned_suite = -1};
	struct peer *peer;

	s->now_ns = 1000 * NS_PER_SEC;
	s->rng = rng_system();
	for (unsigned i = 0; i <= ROUND; i++)
		start(s, i);
	for (unsigned i = 0; i < ROUND; i++)
		introduce(s, i, wireguard);
	for (unsigned i = 0; i < OTHERS; i++) {
		uint8_t secret[KEY_SIZE];

		x25519_generate(&s->rng, secret);
		x25519_public(secret, other.public_key);
		if (peer_add(s->stations[RESPONDER].node, s->now_ns, &other, &peer) < 0)
			die("no peer");
	}
}

static void scene_free(struct scene *s)
{
	for (unsigned i = 0; i <= ROUND; i++)
		node_free(s->stations[i].node);
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The node takes what each initiator has sent. Returns what that took it, nanoseconds. */
static double respond(struct scene *s)
{
	struct node *node = s->stations[RESPONDER].node;
	struct received received;
	double start_ns = cpu_ns();

	for (unsigned i = 0; i < ROUND; i++) {
		struct station *from = &s->stations[i];
		struct path path = {.socket = i + 1};
		size_t len = from->len;

		path.remote.addr = (struct ip_addr){.family = 4, .bytes = {192, 0, 2, (uint8_t)i}};
		from->len = 0;
		if (len > 0)
			receive_by_lane(node, node_lane(node, 0), s->now_ns, &path, from->out, len,
					&received);
	}
	while (node_work(node, s->now_ns, PER_TURN) > 0)
		;
	node_tick(node, s->now_ns);
	return cpu_ns() - start_ns;
}

static void initiate(struct scene *s)
{
	for (unsigned i = 0; i < ROUND; i++) {
		s->stations[i].len = 0;
		peer_handshake(s->stations[i].peer, s->now_ns);
	}
}

/* Each initiator takes the response and, so, sends what confirms the keys. */
static void confirm(struct scene *s)
{
	struct path path = {0};
	struct received received;

	path.remote.addr.family = 4;
	for (unsigned i = 0; i < ROUND; i++) {
		struct station *own = &s->stations[i];
		uint8_t response[sizeof own->out];
		size_t len = own->len;

		s->failures += len == 0;
		memcpy(response, own->out, len);
		own->len = 0;
		if (len > 0)
			receive_by_lane(own->node, node_lane(own->node, 0), s->now_ns, &path,
					response, len, &received);
		node_work(own->node, s->now_ns, 1);
		s->failures += own->len == 0;
	}
}

static double round_ns(struct scene *s)
{
	double ns;

	s->now_ns += 10 * NS_PER_SEC;
	initiate(s);
	ns = respond(s);
	confirm(s);
	return (ns + respond(s)) / ROUND;
}

static double x25519_ns(struct scene *s)
{
	uint8_t secret[KEY_SIZE], public_key[KEY_SIZE], shared[KEY_SIZE];
	double start_ns;

	x25519_generate(&s->rng, secret);
	start_ns = cpu_ns();
	for (unsigned i = 0; i < ROUND; i++) {
		x25519_public(secret, public_key);
		for (int dh = 0; dh < 3; dh++)
			s->failures += x25519_dh(secret, public_key, shared) != 0;
	}
	return (cpu_ns() - start_ns) / ROUND;
}

static int compare(const void *va, const void *vb)
{
	double a = *(const double *)va, b = *(const double *)vb;

	return (a > b) - (a < b);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof *values, compare);
	return values[ROUNDS / 2];
}

/* Both are measured in turn, so that a change of the machine's speed meets both. */
static void measure(const struct bench *b, const char *name, bool wireguard)
{
	static struct scene s;
	double whole[ROUNDS], x25519[ROUNDS], share[ROUNDS];
	char line[64];

	if (!bench_wanted(b, name))
		return;
	s = (struct scene){0};
	scene_make(&s, wireguard);
	round_ns(&s);
	for (int i = 0; i < ROUNDS; i++) {
		whole[i] = round_ns(&s);
		x25519[i] = x25519_ns(&s);
		share[i] = x25519[i] / whole[i];
	}
	bench_print(name, median(whole), "ns");
	snprintf(line, sizeof line, "%s_x25519_alone", name);
	bench_print(line, median(x25519), "ns");
	snprintf(line, sizeof line, "%s_rate", name);
	bench_print(line, 1e9 / median(whole), "/s");
	snprintf(line, sizeof line, "%s_x25519_share", name);
	bench_print(line, 100 * median(share), "%");
	if (s.failures > 0)
		die("not every handshake was answered and confirmed");
	scene_free(&s);
}

int main(int argc, char **argv)
{
	struct bench b;

	bench_init(&b, argc, argv);
	if (crypto_init() != 0)
		die("no cryptography");
	measure(&b, "handshake_tund", false);
	measure(&b, "handshake_wireguard", true);
	return EXIT_SUCCESS;
}
