/* SPDX-License-Identifier: ISC */
/*
 * Lanes in threads of their own, as data workers use them: the replay window and the active path
 * are exact whoever opens which message, and everything at once - traffic
 * both ways, rekeys, roaming, peers that come and go - loses and doubles nothing it should not.
 * Clean under ThreadSanitizer.
 *
 *     client 0, 1, 2  ---  4 workers, each with a lane of each node  ---  server
 *                          main: time, handshakes, configuration
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include <tund/base/bytes.h>
#include <tund/base/ring.h>
#include <tund/crypto/x25519.h>
#include <tund/session/lane.h>
#include <tund/session/setting.h>

#include "../unit/tap.h"
#include "pair.h"
#include "session/node_state.h"

#define WORKERS SIM_LANES

static uint32_t below(struct prng *prng, uint32_t n)
{
	return (uint32_t)prng_below(prng, n);
}

static pthread_barrier_t barrier;

static atomic_uint running; /* workers */

struct start {
	void (*work)(unsigned worker);
	unsigned number;
};

static void *run_one(void *arg)
{
	const struct start *start = arg;

	start->work(start->number);
	atomic_fetch_sub(&running, 1);
	return NULL;
}

/* Runs `work` in all workers, each of which learns its number, and meanwhile `main_work`. So many
 * threads meet at the barrier. */
static void run_workers(void (*work)(unsigned worker), void (*main_work)(void), unsigned meeting)
{
	pthread_t threads[WORKERS];
	struct start starts[WORKERS];

	if (meeting > 0)
		pthread_barrier_init(&barrier, NULL, meeting);
	atomic_store(&running, WORKERS);
	for (unsigned i = 0; i < WORKERS; i++) {
		starts[i] = (struct start){work, i};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, run_one, &starts[i]), 0);
	}
	while (atomic_load(&running) > 0)
		main_work();
	for (unsigned i = 0; i < WORKERS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	if (meeting > 0)
		pthread_barrier_destroy(&barrier);
}

/* A message of node 0's, sealed in advance. */
struct sealed {
	uint8_t bytes[64];
	size_t len;
	struct path from;
};

static void seal(struct sealed *out, uint32_t number)
{
	struct lane *lane = node_lane(sim.nodes[0].node, 0);
	uint8_t payload[32] = {0x45};
	struct sealing s;

	put_le32(payload + 4, number);
	lane_enter(lane);
	ck_assert_int_eq(lane_send_begin(lane, sim.now_ns, a, 1, &s), 0);
	out->len = (size_t)lane_seal(&s, 0, payload, 16, out->bytes);
	lane_send_end(&s);
	lane_leave(lane);
	ck_assert_uint_eq(out->len, 16 + DATA_OVERHEAD);
}

/* Tripled and reordered, with several workers. They keep in step, so that no message is later than
 * the 8,000 for which it is meant. */
enum { COUNT = 32000, SPREAD = 8000, STEP = 8 };
_Static_assert(3 * COUNT % (WORKERS * STEP) == 0, "all take the same number of steps");

static struct sealed messages[COUNT];
static struct arrival {
	uint64_t at;
	uint32_t number;
} arrivals[3 * COUNT];
static _Atomic uint8_t taken[COUNT];
static atomic_uint refused;

static int by_time(const void *x, const void *y)
{
	const struct arrival *p = x, *q = y;

	return (p->at > q->at) - (p->at < q->at);
}

static void open_arrival(struct lane *lane, const struct sealed *sealed)
{
	uint8_t msg[64];
	struct received r;

	memcpy(msg, sealed->bytes, sealed->len);
	if (lane_receive(lane, sim.now_ns, &sealed->from, msg, sealed->len, &r) == RECEIVED_PACKET)
		atomic_fetch_add(&taken[get_le32(r.packet + 4)], 1);
	else if (r.reason == SESSION_REPLAYED_COUNTER)
		atomic_fetch_add(&refused, 1);
}

static void open_in_step(unsigned worker)
{
	struct lane *lane = node_lane(sim.nodes[1].node, worker);

	for (unsigned i = worker * STEP; i < 3 * COUNT; i += WORKERS * STEP) {
		lane_enter(lane);
		for (unsigned k = i; k < i + STEP && k < 3 * COUNT; k++)
			open_arrival(lane, &messages[arrivals[k].number]);
		lane_leave(lane);
		pthread_barrier_wait(&barrier);
	}
}

static void drain_node_1(void)
{
	node_drain(sim.nodes[1].node, sim.now_ns);
	sched_yield();
}

START_TEST(tripled_and_reordered)
{
	struct peer_stats stats;

	established(_i == 0 ? wireguard : tund, _i == 0 ? wireguard : tund);
	for (uint32_t i = 0; i < COUNT; i++) {
		seal(&messages[i], i);
		messages[i].from = sim_udp_path(&sim, 1, 0);
		taken[i] = 0;
	}
	for (uint32_t i = 0; i < 3 * COUNT; i++)
		arrivals[i] = (struct arrival){i / 3 + below(&sim.prng, SPREAD), i / 3};
	qsort(arrivals, 3 * COUNT, sizeof *arrivals, by_time);
	refused = 0;
	run_workers(open_in_step, drain_node_1, WORKERS);
	for (uint32_t i = 0; i < COUNT; i++)
		ck_assert_msg(taken[i] == 1, "%u taken %u times", i, (unsigned)taken[i]);
	ck_assert_uint_eq(refused, 2 * COUNT);
	peer_get_stats(b, &stats);
	ck_assert_uint_eq(stats.rx_packets, COUNT + 1);
}
END_TEST

/* Messages of one moment come from three places; wherever the newest was from, there the peer is,
 * in whichever order workers open and tell main of them. */
enum { ROUNDS = 4000, AT_ONCE = 32, PLACES = 3 };

static struct sealed moment[AT_ONCE];
static uint32_t order[AT_ONCE];
static atomic_uint next_of_moment, finished;
static unsigned rounds;

static void open_moments(unsigned worker)
{
	struct lane *lane = node_lane(sim.nodes[1].node, worker);
	unsigned i;

	for (unsigned round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&barrier);
		lane_enter(lane);
		while ((i = atomic_fetch_add(&next_of_moment, 1)) < AT_ONCE)
			open_arrival(lane, &moment[order[i]]);
		lane_leave(lane);
		atomic_fetch_add(&finished, 1);
		pthread_barrier_wait(&barrier);
	}
}

static void prepare_moment(void)
{
	for (uint32_t i = 0; i < AT_ONCE; i++) {
		uint32_t k = below(&sim.prng, i + 1);

		seal(&moment[i], i);
		moment[i].from = sim_udp_path(&sim, 1, 0);
		moment[i].from.remote.port = (uint16_t)(1000 + below(&sim.prng, PLACES));
		order[i] = order[k];
		order[k] = i;
	}
	atomic_store(&next_of_moment, 0);
	atomic_store(&finished, 0);
}

/* In half of the rounds main drains while workers post, else behind them. */
static void direct_moment(void)
{
	struct path path;

	if (rounds == ROUNDS)
		return;
	prepare_moment();
	pthread_barrier_wait(&barrier);
	while (rounds % 2 == 0 && atomic_load(&finished) < WORKERS)
		node_drain(sim.nodes[1].node, sim.now_ns);
	pthread_barrier_wait(&barrier);
	while (node_drain(sim.nodes[1].node, sim.now_ns))
		;
	ck_assert(peer_path(b, &path));
	ck_assert_uint_eq(path.remote.port, moment[AT_ONCE - 1].from.remote.port);
	rounds++;
}

START_TEST(the_newest_says_where_the_peer_is)
{
	established(tund, tund);
	rounds = 0;
	run_workers(open_moments, direct_moment, WORKERS + 1);
}
END_TEST

/*
 * Everything at once. Host 0 is the server, the others its clients.
 */
enum { CLIENTS = 3, HOSTS = CLIENTS + 1, TICKS = 20000, PACKETS_MAX = 1 << 20 };

struct letter {
	struct path from;
	uint32_t to;  /* node */
	uint32_t len; /* of the message that follows */
};

static struct world {
	struct node *nodes[HOSTS];
	struct prng node_prngs[HOSTS], prng, worker_prngs[WORKERS];
	uint8_t private_keys[HOSTS][KEY_SIZE], public_keys[HOSTS][KEY_SIZE];
	_Atomic(struct peer *) clients[HOSTS]; /* the server's peers */
	_Atomic(struct peer *) servers[HOSTS]; /* each client's only one */
	atomic_uint ports[HOSTS];              /* where it is now */
	_Atomic uint64_t now_ns;
	atomic_bool stop;
	struct ring *rings[WORKERS + 1][WORKERS]; /* from whom (the last: main) to whom */
	atomic_uint packets, delivered, faults;
	unsigned events[PEER_CONTROL_RESET + 1];
} world;

static _Atomic uint8_t seen[PACKETS_MAX];

static struct endpoint place(uint32_t node, unsigned port)
{
	return (struct endpoint){.addr = {.family = 4, .bytes = {192, 0, 2, (uint8_t)(node + 1)}},
				 .port = (uint16_t)port};
}

/* The node that is there, or HOSTS. */
static uint32_t node_at(const struct endpoint *where)
{
	uint32_t node = where->addr.bytes[3] - 1U;

	return node < HOSTS && where->port == atomic_load(&world.ports[node]) ? node : HOSTS;
}

static void carry(unsigned carrier, struct prng *prng, uint32_t from, const struct path *path,
		  const uint8_t *msg, size_t len)
{
	struct letter letter = {.to = node_at(&path->remote), .len = (uint32_t)len};
	struct ring *ring = world.rings[carrier][below(prng, WORKERS)];
	uint8_t *p;

	if (letter.to == HOSTS || !(p = ring_reserve(ring, sizeof letter + len)))
		return;
	letter.from.remote = place(from, atomic_load(&world.ports[from]));
	memcpy(p, &letter, sizeof letter);
	memcpy(p + sizeof letter, msg, len);
	ring_commit(ring);
}

static void deliver(unsigned worker, const uint8_t *record)
{
	struct letter letter;
	struct received r;
	struct lane *lane;
	uint8_t msg[512];

	memcpy(&letter, record, sizeof letter);
	memcpy(msg, record + sizeof letter, letter.len);
	lane = node_lane(world.nodes[letter.to], worker);
	lane_enter(lane);
	if (lane_receive(lane, atomic_load(&world.now_ns), &letter.from, msg, letter.len, &r) ==
	    RECEIVED_PACKET) {
		uint32_t number = get_le32(r.packet + 4);

		if (!peer_user(r.peer) || r.packet[0] != 0x45 || r.len != 48 ||
		    number >= PACKETS_MAX || atomic_fetch_add(&seen[number], 1) != 0)
			atomic_fetch_add(&world.faults, 1);
		atomic_fetch_add(&world.delivered, 1);
	}
	lane_leave(lane);
}

static void deliver_some(unsigned worker)
{
	const uint8_t *record;
	size_t len;

	for (unsigned from = 0; from <= WORKERS; from++) {
		struct ring *ring = world.rings[from][worker];

		for (unsigned n = 0; n < 16 && (record = ring_peek(ring, &len)) != NULL; n++) {
			deliver(worker, record);
			ring_consume(ring);
		}
	}
}

static void make_packet(uint8_t packet[48])
{
	uint32_t number = atomic_fetch_add(&world.packets, 1);

	memset(packet, 0, 48);
	packet[0] = 0x45;
	put_le32(packet + 4, number);
}

static void seal_run(unsigned worker, struct prng *prng, uint32_t from, struct sealing *s,
		     unsigned count)
{
	uint8_t packet[48], msg[512];

	for (unsigned i = 0; i < count; i++) {
		ssize_t n;

		make_packet(packet);
		n = lane_seal(s, 0, packet, 40, msg);
		if (n != 48 + DATA_OVERHEAD)
			atomic_fetch_add(&world.faults, 1);
		else
			for (uint32_t copies = 1 + below(prng, 3); copies > 0; copies--)
				carry(worker, prng, from, &s->path, msg, (size_t)n);
	}
	lane_send_end(s);
}

static void send_some(unsigned worker, struct prng *prng)
{
	uint32_t client = 1 + below(prng, CLIENTS), from = below(prng, 2) ? client : 0;
	struct lane *lane = node_lane(world.nodes[from], worker);
	uint32_t count = 1 + below(prng, 8);
	uint8_t packet[48];
	struct sealing s;
	struct peer *peer;
	int err;

	lane_enter(lane);
	peer = atomic_load(from == 0 ? &world.clients[client] : &world.servers[client]);
	if (peer) {
		err = lane_send_begin(lane, atomic_load(&world.now_ns), peer, count, &s);
		if (err == 0) {
			seal_run(worker, prng, from, &s, count);
		} else if (err == -EAGAIN) {
			make_packet(packet);
			lane_stage(lane, atomic_load(&world.now_ns), peer, packet, 48);
		}
	}
	lane_leave(lane);
	(void)lane_posted(lane);
}

static void work(unsigned worker)
{
	while (!atomic_load(&world.stop)) {
		deliver_some(worker);
		send_some(worker, &world.worker_prngs[worker]);
		sched_yield();
	}
}

static void on_send(void *ctx, const struct path *path, const uint8_t *msg, size_t len)
{
	uint32_t from = *(const uint32_t *)ctx;

	if (len <= 512)
		carry(WORKERS, &world.prng, from, path, msg, len);
}

static void on_event(void *ctx, struct peer *peer, enum peer_event event)
{
	(void)ctx;
	(void)peer;
	world.events[event]++;
}

static void on_control(void *ctx, struct peer *peer, const uint8_t *msg, size_t len)
{
	(void)ctx;
	(void)msg;
	(void)len;
	peer_control_consumed(peer, atomic_load(&world.now_ns));
}

static uint64_t on_wall(void *ctx)
{
	(void)ctx;
	return atomic_load(&world.now_ns) + SIM_WALL_NS;
}

static void on_store(void *ctx, const uint8_t stamp[TAI64N_SIZE])
{
	(void)ctx;
	(void)stamp;
}

static const uint32_t numbers[HOSTS] = {0, 1, 2, 3};

static void start_node(uint32_t i)
{
	struct node_config config = {
		.ops = {.ctx = (void *)(uintptr_t)&numbers[i],
			.send = on_send,
			.event = on_event,
			.control = on_control,
			.wall_ns = on_wall,
			.store_tai64n = on_store},
		.handshake_queue = 64,
		.rekey_after_ns = NS_PER_SEC,
		.mtu = 1420,
		.lanes = WORKERS,
	};

	world.node_prngs[i].state = i;
	config.rng = prng_rng(&world.node_prngs[i]);
	prng_fill(&world.prng, world.private_keys[i], KEY_SIZE);
	x25519_clamp(world.private_keys[i]);
	x25519_public(world.private_keys[i], world.public_keys[i]);
	memcpy(config.private_key, world.private_keys[i], KEY_SIZE);
	atomic_store(&world.ports[i], 1000);
	ck_assert_int_eq(node_new(&config, world.now_ns, &world.nodes[i]), 0);
}

static struct peer *introduce(uint32_t node, uint32_t other)
{
	struct peer_config config = {.pinned_suite = -1, .user = &world};
	struct path path = {.socket = 0, .remote = place(0, 1000)};
	struct peer *peer;

	/* A connecting one has the most timers, and one of suite 0 the fewest. */
	config.wireguard = node == 3 || other == 3;
	config.connect = node != 0;
	config.keepalive_s = node == 2 ? 1 : 0;
	memcpy(config.public_key, world.public_keys[other], KEY_SIZE);
	ck_assert_int_eq(peer_add(world.nodes[node], world.now_ns, &config, &peer), 0);
	if (node != 0)
		peer_path_use(peer, world.now_ns, &path);
	return peer;
}

/* Withdraw, then remove: workers may still have it. */
static void replace_client(uint32_t client)
{
	peer_remove(atomic_exchange(&world.clients[client], NULL));
	atomic_store(&world.clients[client], introduce(0, client));
}

static void disturb(unsigned tick)
{
	uint32_t client = 1 + below(&world.prng, CLIENTS);
	struct peer *peer = atomic_load(&world.servers[client]);
	struct endpoint nowhere = place(client, 7);
	struct peer_stats stats;

	if (tick % 5 == 0) /* roams */
		atomic_store(&world.ports[client], 1000 + below(&world.prng, 1000));
	if (tick % 7 == 0)
		node_source_lost(world.nodes[client], 0, &nowhere);
	if (tick % 11 == 0)
		peer_get_stats(peer, &stats);
	if (tick % 101 == 0)
		replace_client(client);
	if (tick % 151 == 0)
		peer_close(peer, world.now_ns);
	if (tick % 13 == 0 && client != 3)
		(void)peer_control_send(peer, world.now_ns, (const uint8_t *)"hello", 5);
	if (tick % 17 == 0)
		node_set_mtu(world.nodes[client], (uint16_t)(1400 + tick % 100));
	if (tick % 19 == 0)
		peer_handshake(peer, world.now_ns);
}

static void main_work(void)
{
	static unsigned tick;

	if (atomic_load(&world.stop))
		return;
	world.now_ns += 20 * NS_PER_MS;
	for (uint32_t i = 0; i < HOSTS; i++) {
		node_drain(world.nodes[i], world.now_ns);
		node_work(world.nodes[i], world.now_ns, 16);
		if (node_next_deadline(world.nodes[i]) <= world.now_ns)
			node_tick(world.nodes[i], world.now_ns);
	}
	disturb(++tick);
	if (tick == TICKS || world.packets > PACKETS_MAX / 2) {
		tick = 0;
		atomic_store(&world.stop, true);
	}
	sched_yield();
}

START_TEST(everything_at_once)
{
	world.now_ns = SIM_START_NS;
	for (uint32_t i = 0; i < HOSTS; i++)
		start_node(i);
	for (unsigned to = 0; to < WORKERS; to++) {
		world.worker_prngs[to].state = to;
		for (unsigned from = 0; from <= WORKERS; from++)
			ck_assert_ptr_nonnull(world.rings[from][to] = ring_new(16 * 1024));
	}
	for (uint32_t i = 1; i < HOSTS; i++) {
		world.clients[i] = introduce(0, i);
		world.servers[i] = introduce(i, 0);
	}
	run_workers(work, main_work, 0);
	ck_assert_uint_eq(world.faults, 0);
	ck_assert_uint_gt(world.delivered, 1000);
	ck_assert_uint_gt(world.events[PEER_UP], 10);
	ck_assert_uint_gt(world.events[PEER_REKEYED], 10);
	ck_assert_uint_gt(world.events[PEER_MOVED], 50);
	for (uint32_t i = 0; i < HOSTS; i++) {
		while (node_drain(world.nodes[i], world.now_ns))
			;
		ck_assert(!epoch_is_waiting(node_epoch(world.nodes[i])));
		node_free(world.nodes[i]);
	}
	for (unsigned to = 0; to < WORKERS; to++) {
		for (unsigned from = 0; from <= WORKERS; from++)
			ring_free(world.rings[from][to]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workers");
	TCase *tc = tcase_create("workers");

	if (crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, pair_setup, pair_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, tripled_and_reordered, 0, 2);
	tcase_add_test(tc, the_newest_says_where_the_peer_is);
	tcase_add_test(tc, everything_at_once);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
