/* SPDX-License-Identifier: ISC */
/* Joined lists of prefixes: a table, and random lists against every address of a small space. */
#include <string.h>

#include <tund/base/prefixes.h>

#include "prng.h"
#include "tap.h"

#define LIST_MAX 64

struct join_case {
	const char *given[6], *joined[4];
};

static const struct join_case cases[] = {
	{{"10.0.0.0/24"}, {"10.0.0.0/24"}},
	{{"10.0.1.0/24", "10.0.0.0/24"}, {"10.0.0.0/23"}},
	{{"10.0.1.0/24", "10.0.2.0/24"}, {"10.0.1.0/24", "10.0.2.0/24"}},
	{{"128.0.0.0/1", "::/0", "0.0.0.0/1"}, {"0.0.0.0/0", "::/0"}},
	{{"10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8"}, {"10.0.0.0/8"}},
	{{"10.0.0.0/26", "10.0.0.64/26", "10.0.0.128/25", "10.0.1.0/24"}, {"10.0.0.0/23"}},
	{{"fd00::/65", "fd00::8000:0:0:0/65", "fd00::1"}, {"fd00::/64"}},
	{{"0.0.0.0/0", "255.255.255.255"}, {"0.0.0.0/0"}},
};

static size_t parse(const char *const *texts, size_t max, struct ip_prefix *list)
{
	size_t n = 0;

	for (; n < max && texts[n]; n++)
		ck_assert_int_eq(ip_prefix_parse(texts[n], &list[n]), 0);
	return n;
}

START_TEST(joins)
{
	struct ip_prefix list[LIST_MAX], expected[LIST_MAX];
	size_t n = prefixes_join(list, parse(cases[_i].given, 6, list));

	ck_assert_uint_eq(n, parse(cases[_i].joined, 4, expected));
	for (size_t i = 0; i < n; i++)
		ck_assert(ip_prefix_equal(&list[i], &expected[i]));
}
END_TEST

static bool holds(const struct ip_prefix *list, size_t n, const struct ip_addr *a)
{
	for (size_t i = 0; i < n; i++) {
		if (ip_prefix_contains(&list[i], a))
			return true;
	}
	return false;
}

/* No two are one, and none is in another. */
static void is_least(const struct ip_prefix *list, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++) {
		struct ip_prefix whole = ip_prefix_of(&list[i].addr, (uint8_t)(list[i].len - 1));

		ck_assert(!ip_prefix_overlaps(&list[i], &list[i + 1]));
		ck_assert(list[i].len != list[i + 1].len ||
			  !ip_prefix_covers(&whole, &list[i + 1]));
	}
}

START_TEST(the_same_addresses)
{
	struct ip_prefix list[LIST_MAX], before[LIST_MAX];
	struct prng prng = {.state = (uint64_t)_i + 1};
	size_t n = prng_next(&prng) % LIST_MAX, joined;

	for (size_t i = 0; i < n; i++) {
		struct ip_addr a = ip_addr_from_bytes(
			4, (const uint8_t[]){10, 0, 0, (uint8_t)prng_next(&prng)});

		before[i] = ip_prefix_of(&a, (uint8_t)(24 + prng_next(&prng) % 9));
	}
	memcpy(list, before, sizeof list);
	joined = prefixes_join(list, n);
	is_least(list, joined);
	for (unsigned b = 0; b < 256; b++) {
		struct ip_addr a = ip_addr_from_bytes(4, (const uint8_t[]){10, 0, 0, (uint8_t)b});

		ck_assert_int_eq(holds(list, joined, &a), holds(before, n, &a));
	}
}
END_TEST

START_TEST(nothing_is_nothing)
{
	ck_assert_uint_eq(prefixes_join(NULL, 0), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("prefixes");
	TCase *t = tcase_create("prefixes");

	tcase_add_loop_test(t, joins, 0, sizeof cases / sizeof *cases);
	tcase_add_loop_test(t, the_same_addresses, 0, 500);
	tcase_add_test(t, nothing_is_nothing);
	suite_add_tcase(s, t);
	return tap_run(s);
}
