/* SPDX-License-Identifier: ISC */
/* What changes about a running node: identity, preshared key, keepalive, endpoint, source. */
#include <errno.h>
#include <string.h>

#include <tund/crypto/random.h>
#include <tund/session/setting.h>

#include "../sim/network.h"
#include "tap.h"

#define SEC NS_PER_SEC

static struct sim sim;
static struct peer *a, *b; /* node 0's view of node 1, and the reverse */
static unsigned packets[SIM_NODES];

static void on_packet(void *ctx, struct sim_node *at, const uint8_t *packet, size_t len)
{
	(void)ctx;
	(void)packet;
	(void)len;
	packets[at->id]++;
}

static void setup(void)
{
	static const struct peer_config wireguard = {.pinned_suite = -1, .wireguard = true};
	struct path path;

	memset(packets, 0, sizeof packets);
	sim_init(&sim, 11);
	sim.hooks = (struct sim_hooks){.packet = on_packet};
	sim_start(&sim, 0, 64, false);
	sim_start(&sim, 1, 64, false);
	path = sim_udp_path(&sim, 0, 1);
	a = sim_add_peer(&sim, 0, 1, wireguard);
	b = sim_add_peer(&sim, 1, 0, wireguard);
	peer_set_path(a, &path);
}

static void teardown(void)
{
	sim_free(&sim);
}

static struct node *node(unsigned node)
{
	return sim.nodes[node].node;
}

static void send_from(unsigned node)
{
	static const uint8_t packet[100] = {0x45};

	sim_send(&sim, node, node == 0 ? a : b, SIM_NO_TAG, packet, sizeof packet);
	sim_run(&sim, SEC / 10);
}

START_TEST(aead_providers_by_name)
{
	static const char *const names[] = {NULL, "libcrypto", "none"};
	struct node_config config = {.handshake_queue = 8, .rng = rng_system()};
	struct node *other = NULL;

	config.aead = names[_i];
	ck_assert_int_eq(node_new(&config, SEC, &other), _i < 2 ? 0 : -EOPNOTSUPP);
	ck_assert((other != NULL) == (_i < 2));
	node_free(other);
}
END_TEST

START_TEST(a_path_alone_sends_nothing)
{
	sim_run(&sim, 30 * SEC);
	ck_assert_uint_eq(sim.nodes[0].sent, 0);
	send_from(0);
	ck_assert_uint_eq(packets[1], 1);
}
END_TEST

START_TEST(without_identity_nothing_is_begun_or_answered)
{
	static const uint8_t none[KEY_SIZE];
	uint8_t key[KEY_SIZE];

	send_from(0);
	ck_assert_int_eq(node_set_private_key(node(1), sim.now_ns, none), 0);
	ck_assert_uint_eq(sim.nodes[1].events[PEER_DOWN], 1);
	node_private_key(node(1), key);
	ck_assert_mem_eq(key, none, KEY_SIZE);
	sim.nodes[1].sent = 0;
	packets[1] = 0;
	send_from(0);
	send_from(1);
	sim_run(&sim, 20 * SEC); /* node 0 asks for new keys meanwhile */
	ck_assert_uint_eq(packets[1], 0);
	ck_assert_uint_eq(sim.nodes[1].sent, 0);
	ck_assert_int_eq(node_set_private_key(node(1), sim.now_ns, sim.nodes[1].private_key), 0);
	node_private_key(node(1), key);
	ck_assert_mem_eq(key, sim.nodes[1].private_key, KEY_SIZE);
	sim_run(&sim, 6 * SEC);
	send_from(0);
	ck_assert_uint_ge(packets[1], 1);
}
END_TEST

START_TEST(another_identity_is_another_node)
{
	send_from(0);
	packets[1] = 0;
	ck_assert_int_eq(node_set_private_key(node(1), sim.now_ns, sim.nodes[0].private_key),
			 -EEXIST);
	send_from(0);
	ck_assert_uint_eq(packets[1], 1);
	sim.nodes[2].private_key[5] = 7;
	ck_assert_int_eq(node_set_private_key(node(1), sim.now_ns, sim.nodes[2].private_key), 0);
	send_from(0);
	sim_run(&sim, 20 * SEC);
	ck_assert_uint_eq(packets[1], 1);
}
END_TEST

/* WireGuard keeps a peer whose key is of low order, with or without an identity of its own. */
START_TEST(a_key_of_low_order_never_works)
{
	struct peer_config config = {.pinned_suite = -1, .wireguard = true};
	struct path path = sim_udp_path(&sim, 0, 1);
	struct peer *peer;

	ck_assert_int_eq(peer_add(node(0), sim.now_ns, &config, &peer), 0);
	peer_set_path(peer, &path);
	ck_assert_int_lt(peer_handshake(peer, sim.now_ns), 0);
	ck_assert_int_eq(node_set_private_key(node(0), sim.now_ns, sim.nodes[0].private_key), 0);
	ck_assert_int_lt(peer_handshake(peer, sim.now_ns), 0);
	ck_assert_uint_eq(sim.nodes[0].sent, 0);
}
END_TEST

START_TEST(a_preshared_key_counts_from_the_next_handshake)
{
	static const uint8_t psk[KEY_SIZE] = {1};
	uint8_t key[KEY_SIZE];

	send_from(0);
	peer_set_preshared_key(a, psk);
	peer_preshared_key(a, key);
	ck_assert_mem_eq(key, psk, KEY_SIZE);
	send_from(0);
	ck_assert_uint_eq(packets[1], 2);
	peer_close(a, sim.now_ns);
	send_from(0);
	sim_run(&sim, 6 * SEC);
	ck_assert_uint_eq(packets[1], 2);
	peer_set_preshared_key(b, psk);
	sim_run(&sim, 6 * SEC);
	ck_assert_uint_eq(packets[1], 3);
}
END_TEST

START_TEST(a_keepalive_can_be_switched)
{
	uint64_t sent;

	peer_set_keepalive(a, sim.now_ns, 3);
	sim_run(&sim, 30 * SEC);
	ck_assert_uint_eq(sim.nodes[0].sent, 0);
	peer_send_keepalive(a, sim.now_ns);
	sim_run(&sim, SEC);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_UP], 1);
	sent = sim.nodes[0].sent;
	sim_run(&sim, 30 * SEC);
	ck_assert_uint_ge(sim.nodes[0].sent, sent + 9);
	ck_assert_uint_le(sim.nodes[0].sent, sent + 11);
	peer_set_keepalive(a, sim.now_ns, 0);
	sent = sim.nodes[0].sent;
	sim_run(&sim, 30 * SEC);
	ck_assert_uint_eq(sim.nodes[0].sent, sent);
	peer_set_keepalive(a, sim.now_ns, 5);
	sim_run(&sim, 6 * SEC);
	ck_assert_uint_eq(sim.nodes[0].sent, sent + 1);
}
END_TEST

START_TEST(a_lost_source_is_forgotten)
{
	struct endpoint here, there;
	struct path path = sim_udp_path(&sim, 0, 1), now;

	ck_assert_int_eq(endpoint_parse("192.0.2.77:1", &here), 0);
	ck_assert_int_eq(endpoint_parse("192.0.2.78:1", &there), 0);
	path.local = here;
	peer_set_path(a, &path);
	node_source_lost(node(0), path.socket, &there);
	node_source_lost(node(0), path.socket + 1, &here);
	ck_assert(peer_path(a, &now));
	ck_assert(endpoint_equal(&now.local, &here));
	node_source_lost(node(0), path.socket, &here);
	ck_assert(peer_path(a, &now));
	ck_assert_uint_eq(now.local.addr.family, 0);
	peer_set_path(a, &path);
	node_source_lost(node(0), path.socket, NULL);
	ck_assert(peer_path(a, &now));
	ck_assert_uint_eq(now.local.addr.family, 0);
}
END_TEST

/* Every packet comes to the address that the kernel had chosen before, as after a change of routes. */
static bool comes_to_an_address(void *ctx, struct sim_node *from, uint8_t *msg, size_t len)
{
	struct path path = sim_udp_path(&sim, 0, 1);

	(void)ctx;
	if (from->id == 0)
		return true;
	ck_assert_int_eq(endpoint_parse("192.0.2.77:1", &path.local), 0);
	sim_inject(&sim, 0, &path, msg, len);
	return false;
}

START_TEST(sources_are_lost_again_and_again)
{
	struct path now;

	send_from(0);
	sim.hooks.message = comes_to_an_address;
	for (int i = 0; i < 6; i++) {
		packets[0] = 0;
		send_from(1);
		ck_assert_uint_eq(packets[0], 1);
		ck_assert(peer_path(a, &now));
		ck_assert_uint_eq(now.local.addr.family, 4);
		node_source_lost(node(0), now.socket, NULL);
		ck_assert(peer_path(a, &now));
		ck_assert_uint_eq(now.local.addr.family, 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("setting");
	TCase *tc = tcase_create("setting");

	if (crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, aead_providers_by_name, 0, 3);
	tcase_add_test(tc, a_path_alone_sends_nothing);
	tcase_add_test(tc, without_identity_nothing_is_begun_or_answered);
	tcase_add_test(tc, another_identity_is_another_node);
	tcase_add_test(tc, a_key_of_low_order_never_works);
	tcase_add_test(tc, a_preshared_key_counts_from_the_next_handshake);
	tcase_add_test(tc, a_keepalive_can_be_switched);
	tcase_add_test(tc, a_lost_source_is_forgotten);
	tcase_add_test(tc, sources_are_lost_again_and_again);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
