/* SPDX-License-Identifier: ISC */
/* Which differences between the headers of two packets keep a coalescer from joining them. */
#include <string.h>

#include <tund/base/bytes.h>

#include "coalesce_recording.h"
#include "tap.h"

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
	struct coalescer *c = recording_begin(COALESCE_TCP_UDP);
	struct shape s = shape_bulk(false, wrong[_i].udp);

	for (unsigned i = 0; i < 3; i++) {
		size_t len = shape_write(&s, order.given[i]);

		if (i == wrong[_i].which)
			order.given[i][wrong[_i].at == 5000 ? len - 1 : wrong[_i].at] ^= 1;
		order_add_given(&order, c, len);
		shape_advance(&s);
	}
	recording_end(c, wrong[_i].writes);
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
		struct shape s = shape_bulk(v6, udp);
		struct coalescer *c;

		if (!(v6 ? differences[_i].v6 : differences[_i].v4) ||
		    !(udp ? differences[_i].udp : differences[_i].tcp))
			continue;
		c = recording_begin(COALESCE_TCP_UDP);
		s.df = differences[_i].df;
		order_add(&order, c, &s, partial);
		shape_advance(&s);
		differences[_i].change(&s);
		order_add(&order, c, &s, partial);
		recording_end(c, differences[_i].joined ? 1 : 2);
	}
}
END_TEST

/* Flags that the stack must see for each packet, though all have the same. */
START_TEST(flags_that_go_alone)
{
	static const struct {
		uint8_t flags;
		unsigned writes;
	} kinds[] = {{0x10, 1}, {0x50, 1}, {0x12, 3}, {0x14, 3}, {0x30, 3}, {0x90, 3}, {0, 3},
		     {0x08, 3}, {0x18, 3}, {0x11, 3}};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct coalescer *c = recording_begin(COALESCE_TCP_UDP);
		struct shape s = shape_bulk(_i, false);

		s.flags = kinds[i].flags;
		for (unsigned n = 0; n < 3; n++) {
			order_add(&order, c, &s, true);
			shape_advance(&s);
		}
		recording_end(c, kinds[i].writes);
	}
}
END_TEST

/* Every bit of the header, but for those of lengths, checksums, identification, sequence number,
 * PSH and FIN, keeps two packets apart; a packet that is not what it says is left as it is. */
START_TEST(every_bit)
{
	bool v6 = _i & 1, udp = _i & 2;
	size_t header = shape_header_len(&(struct shape){.v6 = v6, .udp = udp, .option_words = 3});

	for (size_t bit = 0; bit < header * 8; bit++) {
		size_t at = bit / 8, l4 = v6 ? 40 : 20;
		struct shape s = shape_bulk(v6, udp);
		struct coalescer *c = recording_begin(COALESCE_TCP_UDP);
		bool same = !udp && at == l4 + 13 && (0x80 >> bit % 8) & 0x09;

		s.df = true;
		order_add(&order, c, &s, false);
		shape_advance(&s);
		shape_write(&s, order.given[1]);
		order.given[1][at] ^= (uint8_t)(0x80 >> bit % 8);
		if (!v6) {
			put_be16(order.given[1] + 10, 0);
			put_be16(order.given[1] + 10, plain_sum(0, order.given[1], 20));
			same = same || at == 4 || at == 5 || at == 10 || at == 11;
		}
		if (at != l4 + (udp ? 6 : 16) && at != l4 + (udp ? 7 : 17))
			oracle_complete(order.given[1], header + s.payload);
		order_add_given(&order, c, header + s.payload);
		recording_end(c, same ? 1 : 2);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coalesce_headers");
	TCase *tc = tcase_create("headers");

	tcase_add_loop_test(tc, wrong_checksum_goes_alone, 0, sizeof wrong / sizeof *wrong);
	tcase_add_loop_test(tc, difference, 0, sizeof differences / sizeof *differences);
	tcase_add_loop_test(tc, flags_that_go_alone, 0, 2);
	tcase_add_loop_test(tc, every_bit, 0, 4);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
