/* SPDX-License-Identifier: ISC */
/* Tokens for each source against another algorithm for the same, and the bound of the table. */
#include <string.h>

#include <tund/base/time.h>
#include "session/ratelimit.h"

#include "prng.h"
#include "tap.h"

#define START (UINT64_C(5000) * NS_PER_SEC)
#define TOKEN (NS_PER_SEC / 20)

static const struct siphash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static struct ip_addr address(const char *text)
{
	struct ip_addr a;

	ck_assert_int_eq(ip_addr_parse(text, &a), 0);
	return a;
}

static struct ip_addr numbered(uint8_t family, uint32_t i)
{
	struct ip_addr a = {.family = family, .bytes = {0x20, 0x01, 0x0d, 0xb8}};

	memcpy(a.bytes + (family == 4 ? 0 : 4), &i, sizeof i);
	return a;
}

/* How many of `tries` at one moment are allowed. */
static unsigned burst(struct ratelimit *limit, uint64_t now_ns, const struct ip_addr *a,
		      unsigned tries)
{
	unsigned allowed = 0;

	for (unsigned i = 0; i < tries; i++)
		allowed += ratelimit_allow(limit, now_ns, a);
	return allowed;
}

START_TEST(constants)
{
	struct ratelimit *limit = ratelimit_new(&key);
	struct ip_addr a = address("192.0.2.1");
	unsigned allowed = 0;

	ck_assert_uint_eq(ratelimit_count(limit), 0);
	ck_assert_uint_eq(burst(limit, START, &a, 50), 5);
	ck_assert_uint_eq(burst(limit, START + TOKEN - 1, &a, 50), 0);
	ck_assert_uint_eq(burst(limit, START + TOKEN, &a, 50), 1);
	ck_assert_uint_eq(burst(limit, START + 3 * TOKEN, &a, 50), 2);
	for (uint64_t ms = 1; ms <= 10000; ms++)
		allowed += ratelimit_allow(limit, START + 3 * TOKEN + ms * NS_PER_MS, &a);
	ck_assert_uint_eq(allowed, 200);
	ck_assert_uint_eq(burst(limit, START + 3600 * NS_PER_SEC, &a, 50), 5);
	ck_assert_uint_eq(ratelimit_count(limit), 1);
	ratelimit_free(limit);
}
END_TEST

START_TEST(what_is_one_source)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "193.0.2.1", false},
		{"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"2001:db8::1", "2001:db9::1", false},
		{"0.0.0.5", "0:0:0:5::", false}, /* the same number, another family */
		{"192.0.2.1", "::192.0.2.1", false},
	};

	/* With many keys, so that some put both into one bucket. */
	for (size_t i = 0; i < 400 * (sizeof cases / sizeof *cases); i++) {
		bool same = cases[i / 400].same;
		const char *a_text = cases[i / 400].a, *b_text = cases[i / 400].b;
		struct siphash_key other = {i, 0};
		struct ratelimit *limit = ratelimit_new(&other);
		struct ip_addr a = address(a_text), b = address(b_text);

		ck_assert_uint_eq(burst(limit, START, &a, 50), 5);
		ck_assert_msg(burst(limit, START, &b, 50) == (same ? 0 : 5), "%s %s", a_text,
			      b_text);
		ratelimit_free(limit);
	}
}
END_TEST

#define SOURCES 300

/* The generic cell rate algorithm: when the next one would be due if all came evenly. */
static bool gcra_allow(uint64_t *due, uint64_t now_ns)
{
	uint64_t at = *due > now_ns ? *due : now_ns;

	if (at - now_ns > 4 * TOKEN)
		return false;
	*due = at + TOKEN;
	return true;
}

START_TEST(random_against_cell_rate)
{
	struct ratelimit *limit = ratelimit_new(&key);
	uint64_t due[SOURCES] = {0}, now_ns = START;
	struct prng prng = {11};
	unsigned allowed = 0, refused = 0;

	for (unsigned i = 0; i < 400000; i++) {
		uint32_t number = (uint32_t)prng_below(&prng, prng_below(&prng, 2) ? SOURCES : 7);
		struct ip_addr a = numbered(number % 2 ? 4 : 6, number);
		bool expected;

		now_ns += prng_below(&prng, prng_below(&prng, 100) ? NS_PER_MS : NS_PER_SEC);
		expected = gcra_allow(&due[number], now_ns);
		if (ratelimit_allow(limit, now_ns, &a) != expected)
			ck_abort_msg("step %u", i);
		*(expected ? &allowed : &refused) += 1;
	}
	ck_assert_uint_gt(allowed, 10000);
	ck_assert_uint_gt(refused, 10000);
	ratelimit_free(limit);
}
END_TEST

/* Many sources at once: the table stays bounded, and whoever is in it stays limited. */
START_TEST(bounded)
{
	struct ratelimit *limit = ratelimit_new(&key);
	struct ip_addr busy = address("198.51.100.9");

	for (uint32_t i = 0; i < 3 * RATELIMIT_ENTRIES_MAX; i++) {
		struct ip_addr a = numbered(i % 3 ? 4 : 6, i);

		if (!ratelimit_allow(limit, START, &a) ||
		    ratelimit_count(limit) != (i < RATELIMIT_ENTRIES_MAX ? i + 1 : RATELIMIT_ENTRIES_MAX))
			ck_abort_msg("source %u", i);
	}
	ck_assert_uint_eq(burst(limit, START, &busy, 50), 5);
	for (uint32_t i = 0; i < 3 * RATELIMIT_ENTRIES_MAX; i++) {
		struct ip_addr a = numbered(4, i + (1u << 30));

		ratelimit_allow(limit, START, &a);
		if (i % 60000 == 0) /* used again before it is the oldest */
			ck_assert_uint_eq(burst(limit, START, &busy, 50), 0);
	}
	ck_assert_uint_eq(ratelimit_count(limit), RATELIMIT_ENTRIES_MAX);
	ratelimit_free(limit);
}
END_TEST

/* The least recently used goes, nobody else. */
START_TEST(oldest_goes)
{
	struct ratelimit *limit = ratelimit_new(&key);
	struct ip_addr first = numbered(4, 0), second = numbered(4, 1), more = numbered(6, 9);

	for (uint32_t i = 0; i < RATELIMIT_ENTRIES_MAX; i++) {
		struct ip_addr a = numbered(4, i);

		if (burst(limit, START, &a, 6) != 5)
			ck_abort_msg("source %u", i);
	}
	ck_assert_uint_eq(burst(limit, START, &first, 1), 0); /* the newest now */
	ck_assert_uint_eq(burst(limit, START, &more, 6), 5);
	ck_assert_uint_eq(burst(limit, START, &first, 1), 0);
	ck_assert_uint_eq(burst(limit, START, &second, 6), 5); /* it was forgotten */
	ratelimit_free(limit);
}
END_TEST

/* Slow sources, however many, need no memory: their entries are used again. */
START_TEST(idle_ones_make_room)
{
	struct ratelimit *limit = ratelimit_new(&key);

	for (uint32_t i = 0; i < 100000; i++) {
		struct ip_addr a = numbered(4, i);

		if (!ratelimit_allow(limit, START + i * TOKEN / 2, &a))
			ck_abort_msg("source %u", i);
	}
	ck_assert_uint_le(ratelimit_count(limit), 4);
	ratelimit_free(limit);
	ratelimit_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ratelimit");
	TCase *tc = tcase_create("ratelimit");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, constants);
	tcase_add_test(tc, what_is_one_source);
	tcase_add_test(tc, random_against_cell_rate);
	tcase_add_test(tc, bounded);
	tcase_add_test(tc, oldest_goes);
	tcase_add_test(tc, idle_ones_make_room);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
