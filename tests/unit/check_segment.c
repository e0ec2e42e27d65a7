/* SPDX-License-Identifier: ISC */
/*
 * Cutting: what an independent reassembly sees is the packet as it was, and each piece is a packet
 * as RFC 791, 8200 and 9293 want it.
 */
#include <errno.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/inner.h>
#include <tund/wire/segment.h>
#include <tund/wire/virtio.h>

#include "gso_oracle.h"
#include "gso_packets.h"
#include "tap.h"

static uint8_t packet[70000], original[70000];
static struct oracle_pieces oracle;

/* What a receiver has put together: bytes where their sequence number puts them. */
struct reassembly {
	uint8_t bytes[65536];
	size_t received;
	uint8_t flags; /* of all */
};

static struct reassembly stream;

static void receive(struct reassembly *r, const struct shape *s, const uint8_t *piece, size_t len,
		    size_t done)
{
	size_t header = shape_header_len(s), at = done;
	struct inner_packet p;

	ck_assert_int_eq(inner_parse(piece, len, &p), INNER_OK);
	ck_assert_uint_eq(p.len, len);
	ck_assert_uint_eq(p.l4, shape_l4(s));
	ck_assert_uint_eq(p.proto, s->udp ? PROTO_UDP : PROTO_TCP);
	if (!s->udp)
		at = get_be32(piece + p.l4 + 4) - s->seq;
	ck_assert_uint_le(at + len - header, s->payload);
	memcpy(r->bytes + at, piece + header, len - header);
	r->received += len - header;
	r->flags |= p.tcp_flags;
}

/* Piece for piece what the oracle says; where the checksum is not computed its field is free. */
static void compare(const struct shape *s, size_t i, const uint8_t *piece, size_t len,
		    bool complete)
{
	size_t expected_len, field = shape_l4(s) + (s->udp ? 6 : 16);
	uint8_t *expected = oracle_piece(&oracle, i, &expected_len);

	ck_assert_uint_lt(i, oracle.count);
	ck_assert_uint_eq(len, expected_len);
	if (complete)
		ck_assert(checksums_are_right(piece, len));
	else
		memcpy(expected + field, piece + field, 2);
	ck_assert_mem_eq(piece, expected, len);
}

static void cut(const struct shape *s, uint16_t size, bool complete)
{
	size_t len = shape_write_frame(s, size, packet), header = shape_header_len(s), n, i = 0;
	struct gso gso = shape_gso(s, size);
	struct segmenter c;
	uint8_t *piece;

	ck_assert(oracle_cut(packet, len, &oracle));
	memcpy(original, packet, len);
	memset(&stream, 0, sizeof stream);
	ck_assert_int_eq(segment_begin(&c, packet + VIRTIO_HEADER, len - VIRTIO_HEADER, &gso, true,
				       complete), 0);
	for (size_t done = 0; segment_next(&c, &piece, &n); done += n - header) {
		compare(s, i++, piece, n, complete);
		receive(&stream, s, piece, n, done);
		memset(piece, 0xee, n); /* done with it: nothing of it is needed again */
	}
	ck_assert_uint_eq(i, oracle.count);
	ck_assert_uint_eq(stream.received, s->payload);
	ck_assert_mem_eq(stream.bytes, original + VIRTIO_HEADER + header, s->payload);
	ck_assert_uint_eq(stream.flags, s->udp ? 0 : s->flags);
	ck_assert(!segment_next(&c, &piece, &n));
}

START_TEST(reassembles)
{
	struct prng r = {(uint64_t)_i};

	for (int i = 0; i < 60; i++) {
		struct shape s = shape_random(&r);

		s.payload = 1 + pick(&r, pick(&r, 2) ? 60000 : 3000);
		s.ip_words = (uint8_t)(pick(&r, 3) ? 0 : pick(&r, 9));
		s.flags |= (uint8_t)((pick(&r, 2) ? TCP_PSH : 0) | (pick(&r, 4) ? 0 : TCP_FIN) |
				     (pick(&r, 4) ? 0 : 0x80));
		cut(&s, (uint16_t)(8 + pick(&r, pick(&r, 2) ? 1500 : 65000)), pick(&r, 2));
	}
}
END_TEST

/* At, below and above each multiple. */
START_TEST(odd_sizes)
{
	struct prng r = {7};

	for (size_t pieces = 1; pieces < 4; pieces++) {
		for (int d = -1; d <= 1; d++) {
			struct shape s = shape_random(&r);

			s.payload = pieces * 100 + (size_t)(1 + d);
			cut(&s, 100, true);
			cut(&s, 101, true);
		}
	}
}
END_TEST

/* The largest packet there is, in pieces of a byte and in one. */
START_TEST(limits)
{
	for (int kind = 0; kind < 4; kind++) {
		struct shape s = {.v6 = kind & 1, .udp = kind & 2, .ttl = 1, .id = 0xfff0,
				  .flags = 0x99, .option_words = 10, .seq = 0xffffff00};

		s.payload = 65535 - shape_header_len(&s);
		cut(&s, 1448, true);
		cut(&s, (uint16_t)s.payload, true);
		cut(&s, (uint16_t)(s.payload - 1), true);
		s.payload = 3000;
		cut(&s, 1, true);
		s.ip_words = s.v6 ? 8 : 10;
		cut(&s, 1, false);
		cut(&s, 2999, true);
	}
}
END_TEST

START_TEST(whole_packets)
{
	static const struct gso none = {.kind = GSO_NONE};
	struct prng r = {3};
	struct segmenter c;
	uint8_t *piece;
	size_t n, len;

	for (int i = 0; i < 50; i++) {
		struct shape s = shape_random(&r);

		len = shape_write(&s, packet);
		memcpy(original, packet, len);
		put_be16(packet + (s.v6 ? 40 : 20) + (s.udp ? 6 : 16), 0x1234);
		ck_assert_int_eq(segment_begin(&c, packet, len, &none, true, true), 0);
		ck_assert(segment_next(&c, &piece, &n));
		ck_assert_uint_eq(n, len);
		ck_assert_mem_eq(piece, original, len);
		ck_assert(!segment_next(&c, &piece, &n));
	}
}
END_TEST

/* RFC 768: a checksum of 0 would mean that there is none. */
START_TEST(zero_checksum)
{
	struct shape s = {.v6 = _i, .udp = true, .ttl = 64, .payload = 100};
	struct gso gso = shape_gso(&s, 100);
	size_t len = shape_write(&s, packet), n;
	struct segmenter c;
	uint8_t *piece;

	packet_zero_sum(packet, shape_l4(&s));
	memcpy(original, packet, len);
	ck_assert(checksums_are_right(original, len));
	ck_assert_int_eq(segment_begin(&c, packet, len, &gso, true, true), 0);
	ck_assert(segment_next(&c, &piece, &n));
	ck_assert_mem_eq(piece, original, len);
}
END_TEST

/* A packet, what is said of it, and what is changed in it. */
static const struct {
	bool v6, udp, partial;
	struct gso gso;
	size_t at;
	uint8_t value;
	int result;
} claims[] = {
	{false, false, true, {GSO_TCP, 100, 20, 40}, 1, 0, 0},
	{true, false, true, {GSO_TCP, 100, 40, 60}, 0, 0x60, 0},
	{false, true, true, {GSO_UDP, 100, 20, 28}, 1, 0, 0},
	{true, true, true, {GSO_UDP, 100, 40, 48}, 0, 0x60, 0},
	{false, false, false, {GSO_TCP, 100, 20, 40}, 1, 0, -EBADMSG},
	{false, false, true, {GSO_TCP, 0, 20, 40}, 1, 0, -EBADMSG},
	{false, false, true, {GSO_TCP, 100, 19, 40}, 1, 0, -EBADMSG},
	{false, false, true, {GSO_TCP, 100, 24, 44}, 1, 0, -EBADMSG},
	{false, false, true, {GSO_TCP, 100, 20, 39}, 1, 0, -EBADMSG},
	{false, false, true, {GSO_TCP, 100, 20, 44}, 1, 0, -EBADMSG},
	{false, false, true, {GSO_TCP, 100, 20, 540}, 1, 0, -EBADMSG},
	{false, false, true, {GSO_TCP, 100, 20, GSO_HEADER_MAX + 1}, 1, 0, -EBADMSG},
	{false, false, true, {GSO_TCP, 100, 60000, 40}, 1, 0, -EBADMSG},
	{false, false, true, {GSO_TCP, 100, 20, 40}, 0, 0x4f, -EBADMSG}, /* IHL */
	{false, false, true, {GSO_TCP, 100, 20, 40}, 0, 0x65, -EBADMSG}, /* version */
	{false, false, true, {GSO_TCP, 100, 20, 40}, 0, 0x05, -EBADMSG},
	{false, false, true, {GSO_TCP, 100, 20, 40}, 32, 0xf0, -EBADMSG}, /* data offset */
	{false, false, true, {GSO_TCP, 100, 20, 40}, 32, 0x40, -EBADMSG},
	{true, false, true, {GSO_TCP, 100, 39, 59}, 0, 0x60, -EBADMSG},
	{false, true, true, {GSO_UDP, 100, 20, 29}, 1, 0, -EBADMSG},
	{false, true, true, {GSO_UDP, 100, 20, 27}, 1, 0, -EBADMSG},
};

START_TEST(what_cannot_be_cut)
{
	struct shape s = {.v6 = claims[_i].v6, .udp = claims[_i].udp, .ttl = 64, .flags = 0x10,
			  .payload = 500};
	size_t len = shape_write(&s, packet);
	struct segmenter c;

	packet[claims[_i].at] = claims[_i].value;
	ck_assert_int_eq(segment_begin(&c, packet, len, &claims[_i].gso, claims[_i].partial, true),
			 claims[_i].result);
	ck_assert_int_eq(segment_begin(&c, packet, 0, &claims[_i].gso, true, true), -EBADMSG);
}
END_TEST

/* More than an IP length can say, in one piece. */
START_TEST(too_long)
{
	struct shape s = {.v6 = true, .ttl = 64, .flags = 0x10, .payload = 65535 - 20};
	struct gso gso = shape_gso(&s, 65535);
	size_t len = shape_write(&s, packet);
	struct segmenter c;

	ck_assert_int_eq(segment_begin(&c, packet, len, &gso, true, true), -EBADMSG);
	gso.size = 65000;
	ck_assert_int_eq(segment_begin(&c, packet, len, &gso, true, true), 0);
}
END_TEST

/* Whole packets whose checksum cannot be completed. */
START_TEST(what_cannot_be_completed)
{
	static const struct gso none = {.kind = GSO_NONE};
	struct shape s = {.ttl = 64, .flags = 0x10, .payload = 500};
	size_t len = shape_write(&s, packet);
	struct segmenter c;

	packet[9] = 1; /* ICMP */
	put_be16(packet + 10, 0);
	put_be16(packet + 10, plain_sum(0, packet, 20));
	ck_assert_int_eq(segment_begin(&c, packet, len, &none, true, true), -EPROTO);
	ck_assert_int_eq(segment_begin(&c, packet, len, &none, true, false), 0);
	ck_assert_int_eq(segment_begin(&c, packet, len, &none, false, true), 0);
	ck_assert_int_eq(segment_begin(&c, packet, 19, &none, true, true), -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("segment");
	TCase *tc = tcase_create("segment");

	tcase_add_loop_test(tc, reassembles, 0, 20);
	tcase_add_test(tc, odd_sizes);
	tcase_add_test(tc, whole_packets);
	tcase_add_test(tc, limits);
	tcase_add_loop_test(tc, zero_checksum, 0, 2);
	tcase_add_loop_test(tc, what_cannot_be_cut, 0, sizeof claims / sizeof *claims);
	tcase_add_test(tc, too_long);
	tcase_add_test(tc, what_cannot_be_completed);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
