/* SPDX-License-Identifier: ISC */
/*
 * Joining: whatever comes out, cut again, is what went in, in the order of each flow; and what
 * should be joined is. Which headers may differ is in coalesce_headers.c.
 */
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/segment.h>
#include <tund/wire/virtio.h>

#include "coalesce_recording.h"
#include "tap.h"

static const struct gso none = {.kind = GSO_NONE};
static uint8_t original[70000], copy[70000];

/* The next packet of a flow as a sender of bulk has it, with the odd surprise. */
static void step(struct prng *r, struct shape *s)
{
	s->seq += s->udp ? 1 : (uint32_t)s->payload;
	s->id++;
	switch (pick(r, 24)) {
	case 0:
		s->payload = 1 + pick(r, 1400);
		break;
	case 1:
		s->payload = 0;
		break;
	case 2:
		s->seq += 1000;
		break;
	case 3:
		s->ack += 77;
		break;
	case 4:
		s->window++;
		break;
	case 5:
		s->tos ^= 2;
		break;
	case 6:
		s->id = (uint16_t)(s->id + 5);
		break;
	case 7:
		s->option_words = (uint8_t)((s->option_words + 1) % 11);
		break;
	default:
		break;
	}
	s->flags = 0x10;
	if (pick(r, 10) == 0)
		s->flags |= pick(r, 3) ? 0x08 : (uint8_t)pick(r, 256);
}

START_TEST(nothing_is_lost)
{
	static const enum coalesce_mode modes[] = {COALESCE_PLAIN, COALESCE_TCP, COALESCE_TCP_UDP};
	struct prng r = {(uint64_t)_i * 1000 + 1};
	struct coalescer *c = recording_begin(modes[_i % 3]);
	struct shape flow[12];

	for (int i = 0; i < 12; i++) {
		flow[i] = shape_random(&r);
		flow[i].src_port = (uint16_t)(1000 + i);
		flow[i].option_words = 3;
	}
	while (order.count < ORDER_PACKETS) {
		struct shape *s = &flow[pick(&r, pick(&r, 2) ? 12 : 3)];

		for (uint32_t n = 1 + pick(&r, 20); n > 0 && order.count < ORDER_PACKETS; n--) {
			order_add(&order, c, s, pick(&r, 8) != 0);
			step(&r, s);
		}
		if (pick(&r, 10) == 0)
			coalesce_flush(c);
	}
	coalesce_flush(c);
	ck_assert(order_holds(&order));
	ck_assert_uint_eq(order.seen, order.count);
	coalescer_free(c);
}
END_TEST

/* Cuts the packet in `original` with our own cutter and adds the pieces. */
static void cut_and_join(struct coalescer *c, const struct shape *s, uint16_t size, bool complete)
{
	size_t len = shape_write_frame(s, size, copy), n;
	struct gso gso = shape_gso(s, size);
	struct segmenter cut;
	uint8_t *piece;

	ck_assert_int_eq(segment_begin(&cut, copy + VIRTIO_HEADER, len - VIRTIO_HEADER, &gso, true,
				       complete), 0);
	while (segment_next(&cut, &piece, &n)) {
		memcpy(order.given[order.count], piece, n);
		order_expect(&order, n, !complete);
		coalesce_add(c, order.given[order.count - 1], n, !complete, &none);
	}
}

/* 30 segments of one flow are one write, whether or not their checksums are there already. */
START_TEST(bulk_is_joined)
{
	struct shape s = shape_bulk(_i & 1, _i & 2);
	struct coalescer *c = recording_begin(COALESCE_TCP_UDP);

	for (int i = 0; i < 30; i++) {
		order_add(&order, c, &s, _i & 4);
		shape_advance(&s);
	}
	recording_end(c, 1);
	ck_assert_uint_eq(order.joined, 1);
}
END_TEST

/* Cut and joined again, a packet is what it was, to the last byte of its virtio header; with CWR
 * the first piece stays alone. */
START_TEST(cut_and_joined)
{
	struct prng r = {(uint64_t)_i};

	for (int i = 0; i < 40; i++) {
		struct coalescer *c = recording_begin(COALESCE_TCP_UDP);
		struct shape s = shape_random(&r);
		bool cwr = pick(&r, 4) == 0;
		size_t pieces = 2 + pick(&r, 40), len;
		uint16_t size = (uint16_t)(1 + pick(&r, 1400));

		s.flags = (uint8_t)(0x10 | (cwr ? 0x80 : 0) | (pick(&r, 2) ? 0x08 : 0) |
				    (pick(&r, 4) ? 0 : 0x01) | (pick(&r, 4) ? 0 : 0x40));
		s.payload = (pieces - 1) * size + 1 + pick(&r, size);
		len = shape_write_frame(&s, size, original);
		cut_and_join(c, &s, size, pick(&r, 2));
		recording_end(c, cwr && !s.udp ? 2 : 1);
		if (cwr && !s.udp)
			continue;
		ck_assert_uint_eq(order.out_len, len);
		ck_assert_mem_eq(order.out, original, len);
	}
}
END_TEST

/* The two kinds of checksum do not mix. */
START_TEST(partial_and_complete)
{
	struct coalescer *c = recording_begin(COALESCE_TCP_UDP);
	struct shape s = shape_bulk(_i & 1, _i & 2);

	for (unsigned i = 0; i < 8; i++) {
		order_add(&order, c, &s, i / 2 % 2);
		shape_advance(&s);
	}
	recording_end(c, 4);
}
END_TEST

/* What ends a run is in it: a PSH, a short one; then the next begins. All come out together. */
START_TEST(ends)
{
	struct coalescer *c = recording_begin(COALESCE_TCP_UDP);
	struct shape s = shape_bulk(_i & 1, false);

	for (unsigned i = 0; i < 30; i++) {
		s.flags = i % 10 == 4 ? 0x18 : 0x10;
		s.payload = i % 10 == 9 ? 999 : 1000;
		order_add(&order, c, &s, _i & 2);
		shape_advance(&s);
		ck_assert_uint_eq(order.writes, 0);
	}
	recording_end(c, 6);
}
END_TEST

/* As many as there may be, and as long as it may be. */
START_TEST(limits)
{
	struct coalescer *c = recording_begin(COALESCE_TCP_UDP);
	struct shape s = shape_bulk(_i & 1, _i & 2);

	s.payload = 100;
	for (unsigned i = 0; i < 65; i++) {
		order_add(&order, c, &s, true);
		shape_advance(&s);
	}
	recording_end(c, 2);
	for (unsigned over = 0; over < 2; over++) {
		size_t header, left;

		c = recording_begin(COALESCE_TCP_UDP);
		s = shape_bulk(_i & 1, _i & 2);
		s.payload = 1300;
		header = shape_header_len(&s);
		for (left = 65535 - header; left > s.payload; left -= s.payload) {
			order_add(&order, c, &s, true);
			shape_advance(&s);
		}
		s.payload = left + over;
		order_add(&order, c, &s, true);
		recording_end(c, over ? 2 : 1);
		if (over == 0)
			ck_assert_uint_eq(order.out_len, VIRTIO_HEADER + 65535);
	}
}
END_TEST

/* 16 flows in turn are 16 writes; of 17, only one has to make room. */
START_TEST(many_flows)
{
	for (unsigned flows = 16; flows <= 17; flows++) {
		struct coalescer *c = recording_begin(COALESCE_TCP_UDP);
		struct shape s[17];

		for (unsigned i = 0; i < flows; i++) {
			s[i] = shape_bulk(_i & 1, false);
			s[i].src_port = (uint16_t)(2000 + i);
		}
		for (unsigned round = 0; round < 3; round++) {
			for (unsigned i = 0; i < 16; i++) {
				order_add(&order, c, &s[i], true);
				shape_advance(&s[i]);
			}
		}
		if (flows == 17) {
			order_add(&order, c, &s[16], true);
			ck_assert_uint_eq(order.writes, 1);
		}
		recording_end(c, flows);
	}
}
END_TEST

/* What has ended waits for the rest, until 16 do, or until something that cannot wait comes. */
START_TEST(together)
{
	struct coalescer *c = recording_begin(COALESCE_TCP_UDP);
	struct shape s = shape_bulk(_i & 1, false);

	s.flags = 0x18;
	for (unsigned i = 0; i < 40; i++) {
		ck_assert_uint_eq(order.writes, i == 0 ? 0 : (i - 1) / 16 * 16);
		order_add(&order, c, &s, true);
		shape_advance(&s);
	}
	s.payload = 0;
	order_add(&order, c, &s, true);
	ck_assert_uint_eq(order.writes, 41);
	recording_end(c, 41);
}
END_TEST

/* A ping ends nothing; a fragment may be of any flow, and ends all. */
START_TEST(between)
{
	static const struct {
		uint8_t proto, fragment;
		unsigned writes;
	} kinds[] = {{1, 0, 2}, {1, 0x20, 3}, {6, 0x20, 3}, {17, 0x01, 3}, {50, 0, 3}};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct coalescer *c = recording_begin(COALESCE_TCP_UDP);
		struct shape s = shape_bulk(false, false);
		size_t len;

		order_add(&order, c, &s, true);
		shape_advance(&s);
		len = shape_write(&s, order.given[1]);
		order.given[1][9] = kinds[i].proto;
		order.given[1][6] = kinds[i].fragment;
		put_be16(order.given[1] + 10, 0);
		put_be16(order.given[1] + 10, plain_sum(0, order.given[1], 20));
		order_add_given(&order, c, len);
		order_add(&order, c, &s, true);
		recording_end(c, kinds[i].writes);
	}
}
END_TEST

/* A checksum that is to be completed, of what has none. */
START_TEST(partial_of_nothing)
{
	enum coalesce_mode mode = _i ? COALESCE_TCP : COALESCE_PLAIN;
	struct coalescer *c = recording_begin(mode);
	struct shape s = shape_bulk(false, false);
	size_t len = shape_write(&s, order.given[0]);

	order.given[0][9] = 1;
	put_be16(order.given[0] + 10, 0);
	put_be16(order.given[0] + 10, plain_sum(0, order.given[0], 20));
	coalesce_add(c, order.given[0], len, true, &none);
	coalesce_add(c, order.given[0], 0, true, &none);
	recording_end(c, 0);
}
END_TEST

/* UDP is not joined where the device cannot cut it, and never given a checksum. */
START_TEST(udp_alone)
{
	enum coalesce_mode mode = _i ? COALESCE_TCP : COALESCE_TCP_UDP;
	struct coalescer *c = recording_begin(mode);
	struct shape s = shape_bulk(false, true);

	for (unsigned i = 0; i < 4; i++) {
		size_t len = shape_write(&s, order.given[i]);

		if (mode == COALESCE_TCP_UDP) {
			packet_zero_sum(order.given[i], 20); /* 0 verifies as well as 0xffff */
			put_be16(order.given[i] + 26, 0);
		}
		order_add_given(&order, c, len);
		shape_advance(&s);
	}
	recording_end(c, 4);
}
END_TEST

/* A packet of several pieces goes behind its flow, as it is, whatever lies in front of its TCP
 * header; where it cannot be cut by the device, in pieces. */
START_TEST(whole_packets)
{
	for (unsigned kind = 0; kind < 24; kind++) {
		bool udp = kind & 2;
		enum coalesce_mode mode = (enum coalesce_mode)(kind / 8);
		bool cuts = mode == COALESCE_TCP_UDP || (mode == COALESCE_TCP && !udp);
		struct shape s = shape_bulk(kind & 1, udp);
		struct coalescer *c = recording_begin(mode);

		order_add(&order, c, &s, true);
		shape_advance(&s);
		s.ip_words = kind & 4 ? 2 : 0;
		s.payload = 10000;
		order_add_whole(&order, c, &s, 1000, copy);
		ck_assert(order_holds(&order));
		recording_end(c, cuts ? 2 : 11);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coalesce");
	TCase *tc = tcase_create("coalesce");

	tcase_add_loop_test(tc, nothing_is_lost, 0, 60);
	tcase_add_loop_test(tc, bulk_is_joined, 0, 8);
	tcase_add_loop_test(tc, cut_and_joined, 0, 20);
	tcase_add_loop_test(tc, partial_and_complete, 0, 4);
	tcase_add_loop_test(tc, ends, 0, 4);
	tcase_add_loop_test(tc, limits, 0, 4);
	tcase_add_loop_test(tc, many_flows, 0, 2);
	tcase_add_loop_test(tc, together, 0, 2);
	tcase_add_test(tc, between);
	tcase_add_loop_test(tc, partial_of_nothing, 0, 2);
	tcase_add_loop_test(tc, udp_alone, 0, 2);
	tcase_add_test(tc, whole_packets);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
