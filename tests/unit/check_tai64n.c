/* SPDX-License-Identifier: ISC */
/* Stamps of the wall clock, and which of a peer's are new while clocks jump. */
#include <string.h>

#include <tund/base/time.h>
#include "session/tai64n.h"

#include "prng.h"
#include "tap.h"

#define HOUR (UINT64_C(3600) * NS_PER_SEC)
#define DAY (24 * HOUR)
#define YEAR (365 * DAY)
#define TODAY (UINT64_C(1790000000) * NS_PER_SEC) /* in 2026 */

struct stamp {
	uint8_t bytes[TAI64N_SIZE];
};

static struct stamp stamp_of(uint64_t wall_ns)
{
	struct stamp s;

	tai64n_from_wall(wall_ns, s.bytes);
	return s;
}

START_TEST(known_stamps)
{
	static const struct {
		uint64_t wall_ns;
		uint8_t bytes[TAI64N_SIZE];
	} cases[] = {
		{0, {0x40, 0, 0, 0, 0, 0, 0, 0x0a, 0, 0, 0, 0}},
		{(1u << 24) - 1, {0x40, 0, 0, 0, 0, 0, 0, 0x0a, 0, 0, 0, 0}},
		{1u << 24, {0x40, 0, 0, 0, 0, 0, 0, 0x0a, 1, 0, 0, 0}},
		{999999999, {0x40, 0, 0, 0, 0, 0, 0, 0x0a, 0x3b, 0, 0, 0}},
		{1000000000, {0x40, 0, 0, 0, 0, 0, 0, 0x0b, 0, 0, 0, 0}},
		/* The example of libtai's page: 1992-06-02 08:07:09 TAI, here without leap seconds. */
		{UINT64_C(707472419) * NS_PER_SEC + 500000000,
		 {0x40, 0, 0, 0, 0x2a, 0x2b, 0x2c, 0x2d, 0x1d, 0, 0, 0}},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct stamp s = stamp_of(cases[i].wall_ns);

		ck_assert_mem_eq(s.bytes, cases[i].bytes, TAI64N_SIZE);
	}
}
END_TEST

/* Whatever the clock does, the stamps to send increase, are coarse, and follow it if they can. */
START_TEST(next_always_increases)
{
	struct prng prng = {3};
	struct stamp last = {{0}}, before;

	for (unsigned i = 0; i < 20000; i++) {
		uint64_t wall_ns = TODAY + prng_below(&prng, prng_below(&prng, 2) ? 1000 : YEAR);
		struct stamp now = stamp_of(wall_ns);

		before = last;
		tai64n_next(wall_ns, last.bytes, last.bytes);
		ck_assert_int_gt(memcmp(last.bytes, before.bytes, TAI64N_SIZE), 0);
		ck_assert_int_ge(memcmp(last.bytes, now.bytes, TAI64N_SIZE), 0);
		if (memcmp(now.bytes, before.bytes, TAI64N_SIZE) > 0)
			ck_assert_mem_eq(last.bytes, now.bytes, TAI64N_SIZE);
		ck_assert_uint_le(last.bytes[8], 0x3b);
		ck_assert(last.bytes[9] == 0 && last.bytes[10] == 0 && last.bytes[11] == 0);
	}
}
END_TEST

START_TEST(next_steps)
{
	static const struct {
		uint8_t last[TAI64N_SIZE], next[TAI64N_SIZE];
	} cases[] = {
		{{0x40, [7] = 0x0a, [8] = 0}, {0x40, [7] = 0x0a, [8] = 1}},
		{{0x40, [7] = 0x0a, [8] = 0x3b}, {0x40, [7] = 0x0b}},
		{{0x40, [6] = 0, 0xff, 0x3b}, {0x40, [6] = 1, 0, 0}},
		/* Not ours, but a file may hold anything: still the least one above. */
		{{0x40, [7] = 0x0a, 0, 0, 0, 1}, {0x40, [7] = 0x0a, 1}},
		{{0x40, [7] = 0x0a, 0xff, 0xff, 0xff, 0xff}, {0x40, [7] = 0x0b}},
	};
	uint8_t out[TAI64N_SIZE];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		tai64n_next(0, cases[i].last, out);
		ck_assert_mem_eq(out, cases[i].next, TAI64N_SIZE);
	}
}
END_TEST

/* One peer's stamps as we see them: our clock, the stamp's time, and whether it is new. */
struct step {
	const char *what;
	uint64_t our_ns, stamp_ns;
	bool is_new;
};

static void run(const struct step *steps, size_t n)
{
	struct tai64n_greatest greatest = {0};

	for (size_t i = 0; i < n; i++) {
		struct stamp s = stamp_of(steps[i].stamp_ns);
		struct tai64n_greatest before = greatest;
		bool is_new = tai64n_is_new(&greatest, steps[i].our_ns, s.bytes);

		ck_assert_msg(is_new == steps[i].is_new, "%s", steps[i].what);
		ck_assert_mem_eq(&before, &greatest, sizeof before);
		if (!is_new)
			continue;
		tai64n_accept(&greatest, steps[i].our_ns, s.bytes);
		ck_assert_msg(!tai64n_is_new(&greatest, steps[i].our_ns, s.bytes), "%s: again",
			      steps[i].what);
	}
}

#define RUN(steps) run(steps, sizeof(steps) / sizeof *(steps))

START_TEST(one_class)
{
	static const struct step steps[] = {
		{"first", TODAY, TODAY, true},
		{"the same", TODAY, TODAY, false},
		{"older", TODAY, TODAY - HOUR, false},
		{"newer", TODAY + HOUR, TODAY + HOUR, true},
		{"newer, ahead of us by less than a day", TODAY + HOUR, TODAY + DAY, true},
		{"older than that", TODAY + 2 * HOUR, TODAY + 2 * HOUR, false},
		{"our clock back: newer is newer", TODAY - HOUR, TODAY + DAY - HOUR / 2, false},
		{"a long time later", TODAY + YEAR, TODAY + YEAR, true},
	};

	RUN(steps);
}
END_TEST

/* A peer with a wrong clock, put right later, gets in again, and nothing recorded does. */
START_TEST(peer_was_years_ahead)
{
	static const struct step steps[] = {
		{"right", TODAY, TODAY, true},
		{"10 years ahead", TODAY + HOUR, TODAY + 10 * YEAR, true},
		{"again, later", TODAY + 2 * HOUR, TODAY + 10 * YEAR + HOUR, true},
		{"recorded", TODAY + 3 * HOUR, TODAY + 10 * YEAR, false},
		{"right again", TODAY + 4 * HOUR, TODAY + 4 * HOUR, true},
		{"recorded, right", TODAY + 5 * HOUR, TODAY, false},
		{"less far ahead than it was", TODAY + 5 * HOUR, TODAY + 5 * YEAR, false},
		{"ahead as before", TODAY + 5 * HOUR, TODAY + 10 * YEAR + 5 * HOUR, true},
		{"right", TODAY + YEAR, TODAY + YEAR, true},
		{"10 years have gone: before the range", TODAY + 10 * YEAR - HOUR,
		 TODAY + 10 * YEAR - HOUR, true},
		{"recorded, its least", TODAY + 10 * YEAR, TODAY + 10 * YEAR, false},
		{"recorded, its middle", TODAY + 10 * YEAR, TODAY + 10 * YEAR + HOUR, false},
		{"recorded, its greatest", TODAY + 10 * YEAR, TODAY + 10 * YEAR + 5 * HOUR, false},
		{"past the range", TODAY + 10 * YEAR, TODAY + 10 * YEAR + 6 * HOUR, true},
		{"recorded, once more", TODAY + 10 * YEAR, TODAY + 10 * YEAR + 5 * HOUR, false},
	};

	RUN(steps);
}
END_TEST

/* Two were accepted far ahead; the lesser is of the usual class before the greater one is. */
START_TEST(recorded_ahead_between)
{
	static const struct step steps[] = {
		{"a", TODAY, TODAY + 2 * DAY, true},
		{"b", TODAY, TODAY + 9 * DAY, true},
		{"a, usual by now", TODAY + 2 * DAY, TODAY + 2 * DAY, false},
		{"the peer put right", TODAY + 2 * DAY, TODAY + 2 * DAY - HOUR, true},
		{"a again", TODAY + 2 * DAY, TODAY + 2 * DAY, false},
		{"b, usual by now", TODAY + 9 * DAY, TODAY + 9 * DAY, false},
		{"past both", TODAY + 9 * DAY, TODAY + 9 * DAY + HOUR, true},
		{"another range", TODAY + 9 * DAY, TODAY + 20 * DAY, true},
		{"between the ranges", TODAY + 12 * DAY, TODAY + 12 * DAY, true},
	};

	RUN(steps);
}
END_TEST

/* Our own clock wrong by 10 years, either way and back. */
START_TEST(our_clock_jumps)
{
	static const struct step back[] = {
		{"our clock 10 years back", TODAY - 10 * YEAR, TODAY, true},
		{"goes on", TODAY - 10 * YEAR, TODAY + HOUR, true},
		{"right now: recorded", TODAY + HOUR, TODAY + HOUR, false},
		{"right now", TODAY + 2 * HOUR, TODAY + 2 * HOUR, true},
		{"back again: recorded as usual", TODAY - 10 * YEAR, TODAY + 2 * HOUR, false},
		{"back again: recorded ahead", TODAY - 10 * YEAR, TODAY + HOUR, false},
		{"back again: goes on", TODAY - 10 * YEAR, TODAY + 3 * HOUR, true},
		{"right again", TODAY + 4 * HOUR, TODAY + 4 * HOUR, true},
		{"recorded", TODAY + 4 * HOUR, TODAY + 3 * HOUR, false},
	};
	static const struct step forward[] = {
		{"right", TODAY, TODAY, true},
		{"10 years forward", TODAY + 10 * YEAR, TODAY + HOUR, true},
		{"recorded", TODAY + 10 * YEAR, TODAY, false},
		{"right again", TODAY + 2 * HOUR, TODAY + 2 * HOUR, true},
		{"recorded then", TODAY + 2 * HOUR, TODAY + HOUR, false},
	};

	RUN(back);
	RUN(forward);
}
END_TEST

#define ACCEPTED_MAX 4000

static bool is_listed(const struct stamp *list, size_t n, const struct stamp *s)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(list[i].bytes, s->bytes, TAI64N_SIZE) == 0)
			return true;
	return false;
}

/* A clock goes on, and now and then jumps somewhere within a year. */
static void wander(struct prng *prng, uint64_t *wall_ns)
{
	*wall_ns += prng_below(prng, 8 * HOUR);
	if (prng_below(prng, 50) == 0)
		*wall_ns = TODAY + prng_below(prng, YEAR);
}

/*
 * Both clocks wander. Stamps come from a peer that uses tai64n_next(), out of the list of all that
 * was accepted, or from anywhere: the peer's are always new, the accepted ones never.
 */
START_TEST(random_against_a_list)
{
	static struct stamp accepted[ACCEPTED_MAX];

	for (unsigned seed = 0; seed < 10; seed++) {
		struct prng prng = {seed};
		struct tai64n_greatest greatest = {0};
		struct stamp last = {{0}}, s;
		uint64_t ours = TODAY, theirs = TODAY;
		size_t n = 0;

		for (unsigned i = 0; i < ACCEPTED_MAX; i++) {
			bool by_next = prng_below(&prng, 3) == 0, is_new;

			wander(&prng, &ours);
			wander(&prng, &theirs);
			if (by_next)
				tai64n_next(theirs, last.bytes, s.bytes);
			else if (n && prng_below(&prng, 2))
				s = accepted[prng_below(&prng, n)];
			else
				s = stamp_of(theirs - prng_below(&prng, 4 * DAY));
			is_new = tai64n_is_new(&greatest, ours, s.bytes);
			ck_assert(is_new || !by_next);
			if (!is_new)
				continue;
			ck_assert(!is_listed(accepted, n, &s));
			tai64n_accept(&greatest, ours, s.bytes);
			accepted[n++] = s;
			if (memcmp(s.bytes, last.bytes, TAI64N_SIZE) > 0)
				last = s;
		}
		ck_assert_uint_gt(n, 1000);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tai64n");
	TCase *tc = tcase_create("tai64n");

	tcase_add_test(tc, known_stamps);
	tcase_add_test(tc, next_always_increases);
	tcase_add_test(tc, next_steps);
	tcase_add_test(tc, one_class);
	tcase_add_test(tc, peer_was_years_ahead);
	tcase_add_test(tc, recorded_ahead_between);
	tcase_add_test(tc, our_clock_jumps);
	tcase_add_test(tc, random_against_a_list);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
