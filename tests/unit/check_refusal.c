/* SPDX-License-Identifier: ISC */
/* Refusals: what each kind answers to each kind of packet, what is quoted, and the limiter. */
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/base/time.h>
#include <tund/policy/refusal.h>

#include "packets.h"
#include "tap.h"

#define A4 "100.80.0.11"
#define B4 "10.77.0.10"
#define A6 "fd74:756e:64::11"
#define B6 "fd77::10"

static uint8_t out[REFUSAL_MAX_BYTES];

static size_t build(enum refusal kind, const struct packet *p, bool partial)
{
	struct inner_packet in;

	ck_assert_int_eq(inner_parse(p->data, p->len, &in), INNER_OK);
	return refusal_build(kind, p->data, &in, partial, 1280, out);
}

static const struct {
	enum refusal kind;
	uint8_t type4, code4, type6, code6;
} messages[] = {
	{REFUSAL_PROHIBITED, 3, 13, 1, 1},
	{REFUSAL_UNREACHABLE, 3, 1, 1, 0},
	{REFUSAL_TIME_EXCEEDED, 11, 0, 3, 0},
	{REFUSAL_TOO_BIG, 3, 4, 2, 0},
};

START_TEST(icmp_messages)
{
	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t size = 0; size < 2000; size += 333) {
			size_t limit = v6 ? 1280 : 576, ip = v6 ? 40 : 20, len, quoted;
			struct packet p;

			packet_udp(&p, v6 ? A6 : A4, 1, v6 ? B6 : B4, 53, size);
			if (!v6) {
				p.data[6] = 0x40;
				packet_fix(&p);
			}
			len = build(messages[_i].kind, &p, false);
			quoted = len - ip - 8;
			ck_assert_uint_le(len, limit);
			ck_assert(quoted == p.len || len == limit);
			ck_assert(packet_sums_hold(out, len));
			ck_assert_uint_eq(out[ip], v6 ? messages[_i].type6 : messages[_i].type4);
			ck_assert_uint_eq(out[ip + 1],
					  v6 ? messages[_i].code6 : messages[_i].code4);
			ck_assert_mem_eq(out + ip + 8, p.data, quoted);
		}
	}
}
END_TEST

/* RFC 9293 3.10.7.1 */
START_TEST(resets)
{
	static const struct {
		uint8_t flags;
		uint8_t reset;
		uint32_t sequence, acknowledges;
	} cases[] = {
		{TCP_SYN, TCP_RST | TCP_ACK, 0, 0x12345678 + 10 + 1},
		{0, TCP_RST | TCP_ACK, 0, 0x12345678 + 10},
		{TCP_FIN, TCP_RST | TCP_ACK, 0, 0x12345678 + 10 + 1},
		{TCP_ACK, TCP_RST, 0x9abc0000, 0},
		{TCP_SYN | TCP_ACK, TCP_RST, 0x9abc0000, 0},
	};

	for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
		bool v6 = i % 2;
		size_t ip = v6 ? 40 : 20, len;
		struct inner_packet in;
		struct packet p;

		packet_tcp(&p, v6 ? A6 : A4, 40000, v6 ? B6 : B4, 80, cases[i / 2].flags, 10);
		len = build(REFUSAL_PROHIBITED, &p, false);
		ck_assert_int_eq(inner_parse(out, len, &in), INNER_OK);
		ck_assert(packet_sums_hold(out, len));
		ck_assert_uint_eq(in.tcp_flags, cases[i / 2].reset);
		ck_assert_uint_eq(in.src_port, 80);
		ck_assert_uint_eq(in.dst_port, 40000);
		ck_assert_uint_eq(get_be32(out + ip + 4), cases[i / 2].sequence);
		ck_assert_uint_eq(get_be32(out + ip + 8), cases[i / 2].acknowledges);
	}
}
END_TEST

/* In the place of an answer: what a TCP takes for its other end's. */
START_TEST(ends)
{
	static const uint8_t flags[] = {TCP_ACK, TCP_SYN | TCP_ACK, TCP_ACK | TCP_FIN, TCP_SYN};

	for (size_t i = 0; i < 2 * sizeof flags; i++) {
		bool v6 = i % 2, ack = flags[i / 2] & TCP_ACK;
		size_t ip = v6 ? 40 : 20, len;
		struct inner_packet in, end;
		struct packet p;

		packet_tcp(&p, v6 ? B6 : B4, 80, v6 ? A6 : A4, 40000, flags[i / 2], 10);
		ck_assert_int_eq(inner_parse(p.data, p.len, &in), INNER_OK);
		len = refusal_build_end(p.data, &in, out);
		ck_assert_int_eq(inner_parse(out, len, &end), INNER_OK);
		ck_assert(packet_sums_hold(out, len));
		ck_assert(ip_addr_equal(&end.src, &in.src) && ip_addr_equal(&end.dst, &in.dst));
		ck_assert_uint_eq(end.tcp_flags, ack ? TCP_RST | TCP_ACK : TCP_RST);
		ck_assert_mem_eq(out + ip, p.data + ip, 12);
	}
}
END_TEST

START_TEST(ends_of_nothing)
{
	struct inner_packet in;
	struct packet p;

	packet_udp(&p, B4, 53, A4, 1000, 10);
	ck_assert_int_eq(inner_parse(p.data, p.len, &in), INNER_OK);
	ck_assert_uint_eq(refusal_build_end(p.data, &in, out), 0);
	packet_tcp(&p, B4, 80, A4, 40000, TCP_RST | TCP_ACK, 0);
	ck_assert_int_eq(inner_parse(p.data, p.len, &in), INNER_OK);
	ck_assert_uint_eq(refusal_build_end(p.data, &in, out), 0);
}
END_TEST

START_TEST(never_answered)
{
	struct packet whole, p;

	for (size_t k = 0; k < sizeof messages / sizeof *messages; k++) {
		enum refusal kind = messages[k].kind;

		packet_tcp(&p, A4, 1, B4, 80, TCP_RST, 0);
		ck_assert_uint_eq(build(kind, &p, false), 0);
		packet_tcp(&p, A6, 1, B6, 80, TCP_RST | TCP_ACK, 0);
		ck_assert_uint_eq(build(kind, &p, false), 0);
		packet_udp(&whole, A4, 1, B4, 53, 1000);
		packet_unreachable(&p, A4, B4, &whole);
		ck_assert_uint_eq(build(kind, &p, false), 0);
		packet_fragment(&p, &whole, 1, 504, 1008);
		ck_assert_uint_eq(build(kind, &p, false), 0);
		packet_udp(&p, A4, 1, "224.0.0.1", 53, 10);
		ck_assert_uint_eq(build(kind, &p, false), 0);
		packet_udp(&p, "0.0.0.0", 1, B4, 53, 10);
		ck_assert_uint_eq(build(kind, &p, false), 0);
		packet_icmp(&p, A6, B6, 135, 0, whole.data, 16);
		ck_assert_uint_eq(build(kind, &p, false), 0);
		packet_echo(&p, A6, B6, true, 1);
		ck_assert_int_eq(build(kind, &p, false) != 0, kind == REFUSAL_TOO_BIG);
	}
}
END_TEST

/* A checksum that the sender left to its hardware is right in the quote. */
START_TEST(quotes_are_completed)
{
	for (int kind = 0; kind < 4; kind++) {
		bool v6 = kind % 2, tcp = kind / 2;
		size_t ip = v6 ? 40 : 20;
		struct packet p, sent;

		if (tcp)
			packet_tcp(&p, v6 ? A6 : A4, 1, v6 ? B6 : B4, 80, TCP_ACK, 101);
		else
			packet_udp(&p, v6 ? A6 : A4, 1, v6 ? B6 : B4, 53, 101);
		sent = p;
		put_be16(sent.data + ip + (tcp ? 16 : 6), 0x4711);
		ck_assert_uint_gt(build(REFUSAL_UNREACHABLE, &sent, true), 0);
		ck_assert_mem_eq(out + ip + 8, p.data, p.len);
	}
}
END_TEST

START_TEST(at_most_100_in_any_second)
{
	struct refusal_limiter *l = refusal_limiter_new(3);
	uint64_t granted[4000], now = 5 * NS_PER_SEC;
	size_t n = 0;

	for (unsigned i = 0; i < 200000 && n < 4000; i++) {
		now += i % 50000 == 0 ? 3 * NS_PER_SEC : 100000; /* with pauses */
		if (!refusal_allow(l, now, 1))
			continue;
		granted[n++] = now;
		if (n > 100)
			ck_assert_uint_ge(now - granted[n - 101], NS_PER_SEC);
	}
	ck_assert_uint_gt(n, 1700); /* 20 s */
	ck_assert(refusal_allow(l, now, 0));
	ck_assert(refusal_allow(l, now, 2));
	ck_assert(refusal_allow(l, now, 3)); /* shares with 0 */
	refusal_limiter_free(l);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("refusal");
	TCase *tc = tcase_create("refusal");

	tcase_add_loop_test(tc, icmp_messages, 0, sizeof messages / sizeof *messages);
	tcase_add_test(tc, resets);
	tcase_add_test(tc, ends);
	tcase_add_test(tc, ends_of_nothing);
	tcase_add_test(tc, never_answered);
	tcase_add_test(tc, quotes_are_completed);
	tcase_add_test(tc, at_most_100_in_any_second);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
