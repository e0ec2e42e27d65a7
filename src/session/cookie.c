/* SPDX-License-Identifier: ISC */
/* mac1, mac2 and cookies. */
#include "cookie.h"

#include <errno.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/crypto/blake2s.h>
#include <tund/crypto/secret.h>
#include <tund/crypto/xaead.h>

#define LABEL_SIZE 8

/* Offset of mac1, which covers all before it; mac2 follows and covers mac1, too. */
static size_t mac1_offset(size_t len)
{
	return len - 2 * MAC_SIZE;
}

static size_t mac2_offset(size_t len)
{
	return len - MAC_SIZE;
}

static void derive_keys(const uint8_t public_key[KEY_SIZE], uint8_t mac1_key[32],
			uint8_t cookie_key[32])
{
	blake2s_hash2("mac1----", LABEL_SIZE, public_key, KEY_SIZE, mac1_key);
	blake2s_hash2("cookie--", LABEL_SIZE, public_key, KEY_SIZE, cookie_key);
}

/* Whether what was born at `birth_ns` is younger than `lifetime_ns`; born later than now it is not. */
static bool is_fresh(uint64_t birth_ns, uint64_t now_ns, uint64_t lifetime_ns)
{
	return birth_ns != TIME_NEVER && now_ns >= birth_ns && now_ns - birth_ns < lifetime_ns;
}

void cookie_checker_init(struct cookie_checker *checker, const uint8_t public_key[KEY_SIZE],
			 const struct rng *rng)
{
	*checker = (struct cookie_checker){
		.rng = *rng,
		.secrets = {{.birth_ns = TIME_NEVER}, {.birth_ns = TIME_NEVER}},
	};
	derive_keys(public_key, checker->mac1_key, checker->cookie_key);
}

void cookie_checker_clear(struct cookie_checker *checker)
{
	secret_wipe(checker, sizeof *checker);
}

bool cookie_mac1_is_valid(const struct cookie_checker *checker, const uint8_t *msg, size_t len)
{
	uint8_t mac[MAC_SIZE];

	blake2s_mac(checker->mac1_key, sizeof checker->mac1_key, msg, mac1_offset(len), mac);
	return secret_equal(mac, msg + mac1_offset(len), MAC_SIZE);
}

/* MAC(secret, source address || port), and behind them the suite, so that a cookie serves only the
 * suite it was asked in. */
static void make_cookie(const struct cookie_secret *secret, const struct endpoint *from,
			uint8_t suite, uint8_t cookie[MAC_SIZE])
{
	uint8_t tail[3] = {0, 0, suite};
	struct blake2s h;

	put_be16(tail, from->port);
	blake2s_mac_start(&h, secret->bytes, sizeof secret->bytes);
	blake2s_add(&h, from->addr.bytes, ip_addr_size(&from->addr));
	blake2s_add(&h, tail, sizeof tail);
	blake2s_mac_finish(&h, cookie);
}

static bool mac2_is_of(const struct cookie_secret *secret, uint64_t now_ns, const uint8_t *msg,
		       size_t len, const struct endpoint *from)
{
	uint8_t cookie[MAC_SIZE], mac[MAC_SIZE];
	bool valid;

	if (!is_fresh(secret->birth_ns, now_ns, COOKIE_SECRET_LIFETIME_NS))
		return false;
	make_cookie(secret, from, msg[1], cookie);
	blake2s_mac(cookie, sizeof cookie, msg, mac2_offset(len), mac);
	valid = secret_equal(mac, msg + mac2_offset(len), MAC_SIZE);
	secret_wipe(cookie, sizeof cookie);
	secret_wipe(mac, sizeof mac);
	return valid;
}

bool cookie_mac2_is_valid(const struct cookie_checker *checker, uint64_t now_ns,
			  const uint8_t *msg, size_t len, const struct endpoint *from)
{
	return mac2_is_of(&checker->secrets[0], now_ns, msg, len, from) ||
	       mac2_is_of(&checker->secrets[1], now_ns, msg, len, from);
}

static void renew_secret(struct cookie_checker *checker, uint64_t now_ns)
{
	struct cookie_secret *secrets = checker->secrets;

	if (is_fresh(secrets[0].birth_ns, now_ns, COOKIE_SECRET_RENEW_NS))
		return;
	secrets[1] = secrets[0];
	rng_fill(&checker->rng, secrets[0].bytes, sizeof secrets[0].bytes);
	secrets[0].birth_ns = now_ns;
}

void cookie_reply(struct cookie_checker *checker, uint64_t now_ns, const uint8_t *msg, size_t len,
		  const struct endpoint *from, uint8_t reply[COOKIE_SIZE])
{
	_Static_assert(INITIATION_SENDER == RESPONSE_SENDER, "one place for the sender's index");
	uint8_t cookie[MAC_SIZE];

	renew_secret(checker, now_ns);
	make_cookie(&checker->secrets[0], from, msg[1], cookie);
	memcpy(reply, (uint8_t[HEADER_SIZE]){MESSAGE_COOKIE, msg[1]}, HEADER_SIZE);
	memcpy(reply + COOKIE_RECEIVER, msg + INITIATION_SENDER, 4);
	rng_fill(&checker->rng, reply + COOKIE_NONCE, COOKIE_NONCE_SIZE);
	xaead_seal(checker->cookie_key, reply + COOKIE_NONCE, msg + mac1_offset(len), MAC_SIZE,
		   cookie, sizeof cookie, reply + COOKIE_ENCRYPTED);
	secret_wipe(cookie, sizeof cookie);
}

void cookie_maker_init(struct cookie_maker *maker, const uint8_t peer_public_key[KEY_SIZE])
{
	*maker = (struct cookie_maker){.cookie_birth_ns = TIME_NEVER};
	derive_keys(peer_public_key, maker->mac1_key, maker->cookie_key);
}

void cookie_maker_clear(struct cookie_maker *maker)
{
	secret_wipe(maker, sizeof *maker);
}

void cookie_forget(struct cookie_maker *maker)
{
	secret_wipe(maker->cookie, sizeof maker->cookie);
	maker->cookie_birth_ns = TIME_NEVER;
}

void cookie_stamp(struct cookie_maker *maker, uint64_t now_ns, uint8_t *msg, size_t len)
{
	uint8_t *mac1 = msg + mac1_offset(len), *mac2 = msg + mac2_offset(len);

	blake2s_mac(maker->mac1_key, sizeof maker->mac1_key, msg, mac1_offset(len), mac1);
	memcpy(maker->last_mac1, mac1, MAC_SIZE);
	maker->last_suite = msg[1];
	maker->has_last = true;
	maker->last_had_mac2 =
		maker->cookie_suite == msg[1] &&
		is_fresh(maker->cookie_birth_ns, now_ns, COOKIE_LIFETIME_NS - COOKIE_SEND_MARGIN_NS);
	if (maker->last_had_mac2)
		blake2s_mac(maker->cookie, MAC_SIZE, msg, mac2_offset(len), mac2);
	else
		memset(mac2, 0, MAC_SIZE);
}

int cookie_consume(struct cookie_maker *maker, uint64_t now_ns, const uint8_t reply[COOKIE_SIZE])
{
	uint8_t cookie[MAC_SIZE];

	if (!maker->has_last || reply[1] != maker->last_suite ||
	    xaead_open(maker->cookie_key, reply + COOKIE_NONCE, maker->last_mac1, MAC_SIZE,
		       reply + COOKIE_ENCRYPTED, MAC_SIZE + TAG_SIZE, cookie) < 0)
		return -EBADMSG;
	memcpy(maker->cookie, cookie, MAC_SIZE);
	maker->cookie_birth_ns = now_ns;
	maker->cookie_suite = reply[1];
	maker->has_last = false;
	secret_wipe(cookie, sizeof cookie);
	return 0;
}
