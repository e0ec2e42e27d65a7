/* SPDX-License-Identifier: ISC */
/*
 * Snapshots: what is read is what was written, a session goes on in the node that was read and no
 * longer in the other; bytes that are none are refused. At last an hour on the simulated network
 * in which either node is written, freed and read back at any time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/session/lane.h>
#include <tund/session/setting.h>

#include "../sim/pair.h"
#include "session/limits.h"
#include "session/node_keypair.h"
#include "session/node_peer.h"
#include "session/snapshot.h"
#include "tap.h"

#define CAP 65536

static uint8_t first[CAP], second[CAP];

static void find_peers(void)
{
	a = peer_find(sim.nodes[0].node, sim.nodes[1].public_key);
	b = peer_find(sim.nodes[1].node, sim.nodes[0].public_key);
	ck_assert(a && b);
}

/* Writes a node, reads it, and once more, which must give the same. */
static size_t restart_alone(unsigned id)
{
	size_t len = sim_snapshot(&sim, id, first, CAP);

	ck_assert_int_eq(sim_restore(&sim, id, first, len), 0);
	ck_assert_uint_eq(sim_snapshot(&sim, id, second, CAP), len);
	ck_assert_mem_eq(first, second, len);
	ck_assert_int_eq(sim_restore(&sim, id, second, len), 0);
	return len;
}

/* The same while both are peers. */
static size_t restart(unsigned id)
{
	size_t len = restart_alone(id);

	find_peers();
	return len;
}

static void exchange(void)
{
	unsigned before[] = {packets[0], packets[1]};

	ck_assert_int_eq(send_from(0), 0);
	ck_assert_int_eq(send_from(1), 0);
	sim_run(&sim, SEC / 10);
	ck_assert_uint_eq(packets[0], before[0] + 1);
	ck_assert_uint_eq(packets[1], before[1] + 1);
}

START_TEST(a_session_goes_on)
{
	struct peer_config config = _i < 2 ? wireguard : tund;
	struct peer_stats was, is;

	memset(config.preshared_key, _i % 2, KEY_SIZE);
	config.keepalive_s = 25;
	established(config, config);
	exchange();
	peer_get_stats(a, &was);
	restart(0);
	peer_get_stats(a, &is);
	ck_assert_mem_eq(&was, &is, sizeof is);
	exchange();
	restart(1);
	exchange();
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 1);
	/* Rekeys, and what was agreed on beforehand. */
	for (int i = 0; i < 200; i++) {
		exchange();
		sim_run(&sim, SEC);
		if (i % 50 == 0)
			restart(i % 100 == 0);
	}
	ck_assert_uint_ge(sim.nodes[0].events[PEER_REKEYED], 1);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_DOWN] + sim.nodes[1].events[PEER_DOWN], 0);
}
END_TEST

START_TEST(a_handshake_goes_on)
{
	pair(tund, tund);
	ck_assert_int_eq(send_from(0), -EAGAIN);
	/* The initiation is under way; then the response; then what confirms it. */
	for (int i = 0; i < 3; i++) {
		restart(0);
		restart(1);
		sim_run(&sim, NS_PER_MS);
	}
	sim_run(&sim, SEC / 10);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 1);
	exchange();
}
END_TEST

START_TEST(nothing_is_accepted_again)
{
	struct path from = sim_udp_path(&sim, 1, 0);
	uint8_t initiation[INITIATION_SIZE], data[2048];
	size_t len;

	established(tund, tund);
	sim_run(&sim, SEC);
	memcpy(initiation, logs[0].last[MESSAGE_INITIATION], sizeof initiation);
	exchange();
	len = logs[0].len[MESSAGE_DATA];
	memcpy(data, logs[0].last[MESSAGE_DATA], len);
	restart(1);
	ck_assert_int_eq(sim_inject(&sim, 1, &from, data, len), SESSION_REPLAYED_COUNTER);
	sim_inject(&sim, 1, &from, initiation, sizeof initiation);
	ck_assert_uint_eq(node_counter(sim.nodes[1].node, SESSION_REPLAYED_INITIATION), 1);
	/* Nor is an older timestamp sent. */
	sim.nodes[0].wall_skew_ns = -3600 * (int64_t)SEC;
	restart(0);
	sim_run(&sim, 6 * SEC);
	ck_assert_int_eq(peer_handshake(a, sim.now_ns), 0);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_REKEYED], 1);
}
END_TEST

/* What was reserved before may be used, and nothing is given back; no message is accepted. */
START_TEST(the_other_node_has_ended)
{
	struct path back = sim_udp_path(&sim, 0, 1);
	uint8_t payload[32] = {0x45}, msg[2048];
	struct lane *lane;
	struct sealing s;
	struct received r;
	uint64_t reserved;
	size_t len;

	established(tund, tund);
	send_from(1);
	lane = node_lane(sim.nodes[0].node, 0);
	lane_enter(lane);
	ck_assert_int_eq(lane_send_begin(lane, sim.now_ns, a, 10, &s), 0);
	reserved = s.end;
	len = sim_snapshot(&sim, 0, first, CAP);
	ck_assert_int_gt(lane_seal(&s, 0, payload, 16, msg), 0);
	lane_send_end(&s);
	ck_assert_int_eq(lane_send_begin(lane, sim.now_ns, a, 1, &s), -EAGAIN);
	ck_assert_int_eq(lane_receive(lane, sim.now_ns, &back, logs[1].last[MESSAGE_DATA],
				      logs[1].len[MESSAGE_DATA], &r),
			 RECEIVED_NOTHING);
	ck_assert_int_eq(r.reason, SESSION_REPLAYED_COUNTER);
	lane_leave(lane);
	ck_assert_int_eq(sim_restore(&sim, 0, first, len), 0);
	find_peers();
	ck_assert_uint_eq(atomic_load(&a->current)->send_counter, reserved);
	sim_run(&sim, SEC);
	exchange();
}
END_TEST

/* An id is never that of another peer, in no process. */
START_TEST(ids_are_kept)
{
	struct peer_config config = tund;
	struct peer *gone, *late;
	uint64_t id_gone;

	established(tund, tund);
	gone = sim_add_peer(&sim, 0, 2, config);
	id_gone = peer_id(gone);
	peer_remove(gone);
	restart(0);
	ck_assert_ptr_eq(peer_by_id(sim.nodes[0].node, peer_id(a)), a);
	late = sim_add_peer(&sim, 0, 2, config);
	ck_assert_uint_gt(peer_id(late), id_gone);
	peer_remove(a);
	restart_alone(0);
	late = peer_find(sim.nodes[0].node, sim.nodes[2].public_key);
	ck_assert_uint_eq(peer_id(late), id_gone + 1);
}
END_TEST

START_TEST(without_room_the_node_goes_on)
{
	size_t size;
	struct writer w;

	established(tund, tund);
	size = snapshot_size(sim.nodes[0].node);
	w = writer_init(first, size - 1);
	ck_assert_int_eq(snapshot_write(sim.nodes[0].node, &w), -ENOBUFS);
	ck_assert_uint_eq(w.len, 0);
	exchange();
	ck_assert_uint_le(restart(0), size);
}
END_TEST

START_TEST(control_messages_begin_anew)
{
	established(tund, tund);
	ck_assert_int_eq(peer_control_send(a, sim.now_ns, (const uint8_t *)"x", 1), 0);
	ck_assert_int_eq(peer_control_send(b, sim.now_ns, (const uint8_t *)"x", 1), 0);
	sim_run(&sim, SEC);
	restart(0);
	peer_control_restart(a, sim.now_ns);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(sim.nodes[1].events[PEER_CONTROL_RESET], 1);
}
END_TEST

/* A state with much in it: a current and a next keypair, a pending handshake, two paths. */
static size_t rich(uint8_t *out)
{
	struct path path;

	established(tund, tund);
	sim_run(&sim, 6 * SEC);
	peer_handshake(a, sim.now_ns);
	sim_run(&sim, SEC);
	path = sim_tcp_path(&sim, 1, 0);
	peer_path_use(b, sim.now_ns, &path);
	sim_run(&sim, 6 * SEC);
	/* What would confirm it is lost: it stays the next one. */
	drop_type = MESSAGE_DATA;
	peer_handshake(b, sim.now_ns);
	sim_run(&sim, SEC);
	sim_run(&sim, 6 * SEC);
	drop_type = MESSAGE_INITIATION;
	peer_handshake(a, sim.now_ns);
	ck_assert(a->next && a->current && a->secrets->state == HANDSHAKE_CREATED_INITIATION);
	return sim_snapshot(&sim, 0, out, CAP);
}

static int read_again(const uint8_t *bytes, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	int err;

	if (len > 0)
		memcpy(exact, bytes, len);
	err = sim_restore(&sim, 0, exact, len);
	free(exact);
	return err;
}

START_TEST(a_part_is_none)
{
	size_t len = rich(first);

	/* Most of it is the words of windows. */
	for (size_t part = 0; part < len; part += part < 700 || len - part < 300 ? 1 : 97)
		ck_assert_int_eq(read_again(first, part), -EBADMSG);
	ck_assert_int_eq(read_again(first, len + 1), -EBADMSG);
	ck_assert_int_eq(read_again(first, len), 0);
	ck_assert_uint_eq(sim_snapshot(&sim, 0, second, CAP), len);
	ck_assert_mem_eq(first, second, len);
}
END_TEST

/* Whatever is read, is what would have been written. */
START_TEST(bytes_that_change)
{
	size_t len = rich(first), taken = 0;

	for (int i = 0; i < 3000; i++) {
		static uint8_t changed[CAP];

		memcpy(changed, first, len);
		for (uint64_t n = 1 + prng_below(&sim.prng, 3); n > 0; n--)
			changed[prng_below(&sim.prng, i % 2 ? len : 700)] =
				(uint8_t)prng_next(&sim.prng);
		if (read_again(changed, len) < 0)
			continue;
		taken++;
		ck_assert_uint_eq(sim_snapshot(&sim, 0, second, CAP), len);
		ck_assert_mem_eq(changed, second, len);
	}
	ck_assert_uint_gt(taken, 500);
	ck_assert_int_eq(read_again(first, len), 0);
}
END_TEST

START_TEST(another_time_is_refused)
{
	size_t len = rich(first);

	sim.now_ns -= 20 * SEC;
	ck_assert_int_eq(read_again(first, len), -EBADMSG);
	sim.now_ns += 20 * SEC;
	first[0]++; /* version */
	ck_assert_int_eq(read_again(first, len), -EBADMSG);
	first[0]--;
	/* A keypair of long ago is there, but of no use. */
	sim.now_ns += REJECT_AFTER_TIME_NS;
	ck_assert_int_eq(read_again(first, len), 0);
	a = peer_find(sim.nodes[0].node, sim.nodes[1].public_key);
	ck_assert(!keypair_may_send(a->current, sim.now_ns));
}
END_TEST

/* The hour: laws are as in tests/sim/day.c, and no counter comes twice. */
enum { TAGS = 20000, INDICES = 1024 };

static uint8_t copies[2][TAGS], delivered[2][TAGS];
static uint32_t next_tag[2];
static struct {
	uint32_t index;
	uint64_t next;
} counters[2][INDICES]; /* by sender and receiver index */
static unsigned index_count[2];

static bool on_message(void *ctx, struct sim_node *from, uint8_t *msg, size_t len)
{
	uint32_t index = get_le32(msg + DATA_RECEIVER);
	uint64_t counter = get_le64(msg + DATA_COUNTER);
	unsigned i = 0;

	(void)ctx;
	(void)len;
	if (msg[0] != MESSAGE_DATA)
		return true;
	while (i < index_count[from->id] && counters[from->id][i].index != index)
		i++;
	ck_assert_uint_lt(i, INDICES);
	if (i == index_count[from->id])
		counters[from->id][index_count[from->id]++].index = index;
	ck_assert_uint_ge(counter, counters[from->id][i].next);
	counters[from->id][i].next = counter + 1;
	return true;
}

static void on_fate(void *ctx, struct sim_node *from, uint64_t tag, unsigned n)
{
	(void)ctx;
	copies[from->id][tag] = (uint8_t)n;
}

static void on_packet(void *ctx, struct sim_node *at, const uint8_t *packet, size_t len)
{
	(void)ctx;
	(void)len;
	delivered[!at->id][get_be32(packet + 4)]++;
}

static void send_tagged(unsigned node)
{
	uint8_t packet[64] = {0x45};
	uint32_t tag = next_tag[node]++;

	ck_assert_uint_lt(tag, TAGS);
	put_be32(packet + 4, tag);
	ck_assert_int_eq(sim_send(&sim, node, node == 0 ? a : b, tag, packet, sizeof packet), 0);
}

/* Of one suite. */
static void begin_hour(int suite)
{
	struct peer_config ca = {.connect = true, .keepalive_s = 25}, cb = {0};

	ca.wireguard = cb.wireguard = suite == SUITE_WIREGUARD;
	ca.pinned_suite = cb.pinned_suite = suite == SUITE_WIREGUARD ? -1 : suite;
	memset(copies, 0, sizeof copies);
	memset(delivered, 0, sizeof delivered);
	memset(next_tag, 0, sizeof next_tag);
	memset(index_count, 0, sizeof index_count);
	memset(counters, 0, sizeof counters);
	established(ca, cb);
	sim.hooks = (struct sim_hooks){.message = on_message, .fate = on_fate, .packet = on_packet};
	sim.loss_percent = 5;
	sim.duplicate_percent = 10;
	sim.delay_ns = 20 * NS_PER_MS;
	sim.jitter_ns = 200 * NS_PER_MS;
}

START_TEST(an_hour_of_restarts)
{
	unsigned restarts = 0;

	begin_hour(_i);
	while (sim.now_ns < SIM_START_NS + 3600 * SEC) {
		for (uint64_t burst = prng_below(&sim.prng, 4); burst > 0; burst--)
			send_tagged((unsigned)prng_below(&sim.prng, 2));
		if (prng_below(&sim.prng, 20) == 0) {
			restart((unsigned)prng_below(&sim.prng, 2));
			restarts++;
		}
		sim_run(&sim, prng_below(&sim.prng, SEC));
	}
	sim_run(&sim, 2 * SEC);
	for (unsigned node = 0; node < 2; node++) {
		for (uint32_t tag = 0; tag < next_tag[node]; tag++)
			ck_assert_msg(delivered[node][tag] == (copies[node][tag] > 0),
				      "packet %u of node %u: %u copies arrived, delivered %u times",
				      tag, node, copies[node][tag], delivered[node][tag]);
	}
	ck_assert_uint_gt(restarts, 200);
	ck_assert_uint_gt(sim.nodes[0].events[PEER_REKEYED], 3600 / 180);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_DOWN] + sim.nodes[1].events[PEER_DOWN], 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("snapshot");
	TCase *tc = tcase_create("snapshot");

	if (crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, pair_setup, pair_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_session_goes_on, 0, 4);
	tcase_add_test(tc, a_handshake_goes_on);
	tcase_add_test(tc, nothing_is_accepted_again);
	tcase_add_test(tc, the_other_node_has_ended);
	tcase_add_test(tc, ids_are_kept);
	tcase_add_test(tc, without_room_the_node_goes_on);
	tcase_add_test(tc, control_messages_begin_anew);
	tcase_add_test(tc, a_part_is_none);
	tcase_add_test(tc, bytes_that_change);
	tcase_add_test(tc, another_time_is_refused);
	tcase_add_loop_test(tc, an_hour_of_restarts, 0, 3);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
