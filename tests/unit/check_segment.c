/* SPDX-License-Identifier: ISC */
/*
 * Cutting: what an independent reassembly sees is the packet as it was, and each piece is a packet
 * as RFC 791, 8200 and 9293 want it.
 */
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/inner.h>
#include <tund/wire/segment.h>

#include "gso_packets.h"
#include "tap.h"

static uint8_t packet[70000], original[70000];

/* One piece against the original: payload, place, lengths, flags. */
static void check_piece(const struct shape *s, const uint8_t *piece, size_t len, size_t done,
			uint32_t number, bool complete)
{
	size_t header = shape_header_len(s), payload = len - header, l4 = s->v6 ? 40 : 20;
	bool last = done + payload == s->payload;
	struct inner_packet p;

	ck_assert_int_eq(inner_parse(piece, len, &p), INNER_OK);
	ck_assert_uint_eq(p.len, len);
	ck_assert_mem_eq(piece + header, original + header + done, payload);
	ck_assert_uint_eq(p.src_port, s->src_port);
	if (!s->v6)
		ck_assert_uint_eq(get_be16(piece + 4), (uint16_t)(s->id + number));
	if (!s->udp) {
		uint8_t flags = s->flags;

		if (!last)
			flags &= (uint8_t)~(TCP_FIN | TCP_PSH);
		if (number > 0)
			flags &= 0x7f;
		ck_assert_uint_eq(piece[l4 + 13], flags);
		ck_assert_uint_eq(get_be32(piece + l4 + 4), s->seq + (uint32_t)done);
		ck_assert_mem_eq(piece + l4 + 20, original + l4 + 20, 4u * s->option_words);
	}
	if (complete)
		ck_assert(checksums_are_right(piece, len));
}

static void cut(const struct shape *s, uint16_t size, bool complete)
{
	struct gso gso = shape_gso(s, size);
	size_t len = shape_write(s, packet), header = shape_header_len(s), done = 0, n;
	struct segmenter c;
	uint32_t number = 0;
	uint8_t *piece;

	memcpy(original, packet, len);
	ck_assert_int_eq(segment_begin(&c, packet, len, &gso, true, complete), 0);
	while (segment_next(&c, &piece, &n)) {
		ck_assert_uint_gt(n, header);
		ck_assert(n - header == size || done + n - header == s->payload);
		check_piece(s, piece, n, done, number++, complete);
		done += n - header;
		memset(piece, 0xee, n); /* done with it: nothing of it is needed again */
	}
	ck_assert_uint_eq(done, s->payload);
}

START_TEST(reassembles)
{
	struct prng r = {(uint64_t)_i};

	for (int i = 0; i < 60; i++) {
		struct shape s = shape_random(&r);

		s.payload = 1 + pick(&r, 60000);
		s.flags |= (uint8_t)((pick(&r, 2) ? TCP_PSH : 0) | (pick(&r, 4) ? 0 : TCP_FIN) |
				     (pick(&r, 4) ? 0 : 0x80));
		cut(&s, (uint16_t)(1 + pick(&r, pick(&r, 2) ? 1500 : 9000)), pick(&r, 2));
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

START_TEST(what_cannot_be_cut)
{
	struct prng r = {1};
	struct shape s = shape_random(&r);
	struct gso gso, good;
	struct segmenter c;
	size_t len;

	s.v6 = s.udp = false;
	len = shape_write(&s, packet);
	good = shape_gso(&s, 100);
	ck_assert_int_eq(segment_begin(&c, packet, len, &good, true, true), 0);
	ck_assert_int_lt(segment_begin(&c, packet, len, &good, false, true), 0);
	gso = good;
	gso.size = 0;
	ck_assert_int_lt(segment_begin(&c, packet, len, &gso, true, true), 0);
	gso = good;
	gso.l4 = 19;
	ck_assert_int_lt(segment_begin(&c, packet, len, &gso, true, true), 0);
	gso = good;
	gso.header_len = (uint16_t)len;
	ck_assert_int_lt(segment_begin(&c, packet, len, &gso, true, true), 0);
	gso.header_len = GSO_HEADER_MAX + 1;
	ck_assert_int_lt(segment_begin(&c, packet, len, &gso, true, true), 0);
	gso.header_len = 39;
	ck_assert_int_lt(segment_begin(&c, packet, len, &gso, true, true), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("segment");
	TCase *tc = tcase_create("segment");

	tcase_add_loop_test(tc, reassembles, 0, 20);
	tcase_add_test(tc, odd_sizes);
	tcase_add_test(tc, whole_packets);
	tcase_add_test(tc, what_cannot_be_cut);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
