/* SPDX-License-Identifier: ISC */
/* mac1, mac2 and cookies: what the other side computed, and all that must not be accepted. */
#include <errno.h>
#include <string.h>

#include "session/cookie.h"

#include "prng.h"
#include "tap.h"

#define START (UINT64_C(1000) * NS_PER_SEC)
#define SEC NS_PER_SEC

static struct prng prng = {99};
static uint8_t public_key[KEY_SIZE];
static struct cookie_checker checker;
static struct cookie_maker maker;
static struct endpoint from;
static uint8_t msg[INITIATION_SIZE], reply[COOKIE_SIZE];

/* A finished message of a type and suite, whose fields mean nothing here. */
static size_t make(uint8_t type, uint8_t suite)
{
	size_t len = type == MESSAGE_INITIATION ? INITIATION_SIZE : RESPONSE_SIZE;

	for (size_t i = 0; i < len; i++)
		msg[i] = (uint8_t)(i * 7 + 1);
	memcpy(msg, (uint8_t[]){type, suite, 0, 0}, HEADER_SIZE);
	return len;
}

static void setup(void)
{
	struct rng rng = prng_rng(&prng);

	for (size_t i = 0; i < sizeof public_key; i++)
		public_key[i] = (uint8_t)i;
	cookie_checker_init(&checker, public_key, &rng);
	cookie_maker_init(&maker, public_key);
	ck_assert_int_eq(endpoint_parse("192.0.2.7:51820", &from), 0);
}

/* Stamps a message at `now_ns` and has it answered by a cookie, which the maker takes. */
static size_t stamp_and_get_cookie(uint64_t now_ns, uint8_t type, uint8_t suite)
{
	size_t len = make(type, suite);

	cookie_stamp(&maker, now_ns, msg, len);
	cookie_reply(&checker, now_ns, msg, len, &from, reply);
	ck_assert_int_eq(cookie_consume(&maker, now_ns, reply), 0);
	return len;
}

static bool mac2_valid(uint64_t now_ns, size_t len)
{
	return cookie_mac2_is_valid(&checker, now_ns, msg, len, &from);
}

static bool mac2_is_zero(size_t len)
{
	static const uint8_t zeros[MAC_SIZE];

	return memcmp(msg + len - MAC_SIZE, zeros, MAC_SIZE) == 0;
}

/* Computed with Python's hashlib.blake2s: key 00..1f, the message of make(), cookie 40..4f. */
START_TEST(known_macs)
{
	static const uint8_t mac1[MAC_SIZE] = {
		0x83, 0x83, 0x28, 0x81, 0xf4, 0xfd, 0x11, 0x40,
		0x22, 0x9a, 0xf8, 0xe6, 0xf9, 0x80, 0x4a, 0x77};
	static const uint8_t mac2[MAC_SIZE] = {
		0x8d, 0x00, 0x83, 0x7b, 0xe6, 0x1e, 0x22, 0xe1,
		0x2a, 0x28, 0xff, 0x87, 0x7f, 0x7a, 0xda, 0x5d};
	size_t len = make(MESSAGE_INITIATION, SUITE_WIREGUARD);

	for (size_t i = 0; i < MAC_SIZE; i++)
		maker.cookie[i] = (uint8_t)(0x40 + i);
	maker.cookie_birth_ns = START;
	cookie_stamp(&maker, START, msg, len);
	ck_assert_mem_eq(msg + INITIATION_MAC1, mac1, MAC_SIZE);
	ck_assert_mem_eq(msg + INITIATION_MAC2, mac2, MAC_SIZE);
}
END_TEST

/* The cookie itself: a secret of 80..9f, 192.0.2.7:51820, suite 0 and 1. Python again. */
START_TEST(known_cookies)
{
	static const uint8_t cookies[2][MAC_SIZE] = {
		{0x7b, 0xb5, 0xf2, 0xe0, 0x28, 0x2f, 0xaa, 0x3c,
		 0x45, 0x43, 0x1a, 0x22, 0x92, 0x9f, 0xda, 0x1c},
		{0x09, 0x49, 0xc3, 0x1b, 0x15, 0x9e, 0x6d, 0xf7,
		 0x89, 0xe0, 0xfc, 0xea, 0x58, 0x46, 0x4e, 0x89},
	};

	for (uint8_t suite = 0; suite < 2; suite++) {
		for (size_t i = 0; i < 32; i++)
			checker.secrets[0].bytes[i] = (uint8_t)(0x80 + i);
		checker.secrets[0].birth_ns = START;
		stamp_and_get_cookie(START, MESSAGE_INITIATION, suite);
		ck_assert_mem_eq(maker.cookie, cookies[suite], MAC_SIZE);
	}
}
END_TEST

START_TEST(mac1_of_every_byte)
{
	for (uint8_t type = 1; type <= 2; type++)
		for (uint8_t suite = 0; suite < SUITE_COUNT; suite++) {
			size_t len = make(type, suite);

			ck_assert(!cookie_mac1_is_valid(&checker, msg, len));
			cookie_stamp(&maker, START, msg, len);
			ck_assert(mac2_is_zero(len));
			ck_assert(cookie_mac1_is_valid(&checker, msg, len));
			for (size_t i = 0; i < len; i++) {
				msg[i] ^= 0x10;
				ck_assert_msg(cookie_mac1_is_valid(&checker, msg, len) ==
						      (i >= len - MAC_SIZE), "byte %zu", i);
				msg[i] ^= 0x10;
			}
		}
}
END_TEST

START_TEST(mac1_of_another_host)
{
	size_t len = make(MESSAGE_INITIATION, SUITE_AESGCM);

	public_key[31] ^= 1;
	cookie_maker_init(&maker, public_key);
	cookie_stamp(&maker, START, msg, len);
	ck_assert(!cookie_mac1_is_valid(&checker, msg, len));
}
END_TEST

START_TEST(round_trip)
{
	for (uint8_t type = 1; type <= 2; type++)
		for (uint8_t suite = 0; suite < SUITE_COUNT; suite++) {
			size_t len = stamp_and_get_cookie(START, type, suite);

			ck_assert_mem_eq(reply, ((uint8_t[]){3, suite, 0, 0}), HEADER_SIZE);
			ck_assert_mem_eq(reply + COOKIE_RECEIVER, msg + 4, 4);
			ck_assert(!mac2_valid(START, len)); /* the first one had none */
			make(type, suite);
			cookie_stamp(&maker, START, msg, len);
			ck_assert(!mac2_is_zero(len));
			ck_assert(cookie_mac1_is_valid(&checker, msg, len));
			ck_assert(mac2_valid(START, len));
			for (size_t i = 0; i < len; i++) {
				msg[i] ^= 0x80;
				ck_assert_msg(!mac2_valid(START, len), "byte %zu", i);
				msg[i] ^= 0x80;
			}
			maker.cookie_birth_ns = TIME_NEVER;
		}
}
END_TEST

/* A cookie is good for one source, with its port. */
START_TEST(other_sources)
{
	static const char *const others[] = {
		"192.0.2.8:51820", "192.0.2.7:51821", "192.0.2.7:20682", /* ports swapped */
		"193.0.2.7:51820", "[2001:db8::7]:51820", "[c000:207::]:51820",
	};
	size_t len = stamp_and_get_cookie(START, MESSAGE_INITIATION, SUITE_WIREGUARD);

	cookie_stamp(&maker, START, msg, len);
	ck_assert(mac2_valid(START, len));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct endpoint other;

		ck_assert_int_eq(endpoint_parse(others[i], &other), 0);
		ck_assert_msg(!cookie_mac2_is_valid(&checker, START, msg, len, &other), "%s",
			      others[i]);
	}
	ck_assert_int_eq(endpoint_parse("[2001:db8::7]:1", &from), 0);
	stamp_and_get_cookie(START, MESSAGE_INITIATION, SUITE_WIREGUARD);
	cookie_stamp(&maker, START, msg, len);
	ck_assert(mac2_valid(START, len));
	from.addr.bytes[15] ^= 1;
	ck_assert(!mac2_valid(START, len));
}
END_TEST

/* The maker does not use a cookie in another suite, and the checker would not take it. */
START_TEST(other_suites)
{
	for (uint8_t asked = 0; asked < SUITE_COUNT; asked++)
		for (uint8_t used = 0; used < SUITE_COUNT; used++) {
			size_t len = stamp_and_get_cookie(START, MESSAGE_INITIATION, asked);

			make(MESSAGE_INITIATION, used);
			cookie_stamp(&maker, START, msg, len);
			ck_assert_int_eq(mac2_is_zero(len), asked != used);
			maker.cookie_suite = used;
			cookie_stamp(&maker, START, msg, len);
			ck_assert_int_eq(mac2_valid(START, len), asked == used);
		}
}
END_TEST

/* The maker stops at 115 s, the checker at 120 s after the secret was made. */
START_TEST(old_cookies)
{
	static const struct {
		uint64_t age_ns;
		bool sent, accepted;
	} cases[] = {
		{0, true, true},
		{60 * SEC, true, true},
		{115 * SEC - 1, true, true},
		{115 * SEC, false, true},
		{120 * SEC - 1, false, true},
		{120 * SEC, false, false},
		{3600 * SEC, false, false},
	};
	size_t len = stamp_and_get_cookie(START, MESSAGE_INITIATION, SUITE_AESGCM);

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t now_ns = START + cases[i].age_ns;

		cookie_stamp(&maker, START, msg, len);
		ck_assert_msg(mac2_valid(now_ns, len) == cases[i].accepted, "case %zu", i);
		cookie_stamp(&maker, now_ns, msg, len);
		ck_assert_msg(!mac2_is_zero(len) == cases[i].sent, "case %zu", i);
	}
}
END_TEST

/* Whenever it was given out, a cookie is good for 60 s at least and 120 s at most, while others are
 * given out all the time. */
START_TEST(life_under_load)
{
	struct cookie_maker other = maker;
	uint64_t given[400], now_ns;
	uint8_t stamped[400][INITIATION_SIZE];
	size_t len = INITIATION_SIZE;

	for (size_t i = 0; i < 400; i++) {
		given[i] = now_ns = START + i * SEC;
		stamp_and_get_cookie(now_ns, MESSAGE_INITIATION, SUITE_WIREGUARD);
		cookie_stamp(&maker, now_ns, msg, len);
		memcpy(stamped[i], msg, len);
		for (size_t k = i < 130 ? 0 : i - 130; k <= i; k++) {
			bool valid = cookie_mac2_is_valid(&checker, now_ns, stamped[k], len, &from);

			ck_assert(valid || now_ns - given[k] > 59 * SEC);
			ck_assert(!valid || now_ns - given[k] < 120 * SEC);
		}
	}
	maker = other;
}
END_TEST

START_TEST(no_secret_yet)
{
	size_t len = make(MESSAGE_INITIATION, SUITE_WIREGUARD);
	struct cookie_checker wrong = checker;

	/* Even a cookie made with the secret of a checker that has none: all zero. */
	wrong.secrets[0].birth_ns = START;
	cookie_stamp(&maker, START, msg, len);
	cookie_reply(&wrong, START, msg, len, &from, reply);
	ck_assert_int_eq(cookie_consume(&maker, START, reply), 0);
	cookie_stamp(&maker, START, msg, len);
	ck_assert(cookie_mac2_is_valid(&wrong, START, msg, len, &from));
	ck_assert(!mac2_valid(START, len));
	ck_assert(!mac2_valid(0, len));
	ck_assert(!mac2_valid(TIME_NEVER, len));
}
END_TEST

static void refused(uint64_t now_ns)
{
	struct cookie_maker before = maker;

	ck_assert_int_eq(cookie_consume(&maker, now_ns, reply), -EBADMSG);
	ck_assert_mem_eq(&before, &maker, sizeof maker);
}

/* Replies to nothing, to something older, or twice. */
START_TEST(unsolicited)
{
	size_t len = make(MESSAGE_INITIATION, SUITE_WIREGUARD);
	struct cookie_maker sent;

	cookie_stamp(&maker, START, msg, len);
	sent = maker;
	cookie_reply(&checker, START, msg, len, &from, reply);

	cookie_maker_init(&maker, public_key);
	refused(START); /* nothing was ever sent */

	maker = sent;
	msg[20] ^= 1;
	cookie_stamp(&maker, START, msg, len);
	refused(START); /* answers the message before */

	maker = sent;
	ck_assert_int_eq(cookie_consume(&maker, START, reply), 0);
	refused(START); /* the same once more */
	cookie_reply(&checker, START, msg, len, &from, reply);
	refused(START); /* another one, but the message was answered */
}
END_TEST

START_TEST(forged_replies)
{
	size_t len = make(MESSAGE_INITIATION, SUITE_AESGCM);
	struct cookie_checker other;
	struct rng rng = prng_rng(&prng);

	cookie_stamp(&maker, START, msg, len);
	cookie_reply(&checker, START, msg, len, &from, reply);
	for (size_t i = 0; i < COOKIE_SIZE; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			if (i != 1 && i < COOKIE_NONCE)
				continue; /* the gate's and the index's */
			reply[i] ^= (uint8_t)(1u << bit);
			refused(START);
			reply[i] ^= (uint8_t)(1u << bit);
		}
	public_key[0] ^= 1;
	cookie_checker_init(&other, public_key, &rng);
	cookie_reply(&other, START, msg, len, &from, reply);
	refused(START); /* another host's */
	cookie_reply(&checker, START, msg, len, &from, reply);
	ck_assert_int_eq(cookie_consume(&maker, START, reply), 0);
}
END_TEST

START_TEST(nonces_differ)
{
	uint8_t second[COOKIE_SIZE];
	size_t len = make(MESSAGE_INITIATION, SUITE_AESGCM);

	cookie_stamp(&maker, START, msg, len);
	cookie_reply(&checker, START, msg, len, &from, reply);
	cookie_reply(&checker, START, msg, len, &from, second);
	ck_assert_mem_ne(reply + COOKIE_NONCE, second + COOKIE_NONCE, COOKIE_NONCE_SIZE);
}
END_TEST

START_TEST(cleared)
{
	static const struct cookie_checker no_checker;
	static const struct cookie_maker no_maker;

	stamp_and_get_cookie(START, MESSAGE_INITIATION, SUITE_AESGCM);
	cookie_checker_clear(&checker);
	cookie_maker_clear(&maker);
	ck_assert_mem_eq(&checker, &no_checker, sizeof checker);
	ck_assert_mem_eq(&maker, &no_maker, sizeof maker);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cookie");
	TCase *tc = tcase_create("cookie");

	if (crypto_init() < 0)
		return tap_skip("the crypto libraries do not start");
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, known_macs);
	tcase_add_test(tc, known_cookies);
	tcase_add_test(tc, mac1_of_every_byte);
	tcase_add_test(tc, mac1_of_another_host);
	tcase_add_test(tc, round_trip);
	tcase_add_test(tc, other_sources);
	tcase_add_test(tc, other_suites);
	tcase_add_test(tc, old_cookies);
	tcase_add_test(tc, life_under_load);
	tcase_add_test(tc, no_secret_yet);
	tcase_add_test(tc, unsolicited);
	tcase_add_test(tc, forged_replies);
	tcase_add_test(tc, nonces_differ);
	tcase_add_test(tc, cleared);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
