/* SPDX-License-Identifier: ISC */
/* The inner packet parser: what must parse, and a table of ways to be malformed.
 * tests/fuzz/fuzz_inner.c compares it with a parser written independently. */
#include <errno.h>
#include <string.h>

#include <tund/base/bytes.h>

#include "packets.h"
#include "tap.h"

#define A4 "100.80.0.11"
#define B4 "10.77.0.10"
#define A6 "fd74:756e:64::11"
#define B6 "fd77::10"

static enum inner_error parse(const struct packet *p, struct inner_packet *out)
{
	return inner_parse(p->data, p->len, out);
}

START_TEST(tcp_fields)
{
	struct inner_packet in;
	struct packet p;

	for (int v6 = 0; v6 < 2; v6++) {
		packet_tcp(&p, v6 ? A6 : A4, 40000, v6 ? B6 : B4, 443, TCP_SYN | TCP_ACK, 100);
		ck_assert_int_eq(parse(&p, &in), INNER_OK);
		ck_assert_uint_eq(in.len, p.len);
		ck_assert_uint_eq(in.l4, v6 ? 40 : 20);
		ck_assert_uint_eq(in.src_port, 40000);
		ck_assert_uint_eq(in.dst_port, 443);
		ck_assert_uint_eq(in.tcp_flags, TCP_SYN | TCP_ACK);
		ck_assert_int_eq(in.fragment, INNER_WHOLE);
		ck_assert_uint_eq(in.ttl, 64);
		ck_assert_uint_eq(in.proto, PROTO_TCP);
	}
}
END_TEST

START_TEST(padding_is_trimmed)
{
	struct inner_packet in;
	struct packet p;

	packet_udp(&p, A4, 1, B4, 53, 10);
	p.len += 10;
	ck_assert_int_eq(parse(&p, &in), INNER_OK);
	ck_assert_uint_eq(in.len, 38);
}
END_TEST

START_TEST(every_truncation_fails)
{
	struct inner_packet in;
	struct packet p;

	for (int kind = 0; kind < 4; kind++) {
		bool v6 = kind % 2;

		if (kind < 2)
			packet_tcp(&p, v6 ? A6 : A4, 1, v6 ? B6 : B4, 2, TCP_SYN, 9);
		else
			packet_echo(&p, v6 ? A6 : A4, v6 ? B6 : B4, false, 7);
		for (size_t len = 0; len < p.len; len++) {
			uint8_t exact[200];
			enum inner_error error;

			memcpy(exact, p.data, len);
			error = inner_parse(exact, len, &in);
			ck_assert_int_ne(error, INNER_OK);
			ck_assert(len > 0 || error == INNER_EMPTY);
		}
	}
}
END_TEST

/* One change to a good packet: bytes at offsets, then IPv4's checksum made right again. */
struct change {
	uint8_t at, value;
};

struct bad_case {
	const char *what;
	enum { TCP4, TCP6, UDP4, UDP6, ICMP4 } base;
	enum inner_error error;
	struct change change[6]; /* ended by at = 0 and value = 0 */
	bool keep_checksum;
};

static const struct bad_case bad_cases[] = {
	{"version 0", TCP4, INNER_NOT_IP, {{0, 0x05}}, false},
	{"version 5", TCP4, INNER_NOT_IP, {{0, 0x55}}, false},
	{"version 15", TCP6, INNER_NOT_IP, {{0, 0xf5}}, false},
	{"IHL 0", TCP4, INNER_BAD_IHL, {{0, 0x40}}, true},
	{"IHL 4", TCP4, INNER_BAD_IHL, {{0, 0x44}}, true},
	{"IHL beyond the packet", TCP4, INNER_BAD_IHL, {{0, 0x4f}}, true},
	{"header checksum", TCP4, INNER_BAD_CHECKSUM, {{8, 63}}, true},
	{"total length beyond", TCP4, INNER_LENGTH_BEYOND, {{3, 57}}, false},
	{"total length below the header", TCP4, INNER_LENGTH_SHORT, {{3, 19}}, false},
	{"total length 0", TCP4, INNER_LENGTH_SHORT, {{2, 0}, {3, 0}}, false},
	{"payload length beyond", TCP6, INNER_LENGTH_BEYOND, {{5, 37}}, false},
	{"payload length 0", TCP6, INNER_TRUNCATED_L4, {{5, 0}}, false},
	{"jumbogram", TCP6, INNER_JUMBOGRAM, {{5, 0}, {6, 0}}, false},
	{"TCP data offset 4", TCP4, INNER_BAD_L4, {{32, 0x40}}, false},
	{"TCP data offset beyond", TCP4, INNER_TRUNCATED_L4, {{32, 0xf0}}, false},
	{"TCP header cut by total length", TCP4, INNER_TRUNCATED_L4, {{3, 39}}, false},
	{"UDP length beyond", UDP4, INNER_BAD_L4, {{25, 45}}, false},
	{"UDP length short", UDP6, INNER_BAD_L4, {{45, 10}}, false},
	{"UDP length below 8", UDP4, INNER_BAD_L4, {{25, 7}}, false},
	{"ICMPv6 in IPv4", ICMP4, INNER_WRONG_ICMP, {{9, 58}}, false},
	{"ICMP in IPv6", TCP6, INNER_WRONG_ICMP, {{6, 1}}, false},
	{"ICMP header cut", ICMP4, INNER_TRUNCATED_L4, {{3, 27}}, false},
	{"AH in IPv4", TCP4, INNER_AUTH_HEADER, {{9, 51}}, false},
	{"AH", TCP6, INNER_AUTH_HEADER, {{6, 51}}, false},
	{"routing header", TCP6, INNER_ROUTING_HEADER, {{6, 43}}, false},
	{"no next header", TCP6, INNER_UNKNOWN_EXTENSION, {{6, 59}}, false},
	{"mobility", TCP6, INNER_UNKNOWN_EXTENSION, {{6, 135}}, false},
	{"HIP", TCP6, INNER_UNKNOWN_EXTENSION, {{6, 139}}, false},
	{"shim6", TCP6, INNER_UNKNOWN_EXTENSION, {{6, 140}}, false},
	{"experiment 253", TCP6, INNER_UNKNOWN_EXTENSION, {{6, 253}}, false},
	{"experiment 254", TCP6, INNER_UNKNOWN_EXTENSION, {{6, 254}}, false},
	{"option longer than its header",
	 UDP6,
	 INNER_BAD_OPTION,
	 {{6, 60}, {40, 17}, {41, 1}, {42, 5}, {43, 200}},
	 false},
	{"home address option",
	 UDP6,
	 INNER_FORBIDDEN_OPTION,
	 {{6, 60}, {40, 17}, {41, 1}, {42, 0xc9}, {43, 12}},
	 false},
	{"jumbo option",
	 UDP6,
	 INNER_JUMBOGRAM,
	 {{6, 60}, {40, 17}, {41, 1}, {42, 0xc2}, {43, 4}},
	 false},
	{"long destination options", UDP6, INNER_LONG_OPTIONS, {{6, 60}, {40, 17}, {41, 8}}, false},
	{"destination options past the end",
	 UDP6,
	 INNER_TRUNCATED_EXTENSION,
	 {{6, 60}, {40, 17}, {41, 7}, {42, 1}},
	 false},
	{"first fragment: tiny", TCP4, INNER_TINY_FRAGMENT, {{6, 0x20}, {3, 28}}, false},
	{"later fragment within the header", TCP4, INNER_TINY_FRAGMENT, {{7, 1}}, false},
	{"later fragment at 16", TCP4, INNER_TINY_FRAGMENT, {{7, 2}}, false},
	{"length not a multiple of 8",
	 TCP4,
	 INNER_BAD_FRAGMENT,
	 {{6, 0x20}, {7, 3}, {3, 55}},
	 false},
	{"ends past 65,535", TCP4, INNER_BAD_FRAGMENT, {{6, 0x1f}, {7, 0xff}}, false},
	{"empty fragment", TCP4, INNER_BAD_FRAGMENT, {{7, 9}, {3, 20}}, false},
};

static void make_base(struct packet *p, int base)
{
	switch (base) {
	case TCP4:
		packet_tcp(p, A4, 1, B4, 2, TCP_SYN, 16);
		break;
	case TCP6:
		packet_tcp(p, A6, 1, B6, 2, TCP_SYN, 16);
		break;
	case UDP4:
		packet_udp(p, A4, 1, B4, 2, 32);
		break;
	case UDP6:
		packet_udp(p, A6, 1, B6, 2, 32);
		break;
	case ICMP4:
		packet_echo(p, A4, B4, false, 1);
		break;
	}
}

START_TEST(malformed)
{
	const struct bad_case *c = &bad_cases[_i];
	struct inner_packet in, untouched;
	enum inner_error error;
	struct packet p;

	memset(&in, 0xaa, sizeof in);
	untouched = in;
	make_base(&p, c->base);
	for (const struct change *x = c->change; x->at || x->value; x++)
		p.data[x->at] = x->value;
	if (!c->keep_checksum)
		packet_fix(&p);
	error = parse(&p, &in);
	ck_assert_msg(error == c->error, "%s: %s, expected %s", c->what, inner_error_name(error),
		      inner_error_name(c->error));
	ck_assert_mem_eq(&in, &untouched, sizeof in);
}
END_TEST

/* An IPv4 header with options: they go between header and TCP. */
static enum inner_error parse_with_options(const uint8_t *options, size_t len)
{
	struct inner_packet in;
	struct packet p;

	packet_tcp(&p, A4, 1, B4, 2, TCP_SYN, 0);
	memmove(p.data + 20 + len, p.data + 20, 20);
	memcpy(p.data + 20, options, len);
	p.len += len;
	p.data[0] = (uint8_t)(0x45 + len / 4);
	p.data[3] = (uint8_t)p.len;
	packet_fix(&p);
	return parse(&p, &in);
}

START_TEST(ip4_options)
{
	ck_assert_int_eq(parse_with_options((const uint8_t *)"\x94\x04\0\0", 4), INNER_OK);
	ck_assert_int_eq(parse_with_options((const uint8_t *)"\x01\x01\x01\0", 4), INNER_OK);
	ck_assert_int_eq(parse_with_options((const uint8_t *)"\x83\x07\4\1\1\1\1\0", 8),
			 INNER_FORBIDDEN_OPTION);
	ck_assert_int_eq(parse_with_options((const uint8_t *)"\x01\x89\x07\4\1\1\1\1", 8),
			 INNER_FORBIDDEN_OPTION);
	ck_assert_int_eq(parse_with_options((const uint8_t *)"\x94\x05\0\0", 4), INNER_BAD_OPTION);
	ck_assert_int_eq(parse_with_options((const uint8_t *)"\x94\x01\0\0", 4), INNER_BAD_OPTION);
	ck_assert_int_eq(parse_with_options((const uint8_t *)"\x01\x01\x01\x94", 4),
			 INNER_BAD_OPTION);
}
END_TEST

/* `n` destination options headers of 8 bytes, then UDP. */
static enum inner_error parse_chain(size_t n, uint8_t last, struct inner_packet *in)
{
	uint8_t ext[16 * 8] = {0};
	struct packet p;

	packet_udp(&p, A6, 1, B6, 53, 4);
	for (size_t i = 0; i < n; i++) {
		ext[i * 8] = i + 1 < n ? 60 : last;
		ext[i * 8 + 2] = 1; /* PadN */
		ext[i * 8 + 3] = 4;
	}
	packet_extend(&p, 60, ext, n * 8);
	return parse(&p, in);
}

START_TEST(extension_chains)
{
	struct inner_packet in;

	ck_assert_int_eq(parse_chain(1, 17, &in), INNER_OK);
	ck_assert_uint_eq(in.l4, 48);
	ck_assert_uint_eq(in.dst_port, 53);
	ck_assert_int_eq(parse_chain(8, 17, &in), INNER_OK);
	ck_assert_uint_eq(in.l4, 40 + 64);
	ck_assert_int_eq(parse_chain(9, 17, &in), INNER_LONG_CHAIN);
	ck_assert_int_eq(parse_chain(2, 0, &in), INNER_MISPLACED_EXTENSION);
	ck_assert_int_eq(parse_chain(3, 43, &in), INNER_ROUTING_HEADER);
	ck_assert_int_eq(parse_chain(3, 51, &in), INNER_AUTH_HEADER);
}
END_TEST

START_TEST(fragment_headers)
{
	static const uint8_t atomic[8] = {17}, doubled[16] = {44, 0, 0, 1, 0, 0, 0, 1, 17, 0, 0, 1};
	struct inner_packet in;
	struct packet p;

	packet_udp(&p, A6, 1, B6, 53, 56);
	packet_extend(&p, 44, atomic, 8);
	ck_assert_int_eq(parse(&p, &in), INNER_ATOMIC_FRAGMENT);
	packet_udp(&p, A6, 1, B6, 53, 56);
	packet_extend(&p, 44, doubled, 16);
	ck_assert_int_eq(parse(&p, &in), INNER_DOUBLE_FRAGMENT);
}
END_TEST

START_TEST(fragments)
{
	struct packet whole, p;
	struct inner_packet in;

	for (int v6 = 0; v6 < 2; v6++) {
		packet_udp(&whole, v6 ? A6 : A4, 1000, v6 ? B6 : B4, 53, 1000);
		packet_fragment(&p, &whole, 77, 0, 504);
		ck_assert_int_eq(parse(&p, &in), INNER_OK);
		ck_assert_int_eq(in.fragment, INNER_FIRST);
		ck_assert_uint_eq(in.dst_port, 53);
		ck_assert_uint_eq(in.frag_id, 77);
		ck_assert(in.frag_more);
		packet_fragment(&p, &whole, 77, 504, 1008);
		ck_assert_int_eq(parse(&p, &in), INNER_OK);
		ck_assert_int_eq(in.fragment, INNER_LATER);
		ck_assert_uint_eq(in.frag_offset, 504);
		ck_assert_uint_eq(in.dst_port, 0);
		ck_assert(!in.frag_more);
		ck_assert_uint_eq(in.frag_start, v6 ? 48 : 20);
	}
}
END_TEST

START_TEST(quotes)
{
	struct inner_packet in;
	struct packet p, whole;

	packet_tcp(&p, A4, 40000, B4, 80, TCP_ACK, 500);
	p.data[8] = 0; /* TTL, checksum: whatever the path made of them */
	ck_assert_int_eq(inner_parse_quote(p.data, 28, &in), INNER_OK);
	ck_assert_uint_eq(in.src_port, 40000);
	ck_assert_uint_eq(in.dst_port, 80);
	ck_assert_int_eq(inner_parse_quote(p.data, 27, &in), INNER_TRUNCATED_L4);
	packet_echo(&p, A6, B6, false, 99);
	ck_assert_int_eq(inner_parse_quote(p.data, 48, &in), INNER_OK);
	ck_assert_uint_eq(in.icmp_id, 99);
	packet_udp(&whole, A4, 1, B4, 53, 1000);
	packet_fragment(&p, &whole, 1, 504, 1008);
	ck_assert_int_eq(inner_parse_quote(p.data, p.len, &in), INNER_TINY_FRAGMENT);
}
END_TEST

START_TEST(ttl)
{
	struct packet p;

	packet_udp(&p, A4, 1, B4, 53, 10);
	for (unsigned left = 64; left > 1; left--) {
		ck_assert_uint_eq(p.data[8], left);
		ck_assert(inner_ttl_decrement(p.data));
		ck_assert(packet_sums_hold(p.data, p.len));
	}
	ck_assert(!inner_ttl_decrement(p.data));
	ck_assert_uint_eq(p.data[8], 1);
	packet_udp(&p, A6, 1, B6, 53, 10);
	ck_assert(inner_ttl_decrement(p.data));
	ck_assert_uint_eq(p.data[7], 63);
}
END_TEST

START_TEST(source_is_replaced)
{
	struct packet p, quote;
	struct inner_packet in;
	struct ip_addr src;

	for (int v6 = 0; v6 < 2; v6++) {
		packet_udp(&quote, v6 ? A6 : A4, 1, v6 ? B6 : B4, 53, 10);
		packet_unreachable(&p, v6 ? "fd99::1" : "192.0.2.77", v6 ? A6 : A4, &quote);
		ck_assert_int_eq(parse(&p, &in), INNER_OK);
		ck_assert_int_eq(ip_addr_parse(v6 ? B6 : B4, &src), 0);
		inner_set_source(p.data, &in, &src);
		ck_assert(packet_sums_hold(p.data, p.len));
		ck_assert_int_eq(parse(&p, &in), INNER_OK);
		ck_assert(ip_addr_equal(&in.src, &src));
	}
}
END_TEST

START_TEST(checksum_is_completed)
{
	struct packet p, good;
	struct inner_packet in;

	for (int kind = 0; kind < 4; kind++) {
		bool v6 = kind % 2, tcp = kind / 2;

		if (tcp)
			packet_tcp(&p, v6 ? A6 : A4, 5, v6 ? B6 : B4, 6, TCP_ACK, 33);
		else
			packet_udp(&p, v6 ? A6 : A4, 5, v6 ? B6 : B4, 6, 33);
		good = p;
		ck_assert_int_eq(parse(&p, &in), INNER_OK);
		put_be16(p.data + in.l4 + (tcp ? 16 : 6), 0xbeef);
		ck_assert_int_eq(inner_complete_checksum(p.data, &in), 0);
		ck_assert_mem_eq(p.data, good.data, p.len);
	}
	packet_echo(&p, A4, B4, false, 1);
	ck_assert_int_eq(parse(&p, &in), INNER_OK);
	ck_assert_int_eq(inner_complete_checksum(p.data, &in), -EPROTO);
}
END_TEST

START_TEST(names_are_distinct)
{
	for (int i = 0; i < INNER_ERROR_COUNT; i++) {
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(inner_error_name((enum inner_error)i),
					 inner_error_name((enum inner_error)j));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inner");
	TCase *tc = tcase_create("inner");

	tcase_add_test(tc, tcp_fields);
	tcase_add_test(tc, padding_is_trimmed);
	tcase_add_test(tc, every_truncation_fails);
	tcase_add_loop_test(tc, malformed, 0, sizeof bad_cases / sizeof *bad_cases);
	tcase_add_test(tc, ip4_options);
	tcase_add_test(tc, extension_chains);
	tcase_add_test(tc, fragment_headers);
	tcase_add_test(tc, fragments);
	tcase_add_test(tc, quotes);
	tcase_add_test(tc, ttl);
	tcase_add_test(tc, source_is_replaced);
	tcase_add_test(tc, checksum_is_completed);
	tcase_add_test(tc, names_are_distinct);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
