/* SPDX-License-Identifier: ISC */
/* Lanes: what they open, seal and post, and what main makes of it. */
#include <errno.h>
#include <string.h>

#include <tund/crypto/secret.h>
#include <tund/session/lane.h>
#include <tund/session/setting.h>

#include "../sim/pair.h"
#include "session/lane_state.h"
#include "session/node_data.h"
#include "session/node_index.h"
#include "session/node_keypair.h"
#include "session/node_path.h"
#include "tap.h"

static const uint8_t packet[100] = {0x45};

static struct lane *lane_of(unsigned node, unsigned i)
{
	return node_lane(sim.nodes[node].node, i);
}

/* Seals one packet of node 0's in a lane of its. Returns the message's length. */
static size_t seal_one(uint8_t out[2048], struct sealing *s)
{
	uint8_t buffer[sizeof packet + PADDING];
	ssize_t n;

	memcpy(buffer, packet, sizeof packet);
	memset(buffer + sizeof packet, 0xa5, PADDING);
	lane_enter(lane_of(0, 0));
	ck_assert_int_eq(lane_send_begin(lane_of(0, 0), sim.now_ns, a, 1, s), 0);
	n = lane_seal(s, 0, buffer, sizeof packet, out);
	ck_assert_int_eq(lane_seal(s, 0, buffer, sizeof packet, out), -ENOBUFS);
	lane_send_end(s);
	lane_leave(lane_of(0, 0));
	ck_assert_int_eq(n, 112 + DATA_OVERHEAD);
	for (unsigned i = 0; i < PADDING; i++)
		ck_assert_uint_eq(buffer[sizeof packet + i], 0xa5);
	return (size_t)n;
}

START_TEST(a_packet_from_lane_to_lane)
{
	struct path from = sim_udp_path(&sim, 1, 0);
	struct received r;
	struct sealing s;
	uint8_t msg[2048];
	size_t n;

	established(_i == 0 ? wireguard : tund, _i == 0 ? wireguard : tund);
	n = seal_one(msg, &s);
	ck_assert(endpoint_equal(&s.path.remote, &sim.nodes[1].udp));
	ck_assert_uint_eq(s.suite, _i);
	lane_enter(lane_of(1, 3));
	ck_assert_int_eq(lane_receive(lane_of(1, 3), sim.now_ns, &from, msg, n, &r),
			 RECEIVED_PACKET);
	ck_assert_ptr_eq(r.peer, b);
	ck_assert_uint_eq(r.len, 112);
	ck_assert_mem_eq(r.packet, packet, sizeof packet);
	lane_leave(lane_of(1, 3));
}
END_TEST

static void drain(unsigned node)
{
	while (node_drain(sim.nodes[node].node, sim.now_ns))
		;
}

/* One message into lane 0 of node 1, which leaves afterwards. */
static enum session_reason open_one(const struct path *from, uint8_t *msg, size_t len)
{
	struct received r;

	lane_enter(lane_of(1, 0));
	lane_receive(lane_of(1, 0), sim.now_ns, from, msg, len, &r);
	lane_leave(lane_of(1, 0));
	return r.reason;
}

START_TEST(a_run_without_end_is_refused)
{
	struct sealing s;

	established(tund, tund);
	a->current->send_counter = REJECT_AFTER_MESSAGES - 2;
	lane_enter(lane_of(0, 0));
	ck_assert_int_eq(lane_send_begin(lane_of(0, 0), sim.now_ns, a, 2, &s), 0);
	ck_assert_uint_eq(s.end, REJECT_AFTER_MESSAGES);
	ck_assert_int_eq(lane_send_begin(lane_of(0, 0), sim.now_ns, a, 1, &s), -EAGAIN);
	a->current->send_counter = REJECT_AFTER_MESSAGES - 1;
	ck_assert_int_eq(lane_send_begin(lane_of(0, 0), sim.now_ns, a, 2, &s), -EAGAIN);
	a->current->send_counter = 100;
	ck_assert_int_eq(
		lane_send_begin(lane_of(0, 0), sim.now_ns + REJECT_AFTER_TIME_NS, a, 1, &s),
		-EAGAIN);
	a->has_path = false;
	path_publish(a);
	ck_assert_int_eq(lane_send_begin(lane_of(0, 0), sim.now_ns, a, 1, &s), -EHOSTUNREACH);
	lane_leave(lane_of(0, 0));
}
END_TEST

START_TEST(counters_not_used_are_given_back_by_the_last_only)
{
	uint8_t payload[16] = {0}, msg[2048];
	struct sealing s, behind;
	uint64_t first;

	established(tund, tund);
	first = a->current->send_counter;
	lane_enter(lane_of(0, 0));
	ck_assert_int_eq(lane_send_begin(lane_of(0, 0), sim.now_ns, a, 10, &s), 0);
	ck_assert_int_gt(lane_seal(&s, 0, payload, sizeof payload, msg), 0);
	lane_send_end(&s);
	ck_assert_uint_eq(a->current->send_counter, first + 1);
	ck_assert_int_eq(lane_send_begin(lane_of(0, 0), sim.now_ns, a, 10, &s), 0);
	ck_assert_int_eq(lane_send_begin(lane_of(0, 0), sim.now_ns, a, 5, &behind), 0);
	ck_assert_uint_eq(behind.next, first + 11);
	lane_send_end(&s);
	ck_assert_uint_eq(a->current->send_counter, first + 16);
	lane_send_end(&behind);
	ck_assert_uint_eq(a->current->send_counter, first + 11);
	lane_leave(lane_of(0, 0));
}
END_TEST

START_TEST(a_run_goes_on_to_the_same_place_only)
{
	struct path elsewhere = sim_udp_path(&sim, 1, 1);
	struct sealing s = {0};

	established(tund, tund);
	lane_enter(lane_of(0, 0));
	ck_assert(!lane_send_goes_on(&s, a, 1));
	ck_assert_int_eq(lane_send_begin(lane_of(0, 0), sim.now_ns, a, 2, &s), 0);
	ck_assert(lane_send_goes_on(&s, a, 2));
	ck_assert(!lane_send_goes_on(&s, a, 3));
	ck_assert(!lane_send_goes_on(&s, b, 1));
	shared_path_set(&a->traffic.path, &elsewhere);
	ck_assert(!lane_send_goes_on(&s, a, 1));
	lane_send_end(&s);
	lane_leave(lane_of(0, 0));
}
END_TEST

/* Who looked at the clock a moment ago must not find keys of the future expired. */
START_TEST(a_lane_may_be_behind)
{
	struct path from = sim_udp_path(&sim, 1, 0);
	struct received r;
	struct sealing s;
	uint8_t msg[2048];
	size_t n;

	established(tund, tund);
	sim.now_ns = a->current->born_ns - SEC;
	n = seal_one(msg, &s);
	lane_enter(lane_of(1, 0));
	ck_assert_int_eq(lane_receive(lane_of(1, 0), b->current->born_ns - SEC, &from, msg, n, &r),
			 RECEIVED_PACKET);
	lane_leave(lane_of(1, 0));
}
END_TEST

START_TEST(gso_comes_in_frames_only)
{
	struct path udp = sim_udp_path(&sim, 1, 0), tcp = sim_tcp_path(&sim, 1, 0);
	uint8_t payload[16] = {0}, msg[2048], copy[2048];
	struct received r;
	struct sealing s;
	ssize_t n;

	established(tund, tund);
	lane_enter(lane_of(0, 0));
	ck_assert_int_eq(lane_send_begin(lane_of(0, 0), sim.now_ns, a, 1, &s), 0);
	n = lane_seal(&s, DATA_FLAG_GSO | DATA_FLAG_CSUM, payload, sizeof payload, msg);
	lane_send_end(&s);
	lane_leave(lane_of(0, 0));
	memcpy(copy, msg, (size_t)n);
	ck_assert_int_eq(open_one(&udp, copy, (size_t)n), SESSION_MALFORMED);
	lane_enter(lane_of(1, 0));
	ck_assert_int_eq(lane_receive(lane_of(1, 0), sim.now_ns, &tcp, msg, (size_t)n, &r),
			 RECEIVED_PACKET);
	ck_assert_uint_eq(r.flags, DATA_FLAG_GSO | DATA_FLAG_CSUM);
	lane_leave(lane_of(1, 0));
}
END_TEST

/* Strangers fill their own part of a lane and no other. */
START_TEST(a_flood_of_handshakes_leaves_room_for_the_rest)
{
	struct path from = sim_udp_path(&sim, 1, 2), peer = sim_udp_path(&sim, 1, 0);
	uint8_t msg[2048] = {MESSAGE_INITIATION, SUITE_CHACHAPOLY};
	unsigned posted = 0;
	struct sealing s;

	established(tund, tund);
	for (unsigned i = 0; i < 10000; i++)
		posted += open_one(&from, msg, INITIATION_SIZE) == SESSION_OK;
	ck_assert_uint_gt(posted, 200);
	ck_assert_uint_lt(posted, 1000);
	ck_assert_uint_eq(node_counter(sim.nodes[1].node, SESSION_QUEUE_FULL), 10000 - posted);
	ck_assert_uint_eq(node_counter(sim.nodes[1].node, SESSION_BAD_MAC1), 0);
	ck_assert(lane_posted(lane_of(1, 0)));
	ck_assert(!lane_posted(lane_of(1, 0)));
	ck_assert_int_eq(open_one(&peer, msg, seal_one(msg, &s)), SESSION_OK);
	ck_assert(node_drain(sim.nodes[1].node, sim.now_ns)); /* a part of it each time */
	drain(1);
	ck_assert_uint_eq(node_counter(sim.nodes[1].node, SESSION_BAD_MAC1), posted);
	ck_assert_uint_eq(sim.nodes[1].sent, logs[1].count[MESSAGE_RESPONSE]);
}
END_TEST

START_TEST(what_has_no_session_is_staged)
{
	struct sealing s;

	pair(tund, tund);
	lane_enter(lane_of(0, 0));
	ck_assert_int_eq(lane_send_begin(lane_of(0, 0), sim.now_ns, a, 1, &s), -EAGAIN);
	for (unsigned i = 0; i < 100000; i++)
		lane_stage(lane_of(0, 0), sim.now_ns, a, packet, sizeof packet);
	lane_leave(lane_of(0, 0));
	ck_assert(lane_posted(lane_of(0, 0)));
	ck_assert_uint_eq(sim.nodes[0].sent, 0);
	drain(0);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 1);
	ck_assert_uint_eq(a->staged_count, STAGED_MAX);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(packets[1], STAGED_MAX);
}
END_TEST

START_TEST(what_is_posted_about_a_removed_peer_is_nothing)
{
	struct path from = sim_udp_path(&sim, 1, 2);
	struct sealing s;
	uint8_t msg[2048];
	size_t n;

	established(tund, tund);
	n = seal_one(msg, &s);
	ck_assert_int_eq(open_one(&from, msg, n), SESSION_OK); /* it moved */
	lane_enter(lane_of(1, 0));
	lane_stage(lane_of(1, 0), sim.now_ns, b, packet, sizeof packet);
	lane_leave(lane_of(1, 0));
	peer_remove(b);
	drain(1);
	ck_assert_uint_eq(sim.nodes[1].events[PEER_MOVED], 1);
	ck_assert_uint_eq(logs[1].count[MESSAGE_INITIATION], 0);
}
END_TEST

/* What a lane may still read is wiped when it has left, and main wakes for it. */
START_TEST(keys_are_wiped_when_the_lane_has_left)
{
	struct node *node = sim.nodes[1].node;
	struct keypair *keypair;

	established(tund, tund);
	keypair = b->current;
	lane_enter(lane_of(1, 2));
	peer_remove(b);
	ck_assert_ptr_null(session_index_find(node, keypair->local_index));
	ck_assert_ptr_nonnull(keypair->receive.aead);
	ck_assert_uint_le(node_next_deadline(node), sim.now_ns + SEC / 50);
	node_tick(node, sim.now_ns + SEC);
	ck_assert_ptr_nonnull(keypair->receive.aead);
	lane_leave(lane_of(1, 2));
	ck_assert_uint_le(node_next_deadline(node), sim.now_ns + 2 * SEC);
	node_tick(node, sim.now_ns + 2 * SEC);
	ck_assert(secret_is_zero(&keypair->receive, sizeof keypair->receive));
	ck_assert_uint_eq(node_next_deadline(node), TIME_NEVER);
}
END_TEST

static void fill_notes(unsigned node)
{
	const struct note of_nobody = {0};

	lane_enter(lane_of(node, 0));
	for (unsigned i = 0; i < 10000; i++)
		lane_post(lane_of(node, 0), &of_nobody, NULL, 0);
	lane_leave(lane_of(node, 0));
}

/* A deadline that could not be told is found all the same. */
START_TEST(no_room_loses_no_timer)
{
	struct node *node = sim.nodes[0].node;
	struct sealing s;
	uint8_t msg[2048];

	established(wireguard, wireguard);
	sim_run(&sim, 30 * SEC);
	ck_assert_uint_gt(node_next_deadline(node), sim.now_ns + 60 * SEC);
	fill_notes(0);
	seal_one(msg, &s);
	seal_one(msg, &s);
	drain(0);
	ck_assert_uint_le(node_next_deadline(node), sim.now_ns + 16 * SEC);
	ck_assert_uint_ge(node_next_deadline(node), sim.now_ns + 15 * SEC);
}
END_TEST

/* That there was a first packet under the next keypair is told by the second, if need be. */
START_TEST(no_room_loses_no_keypair)
{
	struct path from = sim_udp_path(&sim, 1, 0);
	struct sealing s;
	uint8_t msg[2048];

	established(tund, tund);
	sim_run(&sim, 6 * SEC);
	drop_type = MESSAGE_DATA; /* begins_session()'s keepalive */
	peer_handshake(a, sim.now_ns);
	sim_run(&sim, SEC / 10);
	ck_assert_ptr_nonnull(b->next);
	fill_notes(1);
	ck_assert_int_eq(open_one(&from, msg, seal_one(msg, &s)), SESSION_OK);
	drain(1);
	ck_assert_ptr_nonnull(b->next);
	ck_assert_int_eq(open_one(&from, msg, seal_one(msg, &s)), SESSION_OK);
	drain(1);
	ck_assert_ptr_null(b->next);
	ck_assert_uint_eq(sim.nodes[1].events[PEER_REKEYED], 1);
}
END_TEST

/* The next message goes to the new path before main has heard of it, and main, which may show the
 * old one again in between, moves in the end. */
START_TEST(a_lane_moves_ahead_of_main)
{
	struct path elsewhere = sim_udp_path(&sim, 1, 2), path;
	struct endpoint nowhere = sim.nodes[2].udp;
	uint32_t version;
	struct sealing s;
	uint8_t msg[2048];

	established(_i == 0 ? wireguard : tund, _i == 0 ? wireguard : tund);
	ck_assert_int_eq(open_one(&elsewhere, msg, seal_one(msg, &s)), SESSION_OK);
	ck_assert(shared_path_get(&b->traffic.path, &path, &version) &&
		  path_equal(&path, &elsewhere));
	ck_assert(peer_path(b, &path) && !path_equal(&path, &elsewhere));
	node_source_lost(sim.nodes[1].node, 1, &nowhere);
	drain(1);
	ck_assert(shared_path_get(&b->traffic.path, &path, &version) &&
		  path_equal(&path, &elsewhere));
	ck_assert(peer_path(b, &path) && path_equal(&path, &elsewhere));
	ck_assert_uint_eq(sim.nodes[1].events[PEER_MOVED], 2);
}
END_TEST

/* A busy peer costs main a look now and then, not one for each packet. */
START_TEST(a_busy_peer_posts_little)
{
	struct peer_config connecting = tund;
	struct path from[2] = {sim_udp_path(&sim, 1, 0), sim_udp_path(&sim, 0, 1)};
	unsigned posts = 0;

	connecting.connect = true;
	connecting.keepalive_s = 1;
	established(connecting, tund);
	for (unsigned i = 0; i < 10000; i++) {
		struct sealing s;
		uint8_t msg[2048];

		sim.now_ns += NS_PER_MS;
		open_one(&from[0], msg, seal_one(msg, &s));
		data_send(b, sim.now_ns, &b->path, 0, packet, sizeof packet);
		lane_enter(lane_of(0, 0));
		lane_receive(lane_of(0, 0), sim.now_ns, &from[1], logs[1].last[MESSAGE_DATA],
			     logs[1].len[MESSAGE_DATA], &(struct received){0});
		lane_leave(lane_of(0, 0));
		for (unsigned node = 0; node < 2; node++) {
			posts += lane_posted(lane_of(node, 0));
			drain(node);
			if (node_next_deadline(sim.nodes[node].node) <= sim.now_ns)
				node_tick(sim.nodes[node].node, sim.now_ns);
		}
	}
	ck_assert_uint_le(posts, 30); /* in 10 s */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lane");
	TCase *tc = tcase_create("lane");

	if (crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, pair_setup, pair_teardown);
	tcase_add_loop_test(tc, a_packet_from_lane_to_lane, 0, 2);
	tcase_add_test(tc, a_run_without_end_is_refused);
	tcase_add_test(tc, a_run_goes_on_to_the_same_place_only);
	tcase_add_test(tc, counters_not_used_are_given_back_by_the_last_only);
	tcase_add_test(tc, a_lane_may_be_behind);
	tcase_add_test(tc, gso_comes_in_frames_only);
	tcase_add_test(tc, a_flood_of_handshakes_leaves_room_for_the_rest);
	tcase_add_test(tc, what_has_no_session_is_staged);
	tcase_add_test(tc, what_is_posted_about_a_removed_peer_is_nothing);
	tcase_add_test(tc, keys_are_wiped_when_the_lane_has_left);
	tcase_add_test(tc, no_room_loses_no_timer);
	tcase_add_test(tc, no_room_loses_no_keypair);
	tcase_add_loop_test(tc, a_lane_moves_ahead_of_main, 0, 2);
	tcase_add_test(tc, a_busy_peer_posts_little);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
