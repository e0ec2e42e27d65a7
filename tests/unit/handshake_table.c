/* SPDX-License-Identifier: ISC */
/*
 * Every byte of every handshake message of every suite flipped, as it came and with mac1 made anew
 * (whoever knows the public key can do that); every suite byte written over; every byte of a data
 * message's header. Nothing is established, nothing is answered, nothing changes: the genuine
 * message still works afterwards.
 */
#include <string.h>

#include "../sim/network.h"
#include "session/node_state.h"
#include "tap.h"

static struct sim sim;
static struct peer *a, *b;
static uint8_t caught[MESSAGE_DATA + 1][2048];
static size_t caught_len[MESSAGE_DATA + 1];
static unsigned packets;

/* The network delivers nothing by itself: the test does. */
static bool on_message(void *ctx, struct sim_node *from, uint8_t *msg, size_t len)
{
	(void)ctx;
	(void)from;
	memcpy(caught[msg[0]], msg, len);
	caught_len[msg[0]] = len;
	return false;
}

static void on_packet(void *ctx, struct sim_node *at, const uint8_t *packet, size_t len)
{
	(void)ctx;
	(void)at;
	(void)packet;
	(void)len;
	packets++;
}

static void start(int suite)
{
	struct peer_config config = {.wireguard = suite == SUITE_WIREGUARD, .pinned_suite = -1};
	struct path path;
	static const uint8_t packet[64] = {0x45};

	packets = 0;
	sim_init(&sim, 11);
	sim.hooks = (struct sim_hooks){.message = on_message, .packet = on_packet};
	for (unsigned i = 0; i < 2; i++)
		sim_start(&sim, i, 4096, false);
	b = sim_add_peer(&sim, 1, 0, config);
	if (suite != SUITE_WIREGUARD)
		config.pinned_suite = suite;
	a = sim_add_peer(&sim, 0, 1, config);
	path = sim_udp_path(&sim, 0, 1);
	peer_path_use(a, sim.now_ns, &path);
	sim_send(&sim, 0, a, SIM_NO_TAG, packet, sizeof packet);
}

/* Gives `msg` to the node, perhaps with mac1 made anew for it. */
static enum session_reason give(unsigned node, uint8_t *msg, size_t len, bool reseal)
{
	struct path from = sim_udp_path(&sim, node, !node);
	struct cookie_maker maker;

	if (reseal) {
		cookie_maker_init(&maker, sim.nodes[node].public_key);
		cookie_stamp(&maker, sim.now_ns, msg, len);
	}
	return sim_inject(&sim, node, &from, msg, len);
}

static void nothing_happened(const char *what, size_t at, uint64_t sent_before)
{
	for (unsigned i = 0; i < 2; i++)
		ck_assert_msg(sim.nodes[i].events[PEER_UP] == 0 &&
				      sim.nodes[i].events[PEER_MOVED] <= 1,
			      "%s, byte %zu: an event at node %u", what, at, i);
	ck_assert_msg(sim.nodes[0].sent + sim.nodes[1].sent == sent_before,
		      "%s, byte %zu: answered", what, at);
	ck_assert_msg(!b->current && !b->next && !a->current && !a->next,
		      "%s, byte %zu: established", what, at);
}

/* Flips each of the first `covered` bytes of a message that was caught. */
static void flip_each(const char *what, unsigned node, enum message_type type, size_t covered)
{
	uint64_t sent = sim.nodes[0].sent + sim.nodes[1].sent;
	uint8_t msg[2048];

	for (size_t at = 0; at < covered; at++) {
		for (int reseal = 0; reseal < 2; reseal++) {
			memcpy(msg, caught[type], caught_len[type]);
			msg[at] ^= (uint8_t)(1 << (at % 8));
			/* Making mac1 anew undoes a flip in it. The sender's index has no other
			 * protection: with another one the session is nobody's. */
			if (reseal && (at >= caught_len[type] - 2 * MAC_SIZE ||
				       (at >= INITIATION_SENDER && at < INITIATION_EPHEMERAL)))
				continue;
			give(node, msg, caught_len[type], reseal);
			nothing_happened(what, at, sent);
		}
	}
}

static void cross_suites(const char *what, unsigned node, enum message_type type, int suite)
{
	uint64_t sent = sim.nodes[0].sent + sim.nodes[1].sent;
	uint8_t msg[2048];

	for (int other = 0; other < 256; other++) {
		if (other == suite)
			continue;
		memcpy(msg, caught[type], caught_len[type]);
		msg[1] = (uint8_t)other;
		give(node, msg, caught_len[type], true);
		nothing_happened(what, 1, sent);
	}
}

START_TEST(initiation)
{
	start(_i);
	flip_each("initiation", 1, MESSAGE_INITIATION, INITIATION_MAC2);
	cross_suites("initiation", 1, MESSAGE_INITIATION, _i);
	ck_assert_int_eq(give(1, caught[MESSAGE_INITIATION], INITIATION_SIZE, false),
			 SESSION_OK);
	ck_assert_ptr_nonnull(b->next);
	ck_assert_uint_eq(caught_len[MESSAGE_RESPONSE], RESPONSE_SIZE);
	sim_free(&sim);
}
END_TEST

START_TEST(response)
{
	struct keypair *next;

	start(_i);
	give(1, caught[MESSAGE_INITIATION], INITIATION_SIZE, false);
	/* Only the initiator is looked at: for the responder there is a session to be. */
	next = b->next;
	b->next = NULL;
	flip_each("response", 0, MESSAGE_RESPONSE, RESPONSE_MAC2);
	cross_suites("response", 0, MESSAGE_RESPONSE, _i);
	b->next = next;
	ck_assert_int_eq(give(0, caught[MESSAGE_RESPONSE], RESPONSE_SIZE, false), SESSION_OK);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_UP], 1);
	ck_assert_int_eq(give(1, caught[MESSAGE_DATA], caught_len[MESSAGE_DATA], false),
			 SESSION_OK);
	ck_assert_uint_eq(sim.nodes[1].events[PEER_UP], 1);
	ck_assert_uint_eq(packets, 1);
	sim_free(&sim);
}
END_TEST

/* A session of one suite, and each byte of its next data message flipped. */
START_TEST(data)
{
	struct path from;
	uint8_t msg[2048];
	size_t len;

	start(_i);
	give(1, caught[MESSAGE_INITIATION], INITIATION_SIZE, false);
	give(0, caught[MESSAGE_RESPONSE], RESPONSE_SIZE, false);
	len = caught_len[MESSAGE_DATA];
	from = sim_udp_path(&sim, 1, 2);
	for (size_t at = 0; at < len; at++) {
		memcpy(msg, caught[MESSAGE_DATA], len);
		msg[at] ^= (uint8_t)(1 << (at % 8));
		sim_inject(&sim, 1, &from, msg, len);
		ck_assert_msg(packets == 0, "byte %zu: delivered", at);
		ck_assert_msg(sim.nodes[1].events[PEER_UP] == 0, "byte %zu: confirmed", at);
	}
	give(1, caught[MESSAGE_DATA], len, false);
	ck_assert_uint_eq(packets, 1);
	sim_free(&sim);
}
END_TEST

START_TEST(cookie)
{
	uint8_t msg[COOKIE_SIZE];

	start(_i);
	sim_free(&sim);
	start(_i);
	sim_start(&sim, 1, 1, false); /* always under load */
	give(1, caught[MESSAGE_INITIATION], INITIATION_SIZE, false);
	ck_assert_uint_eq(caught_len[MESSAGE_COOKIE], COOKIE_SIZE);
	for (size_t at = 0; at < COOKIE_SIZE; at++) {
		memcpy(msg, caught[MESSAGE_COOKIE], sizeof msg);
		msg[at] ^= (uint8_t)(1 << (at % 8));
		give(0, msg, sizeof msg, false);
		ck_assert_msg(a->cookie.cookie_birth_ns == TIME_NEVER, "byte %zu: taken", at);
	}
	ck_assert_int_eq(give(0, caught[MESSAGE_COOKIE], COOKIE_SIZE, false), SESSION_OK);
	ck_assert_uint_eq(a->cookie.cookie_birth_ns, sim.now_ns);
	sim_free(&sim);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handshake_table");
	TCase *tc = tcase_create("handshake_table");

	if (crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, initiation, 0, SUITE_COUNT);
	tcase_add_loop_test(tc, response, 0, SUITE_COUNT);
	tcase_add_loop_test(tc, data, 0, SUITE_COUNT);
	tcase_add_loop_test(tc, cookie, 0, SUITE_COUNT);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
