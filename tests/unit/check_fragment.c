/* SPDX-License-Identifier: ISC */
/* The fragment table alone: bounds, expiry, eviction; and random pieces against an oracle that
 * marks bytes. What is decided about them is in check_forward.c. */
#include <string.h>

#include <tund/policy/fragment.h>
#include <tund/policy/policy.h>

#include "packets.h"
#include "prng.h"
#include "tap.h"

static const uint64_t start = 1000 * NS_PER_SEC;

static struct fragment_table *t;
static struct fragment_outcome out;
static struct fragment_piece pieces[FRAGMENT_PIECES];

static void setup(void)
{
	t = fragment_table_new();
}

static void teardown(void)
{
	fragment_table_free(t);
}

/* Bytes first..behind of the payload of a datagram of `size` bytes. */
static void take(uint64_t now, uint32_t device, uint32_t id, size_t size, size_t first,
		 size_t behind)
{
	struct fragment_origin from = {.device = device, .generation = 1};
	struct packet whole, p;
	struct inner_packet in;

	packet_udp(&whole, "100.80.0.11", 1, "10.77.0.10", 53, size - 8);
	packet_fragment(&p, &whole, id, first, behind);
	ck_assert_int_eq(inner_parse(p.data, p.len, &in), INNER_OK);
	fragment_take(t, now, &from, p.data, &in, &out);
}

#define EXPECT_DROP(wanted)                                                                       \
	ck_assert_msg(out.result == FRAGMENT_DROP && out.reason == (wanted), "%d %s", out.result, \
		      reason_name(out.reason))

START_TEST(held_ones_come_back_as_they_were)
{
	struct inner_packet in;

	take(start, 1, 1, 800, 400, 600);
	ck_assert_int_eq(out.result, FRAGMENT_HELD);
	take(start, 1, 1, 800, 600, 800);
	ck_assert_int_eq(out.result, FRAGMENT_HELD);
	take(start, 1, 1, 800, 0, 400);
	ck_assert_int_eq(out.result, FRAGMENT_JUDGE);
	ck_assert_uint_eq(fragment_decide(t, start, 5, pieces), 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(inner_parse(pieces[i].data, pieces[i].len, &in), INNER_OK);
		ck_assert_uint_eq(in.frag_offset, 400 + i * 200);
		ck_assert_uint_eq(in.len, 220);
	}
}
END_TEST

START_TEST(at_most_eight_are_held)
{
	for (size_t i = 0; i < FRAGMENT_PIECES; i++) {
		take(start, 1, 1, 2000, 80 + i * 16, 88 + i * 16);
		ck_assert_int_eq(out.result, FRAGMENT_HELD);
	}
	take(start, 1, 1, 2000, 400, 408);
	EXPECT_DROP(REASON_FRAGMENT_TOO_MANY);
	take(start, 1, 1, 2000, 0, 80);
	EXPECT_DROP(REASON_FRAGMENT_TOO_MANY);
}
END_TEST

START_TEST(many_in_order_are_fine)
{
	take(start, 1, 1, 3208, 0, 8);
	ck_assert_int_eq(out.result, FRAGMENT_JUDGE);
	ck_assert_uint_eq(fragment_decide(t, start, 5, pieces), 0);
	for (size_t at = 8; at < 3208; at += 8) {
		take(start, 1, 1, 3208, at, at + 8);
		ck_assert_int_eq(out.result, FRAGMENT_FORWARD);
		ck_assert_uint_eq(out.next_hop, 5);
	}
	take(start, 1, 1, 3208, 8, 16); /* it was complete and is forgotten */
	ck_assert_int_eq(out.result, FRAGMENT_HELD);
}
END_TEST

START_TEST(too_big_to_be_held)
{
	take(start, 1, 1, 3208, 8, 3208);
	EXPECT_DROP(REASON_FRAGMENT_TOO_BIG);
	take(start, 1, 2, 3208, 0, 8);
	fragment_decide(t, start, 5, pieces);
	take(start, 1, 2, 3208, 8, 3208); /* nothing to hold */
	ck_assert_int_eq(out.result, FRAGMENT_FORWARD);
}
END_TEST

START_TEST(two_ends)
{
	take(start, 1, 1, 800, 400, 800);
	take(start, 1, 1, 1000, 800, 1000); /* begins where the first end is */
	EXPECT_DROP(REASON_FRAGMENT_OVERLAP);
	take(start, 1, 2, 1000, 600, 800);
	take(start, 1, 2, 400, 200, 400); /* ends before bytes that were seen */
	EXPECT_DROP(REASON_FRAGMENT_OVERLAP);
}
END_TEST

START_TEST(a_device_pushes_out_its_own)
{
	uint64_t expired, evicted;

	take(start, 2, 1, 800, 400, 800);
	for (uint32_t id = 0; id < 1000; id++) {
		take(start + id, 1, id, 800, 400, 800);
		ck_assert_int_eq(out.result, FRAGMENT_HELD);
	}
	fragment_lost(t, start, &expired, &evicted);
	ck_assert_uint_eq(expired, 0);
	ck_assert_uint_eq(evicted, 1000 - FRAGMENT_PER_DEVICE);
	take(start, 2, 1, 800, 0, 400); /* the other's is still there */
	ck_assert_int_eq(out.result, FRAGMENT_JUDGE);
	ck_assert_uint_eq(fragment_decide(t, start, 5, pieces), 1);
	fragment_lost(t, start + FRAGMENT_HOLD_NS + 1000, &expired, &evicted);
	ck_assert_uint_eq(expired, FRAGMENT_PER_DEVICE);
	ck_assert_uint_eq(evicted, 0);
}
END_TEST

START_TEST(all_devices_share_the_table)
{
	uint64_t expired, evicted;

	for (uint32_t device = 0; device < 100; device++)
		take(start + device, device, 1, 800, 400, 800);
	fragment_lost(t, start, &expired, &evicted);
	ck_assert_uint_eq(evicted, 100 - FRAGMENT_DATAGRAMS);
}
END_TEST

START_TEST(verdicts_expire)
{
	take(start, 1, 1, 800, 0, 400);
	fragment_decide(t, start, 5, pieces);
	take(start + FRAGMENT_DECIDED_NS - 1, 1, 1, 800, 400, 600);
	ck_assert_int_eq(out.result, FRAGMENT_FORWARD);
	take(start + FRAGMENT_DECIDED_NS, 1, 1, 800, 600, 800);
	ck_assert_int_eq(out.result, FRAGMENT_HELD);
}
END_TEST

#define SIZE 160

/* One datagram's fate by marking each byte that was seen. */
struct oracle {
	bool seen[SIZE];
	bool first, dead;
};

static bool oracle_overlaps(const struct oracle *o, size_t first, size_t behind)
{
	for (size_t i = first; i < behind; i++) {
		if (o->seen[i])
			return true;
	}
	return false;
}

/* Random pieces of one datagram: nothing overlapping ever goes through, everything else does, as
 * long as it is not too scattered. */
START_TEST(agrees_with_marked_bytes)
{
	struct prng prng = {(uint64_t)_i};

	for (uint32_t id = 0; id < 500; id++) {
		struct oracle o = {0};
		size_t covered = 0;

		for (int n = 0; n < 20 && covered < SIZE; n++) {
			size_t first = prng_below(&prng, SIZE / 8) * 8;
			size_t behind = first + 8 + prng_below(&prng, 3) * 8;

			behind = behind > SIZE ? SIZE : behind;
			take(start + id * 10 * NS_PER_SEC, 1, id, SIZE, first, behind);
			if (out.result == FRAGMENT_DROP && out.reason == REASON_FRAGMENT_TOO_MANY)
				break;
			o.dead = o.dead || oracle_overlaps(&o, first, behind);
			ck_assert_int_eq(out.result == FRAGMENT_DROP, o.dead);
			if (o.dead)
				continue;
			memset(o.seen + first, true, behind - first);
			covered += behind - first;
			ck_assert_int_eq(out.result == FRAGMENT_JUDGE, first == 0);
			ck_assert_int_eq(out.result == FRAGMENT_FORWARD, first != 0 && o.first);
			if (first == 0)
				fragment_decide(t, start + id * 10 * NS_PER_SEC, 5, pieces);
			o.first = o.first || first == 0;
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fragment");
	TCase *tc = tcase_create("fragment");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, held_ones_come_back_as_they_were);
	tcase_add_test(tc, at_most_eight_are_held);
	tcase_add_test(tc, many_in_order_are_fine);
	tcase_add_test(tc, too_big_to_be_held);
	tcase_add_test(tc, two_ends);
	tcase_add_test(tc, a_device_pushes_out_its_own);
	tcase_add_test(tc, all_devices_share_the_table);
	tcase_add_test(tc, verdicts_expire);
	tcase_add_loop_test(tc, agrees_with_marked_bytes, 0, 4);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
