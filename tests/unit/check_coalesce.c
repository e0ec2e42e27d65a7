/* SPDX-License-Identifier: ISC */
/*
 * Joining: whatever comes out, cut again, is what went in, in the order of each flow; and what
 * should be joined is.
 */
#include <linux/virtio_net.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/coalesce.h>
#include <tund/wire/virtio.h>

#include "gso_oracle.h"
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

static uint8_t out[70000]; /* the last write */
static size_t out_len;
static unsigned writes, joined, seen;
static struct oracle_pieces oracle;

static const struct gso none = {.kind = GSO_NONE};

/* Whether two packets are in one order: protocol, addresses and ports; all that is odd is. */
static bool same_order(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	uint8_t proto[2] = {0};
	size_t at = oracle_l4(a, a_len, &proto[0]), addresses = a[0] >> 4 == 6 ? 8 : 12;

	return a[0] >> 4 == b[0] >> 4 && at == oracle_l4(b, b_len, &proto[1]) &&
	       proto[0] == proto[1] &&
	       memcmp(a + addresses, b + addresses, a[0] >> 4 == 6 ? 32 : 8) == 0 &&
	       (at == 0 || memcmp(a + at, b + at, 4) == 0);
}

/* The oldest in the same order that has not come out. */
static size_t oldest(const uint8_t *packet, size_t len)
{
	for (size_t i = 0; i < in_count; i++) {
		if (!in[i].seen && same_order(in[i].bytes, in[i].len, packet, len))
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
	size_t i = oldest(piece, len);

	ck_assert_uint_eq(len, in[i].len);
	memcpy(a, piece, len);
	memcpy(b, in[i].bytes, len);
	neutralize(a);
	neutralize(b);
	ck_assert_mem_eq(a, b, len);
	in[i].seen = true;
	seen++;
}

/* What is written to the device, cut as the kernel cuts it. */
static void on_emit(void *ctx, const struct iovec *iov, size_t n)
{
	size_t len = 0, piece_len;

	ck_assert_uint_le(n, 65);
	for (size_t i = 0; i < n; i++) {
		memcpy(out + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	out_len = len;
	writes++;
	if (*(enum coalesce_mode *)ctx == COALESCE_PLAIN) {
		check_piece(out, len);
		return;
	}
	ck_assert(oracle_cut(out, len, &oracle));
	if (out[1] != VIRTIO_NET_HDR_GSO_NONE) {
		const uint8_t *packet = out + VIRTIO_HEADER;

		joined++;
		ck_assert(packet[0] >> 4 == 6 ||
			  plain_sum(0, packet, (packet[0] & 15) * 4u) == 0);
	}
	for (size_t i = 0; i < oracle.count; i++) {
		const uint8_t *piece = oracle_piece(&oracle, i, &piece_len);

		check_piece(piece, piece_len);
	}
}

static void begin(void)
{
	memset(in, 0, sizeof in);
	in_count = 0;
	writes = joined = seen = 0;
}

/* Hands a packet over that will come out as it is now. */
static void add_bytes(struct coalescer *c, size_t len)
{
	ck_assert_uint_lt(in_count, PACKETS);
	memcpy(in[in_count].bytes, buffers[in_count], len);
	in[in_count++].len = len;
	coalesce_add(c, buffers[in_count - 1], len, false, &none);
}

static void add(struct coalescer *c, const struct shape *s, bool partial)
{
	uint8_t *packet = buffers[in_count];
	size_t len = shape_write(s, packet);

	ck_assert_uint_lt(in_count, PACKETS);
	memcpy(in[in_count].bytes, packet, len);
	in[in_count++].len = len;
	if (partial)
		put_be16(packet + shape_l4(s) + (s->udp ? 6 : 16), 0xbeef);
	coalesce_add(c, packet, len, partial, &none);
}

static struct coalescer *make(enum coalesce_mode *mode)
{
	struct coalescer *c = coalescer_new(on_emit, mode);

	ck_assert_ptr_nonnull(c);
	coalesce_set_mode(c, *mode);
	begin();
	return c;
}

/* Everything came out, in so many writes. */
static void finish(struct coalescer *c, unsigned expected)
{
	coalesce_flush(c);
	ck_assert_uint_eq(seen, in_count);
	ck_assert_uint_eq(writes, expected);
	coalescer_free(c);
}

/* A segment as bulk has it. */
static struct shape bulk(bool v6, bool udp)
{
	return (struct shape){.v6 = v6, .udp = udp, .ttl = 64, .flags = 0x10, .option_words = 3,
			      .id = 0xffff, .window = 500, .src_port = 1000, .dst_port = 443,
			      .seq = 0xfffffff0, .ack = 1, .payload = 1000};
}

static void advance(struct shape *s)
{
	s->seq += (uint32_t)s->payload;
	s->id++;
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
	struct coalescer *c = make(&mode);
	struct shape flow[12];

	for (int i = 0; i < 12; i++) {
		flow[i] = shape_random(&r);
		flow[i].src_port = (uint16_t)(1000 + i);
		flow[i].option_words = 3;
	}
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

/* The second of three packets is wrong: the kernel is to see that, and would not if it were joined
 * with the others. */
static const struct {
	bool udp;
	size_t at; /* which byte is wrong: 5000 is the last of the payload */
	unsigned which, writes;
} wrong[] = {
	{false, 5000, 1, 3}, {false, 5000, 0, 2}, {false, 5000, 2, 2}, {true, 5000, 1, 3},
	{false, 10, 1, 3},   {false, 10, 0, 2},   {false, 10, 2, 2},   {true, 10, 1, 3},
	{false, 37, 1, 3}, /* TCP's checksum */
};

START_TEST(wrong_checksum_goes_alone)
{
	enum coalesce_mode mode = COALESCE_TCP_UDP;
	struct coalescer *c = make(&mode);
	struct shape s = bulk(false, wrong[_i].udp);

	for (unsigned i = 0; i < 3; i++) {
		size_t len = shape_write(&s, buffers[i]);

		if (i == wrong[_i].which)
			buffers[i][wrong[_i].at == 5000 ? len - 1 : wrong[_i].at] ^= 1;
		add_bytes(c, len);
		advance(&s);
	}
	finish(c, wrong[_i].writes);
}
END_TEST

/* A difference of the second packet from what would follow the first, and whether they are joined
 * all the same. */
static void df_and_any_id(struct shape *s) { s->id = (uint16_t)(s->id + 9); }
static void other_id(struct shape *s) { s->id++; }
static void other_tos(struct shape *s) { s->tos = 0x10; }
static void congestion(struct shape *s) { s->tos = 3; }
static void other_ttl(struct shape *s) { s->ttl--; }
static void other_df(struct shape *s) { s->df = !s->df; }
static void other_ack(struct shape *s) { s->ack++; }
static void other_window(struct shape *s) { s->window++; }
static void more_options(struct shape *s) { s->option_words++; }
static void no_options(struct shape *s) { s->option_words = 0; }
static void push(struct shape *s) { s->flags = 0x18; }
static void fin(struct shape *s) { s->flags = 0x11; }
static void fin_push(struct shape *s) { s->flags = 0x19; }
static void syn(struct shape *s) { s->flags = 0x12; }
static void rst(struct shape *s) { s->flags = 0x14; }
static void urgent(struct shape *s) { s->flags = 0x30; }
static void echo(struct shape *s) { s->flags = 0x50; }
static void reduced(struct shape *s) { s->flags = 0x90; }
static void no_ack(struct shape *s) { s->flags = 0; }
static void longer(struct shape *s) { s->payload++; }
static void shorter(struct shape *s) { s->payload--; }
static void one_byte(struct shape *s) { s->payload = 1; }
static void empty(struct shape *s) { s->payload = 0; }
static void gap(struct shape *s) { s->seq++; }
static void repeated(struct shape *s) { s->seq -= (uint32_t)s->payload; }
static void other_source(struct shape *s) { s->src_port++; }
static void other_destination(struct shape *s) { s->dst_port++; }
static void other_protocol(struct shape *s) { s->udp = !s->udp; }
static void other_version(struct shape *s) { s->v6 = !s->v6; }
static void ip_options(struct shape *s) { s->ip_words = 1; }
static void nothing(struct shape *s) { (void)s; }

static const struct {
	void (*change)(struct shape *s);
	bool v4, v6, tcp, udp; /* where it is a difference */
	bool df, joined;
} differences[] = {
	{nothing, true, true, true, true, false, true},
	{nothing, true, true, true, true, true, true},
	{df_and_any_id, true, false, true, true, true, true},
	{other_id, true, false, true, true, false, false},
	{other_tos, true, true, true, true, false, false},
	{congestion, true, true, true, true, true, false},
	{other_ttl, true, true, true, true, false, false},
	{other_df, true, false, true, true, false, false},
	{other_ack, true, true, true, false, false, false},
	{other_window, true, true, true, false, false, false},
	{more_options, true, true, true, false, false, false},
	{no_options, true, true, true, false, false, false},
	{push, true, true, true, false, false, true},
	{fin, true, true, true, false, false, true},
	{fin_push, true, true, true, false, false, true},
	{syn, true, true, true, false, false, false},
	{rst, true, true, true, false, false, false},
	{urgent, true, true, true, false, false, false},
	{echo, true, true, true, false, false, false},
	{reduced, true, true, true, false, false, false},
	{no_ack, true, true, true, false, false, false},
	{longer, true, true, true, true, false, false},
	{shorter, true, true, true, true, false, true},
	{one_byte, true, true, true, true, false, true},
	{empty, true, true, true, true, false, false},
	{gap, true, true, true, false, false, false},
	{repeated, true, true, true, false, false, false},
	{other_source, true, true, true, true, false, false},
	{other_destination, true, true, true, true, false, false},
	{other_protocol, true, true, true, true, false, false},
	{other_version, true, true, true, true, false, false},
	{ip_options, true, true, true, true, false, false},
};

START_TEST(difference)
{
	for (unsigned kind = 0; kind < 8; kind++) {
		bool v6 = kind & 1, udp = kind & 2, partial = kind & 4;
		enum coalesce_mode mode = COALESCE_TCP_UDP;
		struct shape s = bulk(v6, udp);
		struct coalescer *c;

		if (!(v6 ? differences[_i].v6 : differences[_i].v4) ||
		    !(udp ? differences[_i].udp : differences[_i].tcp))
			continue;
		c = make(&mode);
		s.df = differences[_i].df;
		add(c, &s, partial);
		advance(&s);
		differences[_i].change(&s);
		add(c, &s, partial);
		finish(c, differences[_i].joined ? 1 : 2);
	}
}
END_TEST

/* Every bit of the header, but for those of lengths, checksums, identification, sequence number,
 * PSH and FIN, keeps two packets apart; a packet that is not what it says is left as it is. */
START_TEST(every_bit)
{
	enum coalesce_mode mode = COALESCE_TCP_UDP;
	bool v6 = _i & 1, udp = _i & 2;
	size_t header = shape_header_len(&(struct shape){.v6 = v6, .udp = udp, .option_words = 3});

	for (size_t bit = 0; bit < header * 8; bit++) {
		size_t at = bit / 8, l4 = v6 ? 40 : 20;
		struct shape s = bulk(v6, udp);
		struct coalescer *c = make(&mode);
		bool same = !udp && at == l4 + 13 && (0x80 >> bit % 8) & 0x09;

		s.df = true;
		add(c, &s, false);
		advance(&s);
		shape_write(&s, buffers[1]);
		buffers[1][at] ^= (uint8_t)(0x80 >> bit % 8);
		if (!v6) {
			put_be16(buffers[1] + 10, 0);
			put_be16(buffers[1] + 10, plain_sum(0, buffers[1], 20));
			same = same || at == 4 || at == 5 || at == 10 || at == 11;
		}
		if (at != l4 + (udp ? 6 : 16) && at != l4 + (udp ? 7 : 17))
			oracle_complete(buffers[1], header + s.payload);
		add_bytes(c, header + s.payload);
		finish(c, same ? 1 : 2);
	}
}
END_TEST

/* The two kinds of checksum do not mix. */
START_TEST(partial_and_complete)
{
	enum coalesce_mode mode = COALESCE_TCP_UDP;
	struct coalescer *c = make(&mode);
	struct shape s = bulk(_i & 1, _i & 2);

	for (unsigned i = 0; i < 8; i++) {
		add(c, &s, i / 2 % 2);
		advance(&s);
	}
	finish(c, 4);
}
END_TEST

/* What ends a run is in it: a PSH, a short one; then the next begins. */
START_TEST(ends)
{
	enum coalesce_mode mode = COALESCE_TCP_UDP;
	struct coalescer *c = make(&mode);
	struct shape s = bulk(_i & 1, false);

	for (unsigned i = 0; i < 30; i++) {
		s.flags = i % 10 == 4 ? 0x18 : 0x10;
		s.payload = i % 10 == 9 ? 999 : 1000;
		add(c, &s, _i & 2);
		advance(&s);
		ck_assert_uint_eq(writes, (i + 1) / 5);
	}
	finish(c, 6);
}
END_TEST

/* As many as there may be, and as long as it may be. */
START_TEST(limits)
{
	enum coalesce_mode mode = COALESCE_TCP_UDP;
	struct coalescer *c = make(&mode);
	struct shape s = bulk(_i & 1, _i & 2);

	s.payload = 100;
	for (unsigned i = 0; i < 65; i++) {
		add(c, &s, true);
		advance(&s);
	}
	ck_assert_uint_eq(writes, 1);
	finish(c, 2);

	for (unsigned over = 0; over < 2; over++) {
		size_t header, left;

		c = make(&mode);
		s = bulk(_i & 1, _i & 2);
		s.payload = 1300;
		header = shape_header_len(&s);
		for (left = 65535 - header; left > s.payload; left -= s.payload) {
			add(c, &s, true);
			advance(&s);
		}
		s.payload = left + over;
		add(c, &s, true);
		ck_assert_uint_eq(writes, 1);
		if (over == 0)
			ck_assert_uint_eq(out_len, VIRTIO_HEADER + 65535);
		finish(c, over ? 2 : 1);
	}
}
END_TEST

/* Eight flows in turn are eight writes; of nine, only one has to make room. */
START_TEST(many_flows)
{
	for (unsigned flows = 8; flows <= 9; flows++) {
		enum coalesce_mode mode = COALESCE_TCP_UDP;
		struct coalescer *c = make(&mode);
		struct shape s[9];

		for (unsigned i = 0; i < flows; i++) {
			s[i] = bulk(_i & 1, false);
			s[i].src_port = (uint16_t)(2000 + i);
		}
		for (unsigned round = 0; round < 3; round++) {
			for (unsigned i = 0; i < 8; i++) {
				add(c, &s[i], true);
				advance(&s[i]);
			}
		}
		if (flows == 9) {
			add(c, &s[8], true);
			ck_assert_uint_eq(writes, 1);
		}
		finish(c, flows);
	}
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
		enum coalesce_mode mode = COALESCE_TCP_UDP;
		struct coalescer *c = make(&mode);
		struct shape s = bulk(false, false);
		size_t len;

		add(c, &s, true);
		advance(&s);
		len = shape_write(&s, buffers[1]);
		buffers[1][9] = kinds[i].proto;
		buffers[1][6] = kinds[i].fragment;
		put_be16(buffers[1] + 10, 0);
		put_be16(buffers[1] + 10, plain_sum(0, buffers[1], 20));
		add_bytes(c, len);
		add(c, &s, true);
		finish(c, kinds[i].writes);
	}
}
END_TEST

/* A checksum that is to be completed, of what has none. */
START_TEST(partial_of_nothing)
{
	enum coalesce_mode mode = _i ? COALESCE_TCP : COALESCE_PLAIN;
	struct coalescer *c = make(&mode);
	struct shape s = bulk(false, false);
	size_t len = shape_write(&s, buffers[0]);

	buffers[0][9] = 1;
	put_be16(buffers[0] + 10, 0);
	put_be16(buffers[0] + 10, plain_sum(0, buffers[0], 20));
	coalesce_add(c, buffers[0], len, true, &none);
	coalesce_add(c, buffers[0], 0, true, &none);
	finish(c, 0);
}
END_TEST

/* UDP is not joined where the device cannot cut it, and never given a checksum. */
START_TEST(udp_alone)
{
	enum coalesce_mode mode = _i ? COALESCE_TCP : COALESCE_TCP_UDP;
	struct coalescer *c = make(&mode);
	struct shape s = bulk(false, true);

	for (unsigned i = 0; i < 4; i++) {
		size_t len = shape_write(&s, buffers[i]);

		if (mode == COALESCE_TCP_UDP)
			put_be16(buffers[i] + 26, 0);
		add_bytes(c, len);
		advance(&s);
	}
	finish(c, 4);
}
END_TEST

/* A packet of several pieces goes behind its flow, as it is, whatever lies in front of its TCP
 * header; where it cannot be cut by the device, in pieces. */
START_TEST(whole_packets)
{
	static uint8_t frame[70000];

	for (unsigned kind = 0; kind < 24; kind++) {
		bool udp = kind & 2;
		enum coalesce_mode mode = (enum coalesce_mode)(kind / 8);
		struct shape s = bulk(kind & 1, udp), whole;
		struct coalescer *c = make(&mode);
		struct gso gso;
		size_t len;
		bool cuts = mode == COALESCE_TCP_UDP || (mode == COALESCE_TCP && !udp);

		add(c, &s, true);
		advance(&s);
		whole = s;
		whole.ip_words = kind & 4 ? 2 : 0;
		whole.payload = 10 * s.payload;
		len = shape_write_frame(&whole, (uint16_t)s.payload, frame);
		ck_assert(oracle_cut(frame, len, &oracle));
		for (size_t i = 0; i < oracle.count; i++, in_count++) {
			const uint8_t *piece = oracle_piece(&oracle, i, &in[in_count].len);

			memcpy(in[in_count].bytes, piece, in[in_count].len);
		}
		gso = shape_gso(&whole, (uint16_t)s.payload);
		memset(frame + VIRTIO_HEADER + gso.l4 + (udp ? 6 : 16), 0xff, 2);
		coalesce_add(c, frame + VIRTIO_HEADER, len - VIRTIO_HEADER, true, &gso);
		ck_assert_uint_eq(seen, in_count);
		finish(c, cuts ? 2 : 11);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coalesce");
	TCase *tc = tcase_create("coalesce");

	tcase_add_loop_test(tc, nothing_is_lost, 0, 60);
	tcase_add_test(tc, bulk_is_joined);
	tcase_add_loop_test(tc, wrong_checksum_goes_alone, 0, sizeof wrong / sizeof *wrong);
	tcase_add_loop_test(tc, difference, 0, sizeof differences / sizeof *differences);
	tcase_add_loop_test(tc, every_bit, 0, 4);
	tcase_add_loop_test(tc, partial_and_complete, 0, 4);
	tcase_add_loop_test(tc, ends, 0, 4);
	tcase_add_loop_test(tc, limits, 0, 4);
	tcase_add_loop_test(tc, many_flows, 0, 2);
	tcase_add_test(tc, between);
	tcase_add_loop_test(tc, partial_of_nothing, 0, 2);
	tcase_add_loop_test(tc, udp_alone, 0, 2);
	tcase_add_test(tc, whole_packets);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
