/* SPDX-License-Identifier: ISC */
/*
 * Long stretches on the simulated network: what the network does not lose arrives, and once; control
 * messages arrive all and in order; a path that fails is noticed in time, and one that only loses
 * now and then is not given up.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>

#include "../unit/tap.h"
#include "network.h"

#define SEC NS_PER_SEC
#define TAGS 400000
#define PACKET_SIZE 64

static struct sim sim;
static struct peer *peers[2];                       /* each node's view of the other */
static uint8_t copies[2][TAGS], delivered[2][TAGS]; /* by sender */
static uint32_t next_tag[2];
static uint32_t control_sent[2], control_got[2];
static unsigned consume_later;

static void on_fate(void *ctx, struct sim_node *from, uint64_t tag, unsigned n)
{
	(void)ctx;
	copies[from->id][tag] = (uint8_t)n;
}

static void on_packet(void *ctx, struct sim_node *at, const uint8_t *packet, size_t len)
{
	uint32_t tag = get_be32(packet + 4);

	(void)ctx;
	ck_assert_uint_eq(len, PACKET_SIZE);
	ck_assert_uint_lt(tag, TAGS);
	delivered[!at->id][tag]++;
}

static void on_control(void *ctx, struct sim_node *at, struct peer *peer, const uint8_t *msg,
		       size_t len)
{
	(void)ctx;
	(void)len;
	ck_assert_uint_eq(get_be32(msg), control_got[at->id]);
	control_got[at->id]++;
	if (peer)
		consume_later |= 1u << at->id;
}

static void send_packet(unsigned node)
{
	uint8_t packet[PACKET_SIZE] = {0x45};
	uint32_t tag = next_tag[node]++;

	ck_assert_uint_lt(tag, TAGS);
	put_be32(packet + 4, tag);
	sim_send(&sim, node, peers[node], tag, packet, sizeof packet);
}

static void send_control(unsigned node)
{
	static uint8_t msg[5000];

	put_be32(msg, control_sent[node]);
	if (peer_control_send(peers[node], sim.now_ns, msg,
			      4 + prng_below(&sim.prng, sizeof msg - 4)) == 0)
		control_sent[node]++;
}

static void consume(void)
{
	for (unsigned i = 0; i < 2; i++) {
		if (consume_later & (1u << i))
			peer_control_consumed(peers[i], sim.now_ns);
	}
	consume_later = 0;
}

static void begin(uint64_t seed, uint16_t keepalive_s)
{
	struct peer_config client = {
		.pinned_suite = -1, .connect = true, .keepalive_s = keepalive_s};
	struct peer_config edge = {.pinned_suite = -1};
	struct path path;

	memset(copies, 0, sizeof copies);
	memset(delivered, 0, sizeof delivered);
	memset(next_tag, 0, sizeof next_tag);
	memset(control_sent, 0, sizeof control_sent);
	memset(control_got, 0, sizeof control_got);
	sim_init(&sim, seed);
	sim.hooks = (struct sim_hooks){.fate = on_fate, .packet = on_packet, .control = on_control};
	for (unsigned i = 0; i < 2; i++)
		sim_start(&sim, i, 64, false);
	peers[0] = sim_add_peer(&sim, 0, 1, client);
	peers[1] = sim_add_peer(&sim, 1, 0, edge);
	path = sim_udp_path(&sim, 0, 1);
	peer_path_use(peers[0], sim.now_ns, &path);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_UP], 1);
}

/* The one law: a packet of which a copy arrived is delivered once, any other not at all. */
static void check_deliveries(void)
{
	for (unsigned node = 0; node < 2; node++) {
		for (uint32_t tag = 0; tag < next_tag[node]; tag++)
			ck_assert_msg(delivered[node][tag] == (copies[node][tag] > 0),
				      "packet %u of node %u: %u copies arrived, delivered %u times",
				      tag, node, copies[node][tag], delivered[node][tag]);
	}
}

START_TEST(a_day_of_loss_reordering_and_duplication)
{
	begin(_i == 0 ? 1 : 20261124, 25);
	sim.loss_percent = 10;
	sim.duplicate_percent = 5;
	sim.delay_ns = 20 * NS_PER_MS;
	sim.jitter_ns = 300 * NS_PER_MS;
	while (sim.now_ns < SIM_START_NS + 86400 * SEC) {
		unsigned node = (unsigned)prng_below(&sim.prng, 2);

		for (uint64_t burst = prng_below(&sim.prng, 4); burst > 0; burst--)
			send_packet(node);
		if (prng_below(&sim.prng, 500) == 0)
			send_control(node);
		sim_run(&sim, prng_below(&sim.prng, SEC));
		consume();
	}
	for (int i = 0; i < 600; i++) {
		sim_run(&sim, SEC / 5);
		consume();
	}
	check_deliveries();
	ck_assert_uint_gt(sim.nodes[0].events[PEER_REKEYED], 86400 / 180);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_DOWN], 0);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_PATH_SILENT], 0);
	ck_assert_uint_gt(control_sent[0], 50);
	ck_assert_uint_eq(control_got[1], control_sent[0]);
	ck_assert_uint_eq(control_got[0], control_sent[1]);
	sim_free(&sim);
}
END_TEST

START_TEST(every_packet_tripled_and_reordered)
{
	begin(3, 25);
	/* Of 8,000 sent within the jitter each may overtake all others: the window holds 8,128. */
	sim.duplicate_percent = 100;
	sim.jitter_ns = SEC;
	for (unsigned round = 0; round < 8; round++) {
		for (unsigned i = 0; i < 4000; i++)
			send_packet(0);
		sim_run(&sim, 2 * SEC);
	}
	check_deliveries();
	sim_free(&sim);
}
END_TEST

START_TEST(a_silent_path_is_noticed_and_left_without_a_handshake)
{
	uint64_t blocked_ns, sent_by_edge;
	struct path tcp, now;

	begin(4, 25);
	send_packet(0);
	sim_run(&sim, 2 * SEC);
	blocked_ns = sim.now_ns;
	sim.udp_blocked = true;
	send_packet(0);
	sim_run(&sim, 3 * SEC + SEC / 3);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_PATH_SILENT], 1);
	ck_assert_uint_ge(sim.nodes[0].event_ns[PEER_PATH_SILENT] - blocked_ns, 3 * SEC);
	sent_by_edge = sim.nodes[1].sent;
	tcp = sim_tcp_path(&sim, 0, 1);
	peer_path_use(peers[0], sim.now_ns, &tcp);
	sim_run(&sim, SEC / 10);
	/* The other side has followed, with an answer and without a handshake. */
	ck_assert(peer_path(peers[1], &now) && now.transport == TRANSPORT_TCP);
	ck_assert_uint_eq(sim.nodes[1].sent, sent_by_edge + 1);
	sim_run(&sim, 20 * SEC);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_REKEYED], 0);
	send_packet(1);
	send_packet(0);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(delivered[1][0], 1);
	ck_assert_uint_eq(delivered[0][2], 1);
	/* Its end takes the path away again, and UDP is what is left. */
	sim.udp_blocked = false;
	node_path_closed(sim.nodes[1].node, sim.now_ns, tcp.socket ^ 1);
	ck_assert(peer_path(peers[1], &now) && now.transport == TRANSPORT_UDP);
	sim_free(&sim);
}
END_TEST

START_TEST(an_idle_path_never_fails_but_its_keepalives_ask)
{
	begin(5, 25);
	sim_run(&sim, 3600 * SEC);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_PATH_SILENT], 0);
	sim.udp_blocked = true;
	sim_run(&sim, 29 * SEC);
	ck_assert_uint_ge(sim.nodes[0].events[PEER_PATH_SILENT], 1);
	sim_free(&sim);
}
END_TEST

START_TEST(five_percent_loss_is_no_reason_to_leave)
{
	begin(6, 25);
	sim.loss_percent = 5;
	sim.delay_ns = 30 * NS_PER_MS;
	for (unsigned i = 0; i < 4 * 3600; i++) {
		send_packet((unsigned)prng_below(&sim.prng, 2));
		sim_run(&sim, SEC / 4);
	}
	ck_assert_uint_eq(sim.nodes[0].events[PEER_PATH_SILENT], 0);
	check_deliveries();
	sim_free(&sim);
}
END_TEST

START_TEST(an_edge_that_lost_its_keys_is_met_again)
{
	struct peer_config edge = {.pinned_suite = -1};

	begin(7, 5);
	sim_start(&sim, 1, 64, true);
	peers[1] = sim_add_peer(&sim, 1, 0, edge);
	/* A keepalive asks after 5 s at most, and 2 s later begins a handshake on the same path. */
	sim_run(&sim, 5 * SEC + 2 * SEC + SEC / 10);
	ck_assert_uint_eq(sim.nodes[1].events[PEER_UP], 2);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_REKEYED], 1);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_PATH_SILENT], 0);
	sim_free(&sim);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("day");
	TCase *tc = tcase_create("day");

	if (crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_day_of_loss_reordering_and_duplication, 0, 2);
	tcase_add_test(tc, every_packet_tripled_and_reordered);
	tcase_add_test(tc, a_silent_path_is_noticed_and_left_without_a_handshake);
	tcase_add_test(tc, an_idle_path_never_fails_but_its_keepalives_ask);
	tcase_add_test(tc, five_percent_loss_is_no_reason_to_leave);
	tcase_add_test(tc, an_edge_that_lost_its_keys_is_met_again);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
