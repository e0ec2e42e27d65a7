/* SPDX-License-Identifier: ISC */
/*
 * A responder made by hand from tund-protocol(7), byte by byte, against a host: what goes into the
 * hash and in which order, where each field lies, what a data message authenticates. Two hosts of
 * ours would agree on a mistake; this one would not.
 */
#include <errno.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/crypto/x25519.h>
#include "session/noise.h"

#include "../sim/pair.h"
#include "tap.h"

struct by_hand {
	const char *name, *prologue;
	enum aead_kind kind;
	bool is_tund;
};

static const struct by_hand suites[] = {
	{"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s", "WireGuard v1 zx2c4 Jason@zx2c4.com",
	 AEAD_CHACHA20POLY1305, false},
	{"Noise_IKpsk2_25519_AESGCM_BLAKE2s", "tund v1", AEAD_AES256GCM, true},
	{"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s", "tund v1", AEAD_CHACHA20POLY1305, true},
};

static const uint8_t psk[KEY_SIZE] = {1, 2, 3};

/* Reads the initiation with the responder's key. */
static void read_initiation(const struct by_hand *s, const uint8_t msg[148], struct noise *noise)
{
	const struct sim_node *own = &sim.nodes[1];
	uint8_t initiator[KEY_SIZE], shared[KEY_SIZE], stamp[12], expected[12];

	noise_start(noise, aead_select(s->kind, NULL), s->name, s->prologue, strlen(s->prologue),
		    own->public_key);
	if (s->is_tund)
		noise_mix_hash(noise, msg, 4);
	ck_assert_int_eq(noise_read_static(noise, own->private_key, msg + 8, initiator), 0);
	ck_assert_mem_eq(initiator, sim.nodes[0].public_key, KEY_SIZE);
	ck_assert_int_eq(x25519_dh(own->private_key, initiator, shared), 0);
	ck_assert_int_eq(noise_read_first(noise, shared, msg + 8, 12, stamp), 0);
	put_be64(expected, (UINT64_C(1) << 62) + 10 + SIM_WALL_NS / NS_PER_SEC);
	put_be32(expected + 8, 0);
	ck_assert_mem_eq(stamp, expected, sizeof stamp);
}

static void mac1(const uint8_t public_key[KEY_SIZE], uint8_t *msg, size_t len)
{
	uint8_t key[32];

	blake2s_hash2("mac1----", 8, public_key, KEY_SIZE, key);
	blake2s_mac(key, sizeof key, msg, len, msg + len);
}

static void write_response(const struct by_hand *s, const uint8_t initiation[148],
			   struct noise *noise, uint8_t msg[92])
{
	const uint8_t ephemeral[KEY_SIZE] = {9, 9, 9};

	memset(msg, 0, 92);
	msg[0] = 2;
	msg[1] = initiation[1];
	put_le32(msg + 4, 0x11223344);
	memcpy(msg + 8, initiation + 4, 4);
	if (s->is_tund)
		noise_mix_hash(noise, msg, 4);
	ck_assert_int_eq(noise_write_second(noise, ephemeral, initiation + 8,
					    sim.nodes[0].public_key, psk, NULL, 0, msg + 12),
			 0);
	mac1(sim.nodes[0].public_key, msg, 60);
}

static void check_mac1(const uint8_t initiation[148])
{
	uint8_t copy[148], zeros[16] = {0};

	memcpy(copy, initiation, sizeof copy);
	mac1(sim.nodes[1].public_key, copy, 116);
	ck_assert_mem_eq(copy, initiation, sizeof copy);
	ck_assert_mem_eq(initiation + 132, zeros, sizeof zeros);
}

/* The packet that waited for the session. */
static void check_data(const struct by_hand *s, int suite, const uint8_t key[KEY_SIZE])
{
	const uint8_t *msg = logs[0].last[MESSAGE_DATA];
	size_t ad_len = s->is_tund ? 16 : 0;
	const uint8_t header[16] = {4, (uint8_t)suite, 0, 0, 0x44, 0x33, 0x22, 0x11};
	struct aead_key receiving = {0};
	uint8_t payload[112];

	ck_assert_mem_eq(msg, header, sizeof header);
	ck_assert_uint_eq(logs[0].len[MESSAGE_DATA], 16 + 112 + 16); /* 100 bytes, padded */
	ck_assert_int_eq(aead_key_init(aead_select(s->kind, NULL), key, &receiving), 0);
	ck_assert_int_eq(aead_open(&receiving, 0, msg, ad_len, msg + 16, 112 + 16, payload), 0);
	ck_assert_uint_eq(payload[0], 0x45);
	aead_key_clear(&receiving);
}

static void answer_data(const struct by_hand *s, int suite, const uint8_t initiation[148],
			const uint8_t key[KEY_SIZE])
{
	struct path from = sim_udp_path(&sim, 0, 1);
	uint8_t msg[16 + 32 + 16] = {4, (uint8_t)suite}, plain[32] = {0x45};
	struct aead_key sending = {0};

	memcpy(msg + 4, initiation + 4, 4);
	put_le64(msg + 8, 5);
	ck_assert_int_eq(aead_key_init(aead_select(s->kind, NULL), key, &sending), 0);
	ck_assert_int_eq(
		aead_seal(&sending, 5, msg, s->is_tund ? 16 : 0, plain, sizeof plain, msg + 16), 0);
	aead_key_clear(&sending);
	ck_assert_int_eq(sim_inject(&sim, 0, &from, msg, sizeof msg), SESSION_OK);
	ck_assert_uint_eq(packets[0], 1);
}

START_TEST(responder)
{
	const struct by_hand *s = &suites[_i];
	struct peer_config config = _i == 0 ? wireguard : tund;
	struct path from = sim_udp_path(&sim, 0, 1);
	uint8_t response[92], to_responder[KEY_SIZE], to_initiator[KEY_SIZE];
	const uint8_t *initiation = logs[0].last[MESSAGE_INITIATION];
	struct noise noise;

	config.pinned_suite = _i == 0 ? -1 : _i;
	memcpy(config.preshared_key, psk, KEY_SIZE);
	sim.udp_blocked = true;
	pair(config, config);
	ck_assert_int_eq(send_from(0), -EAGAIN);
	ck_assert_mem_eq(initiation, ((uint8_t[]){1, (uint8_t)_i, 0, 0}), 4);
	check_mac1(initiation);
	read_initiation(s, initiation, &noise);
	write_response(s, initiation, &noise, response);
	ck_assert_int_eq(sim_inject(&sim, 0, &from, response, sizeof response), SESSION_OK);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_UP], 1);
	noise_split(&noise, to_responder, to_initiator);
	check_data(s, _i, to_responder);
	answer_data(s, _i, initiation, to_initiator);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("protocol_by_hand");
	TCase *tc = tcase_create("protocol_by_hand");

	if (crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, pair_setup, pair_teardown);
	tcase_add_loop_test(tc, responder, 0, SUITE_COUNT);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
