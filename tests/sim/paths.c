/* SPDX-License-Identifier: ISC */
/*
 * Paths and what is sent on them: which packets move a peer, where probes are answered, what counts
 * as waiting for an answer, how long a way has, what a closed connection takes with it; and control
 * frames on a path that loses.
 */
#include <errno.h>
#include <string.h>

#include <check.h>

#include <tund/base/bytes.h>
#include <tund/session/setting.h>
#include <tund/wire/control_frame.h>

#include "../unit/tap.h"
#include "pair.h"
#include "session/node_data.h"
#include "session/node_keypair.h"
#include "session/node_state.h"

static const struct peer_config connecting = {.pinned_suite = -1, .connect = true};

static unsigned controls; /* messages that arrived at node 1, all consumed at once */
static unsigned lose_nth; /* the nth data message from now on is lost; 0: none */

static void on_control(void *ctx, struct sim_node *at, struct peer *peer, const uint8_t *msg,
		       size_t len)
{
	(void)ctx;
	(void)at;
	(void)msg;
	(void)len;
	controls++;
	peer_control_consumed(peer, sim.now_ns);
}

static void setup(void)
{
	pair_setup();
	sim.hooks.control = on_control;
	controls = 0;
	lose_nth = 0;
}

/* The address from which node 0 is heard by node 1. */
static bool is_heard_at(uint8_t last_byte)
{
	struct path path;

	return peer_path(b, &path) && path.remote.addr.bytes[3] == last_byte;
}

static void move_node_0(uint8_t last_byte)
{
	sim.nodes[0].udp.addr.bytes[3] = last_byte;
}

/* Node 0's last data message, opened with node 1's keys. Returns the payload's length. */
static size_t open_last(uint8_t payload[2048])
{
	const struct log *log = &logs[0];
	const uint8_t *msg = log->last[MESSAGE_DATA];
	size_t len = log->len[MESSAGE_DATA];

	ck_assert_int_eq(aead_open(&b->current->receive, get_le64(msg + DATA_COUNTER), msg,
				   DATA_PAYLOAD, msg + DATA_PAYLOAD, len - DATA_PAYLOAD, payload),
			 0);
	return len - DATA_OVERHEAD;
}

START_TEST(suite_0_moves_as_wireguard_does)
{
	struct path elsewhere = sim_udp_path(&sim, 1, 2);
	uint8_t old[2048];
	size_t len;

	established(wireguard, wireguard);
	sim.udp_blocked = true;
	send_from(0);
	len = logs[0].len[MESSAGE_DATA];
	memcpy(old, logs[0].last[MESSAGE_DATA], len);
	sim.udp_blocked = false;
	send_from(0);
	sim_run(&sim, SEC / 10);
	ck_assert(is_heard_at(1));
	/* Not the newest, but it was not heard before. */
	ck_assert_int_eq(sim_inject(&sim, 1, &elsewhere, old, len), SESSION_OK);
	ck_assert(is_heard_at(3));
}
END_TEST

START_TEST(no_move_does_not_move)
{
	static const uint8_t payload[16] = {0x45};

	established(tund, tund);
	move_node_0(77);
	data_send(a, sim.now_ns, &a->path, DATA_FLAG_NO_MOVE, payload, sizeof payload);
	sim_run(&sim, SEC / 10);
	ck_assert_uint_eq(packets[1], 2);
	ck_assert(is_heard_at(1));
	data_send(a, sim.now_ns, &a->path, 0, payload, sizeof payload);
	sim_run(&sim, SEC / 10);
	ck_assert(is_heard_at(77));
}
END_TEST

/* Nobody is at the active path any more: the answer comes only where the question came from. */
START_TEST(probes_are_answered_where_they_came_from)
{
	static const uint8_t probe[FRAME_PROBE_SIZE] = {FRAME_PROBE, 1, 2, 3, 4, 5, 6, 7, 8};
	uint8_t answer[2048];
	uint64_t heard;

	established(tund, tund);
	heard = sim.nodes[1].received;
	move_node_0(77);
	data_send(a, sim.now_ns, &a->path, DATA_FLAG_CONTROL | DATA_FLAG_NO_MOVE, probe,
		  sizeof probe);
	sim_run(&sim, SEC / 10);
	ck_assert_uint_eq(sim.nodes[1].received, heard + 1);
	ck_assert(is_heard_at(1));
	ck_assert_uint_eq(a->traffic.heard_ns, sim.now_ns - SEC / 10 + 2 * NS_PER_MS);
	/* And the same the other way round, to look inside. */
	data_send_frame(b, sim.now_ns, &(struct path){.socket = 1, .remote = sim.nodes[0].udp},
			probe, sizeof probe, false);
	sim_run(&sim, SEC / 10);
	ck_assert_uint_ge(open_last(answer), FRAME_PROBE_SIZE);
	ck_assert_int_eq(answer[0], FRAME_PROBE_ANSWER);
	ck_assert_mem_eq(answer + 1, probe + 1, FRAME_PROBE_SIZE - 1);
}
END_TEST

/* Neither a probe, nor its answer, nor an acknowledgement is data: no keepalive answers them, and
 * no handshake begins when nothing does. */
START_TEST(probes_and_acknowledgements_ask_for_nothing)
{
	static const uint8_t probe[FRAME_PROBE_SIZE] = {FRAME_PROBE};
	size_t sent[2];

	established(tund, tund);
	sim_run(&sim, 15 * SEC); /* the keepalive that answers the packet */
	sent[0] = logs[0].count[MESSAGE_DATA], sent[1] = logs[1].count[MESSAGE_DATA];
	data_send_frame(a, sim.now_ns, &a->path, probe, sizeof probe, false);
	sim_run(&sim, 30 * SEC);
	ck_assert_uint_eq(logs[0].count[MESSAGE_DATA], sent[0] + 1);
	ck_assert_uint_eq(logs[1].count[MESSAGE_DATA], sent[1] + 1);
	ck_assert_int_eq(peer_control_send(a, sim.now_ns, probe, 1), 0);
	sim_run(&sim, 1 * NS_PER_MS); /* the message arrived, its acknowledgements are lost */
	sim.udp_blocked = true;
	sim_run(&sim, 10 * SEC);
	ck_assert_uint_eq(controls, 1);
	sim_run(&sim, 30 * SEC);
	ck_assert_uint_eq(logs[1].count[MESSAGE_INITIATION], 0);
}
END_TEST

START_TEST(control_messages_wait_for_an_answer)
{
	established(_i == 0 ? tund : connecting, tund);
	sim_run(&sim, 20 * SEC);
	sim.udp_blocked = true;
	ck_assert_int_eq(peer_control_send(a, sim.now_ns, (const uint8_t *)"x", 1), 0);
	if (_i == 1) {
		sim_run(&sim, 3 * SEC + SEC / 3);
		ck_assert_uint_eq(sim.nodes[0].events[PEER_PATH_SILENT], 1);
		return;
	}
	sim_run(&sim, 14 * SEC);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 1);
	sim_run(&sim, 2 * SEC);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 2);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_PATH_SILENT], 0); /* the edge looks on */
}
END_TEST

/* With and without a session, a new way has 3 s whatever the one before owed. */
START_TEST(a_new_way_has_its_time)
{
	struct path path = sim_udp_path(&sim, 0, 1);
	uint64_t begun_ns;

	sim.udp_blocked = _i == 0;
	pair(connecting, tund);
	sim_run(&sim, SEC);
	sim.udp_blocked = true;
	if (_i == 1)
		send_from(0);
	sim_run(&sim, 2 * SEC - SEC / 100);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_PATH_SILENT], 0);
	begun_ns = sim.now_ns;
	peer_path_use(a, sim.now_ns, &path);
	sim_run(&sim, 10 * SEC);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_PATH_SILENT], 3);
	ck_assert_uint_le(sim.nodes[0].event_ns[PEER_PATH_SILENT], begun_ns + 9 * SEC + SEC / 3);
	ck_assert_uint_ge(sim.nodes[0].event_ns[PEER_PATH_SILENT], begun_ns + 9 * SEC);
}
END_TEST

/* A handshake asks whether the other side lost the keys; it did not, so nothing is left of it. */
START_TEST(a_rescue_is_forgotten_when_something_is_heard)
{
	established(connecting, tund);
	sim_run(&sim, 15 * SEC);
	sim.udp_blocked = true;
	send_from(0);
	sim_run(&sim, 2 * SEC - SEC / 100);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 1);
	sim_run(&sim, SEC / 2);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 2);
	sim.udp_blocked = false;
	sim_run(&sim, 30 * SEC);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 2);
	ck_assert_int_eq(a->secrets->state, HANDSHAKE_ZEROED);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_REKEYED], 0);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_PATH_SILENT], 0);
	ck_assert_uint_eq(sim.nodes[0].node->index_count, 1);
	/* And the next one is no rescue any more. */
	peer_handshake(a, sim.now_ns);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_REKEYED], 1);
}
END_TEST

/* Probes every 250 ms from 1 s on, until something is heard. */
START_TEST(probes_have_their_times)
{
	size_t sent;

	established(connecting, tund);
	sim_run(&sim, 15 * SEC);
	drop_type = MESSAGE_DATA;
	send_from(0);
	sent = logs[0].count[MESSAGE_DATA];
	sim_run(&sim, SEC - 1);
	ck_assert_uint_eq(logs[0].count[MESSAGE_DATA], sent);
	sim_run(&sim, 1);
	ck_assert_uint_eq(logs[0].count[MESSAGE_DATA], sent + 1);
	sim_run(&sim, SEC - 1);
	ck_assert_uint_eq(logs[0].count[MESSAGE_DATA], sent + 4);
	drop_type = 0;
	sim_run(&sim, 1);
	ck_assert_uint_eq(logs[0].count[MESSAGE_DATA], sent + 5);
	sim_run(&sim, 9 * SEC);
	ck_assert_uint_eq(logs[0].count[MESSAGE_DATA], sent + 5);
}
END_TEST

START_TEST(moving_is_said_once)
{
	established(tund, tund);
	for (int i = 0; i < 3; i++) {
		send_from(0);
		send_from(1);
		sim_run(&sim, SEC);
	}
	ck_assert_uint_eq(sim.nodes[0].events[PEER_MOVED], 1);
	ck_assert_uint_eq(sim.nodes[1].events[PEER_MOVED], 1);
	for (uint8_t i = 0; i < 10; i++) {
		move_node_0((uint8_t)(50 + i));
		send_from(0);
		sim_run(&sim, SEC);
		ck_assert(is_heard_at((uint8_t)(50 + i)));
		ck_assert_int_eq(send_from(1), 0);
		sim_run(&sim, SEC);
	}
	ck_assert_uint_eq(sim.nodes[1].events[PEER_MOVED], 11);
	ck_assert_uint_eq(packets[0], 13);
}
END_TEST

START_TEST(a_closed_connection_takes_its_paths)
{
	struct path first = sim_tcp_path(&sim, 0, 1), second = sim_tcp_path(&sim, 0, 1), now;

	pair(tund, tund);
	ck_assert_int_eq(send_from(0), -EAGAIN);
	sim_run(&sim, SEC);
	peer_path_use(a, sim.now_ns, &first);
	sim_run(&sim, SEC);
	peer_path_use(a, sim.now_ns, &second);
	sim_run(&sim, SEC);
	/* Node 1's ends have the odd handles. */
	ck_assert(peer_path(b, &now) && now.socket == second.socket + 1);
	node_path_closed(sim.nodes[1].node, sim.now_ns, first.socket + 1);
	ck_assert(peer_path(b, &now) && now.socket == second.socket + 1);
	node_path_closed(sim.nodes[1].node, sim.now_ns, second.socket + 1);
	ck_assert(peer_path(b, &now) && now.transport == TRANSPORT_UDP);
	ck_assert_int_eq(send_from(1), 0);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(packets[0], 1);
}
END_TEST

START_TEST(without_a_path_nothing_is_reached)
{
	struct path only = sim_tcp_path(&sim, 0, 1), now;

	a = sim_add_peer(&sim, 0, 1, tund);
	b = sim_add_peer(&sim, 1, 0, tund);
	ck_assert(!peer_path(a, &now));
	ck_assert_int_eq(send_from(0), -EHOSTUNREACH);
	ck_assert_int_eq(peer_handshake(a, sim.now_ns), -EHOSTUNREACH);
	ck_assert_int_eq(peer_control_send(a, sim.now_ns, (const uint8_t *)"x", 1), 0);
	peer_path_use(a, sim.now_ns, &only);
	ck_assert_int_eq(send_from(0), -EAGAIN);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(packets[1], 1);
	ck_assert_uint_eq(controls, 1); /* which waited for the session */
	node_path_closed(sim.nodes[1].node, sim.now_ns, only.socket + 1);
	ck_assert(!peer_path(b, &now));
	ck_assert_int_eq(send_from(1), -EHOSTUNREACH);
}
END_TEST

static bool lose_one(void *ctx, struct sim_node *from, uint8_t *msg, size_t len)
{
	(void)ctx;
	(void)len;
	if (from->id != 0 || msg[0] != MESSAGE_DATA || lose_nth == 0)
		return true;
	return --lose_nth != 0;
}

/* An acknowledgement of something makes the next repetition come soon, and the node sees to it. */
START_TEST(control_messages_are_repeated_in_time)
{
	established(tund, tund);
	sim.udp_blocked = true;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(peer_control_send(a, sim.now_ns, (const uint8_t *)"x", 1), 0);
	sim_run(&sim, 12 * SEC); /* the interval has become 5 s */
	sim.udp_blocked = false;
	sim.hooks.message = lose_one;
	lose_nth = 2;
	while (controls == 0)
		sim_run(&sim, NS_PER_MS);
	sim_run(&sim, SEC / 3);
	ck_assert_uint_eq(controls, 2);
}
END_TEST

START_TEST(a_new_path_repeats_at_once)
{
	struct path tcp = sim_tcp_path(&sim, 0, 1);

	established(tund, tund);
	sim.udp_blocked = true;
	ck_assert_int_eq(peer_control_send(a, sim.now_ns, (const uint8_t *)"x", 1), 0);
	sim_run(&sim, 11 * SEC);
	peer_path_use(a, sim.now_ns, &tcp);
	sim_run(&sim, SEC / 100);
	ck_assert_uint_eq(controls, 1);
}
END_TEST

/* A lost side's state is asked for through the whole stack. */
START_TEST(control_restarts_are_told)
{
	established(tund, tund);
	ck_assert_int_eq(peer_control_send(a, sim.now_ns, (const uint8_t *)"x", 1), 0);
	ck_assert_int_eq(peer_control_send(b, sim.now_ns, (const uint8_t *)"x", 1), 0);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(controls, 2);
	sim.udp_blocked = true;
	peer_control_restart(a, sim.now_ns);
	sim_run(&sim, SEC);
	sim.udp_blocked = false;
	sim_run(&sim, 2 * SEC);
	ck_assert_uint_eq(sim.nodes[1].events[PEER_CONTROL_RESET], 1);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_CONTROL_RESET], 0);
}
END_TEST

START_TEST(malformed_control_frames_are_counted)
{
	static const uint8_t bad[][16] = {{0}, {6}, {FRAME_MESSAGE}, {FRAME_ACK}, {255}};

	established(tund, tund);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		data_send(a, sim.now_ns, &a->path, DATA_FLAG_CONTROL, bad[i], sizeof bad[i]);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(node_counter(sim.nodes[1].node, SESSION_BAD_CONTROL), 5);
	ck_assert_uint_eq(packets[1], 1);
	/* Suite 0 has no control messages. */
	ck_assert_int_eq(peer_control_send(a, sim.now_ns, bad[0], 0), -EINVAL);
	peer_remove(a);
	a = sim_add_peer(&sim, 0, 1, wireguard);
	ck_assert_int_eq(peer_control_send(a, sim.now_ns, bad[0], 1), -EINVAL);
}
END_TEST

START_TEST(both_sides_count_the_same)
{
	struct peer_stats at_a, at_b;

	established(tund, tund);
	for (int i = 0; i < 10; i++) {
		send_from(i % 3 == 0);
		sim_run(&sim, 12 * SEC);
	}
	peer_get_stats(a, &at_a);
	peer_get_stats(b, &at_b);
	ck_assert_uint_eq(at_a.tx_bytes, at_b.rx_bytes);
	ck_assert_uint_eq(at_a.rx_bytes, at_b.tx_bytes);
	ck_assert_uint_eq(at_a.tx_packets, at_b.rx_packets);
	ck_assert_uint_eq(at_a.rx_packets, at_b.tx_packets);
	ck_assert_uint_eq(at_a.tx_packets, logs[0].count[MESSAGE_DATA]);
	ck_assert_uint_eq(at_a.last_handshake_wall_ns, SIM_WALL_NS + 2 * NS_PER_MS);
}
END_TEST

/* The paths of a, and the one at this last byte of an address among them; NULL: it is not. */
static struct peer_path_stats paths[PEER_PATHS_MAX];

static const struct peer_path_stats *path_at(uint8_t last_byte)
{
	size_t n = peer_paths(a, paths);

	for (size_t i = 0; i < n; i++) {
		if (paths[i].path.remote.addr.bytes[3] == last_byte)
			return &paths[i];
	}
	return NULL;
}

START_TEST(paths_are_measured_each)
{
	struct path elsewhere = sim_udp_path(&sim, 0, 2);
	const struct peer_path_stats *p;
	struct path back = sim_udp_path(&sim, 0, 1);

	pair(tund, tund);
	ck_assert_uint_eq(peer_paths(b, paths), 0);
	ck_assert_uint_eq(peer_paths(a, paths), 1);
	ck_assert(paths[0].active && paths[0].heard_ns == 0 && paths[0].rtt_ns == 0);
	ck_assert_uint_eq(paths[0].mtu, 1420);
	sim.delay_ns = 7 * NS_PER_MS;
	send_from(0);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(peer_paths(a, paths), 1);
	p = path_at(2);
	ck_assert(p && p->active && p->rtt_ns == 14 * NS_PER_MS && p->mtu == 1420);
	ck_assert_uint_eq(p->heard_ns, SIM_START_NS + 14 * NS_PER_MS);
	/* It answers, but began nothing. */
	ck_assert_uint_eq(peer_paths(b, paths), 1);
	ck_assert(paths[0].active && paths[0].heard_ns > 0 && paths[0].rtt_ns == 0);
	/* Node 1 is there, too, and slower. */
	peer_path_use(a, sim.now_ns, &elsewhere);
	ck_assert_uint_eq(peer_paths(a, paths), 2);
	ck_assert(!path_at(2)->active && path_at(3)->active && path_at(3)->heard_ns == 0);
	sim.nodes[1].udp = elsewhere.remote;
	sim.nodes[2].udp = back.remote;
	sim.delay_ns = 20 * NS_PER_MS;
	sim_run(&sim, 5 * SEC);
	peer_handshake(a, sim.now_ns);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(path_at(2)->rtt_ns, 14 * NS_PER_MS);
	ck_assert_uint_eq(path_at(3)->rtt_ns, 40 * NS_PER_MS);
	node_set_mtu(sim.nodes[0].node, 1300);
	ck_assert(path_at(2)->mtu == 1300 && path_at(3)->mtu == 1300);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("paths");
	TCase *tc = tcase_create("paths");

	if (crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, setup, pair_teardown);
	tcase_add_test(tc, suite_0_moves_as_wireguard_does);
	tcase_add_test(tc, no_move_does_not_move);
	tcase_add_test(tc, probes_are_answered_where_they_came_from);
	tcase_add_test(tc, probes_and_acknowledgements_ask_for_nothing);
	tcase_add_loop_test(tc, control_messages_wait_for_an_answer, 0, 2);
	tcase_add_loop_test(tc, a_new_way_has_its_time, 0, 2);
	tcase_add_test(tc, a_rescue_is_forgotten_when_something_is_heard);
	tcase_add_test(tc, probes_have_their_times);
	tcase_add_test(tc, moving_is_said_once);
	tcase_add_test(tc, a_closed_connection_takes_its_paths);
	tcase_add_test(tc, without_a_path_nothing_is_reached);
	tcase_add_test(tc, control_messages_are_repeated_in_time);
	tcase_add_test(tc, a_new_path_repeats_at_once);
	tcase_add_test(tc, control_restarts_are_told);
	tcase_add_test(tc, malformed_control_frames_are_counted);
	tcase_add_test(tc, both_sides_count_the_same);
	tcase_add_test(tc, paths_are_measured_each);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
