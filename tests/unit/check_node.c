/* SPDX-License-Identifier: ISC */
/*
 * A node through its public face, on the simulated network: suites, PSK, every timer of WireGuard's
 * within a tick, cookies, clocks, moving endpoints, the end of keys and counters.
 */
#include <errno.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/crypto/x25519.h>

#include "../sim/pair.h"
#include "session/node_index.h"
#include "session/node_initiate.h"
#include "session/node_keypair.h"
#include "session/node_state.h"
#include "tap.h"

static int suite_of(const struct peer *peer)
{
	struct peer_stats stats;

	peer_get_stats(peer, &stats);
	return stats.suite;
}

START_TEST(every_suite_and_psk)
{
	struct peer_config ca = _i % 3 == 0 ? wireguard : tund, cb = ca;

	ca.pinned_suite = _i % 3 == 0 ? -1 : _i % 3;
	if (_i >= 3)
		memset(ca.preshared_key, 0x5a, KEY_SIZE);
	memcpy(cb.preshared_key, ca.preshared_key, KEY_SIZE);
	established(ca, cb);
	ck_assert_int_eq(suite_of(a), _i % 3);
	ck_assert_int_eq(suite_of(b), _i % 3);
	ck_assert_int_eq(send_from(1), 0);
	sim_run(&sim, SEC / 10);
	ck_assert_uint_eq(packets[0], 1);
}
END_TEST

START_TEST(hardware_chooses_the_suite)
{
	established(tund, tund);
	ck_assert_int_eq(suite_of(a), SUITE_AESGCM);
}
END_TEST

START_TEST(another_psk_or_pin_is_refused)
{
	struct peer_config ca = tund, cb = tund;

	if (_i == 0)
		ca.preshared_key[0] = 1;
	else
		ca.pinned_suite = SUITE_AESGCM, cb.pinned_suite = SUITE_CHACHAPOLY;
	pair(ca, cb);
	send_from(0);
	sim_run(&sim, 4 * SEC);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_UP], 0);
	ck_assert_uint_eq(sim.nodes[1].events[PEER_UP], 0);
	ck_assert_uint_eq(packets[1], 0);
}
END_TEST

/* Suite 0 is for those who are configured so, and the others for the others. */
START_TEST(stock_peers_are_said_to_be)
{
	pair(_i == 0 ? wireguard : tund, _i == 0 ? tund : wireguard);
	send_from(0);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(node_counter(sim.nodes[1].node, SESSION_WRONG_SUITE), 1);
	ck_assert_uint_eq(logs[1].count[MESSAGE_RESPONSE], 0);
}
END_TEST

START_TEST(bad_keys_are_refused)
{
	struct peer_config config = tund;
	struct peer *peer;

	ck_assert_int_eq(peer_add(sim.nodes[0].node, sim.now_ns, &config, &peer), -EINVAL);
	config.public_key[0] = 1;
	ck_assert_int_eq(peer_add(sim.nodes[0].node, sim.now_ns, &config, &peer), -EINVAL);
	memcpy(config.public_key, sim.nodes[0].public_key, KEY_SIZE);
	ck_assert_int_eq(peer_add(sim.nodes[0].node, sim.now_ns, &config, &peer), -EINVAL);
	memcpy(config.public_key, sim.nodes[1].public_key, KEY_SIZE);
	ck_assert_int_eq(peer_add(sim.nodes[0].node, sim.now_ns, &config, &peer), 0);
	ck_assert_int_eq(peer_add(sim.nodes[0].node, sim.now_ns, &config, &peer), -EEXIST);
}
END_TEST

/* Sends once a second from `node` for that long. */
static void chatter(unsigned node, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		sim_run(&sim, SEC);
		send_from(node);
	}
}

START_TEST(initiator_rekeys_on_send_after_120_s)
{
	established(wireguard, wireguard);
	chatter(0, 130);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 2);
	ck_assert_uint_eq(logs[1].count[MESSAGE_INITIATION], 0);
	ck_assert_uint_ge(logs[0].at_ns[1], SIM_START_NS + REKEY_AFTER_TIME_NS);
	ck_assert_uint_le(logs[0].at_ns[1], SIM_START_NS + REKEY_AFTER_TIME_NS + 2 * SEC);
	sim_run(&sim, SEC / 10);
	ck_assert_uint_eq(packets[1], 131);
}
END_TEST

START_TEST(initiator_rekeys_on_receive_after_165_s)
{
	established(wireguard, wireguard);
	chatter(1, 119);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 1);
	/* From now on the initiator says nothing, and the responder does not mind. */
	for (unsigned i = 0; i < 55; i++) {
		a->traffic.data_heard_ns = 0;
		b->traffic.data_sent_ns = 0;
		sim_run(&sim, SEC);
		send_from(1);
	}
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 2);
	ck_assert_uint_eq(logs[1].count[MESSAGE_INITIATION], 0);
	ck_assert_uint_ge(logs[0].at_ns[1], SIM_START_NS + 165 * SEC);
	ck_assert_uint_le(logs[0].at_ns[1], SIM_START_NS + 167 * SEC);
}
END_TEST

START_TEST(keys_end_after_180_s)
{
	established(wireguard, wireguard);
	drop_type = MESSAGE_INITIATION;
	sim_run(&sim, REJECT_AFTER_TIME_NS - SEC / 10 - SEC / 50);
	ck_assert_int_eq(send_from(0), 0);
	sim_run(&sim, SEC / 10);
	ck_assert_uint_eq(packets[1], 2);
	ck_assert_int_eq(send_from(0), -EAGAIN);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_DOWN], 1);
	ck_assert_uint_le(sim.nodes[0].event_ns[PEER_DOWN],
			  SIM_START_NS + REJECT_AFTER_TIME_NS + SEC / 10);
}
END_TEST

START_TEST(old_keys_open_nothing)
{
	struct path from = sim_udp_path(&sim, 1, 0);

	established(wireguard, wireguard);
	sim.udp_blocked = true;
	send_from(0);
	sim_run(&sim, REJECT_AFTER_TIME_NS);
	ck_assert_int_eq(
		sim_inject(&sim, 1, &from, logs[0].last[MESSAGE_DATA], logs[0].len[MESSAGE_DATA]),
		SESSION_EXPIRED_KEY);
}
END_TEST

START_TEST(passive_keepalive_after_10_s)
{
	size_t before;

	established(wireguard, wireguard);
	before = logs[1].count[MESSAGE_DATA];
	sim_run(&sim, KEEPALIVE_TIMEOUT_NS - SEC / 5);
	ck_assert_uint_eq(logs[1].count[MESSAGE_DATA], before);
	sim_run(&sim, SEC / 4);
	ck_assert_uint_eq(logs[1].count[MESSAGE_DATA], before + 1);
	ck_assert_uint_eq(logs[1].len[MESSAGE_DATA], DATA_MIN_SIZE);
	/* Answered, so silence from now on. */
	sim_run(&sim, 60 * SEC);
	ck_assert_uint_eq(logs[1].count[MESSAGE_DATA], before + 1);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 1);
}
END_TEST

START_TEST(unanswered_initiations_end_after_90_s)
{
	const struct log *log = &logs[0];

	sim.udp_blocked = true;
	pair(wireguard, wireguard);
	send_from(0);
	sim_run(&sim, 200 * SEC);
	ck_assert_uint_eq(log->count[MESSAGE_INITIATION], REKEY_ATTEMPTS_MAX + 2);
	for (size_t i = 1; i < log->count[MESSAGE_INITIATION]; i++) {
		uint64_t gap = log->at_ns[i] - log->at_ns[i - 1];

		ck_assert_uint_ge(gap, REKEY_TIMEOUT_NS);
		ck_assert_uint_le(gap, REKEY_TIMEOUT_NS + REKEY_JITTER_NS);
	}
	/* The next packet begins anew, and again tries as long. */
	send_from(0);
	sim_run(&sim, 60 * SEC);
	sim.udp_blocked = false;
	sim_run(&sim, 6 * SEC);
	ck_assert_uint_eq(packets[1], 1);
}
END_TEST

START_TEST(connecting_peers_never_give_up)
{
	struct peer_config ca = tund;

	ca.connect = true;
	sim.udp_blocked = true;
	pair(ca, tund);
	sim_run(&sim, 3600 * SEC);
	sim.udp_blocked = false;
	sim_run(&sim, 6 * SEC);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_UP], 1);
}
END_TEST

/* Suite 0 has no probes: unanswered initiations are what tells that a way leads nowhere. */
START_TEST(a_silent_way_of_suite_0_is_told)
{
	struct peer_config ca = wireguard;

	ca.connect = true;
	ca.keepalive_s = (uint16_t)_i;
	sim.udp_blocked = true;
	pair(ca, wireguard);
	sim_run(&sim, 15 * SEC - SEC / 10);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_PATH_SILENT], 0);
	sim_run(&sim, 2 * SEC);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_PATH_SILENT], 1);
	sim_run(&sim, 16 * SEC);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_PATH_SILENT], 2);
	sim.udp_blocked = false;
	sim_run(&sim, 6 * SEC);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_UP], 1);
	sim_run(&sim, 3600 * SEC);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_PATH_SILENT], 2);
	ck_assert_uint_eq(sim.nodes[1].events[PEER_PATH_SILENT], 0);
}
END_TEST

START_TEST(new_handshake_15_s_after_unanswered_data)
{
	established(wireguard, wireguard);
	sim_run(&sim, 20 * SEC);
	sim.udp_blocked = true;
	ck_assert_int_eq(send_from(0), 0);
	sim_run(&sim, 15 * SEC - SEC / 100);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 1);
	sim_run(&sim, SEC / 2);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 2);
}
END_TEST

START_TEST(keys_are_erased_after_540_s)
{
	uint32_t index;

	established(wireguard, wireguard);
	index = b->current->local_index;
	sim_run(&sim, 539 * SEC);
	ck_assert_ptr_nonnull(session_index_find(sim.nodes[1].node, index));
	sim_run(&sim, 2 * SEC);
	ck_assert_ptr_null(session_index_find(sim.nodes[1].node, index));
	ck_assert_ptr_null(a->current);
	ck_assert_ptr_null(a->previous);
	ck_assert_ptr_null(b->current);
	ck_assert_ptr_null(b->next);
	/* Nothing to wake up for any more. */
	ck_assert_uint_eq(node_next_deadline(sim.nodes[0].node), TIME_NEVER);
	ck_assert_uint_eq(node_next_deadline(sim.nodes[1].node), TIME_NEVER);
	ck_assert_int_eq(send_from(0), -EAGAIN);
}
END_TEST

START_TEST(persistent_keepalive)
{
	struct peer_config ca = wireguard;
	size_t before;

	ca.keepalive_s = 25;
	established(ca, wireguard);
	sim_run(&sim, 11 * SEC);
	before = logs[0].count[MESSAGE_DATA];
	sim_run(&sim, 75 * SEC);
	ck_assert_uint_eq(logs[0].count[MESSAGE_DATA], before + 3);
}
END_TEST

START_TEST(a_cookie_is_what_load_demands)
{
	/* A queue of one is under load with every message. */
	sim_start(&sim, 1, 1, false);
	pair(tund, tund);
	send_from(0);
	sim_run(&sim, SEC);
	/* The cookie is used at once. */
	ck_assert_uint_eq(logs[1].count[MESSAGE_COOKIE], 1);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 2);
	ck_assert_uint_eq(packets[1], 1);
}
END_TEST

/* As WireGuard does. */
START_TEST(a_cookie_of_suite_0_waits_for_the_next_try)
{
	sim_start(&sim, 1, 1, false);
	pair(wireguard, wireguard);
	send_from(0);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(logs[1].count[MESSAGE_COOKIE], 1);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 1);
	sim_run(&sim, 5 * SEC);
	ck_assert_uint_eq(packets[1], 1);
}
END_TEST

/* Whoever is under load answers with a cookie, and its path is no silent one: the tries after it come
 * on the same path, for another port would need another cookie. */
START_TEST(a_path_with_a_cookie_is_not_left)
{
	struct peer_config ca = tund;

	ca.connect = true;
	sim_start(&sim, 1, 1, false);
	pair(ca, tund);
	sim_run(&sim, 3 * sim.delay_ns / 2); /* the cookie is under way, what follows it is lost */
	ck_assert_uint_eq(logs[1].count[MESSAGE_COOKIE], 1);
	sim.udp_blocked = true;
	sim_run(&sim, 12 * SEC);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_PATH_SILENT], 0);
	sim_run(&sim, 5 * SEC);
	ck_assert_uint_gt(sim.nodes[0].events[PEER_PATH_SILENT], 0);
}
END_TEST

START_TEST(the_queue_is_bounded)
{
	struct path from = sim_udp_path(&sim, 1, 0);
	struct received r;
	uint8_t msg[INITIATION_SIZE];
	size_t left;

	sim_start(&sim, 1, 16, false);
	sim.udp_blocked = true;
	pair(tund, tund);
	send_from(0);
	for (int i = 0; i < 100; i++) {
		memcpy(msg, logs[0].last[MESSAGE_INITIATION], sizeof msg);
		sim_receive(&sim, 1, &from, msg, sizeof msg, &r);
		ck_assert_int_eq(r.reason, i < 16 ? SESSION_OK : SESSION_QUEUE_FULL);
	}
	for (left = 16; left > 0; left--)
		ck_assert_uint_eq(node_work(sim.nodes[1].node, sim.now_ns, 1), left - 1);
	/* Two of 16 is an eighth: each got a cookie and nothing else. */
	ck_assert_uint_eq(logs[1].count[MESSAGE_COOKIE], 16);
	ck_assert_uint_eq(logs[1].count[MESSAGE_RESPONSE], 0);
}
END_TEST

START_TEST(replayed_initiations_get_no_reply)
{
	struct path from = sim_udp_path(&sim, 1, 0);
	uint8_t first[INITIATION_SIZE];

	established(tund, tund);
	memcpy(first, logs[0].last[MESSAGE_INITIATION], sizeof first);
	sim_run(&sim, SEC);
	sim_inject(&sim, 1, &from, first, sizeof first);
	ck_assert_uint_eq(logs[1].count[MESSAGE_RESPONSE], 1);
	ck_assert_uint_eq(node_counter(sim.nodes[1].node, SESSION_REPLAYED_INITIATION), 1);
	/* And when a newer one was accepted since, as little. */
	sim_run(&sim, 6 * SEC);
	peer_handshake(a, sim.now_ns);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(logs[1].count[MESSAGE_RESPONSE], 2);
	sim_inject(&sim, 1, &from, first, sizeof first);
	ck_assert_uint_eq(logs[1].count[MESSAGE_RESPONSE], 2);
}
END_TEST

/* Node 0 loses its memory, its clock is set, and it must be back in 6 s. */
static void restart_with_clock(int64_t skew_s, bool keep_clock)
{
	unsigned before = packets[1];

	sim.nodes[0].wall_skew_ns = skew_s * (int64_t)SEC;
	sim_start(&sim, 0, 64, keep_clock);
	a = sim_add_peer(&sim, 0, 1, tund);
	peer_path_use(a, sim.now_ns, &(struct path){.socket = 1, .remote = sim.nodes[1].udp});
	send_from(0);
	sim_run(&sim, 6 * SEC);
	ck_assert_uint_eq(packets[1], before + 1);
}

START_TEST(clocks_may_jump)
{
	const int64_t year = 365 * 24 * 3600;

	established(tund, tund);
	restart_with_clock(-3600, true);
	restart_with_clock(10 * year, true);
	/* The wrong clock is put right and its last timestamp forgotten: still no lock-out. */
	restart_with_clock(1, false);
}
END_TEST

/* The address from which node 0 is heard by node 1. */
static bool is_heard_at(uint8_t last_byte)
{
	struct path path;

	return peer_path(b, &path) && path.remote.addr.bytes[3] == last_byte;
}

START_TEST(only_fresh_authentic_packets_move_the_endpoint)
{
	struct path elsewhere = sim_udp_path(&sim, 1, 2);
	uint8_t old[2048], bad[2048];
	size_t len;

	established(tund, tund);
	ck_assert(is_heard_at(1));
	/* One that the network held back ... */
	sim.udp_blocked = true;
	send_from(0);
	len = logs[0].len[MESSAGE_DATA];
	memcpy(old, logs[0].last[MESSAGE_DATA], len);
	sim.udp_blocked = false;
	send_from(0);
	sim_run(&sim, SEC / 10);
	/* ... is delivered, but is older than the newest. */
	ck_assert_int_eq(sim_inject(&sim, 1, &elsewhere, old, len), SESSION_OK);
	ck_assert(is_heard_at(1));
	ck_assert_int_eq(sim_inject(&sim, 1, &elsewhere, old, len), SESSION_REPLAYED_COUNTER);
	memcpy(bad, logs[0].last[MESSAGE_DATA], len);
	bad[len - 1] ^= 1;
	ck_assert_int_eq(sim_inject(&sim, 1, &elsewhere, bad, len), SESSION_BAD_TAG);
	bad[len - 1] ^= 1;
	bad[DATA_RECEIVER] ^= 1;
	ck_assert_int_eq(sim_inject(&sim, 1, &elsewhere, bad, len), SESSION_UNKNOWN_INDEX);
	ck_assert(is_heard_at(1));
	/* A fresh one does, at once. */
	sim.nodes[0].udp.addr.bytes[3] = 99;
	send_from(0);
	sim_run(&sim, SEC / 10);
	ck_assert(is_heard_at(99));
	ck_assert_int_eq(send_from(1), 0);
	sim_run(&sim, SEC / 10);
	ck_assert_uint_eq(packets[0], 1);
}
END_TEST

static uint32_t forgotten[8];
static unsigned forgotten_count;

static void on_forgotten(void *ctx, const struct path *path)
{
	(void)ctx;
	forgotten[forgotten_count++ % 8] = path->socket;
}

/* Who opens one connection after another keeps as many as there are paths; the rest is told. */
START_TEST(paths_are_few_and_the_others_are_told)
{
	struct path path;

	established(tund, tund);
	b->node->ops.forgotten = on_forgotten;
	forgotten_count = 0;
	sim.udp_blocked = true;
	for (uint32_t i = 1; i <= 6; i++) {
		path = (struct path){.transport = TRANSPORT_TCP, .socket = 100 + i};
		sim_run(&sim, SEC / 100);
		send_from(0);
		ck_assert_int_eq(sim_inject(&sim, 1, &path, logs[0].last[MESSAGE_DATA],
					    logs[0].len[MESSAGE_DATA]),
				 SESSION_OK);
		/* the same again is no other path */
		send_from(0);
		ck_assert_int_eq(sim_inject(&sim, 1, &path, logs[0].last[MESSAGE_DATA],
					    logs[0].len[MESSAGE_DATA]),
				 SESSION_OK);
	}
	ck_assert_uint_eq(forgotten_count, 1 + 6 - PATHS_MAX);
	ck_assert_uint_eq(forgotten[1], 101);
	ck_assert_uint_eq(forgotten[2], 102);
	ck_assert(peer_path(b, &path) && path.socket == 106);
}
END_TEST

START_TEST(packets_of_an_old_keypair_do_not_move)
{
	struct path elsewhere = sim_udp_path(&sim, 1, 2);
	uint8_t old[2048];
	size_t len;

	established(tund, tund);
	sim.udp_blocked = true;
	send_from(0);
	len = logs[0].len[MESSAGE_DATA];
	memcpy(old, logs[0].last[MESSAGE_DATA], len);
	sim.udp_blocked = false;
	sim_run(&sim, 6 * SEC);
	peer_handshake(a, sim.now_ns);
	sim_run(&sim, SEC);
	send_from(0);
	sim_run(&sim, SEC);
	ck_assert_int_eq(sim_inject(&sim, 1, &elsewhere, old, len), SESSION_OK);
	ck_assert(is_heard_at(1));
}
END_TEST

START_TEST(counters_end)
{
	established(wireguard, wireguard);
	sim_run(&sim, 6 * SEC);
	a->current->send_counter = UINT64_C(1) << 60;
	ck_assert_int_eq(send_from(0), 0);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 2);
	drop_type = MESSAGE_INITIATION;
	a->current->send_counter = REJECT_AFTER_MESSAGES - 1;
	ck_assert_int_eq(send_from(0), 0);
	ck_assert_int_eq(send_from(0), -EAGAIN);
	sim_run(&sim, SEC / 10);
	/* The one that was refused went under the keys that the first had asked for. */
	ck_assert_uint_eq(packets[1], 4);
}
END_TEST

START_TEST(suite_1_rekeys_after_2_to_the_32)
{
	established(tund, tund);
	sim_run(&sim, 6 * SEC);
	a->current->send_counter = UINT64_C(1) << 32;
	ck_assert_int_eq(send_from(0), 0);
	ck_assert_uint_eq(logs[0].count[MESSAGE_INITIATION], 2);
}
END_TEST

START_TEST(padding_stops_at_the_mtu)
{
	static const uint8_t packet[1420] = {0x45};

	established(tund, tund);
	sim_send(&sim, 0, a, SIM_NO_TAG, packet, 1420);
	ck_assert_uint_eq(logs[0].len[MESSAGE_DATA], 1420 + DATA_OVERHEAD);
	sim_send(&sim, 0, a, SIM_NO_TAG, packet, 1409);
	ck_assert_uint_eq(logs[0].len[MESSAGE_DATA], 1420 + DATA_OVERHEAD);
	sim_send(&sim, 0, a, SIM_NO_TAG, packet, 33);
	ck_assert_uint_eq(logs[0].len[MESSAGE_DATA], 48 + DATA_OVERHEAD);
}
END_TEST

static unsigned expected; /* first byte behind the header of the next packet */

static void on_numbered(void *ctx, struct sim_node *at, const uint8_t *packet, size_t len)
{
	(void)ctx;
	(void)at;
	ck_assert_uint_eq(len, 48); /* of 40, padded */
	ck_assert_uint_eq(packet[20], expected++);
	for (size_t i = 40; i < len; i++)
		ck_assert_uint_eq(packet[i], 0);
}

START_TEST(staged_packets_are_bounded_and_in_order)
{
	uint8_t packet[40] = {0x45};

	pair(tund, tund);
	for (unsigned i = 0; i < 3 * STAGED_MAX; i++) {
		packet[20] = (uint8_t)i;
		ck_assert_int_eq(sim_send(&sim, 0, a, SIM_NO_TAG, packet, sizeof packet), -EAGAIN);
	}
	expected = 2 * STAGED_MAX;
	sim.hooks.packet = on_numbered;
	sim_run(&sim, SEC);
	ck_assert_uint_eq(expected, 3 * STAGED_MAX);
}
END_TEST

/* All peers together have a limit, too. */
START_TEST(staging_is_bounded_for_all)
{
	static const uint8_t packet[40] = {0x45};
	struct path path = sim_udp_path(&sim, 0, 1);

	for (unsigned i = 0; i < STAGED_TOTAL_MAX / STAGED_MAX + 8; i++) {
		struct peer_config config = tund;
		uint8_t private_key[KEY_SIZE] = {0, (uint8_t)i};
		struct peer *peer;

		x25519_public(private_key, config.public_key);
		ck_assert_int_eq(peer_add(sim.nodes[0].node, sim.now_ns, &config, &peer), 0);
		peer_path_use(peer, sim.now_ns, &path);
		for (unsigned k = 0; k < STAGED_MAX; k++)
			sim_send(&sim, 0, peer, SIM_NO_TAG, packet, sizeof packet);
	}
	ck_assert_uint_eq(sim.nodes[0].node->staged_total, STAGED_TOTAL_MAX);
}
END_TEST

/* What is no message, or none that anybody sealed, gets no answer. */
START_TEST(noise_gets_silence)
{
	static const size_t sizes[] = {INITIATION_SIZE, RESPONSE_SIZE, COOKIE_SIZE, DATA_MIN_SIZE,
				       0};
	struct path from = sim_udp_path(&sim, 1, 2);
	uint8_t msg[2048];
	uint64_t sent;

	established(tund, tund);
	sim_run(&sim, 30 * SEC);
	sent = sim.nodes[1].sent;
	for (unsigned i = 0; i < 300000; i++) {
		size_t len = sizes[prng_below(&sim.prng, 5)];

		if (len == 0)
			len = prng_below(&sim.prng, sizeof msg);
		prng_fill(&sim.prng, msg, len < 200 ? len : 200);
		if (len >= 16 && i % 4 != 0) {
			msg[0] = (uint8_t)(1 + i % 4);
			msg[1] = (uint8_t)prng_below(&sim.prng, SUITE_COUNT);
			msg[2] = msg[3] = 0;
			put_le32(msg + 4, i % 2 ? b->current->local_index : i);
		}
		if (sim_inject(&sim, 1, &from, msg, len) == SESSION_OK)
			ck_abort_msg("accepted");
	}
	ck_assert_uint_eq(sim.nodes[1].sent, sent);
	ck_assert_uint_eq(sim.nodes[1].events[PEER_MOVED], 1);
	ck_assert_uint_gt(node_counter(sim.nodes[1].node, SESSION_MALFORMED), 10000);
	ck_assert_uint_gt(node_counter(sim.nodes[1].node, SESSION_BAD_MAC1), 10000);
	ck_assert_uint_gt(node_counter(sim.nodes[1].node, SESSION_BAD_TAG), 10000);
	ck_assert_int_eq(send_from(0), 0);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(packets[1], 2);
}
END_TEST

START_TEST(closing_and_removing_forget)
{
	struct path from = sim_udp_path(&sim, 1, 0);

	established(tund, tund);
	peer_close(b, sim.now_ns);
	ck_assert_uint_eq(sim.nodes[1].events[PEER_DOWN], 1);
	ck_assert_int_eq(
		sim_inject(&sim, 1, &from, logs[0].last[MESSAGE_DATA], logs[0].len[MESSAGE_DATA]),
		SESSION_UNKNOWN_INDEX);
	/* While the response is on its way its peer goes. */
	sim_run(&sim, 6 * SEC);
	peer_handshake(a, sim.now_ns);
	peer_remove(a);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(node_counter(sim.nodes[0].node, SESSION_UNKNOWN_INDEX), 1);
}
END_TEST

static struct peer *add_numbered(uint8_t number)
{
	struct peer_config config = tund;
	uint8_t private_key[KEY_SIZE] = {0, number};
	struct peer *peer;

	x25519_public(private_key, config.public_key);
	ck_assert_int_eq(peer_add(sim.nodes[0].node, sim.now_ns, &config, &peer), 0);
	return peer;
}

/* One that has not joined: nobody finds it, and all that can be wrong with it is known. */
START_TEST(made_first_joined_later)
{
	struct node *node = sim.nodes[0].node;
	struct peer_config config = tund;
	struct peer *before = add_numbered(1), *peer, *other;
	uint8_t key[KEY_SIZE];

	ck_assert_int_eq(peer_new(node, &config, &peer), -EINVAL);
	peer_public_key(before, config.public_key);
	ck_assert_int_eq(peer_new(node, &config, &peer), 0);
	ck_assert_int_eq(peer_join(peer), -EEXIST);
	ck_assert_ptr_eq(peer_find(node, config.public_key), before);
	ck_assert_ptr_null(peer_after(node, peer_id(before)));
	peer_remove(before);
	other = add_numbered(2);
	ck_assert_int_eq(peer_join(peer), 0);
	ck_assert_ptr_eq(peer_find(node, config.public_key), peer);
	ck_assert_ptr_eq(peer_by_id(node, peer_id(peer)), peer);
	/* Numbered when it joined: a walk meets it behind who was there. */
	ck_assert_ptr_eq(peer_after(node, peer_id(other)), peer);
	peer_public_key(other, key);
	memcpy(config.public_key, key, KEY_SIZE);
	ck_assert_int_eq(peer_new(node, &config, &peer), 0);
	peer_discard(peer);
	peer_discard(NULL);
	ck_assert_ptr_eq(peer_find(node, key), other);
}
END_TEST

/* Ids rise and are never used again, so that a walk goes on behind whatever was removed. */
START_TEST(ids_are_never_used_again)
{
	struct node *node = sim.nodes[0].node;
	struct peer *peer[4];
	uint64_t id[4];

	ck_assert_ptr_null(peer_after(node, 0));
	for (uint8_t i = 0; i < 4; i++) {
		peer[i] = add_numbered(i);
		id[i] = peer_id(peer[i]);
		ck_assert_uint_gt(id[i], i == 0 ? 0 : id[i - 1]);
		ck_assert_ptr_eq(peer_by_id(node, id[i]), peer[i]);
	}
	ck_assert_ptr_eq(peer_after(node, 0), peer[0]);
	ck_assert_ptr_eq(peer_after(node, id[0]), peer[1]);
	ck_assert_ptr_null(peer_after(node, id[3]));
	ck_assert_ptr_null(peer_by_id(node, id[3] + 1));
	peer_remove(peer[1]);
	ck_assert_ptr_null(peer_by_id(node, id[1]));
	ck_assert_ptr_eq(peer_after(node, id[0]), peer[2]);
	ck_assert_ptr_eq(peer_after(node, id[1]), peer[2]);
	peer_remove(peer[3]);
	ck_assert_ptr_null(peer_after(node, id[2]));
	peer[1] = add_numbered(1);
	ck_assert_uint_gt(peer_id(peer[1]), id[3]);
	ck_assert_ptr_eq(peer_after(node, id[3]), peer[1]);
	peer_remove(peer[0]);
	peer_remove(peer[1]);
	peer_remove(peer[2]);
	ck_assert_ptr_null(peer_after(node, 0));
}
END_TEST

START_TEST(indices_are_never_alive_twice)
{
	const unsigned handshakes = 10000;
	uint32_t seen = 0, same = 0;

	established(tund, tund);
	for (unsigned i = 0; i < handshakes; i++) {
		sim.now_ns += SEC / 10;
		handshake_initiate(a, sim.now_ns, true);
		while (sim.flight_count > 0)
			sim_run(&sim, NS_PER_MS);
		ck_assert_uint_ne(a->current->local_index, a->previous->local_index);
		same += a->current->local_index - seen == 1;
		seen = a->current->local_index;
	}
	ck_assert_uint_lt(same, 3);
	/* Three keypairs a peer at most, and no index is left behind. */
	ck_assert_uint_le(sim.nodes[0].node->index_count, 3);
	ck_assert_uint_le(sim.nodes[1].node->index_count, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("host");
	TCase *tc = tcase_create("host");

	if (crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, pair_setup, pair_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, every_suite_and_psk, 0, 6);
	tcase_add_test(tc, hardware_chooses_the_suite);
	tcase_add_loop_test(tc, another_psk_or_pin_is_refused, 0, 2);
	tcase_add_loop_test(tc, stock_peers_are_said_to_be, 0, 2);
	tcase_add_test(tc, bad_keys_are_refused);
	tcase_add_test(tc, initiator_rekeys_on_send_after_120_s);
	tcase_add_test(tc, initiator_rekeys_on_receive_after_165_s);
	tcase_add_test(tc, keys_end_after_180_s);
	tcase_add_test(tc, old_keys_open_nothing);
	tcase_add_test(tc, passive_keepalive_after_10_s);
	tcase_add_test(tc, unanswered_initiations_end_after_90_s);
	tcase_add_test(tc, connecting_peers_never_give_up);
	tcase_add_loop_test(tc, a_silent_way_of_suite_0_is_told, 0, 10);
	tcase_add_test(tc, new_handshake_15_s_after_unanswered_data);
	tcase_add_test(tc, keys_are_erased_after_540_s);
	tcase_add_test(tc, persistent_keepalive);
	tcase_add_test(tc, a_cookie_is_what_load_demands);
	tcase_add_test(tc, a_cookie_of_suite_0_waits_for_the_next_try);
	tcase_add_test(tc, a_path_with_a_cookie_is_not_left);
	tcase_add_test(tc, the_queue_is_bounded);
	tcase_add_test(tc, replayed_initiations_get_no_reply);
	tcase_add_test(tc, clocks_may_jump);
	tcase_add_test(tc, only_fresh_authentic_packets_move_the_endpoint);
	tcase_add_test(tc, paths_are_few_and_the_others_are_told);
	tcase_add_test(tc, packets_of_an_old_keypair_do_not_move);
	tcase_add_test(tc, counters_end);
	tcase_add_test(tc, suite_1_rekeys_after_2_to_the_32);
	tcase_add_test(tc, padding_stops_at_the_mtu);
	tcase_add_test(tc, staged_packets_are_bounded_and_in_order);
	tcase_add_test(tc, staging_is_bounded_for_all);
	tcase_add_test(tc, noise_gets_silence);
	tcase_add_test(tc, closing_and_removing_forget);
	tcase_add_test(tc, made_first_joined_later);
	tcase_add_test(tc, ids_are_never_used_again);
	tcase_add_test(tc, indices_are_never_alive_twice);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
