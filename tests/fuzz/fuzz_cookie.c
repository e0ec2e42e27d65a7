/* SPDX-License-Identifier: ISC */
/*
 * A cookie asked for, given and used, with changes by a stranger on the way. Input, zeros where it
 * ends early:
 *
 *   1 byte    bits 0-1 suite, bit 2 a response rather than an initiation
 *   2 bytes   seconds between the reply and its use
 *   64 bytes  changes to the cookie reply (exclusive or)
 *   148 bytes changes to the message that uses the cookie, after it was stamped
 *   18 bytes  changes to the address and port from which that comes
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include "session/cookie.h"

#include "../unit/prng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define START (UINT64_C(1000) * NS_PER_SEC)

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static void change(uint8_t *p, const uint8_t *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] ^= changes[i];
}

struct input {
	uint8_t kind;
	uint16_t seconds;
	uint8_t reply[COOKIE_SIZE], message[INITIATION_SIZE], source[18];
};

static struct input parse(const uint8_t *data, size_t len)
{
	struct reader r = reader_init(data, len);
	struct input in;

	in.kind = read_u8(&r);
	in.seconds = read_u16(&r);
	read_copy(&r, in.reply, sizeof in.reply);
	read_copy(&r, in.message, sizeof in.message);
	read_copy(&r, in.source, sizeof in.source);
	return in;
}

/* A changed reply is refused and changes nothing; type, zeros and index are for others to judge. */
static bool take_reply(struct cookie_maker *maker, const struct input *in, uint8_t *reply)
{
	bool same = in->reply[1] == 0 && all_zero(in->reply + COOKIE_NONCE, COOKIE_SIZE - COOKIE_NONCE);
	struct cookie_maker before = *maker;
	int err;

	change(reply, in->reply, COOKIE_SIZE);
	err = cookie_consume(maker, START, reply);
	expect(err == (same ? 0 : -EBADMSG));
	expect(same || memcmp(&before, maker, sizeof before) == 0);
	return same;
}

static void use_cookie(const struct cookie_checker *checker, struct cookie_maker *maker,
		       const struct input *in, bool has_cookie, uint8_t *msg, size_t len)
{
	uint64_t now_ns = START + in->seconds * NS_PER_SEC;
	struct endpoint from = {.addr = {.family = 6}};
	bool sent = has_cookie && in->seconds < 115;

	cookie_stamp(maker, now_ns, msg, len);
	expect(sent == !all_zero(msg + len - MAC_SIZE, MAC_SIZE));
	change(msg, in->message, len);
	change(from.addr.bytes, in->source, 16);
	from.port = get_be16(in->source + 16);
	expect(cookie_mac1_is_valid(checker, msg, len) == all_zero(in->message, len - MAC_SIZE));
	expect(cookie_mac2_is_valid(checker, now_ns, msg, len, &from) ==
	       (sent && all_zero(in->message, len) && all_zero(in->source, sizeof in->source)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = parse(data, len);
	struct prng prng = {1};
	struct rng rng = prng_rng(&prng);
	uint8_t public_key[KEY_SIZE] = {9}, msg[INITIATION_SIZE] = {0}, reply[COOKIE_SIZE];
	size_t msg_len = in.kind & 4 ? RESPONSE_SIZE : INITIATION_SIZE;
	struct endpoint from = {.addr = {.family = 6}};
	struct cookie_checker checker;
	struct cookie_maker maker;
	bool has_cookie;

	if (crypto_init() < 0)
		abort();
	cookie_checker_init(&checker, public_key, &rng);
	cookie_maker_init(&maker, public_key);
	msg[0] = in.kind & 4 ? MESSAGE_RESPONSE : MESSAGE_INITIATION;
	msg[1] = (uint8_t)((in.kind & 3) % SUITE_COUNT);
	cookie_stamp(&maker, START, msg, msg_len);
	cookie_reply(&checker, START, msg, msg_len, &from, reply);
	has_cookie = take_reply(&maker, &in, reply);
	msg[8] ^= 1; /* the next attempt is another message */
	use_cookie(&checker, &maker, &in, has_cookie, msg, msg_len);
	cookie_checker_clear(&checker);
	cookie_maker_clear(&maker);
	return 0;
}
