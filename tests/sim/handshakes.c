/* SPDX-License-Identifier: ISC */
/*
 * Handshakes from the side: what they leave behind, who may begin one and how often, keys of low
 * order, and a flood of messages from spoofed sources.
 */
#include <errno.h>
#include <string.h>

#include <check.h>

#include <tund/base/bytes.h>

#include "../unit/tap.h"
#include "pair.h"
#include "session/node_data.h"
#include "session/node_initiate.h"
#include "session/node_keypair.h"
#include "session/node_state.h"

static bool is_zero(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= p[i];
	return any == 0;
}

/* As a stranger would who knows the public key. */
static void seal_mac1(unsigned node, uint8_t *msg, size_t len)
{
	struct cookie_maker maker;

	cookie_maker_init(&maker, sim.nodes[node].public_key);
	cookie_stamp(&maker, sim.now_ns, msg, len);
}

START_TEST(secrets_do_not_outlive_their_use)
{
	const struct peer_secrets *s;

	established(tund, tund);
	s = a->secrets;
	ck_assert_int_eq(s->state, HANDSHAKE_ZEROED);
	ck_assert(is_zero(s->ephemeral, KEY_SIZE) && is_zero(&s->noise, sizeof s->noise));
	sim.udp_blocked = true;
	sim_run(&sim, 6 * SEC);
	ck_assert_int_eq(peer_handshake(a, sim.now_ns), 0);
	ck_assert(!is_zero(s->ephemeral, KEY_SIZE));
	peer_close(a, sim.now_ns);
	ck_assert(is_zero(s->ephemeral, KEY_SIZE) && is_zero(&s->noise, sizeof s->noise));
	ck_assert_ptr_null(a->current);
	ck_assert_uint_eq(sim.nodes[0].node->index_count, 0);
	sim_run(&sim, 60 * SEC);
	ck_assert_uint_eq(node_next_deadline(sim.nodes[0].node), TIME_NEVER);
}
END_TEST

START_TEST(attempts_leave_nothing_behind)
{
	sim.udp_blocked = true;
	pair(tund, tund);
	send_from(0);
	sim_run(&sim, 200 * SEC);
	ck_assert_uint_eq(sim.nodes[0].node->index_count, 0);
	ck_assert_int_eq(a->secrets->state, HANDSHAKE_ZEROED);
	ck_assert_uint_eq(a->staged_count, 0);
	ck_assert_uint_eq(sim.nodes[0].node->staged_total, 0);
}
END_TEST

static void remember(uint8_t seen[][KEY_SIZE], unsigned *count, const uint8_t key[KEY_SIZE])
{
	for (unsigned i = 0; i < *count; i++)
		ck_assert(memcmp(seen[i], key, KEY_SIZE) != 0);
	memcpy(seen[(*count)++], key, KEY_SIZE);
}

START_TEST(ephemeral_keys_are_used_once)
{
	uint8_t seen[64][KEY_SIZE];
	unsigned count = 0;

	established(tund, tund);
	for (int i = 0; i < 32; i++) {
		remember(seen, &count, logs[0].last[MESSAGE_INITIATION] + INITIATION_EPHEMERAL);
		remember(seen, &count, logs[1].last[MESSAGE_RESPONSE] + RESPONSE_EPHEMERAL);
		sim_run(&sim, 6 * SEC);
		peer_handshake(a, sim.now_ns);
		sim_run(&sim, SEC);
	}
	ck_assert_uint_eq(sim.nodes[0].events[PEER_REKEYED], 32);
}
END_TEST

START_TEST(a_stranger_gets_no_reply)
{
	struct path path = sim_udp_path(&sim, 2, 1);
	struct peer *peer;

	pair(tund, tund);
	sim_start(&sim, 2, 64, false);
	peer = sim_add_peer(&sim, 2, 1, tund);
	peer_path_use(peer, sim.now_ns, &path);
	ck_assert_int_eq(peer_handshake(peer, sim.now_ns), 0);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(node_counter(sim.nodes[1].node, SESSION_UNKNOWN_PEER), 1);
	ck_assert_uint_eq(sim.nodes[1].sent, 0);
}
END_TEST

START_TEST(one_initiation_in_20_ms)
{
	established(tund, tund);
	sim_run(&sim, SEC);
	handshake_initiate(a, sim.now_ns, true);
	sim_run(&sim, 19 * NS_PER_MS);
	handshake_initiate(a, sim.now_ns, true);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(logs[1].count[MESSAGE_RESPONSE], 2);
	ck_assert_uint_eq(node_counter(sim.nodes[1].node, SESSION_RATE_LIMITED), 1);
	handshake_initiate(a, sim.now_ns, true);
	sim_run(&sim, 20 * NS_PER_MS);
	handshake_initiate(a, sim.now_ns, true);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(logs[1].count[MESSAGE_RESPONSE], 4);
}
END_TEST

START_TEST(both_may_have_the_same_pin)
{
	struct peer_config config = tund;

	config.pinned_suite = 1 + _i;
	established(config, config);
	ck_assert_int_eq((int)b->current->suite, 1 + _i);
}
END_TEST

/* An authentic initiation says where the peer is, and the first data what may be sent there. */
START_TEST(the_responder_waits_for_data)
{
	struct path path;

	pair(tund, tund);
	drop_type = MESSAGE_DATA;
	peer_handshake(a, sim.now_ns);
	sim_run(&sim, SEC / 10);
	ck_assert(peer_path(b, &path) && path.remote.addr.bytes[3] == 1);
	ck_assert_ptr_nonnull(b->next);
	ck_assert_int_eq(send_from(1), -EAGAIN);
	drop_type = MESSAGE_INITIATION; /* of its own, for it has something to send now */
	ck_assert_uint_eq(sim.nodes[1].events[PEER_UP], 0);
	send_from(0);
	sim_run(&sim, SEC / 10);
	ck_assert_uint_eq(sim.nodes[1].events[PEER_UP], 1);
	ck_assert_uint_eq(packets[0], 1); /* which had waited */
}
END_TEST

START_TEST(both_begin_at_once)
{
	struct path path = sim_udp_path(&sim, 1, 0);

	pair(tund, tund);
	peer_path_use(b, sim.now_ns, &path);
	send_from(0);
	send_from(1);
	sim_run(&sim, SEC / 2);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(send_from(0), 0);
		ck_assert_int_eq(send_from(1), 0);
		sim_run(&sim, SEC / 2);
	}
	ck_assert_uint_eq(packets[0], 21);
	ck_assert_uint_eq(packets[1], 21);
}
END_TEST

START_TEST(flags_are_handed_on)
{
	static const uint8_t payload[16] = {0x45};
	struct path from = sim_udp_path(&sim, 1, 0);
	struct received r;
	struct log *log = &logs[0];

	established(tund, tund);
	sim.udp_blocked = true;
	data_send(a, sim.now_ns, &a->path, DATA_FLAG_CSUM, payload, sizeof payload);
	ck_assert_int_eq(sim_receive(&sim, 1, &from, log->last[MESSAGE_DATA],
				     log->len[MESSAGE_DATA], &r),
			 RECEIVED_PACKET);
	ck_assert_int_eq(r.flags, DATA_FLAG_CSUM);
	ck_assert_uint_eq(r.len, sizeof payload);
	ck_assert_ptr_eq(r.peer, b);
	/* One that is not known yet: silence. */
	data_send(a, sim.now_ns, &a->path, DATA_FLAG_GSO, payload, sizeof payload);
	sim_receive(&sim, 1, &from, log->last[MESSAGE_DATA], log->len[MESSAGE_DATA], &r);
	ck_assert_int_eq(r.reason, SESSION_MALFORMED);
}
END_TEST

/* Public keys whose every multiple is zero, and one more encoding of each kind. */
static const uint8_t low_order[][KEY_SIZE] = {
	{0},
	{1},
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	{0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
	 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
	 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
	{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
	 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
	 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
};

START_TEST(keys_of_low_order_end_the_handshake)
{
	struct path from = sim_udp_path(&sim, 1, 0);
	struct peer_config config = tund;
	uint8_t msg[INITIATION_SIZE];
	struct peer *peer;

	memcpy(config.public_key, low_order[_i], KEY_SIZE);
	ck_assert_int_eq(peer_add(sim.nodes[0].node, sim.now_ns, &config, &peer), -EINVAL);
	sim.udp_blocked = true;
	pair(tund, tund);
	send_from(0);
	memcpy(msg, logs[0].last[MESSAGE_INITIATION], sizeof msg);
	memcpy(msg + INITIATION_EPHEMERAL, low_order[_i], KEY_SIZE);
	seal_mac1(1, msg, sizeof msg);
	sim_inject(&sim, 1, &from, msg, sizeof msg);
	ck_assert_uint_eq(node_counter(sim.nodes[1].node, SESSION_BAD_HANDSHAKE), 1);
	/* The response to the genuine one. */
	sim_inject(&sim, 1, &from, logs[0].last[MESSAGE_INITIATION], INITIATION_SIZE);
	ck_assert_uint_eq(logs[1].count[MESSAGE_RESPONSE], 1);
	memcpy(msg, logs[1].last[MESSAGE_RESPONSE], RESPONSE_SIZE);
	memcpy(msg + RESPONSE_EPHEMERAL, low_order[_i], KEY_SIZE);
	seal_mac1(0, msg, RESPONSE_SIZE);
	sim_inject(&sim, 0, &from, msg, RESPONSE_SIZE);
	ck_assert_uint_eq(node_counter(sim.nodes[0].node, SESSION_BAD_HANDSHAKE), 1);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_UP], 0);
}
END_TEST

static uint64_t flood_in, flood_out; /* bytes */

static bool count_out(void *ctx, struct sim_node *from, uint8_t *msg, size_t len)
{
	(void)ctx;
	(void)msg;
	if (from->id == 1)
		flood_out += len;
	return true;
}

/* 20,000 initiations a second, each with a valid mac1, each from another address; node 1 wakes up
 * once in a millisecond. */
static void flood(unsigned milliseconds)
{
	uint8_t msg[INITIATION_SIZE];
	struct received r;

	for (unsigned i = 0; i < 20 * milliseconds; i++) {
		struct path from = sim_udp_path(&sim, 1, 2);

		prng_fill(&sim.prng, from.remote.addr.bytes, 4);
		prng_fill(&sim.prng, msg, sizeof msg);
		put_le32(msg, MESSAGE_INITIATION | SUITE_AESGCM << 8);
		seal_mac1(1, msg, sizeof msg);
		sim_receive(&sim, 1, &from, msg, sizeof msg, &r);
		flood_in += sizeof msg;
		if (i % 20 != 19)
			continue;
		node_work(sim.nodes[1].node, sim.now_ns, 64);
		sim_run(&sim, NS_PER_MS);
	}
}

/* Under load as well a peer that is who it says comes in, and 20 of 20 do. */
START_TEST(a_flood_locks_nobody_out)
{
	pair(tund, tund);
	sim.hooks.message = count_out;
	flood(500);
	for (unsigned round = 0; round < 20; round++) {
		peer_close(a, sim.now_ns);
		peer_close(b, sim.now_ns);
		a->last_initiation_sent_ns = 0;
		packets[1] = 0;
		send_from(0);
		for (unsigned i = 0; i < 60 && packets[1] == 0; i++)
			flood(100);
		ck_assert_msg(packets[1] == 1, "round %u: not connected in 6 s", round);
	}
	ck_assert_uint_le(flood_out * 100, flood_in * 44);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handshakes");
	TCase *tc = tcase_create("handshakes");

	if (crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, pair_setup, pair_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, secrets_do_not_outlive_their_use);
	tcase_add_test(tc, attempts_leave_nothing_behind);
	tcase_add_test(tc, ephemeral_keys_are_used_once);
	tcase_add_test(tc, a_stranger_gets_no_reply);
	tcase_add_test(tc, one_initiation_in_20_ms);
	tcase_add_loop_test(tc, both_may_have_the_same_pin, 0, 2);
	tcase_add_test(tc, the_responder_waits_for_data);
	tcase_add_test(tc, both_begin_at_once);
	tcase_add_test(tc, flags_are_handed_on);
	tcase_add_loop_test(tc, keys_of_low_order_end_the_handshake, 0,
			    sizeof low_order / sizeof *low_order);
	tcase_add_test(tc, a_flood_locks_nobody_out);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
