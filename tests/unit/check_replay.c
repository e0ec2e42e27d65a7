/* SPDX-License-Identifier: ISC */
/* The replay window: a table of edges, and random counters against a plain set. */
#include <string.h>

#include "session/replay.h"

#include "prng.h"
#include "tap.h"

#define W UINT64_C(8128)
#define LAST (UINT64_MAX - 1)

_Static_assert(REPLAY_WINDOW == 8128, "the table below is for this window");

/* In order, one window: counter, and whether it must be taken. */
static const struct step {
	uint64_t counter;
	bool taken;
} in_order[] = {
	{0, true},
	{0, false},
	{1, true},
	{1, false},
	{9, true},
	{8, true},
	{7, true},
	{7, false},
	{8, false},
	{9, false},
	{63, true},
	{64, true},
	{63, false},
	{64, false},
	{W - 1, true},
	{2, true}, /* still inside: W counters up to the greatest */
	{W, true},
	{0, false},
	{1, false},
	{W + 2, true},
	{2, false},
	{3, true}, /* the oldest of the window */
	{3, false},
	{W + 3, true},
	{3, false},
	{4, true},
	{W + 10, true},
	{10, false}, /* just behind */
	{11, true},  /* just inside */
	{3 * W, true}, /* a jump over the whole window */
	{2 * W, false},
	{2 * W + 1, true},
	{2 * W + 1, false},
	{3 * W - 1, true},
	{UINT64_C(1) << 40, true}, /* far ahead: nothing of before is left */
	{3 * W + 1, false},
	{(UINT64_C(1) << 40) - 1, true},
	{(UINT64_C(1) << 40) - W, false},
	{(UINT64_C(1) << 40) - W + 1, true},
	{UINT64_C(1) << 60, true}, /* REKEY_AFTER_MESSAGES */
	{UINT64_MAX - W - 64, true}, /* REJECT_AFTER_MESSAGES */
	{LAST, true},
	{LAST, false},
	{UINT64_MAX, false},
	{LAST - W, false},
	{LAST - W + 1, true},
	{LAST - 1, true},
	{0, false},
	{1, false},
};

START_TEST(edges)
{
	static struct replay replay, before;

	memset(&replay, 0, sizeof replay);
	for (size_t i = 0; i < sizeof in_order / sizeof *in_order; i++) {
		const struct step *s = &in_order[i];

		before = replay;
		ck_assert_msg(replay_is_new(&replay, s->counter) == s->taken, "asked: step %zu", i);
		ck_assert_mem_eq(&before, &replay, sizeof replay);
		ck_assert_msg(replay_accept(&replay, s->counter) == s->taken, "step %zu", i);
		if (!s->taken)
			ck_assert_mem_eq(&before, &replay, sizeof replay);
	}
}
END_TEST

/* The oracle: every counter taken so far, in an array, and the greatest. */
#define RANGE 200000
static bool seen[RANGE];

static bool oracle_accept(int64_t *greatest, uint64_t counter)
{
	if ((int64_t)counter <= *greatest - (int64_t)W || seen[counter])
		return false;
	seen[counter] = true;
	if ((int64_t)counter > *greatest)
		*greatest = (int64_t)counter;
	return true;
}

/* Somewhere near the greatest, within or just outside the window, or a jump. */
static uint64_t next_counter(struct prng *prng, int64_t greatest)
{
	int64_t at = greatest;

	switch (prng_below(prng, 8)) {
	case 0:
		at -= (int64_t)prng_below(prng, 2 * W);
		break;
	case 1:
		at += -(int64_t)W - 3 + (int64_t)prng_below(prng, 6);
		break;
	case 2:
		at += (int64_t)prng_below(prng, prng_below(prng, 50) ? 200 : 3 * W);
		break;
	default:
		at += 3 - (int64_t)prng_below(prng, 100);
	}
	return at < 0 ? 0 : (uint64_t)at;
}

/* Some windows that accepting counters never makes, each by one word. */
START_TEST(impossible_windows)
{
	static const struct {
		uint64_t next;
		unsigned word;
		uint64_t bits;
		bool possible;
	} cases[] = {
		{0, 0, 0, true},
		{0, 0, 1, false},
		{0, REPLAY_WORDS - 1, 1, false},
		{1, 0, 1, true},
		{1, 0, 0, false},
		{1, 0, 3, false},
		{1, 1, 1, false},
		{3, 0, 4, true},
		{3, 0, 7, true},
		{64, 0, UINT64_C(1) << 63, true},
		{65, 1, 1, true},
		{65, 1, 3, false},
		{65, 0, 1, false}, /* not the greatest itself */
		{64 * REPLAY_WORDS, REPLAY_WORDS - 1, UINT64_C(1) << 63, true},
		{64 * REPLAY_WORDS + 1, 0, 1, true},
		{64 * REPLAY_WORDS + 1, 0, 2, false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct replay replay = {.next = cases[i].next};

		replay.words[cases[i].word] = cases[i].bits;
		ck_assert_msg(replay_is_possible(&replay) == cases[i].possible, "case %zu", i);
	}
}
END_TEST

START_TEST(random_against_a_set)
{
	for (unsigned seed = 0; seed < 40; seed++) {
		static struct replay replay;
		struct prng prng = {seed};
		int64_t greatest = -1;

		memset(&replay, 0, sizeof replay);
		memset(seen, 0, sizeof seen);
		for (unsigned i = 0; i < 100000; i++) {
			uint64_t counter = next_counter(&prng, greatest);

			if (counter >= RANGE)
				break;
			if (i % 64 == 0)
				ck_assert(replay_is_possible(&replay));
			ck_assert_msg(replay_accept(&replay, counter) ==
					      oracle_accept(&greatest, counter),
				      "seed %u, step %u: %llu", seed, i,
				      (unsigned long long)counter);
		}
		ck_assert_int_gt(greatest, W);
	}
}
END_TEST

struct arrival {
	uint64_t at, counter;
};

static int by_time(const void *a, const void *b)
{
	const struct arrival *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* Each packet three times, out of order by up to 8,000: none lost, none twice. */
START_TEST(tripled_and_reordered)
{
	enum { COUNT = 60000, SPREAD = 8000 };
	static struct arrival arrivals[3 * COUNT];
	static unsigned taken[COUNT];
	static struct replay replay;
	struct prng prng = {7};

	for (uint64_t i = 0; i < 3 * COUNT; i++)
		arrivals[i] = (struct arrival){i / 3 + prng_below(&prng, SPREAD), i / 3};
	qsort(arrivals, 3 * COUNT, sizeof *arrivals, by_time);
	for (size_t i = 0; i < 3 * COUNT; i++)
		taken[arrivals[i].counter] += replay_accept(&replay, arrivals[i].counter);
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_msg(taken[i] == 1, "%zu taken %u times", i, taken[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("replay");
	TCase *tc = tcase_create("replay");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, edges);
	tcase_add_test(tc, impossible_windows);
	tcase_add_test(tc, random_against_a_set);
	tcase_add_test(tc, tripled_and_reordered);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
