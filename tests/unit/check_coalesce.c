/* SPDX-License-Identifier: ISC */
/*
 * Joining: whatever comes out, cut again, is what went in, in the order of each flow; and what
 * should be joined is.
 */
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/coalesce.h>
#include <tund/wire/segment.h>
#include <tund/wire/virtio.h>

#include "gso_packets.h"
#include "tap.h"

#define PACKETS 200
#define ROOM 1600

/* What went in, as it is complete. */
static struct {
	uint8_t bytes[ROOM];
	size_t len;
	bool seen;
} in[PACKETS];
static size_t in_count;
static uint8_t buffers[PACKETS][ROOM];

static uint8_t out[70000];
static unsigned writes, joined, seen;

/* The oldest of this flow that has not come out. */
static size_t oldest_of_flow(const uint8_t *packet)
{
	size_t l4 = packet[0] >> 4 == 6 ? 40 : 20, proto = l4 == 40 ? 6 : 9;

	for (size_t i = 0; i < in_count; i++) {
		if (!in[i].seen && in[i].bytes[0] >> 4 == packet[0] >> 4 &&
		    in[i].bytes[proto] == packet[proto] &&
		    memcmp(in[i].bytes + l4, packet + l4, 4) == 0)
			return i;
	}
	ck_abort_msg("more came out than went in");
	return 0;
}

/* Where DF is set the identification means nothing (RFC 6864), and may have changed. */
static void neutralize(uint8_t *packet)
{
	if (packet[0] >> 4 == 6 || !(packet[6] & 0x40))
		return;
	memset(packet + 4, 0, 2);
	memset(packet + 10, 0, 2);
}

static void check_piece(const uint8_t *piece, size_t len)
{
	uint8_t a[ROOM], b[ROOM];
	size_t i = oldest_of_flow(piece);

	ck_assert_uint_eq(len, in[i].len);
	memcpy(a, piece, len);
	memcpy(b, in[i].bytes, len);
	neutralize(a);
	neutralize(b);
	ck_assert_mem_eq(a, b, len);
	in[i].seen = true;
	seen++;
}

static void on_emit(void *ctx, const struct iovec *iov, size_t n)
{
	bool partial, with_header = *(enum coalesce_mode *)ctx != COALESCE_PLAIN;
	struct gso gso = {.kind = GSO_NONE};
	uint8_t *packet = out, *piece;
	size_t len = 0, piece_len;
	struct segmenter cut;

	for (size_t i = 0; i < n; i++) {
		memcpy(out + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	writes++;
	partial = false;
	if (with_header)
		ck_assert_int_eq(virtio_take(&packet, &len, &partial, &gso), 0);
	joined += gso.kind != GSO_NONE;
	ck_assert_int_eq(segment_begin(&cut, packet, len, &gso, partial, true), 0);
	while (segment_next(&cut, &piece, &piece_len))
		check_piece(piece, piece_len);
}

static void begin(void)
{
	memset(in, 0, sizeof in);
	in_count = 0;
	writes = joined = seen = 0;
}

static void add(struct coalescer *c, const struct shape *s, bool partial)
{
	static const struct gso none = {.kind = GSO_NONE};
	uint8_t *packet = buffers[in_count];
	size_t len = shape_write(s, packet);

	memcpy(in[in_count].bytes, packet, len);
	in[in_count++].len = len;
	if (partial)
		put_be16(packet + (s->v6 ? 40 : 20) + (s->udp ? 6 : 16), 0xbeef);
	coalesce_add(c, packet, len, partial, &none);
}

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
	enum coalesce_mode mode = modes[_i % 3];
	struct coalescer *c = coalescer_new(on_emit, &mode);
	struct shape flow[12];

	coalesce_set_mode(c, mode);
	for (int i = 0; i < 12; i++) {
		flow[i] = shape_random(&r);
		flow[i].src_port = (uint16_t)(1000 + i);
		flow[i].option_words = 3;
	}
	begin();
	while (in_count < PACKETS) {
		struct shape *s = &flow[pick(&r, pick(&r, 2) ? 12 : 3)];

		for (uint32_t n = 1 + pick(&r, 20); n > 0 && in_count < PACKETS; n--) {
			add(c, s, pick(&r, 8) != 0);
			step(&r, s);
		}
		if (pick(&r, 10) == 0)
			coalesce_flush(c);
	}
	coalesce_flush(c);
	ck_assert_uint_eq(seen, in_count);
	coalescer_free(c);
}
END_TEST

/* 30 segments of one flow are one write, whether or not their checksums are there already. */
START_TEST(bulk_is_joined)
{
	enum coalesce_mode mode = COALESCE_TCP_UDP;
	struct coalescer *c = coalescer_new(on_emit, &mode);
	struct prng r = {5};

	coalesce_set_mode(c, mode);
	for (int kind = 0; kind < 8; kind++) {
		struct shape s = shape_random(&r);

		s.v6 = kind & 1;
		s.udp = kind & 2;
		s.option_words = 3;
		s.payload = 1300;
		begin();
		for (int i = 0; i < 30; i++) {
			add(c, &s, kind & 4);
			s.seq += (uint32_t)s.payload;
			s.id++;
		}
		coalesce_flush(c);
		ck_assert_uint_eq(writes, 1);
		ck_assert_uint_eq(joined, 1);
		ck_assert_uint_eq(seen, 30);
	}
	coalescer_free(c);
}
END_TEST

/* The kernel would not notice. */
START_TEST(wrong_checksum_goes_alone)
{
	static const struct gso none = {.kind = GSO_NONE};
	enum coalesce_mode mode = COALESCE_TCP_UDP;
	struct coalescer *c = coalescer_new(on_emit, &mode);
	struct prng r = {9};
	struct shape s = shape_random(&r);

	coalesce_set_mode(c, mode);
	s.udp = false;
	begin();
	for (int i = 0; i < 5; i++) {
		size_t len = shape_write(&s, buffers[i]);

		if (i == 2)
			buffers[i][len - 1] ^= 1;
		memcpy(in[i].bytes, buffers[i], len);
		in[i].len = len;
		in_count++;
		coalesce_add(c, buffers[i], len, false, &none);
		s.seq += (uint32_t)s.payload;
		s.id++;
	}
	coalesce_flush(c);
	ck_assert_uint_eq(seen, 5);
	ck_assert_uint_eq(writes, 3);
	coalescer_free(c);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coalesce");
	TCase *tc = tcase_create("coalesce");

	tcase_add_loop_test(tc, nothing_is_lost, 0, 60);
	tcase_add_test(tc, bulk_is_joined);
	tcase_add_test(tc, wrong_checksum_goes_alone);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
