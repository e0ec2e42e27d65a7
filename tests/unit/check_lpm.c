/* SPDX-License-Identifier: ISC */
/* Longest prefix match against the obvious: look at every prefix, keep the longest. */
#include <errno.h>
#include <string.h>

#include <tund/policy/lpm.h>

#include "prng.h"
#include "tap.h"

static struct prng prng;

static uint32_t linear(const struct lpm_entry *entries, size_t n, const struct ip_addr *a)
{
	uint32_t value = LPM_NONE;
	int best = -1;

	for (size_t i = 0; i < n; i++) {
		if (ip_prefix_contains(&entries[i].prefix, a) && entries[i].prefix.len > best) {
			best = entries[i].prefix.len;
			value = entries[i].value;
		}
	}
	return value;
}

/* Few distinct bits, so that prefixes nest and touch. */
static struct ip_addr random_address(uint8_t family)
{
	struct ip_addr a = {.family = family};
	size_t size = ip_addr_size(&a);

	for (size_t i = 0; i < size; i++) {
		switch (prng_next(&prng) % 4) {
		case 0:
			a.bytes[i] = 0;
			break;
		case 1:
			a.bytes[i] = 0xff;
			break;
		case 2:
			a.bytes[i] = (uint8_t)(1 << prng_next(&prng) % 8);
			break;
		default:
			a.bytes[i] = (uint8_t)prng_next(&prng);
		}
	}
	return a;
}

static struct ip_prefix random_prefix(void)
{
	struct ip_addr a = random_address(prng_next(&prng) % 2 ? 4 : 6);

	return ip_prefix_of(&a, (uint8_t)(prng_next(&prng) % (a.family == 4 ? 33 : 129)));
}

/* Up to `n` different random prefixes. */
static size_t random_entries(struct lpm_entry *entries, size_t n)
{
	size_t count = 0;

	while (n--) {
		struct ip_prefix p = random_prefix();
		bool known = false;

		for (size_t i = 0; i < count; i++)
			known = known || ip_prefix_equal(&entries[i].prefix, &p);
		if (!known) {
			entries[count] = (struct lpm_entry){p, (uint32_t)(prng_next(&prng) % 5)};
			count++;
		}
	}
	return count;
}

/* First and last address of a prefix, and the ones beside it. */
static void compare_edges(const struct lpm *lpm, const struct lpm_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ip_addr first = entries[i].prefix.addr, last = first;
		size_t size = ip_addr_size(&first);

		for (size_t bit = entries[i].prefix.len; bit < size * 8; bit++)
			last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		ck_assert_uint_eq(lpm_find(lpm, &first), linear(entries, n, &first));
		ck_assert_uint_eq(lpm_find(lpm, &last), linear(entries, n, &last));
		for (size_t j = size; j-- && first.bytes[j]-- == 0;)
			;
		for (size_t j = size; j-- && ++last.bytes[j] == 0;)
			;
		ck_assert_uint_eq(lpm_find(lpm, &first), linear(entries, n, &first));
		ck_assert_uint_eq(lpm_find(lpm, &last), linear(entries, n, &last));
	}
}

START_TEST(agrees_with_linear_search)
{
	static struct lpm_entry entries[400];

	prng.state = (uint64_t)_i;
	for (int round = 0; round < 20; round++) {
		size_t n = random_entries(entries, (size_t)(prng_next(&prng) % 400));
		struct lpm *lpm;

		ck_assert_int_eq(lpm_new(entries, n, &lpm), 0);
		compare_edges(lpm, entries, n);
		for (int i = 0; i < 1000; i++) {
			struct ip_addr a = random_address(prng_next(&prng) % 2 ? 4 : 6);

			ck_assert_uint_eq(lpm_find(lpm, &a), linear(entries, n, &a));
		}
		lpm_free(lpm);
	}
}
END_TEST

START_TEST(empty_table)
{
	struct ip_addr a = {.family = 4}, none = {0};
	struct lpm *lpm;

	ck_assert_int_eq(lpm_new(NULL, 0, &lpm), 0);
	ck_assert_uint_eq(lpm_find(lpm, &a), LPM_NONE);
	ck_assert_uint_eq(lpm_find(lpm, &none), LPM_NONE);
	lpm_free(lpm);
}
END_TEST

START_TEST(families_are_apart)
{
	struct lpm_entry e = {.prefix = {.addr = {.family = 4}, .len = 0}, .value = 3};
	struct ip_addr v4 = {.family = 4, .bytes = {255, 255, 255, 255}}, v6 = {.family = 6};
	struct lpm *lpm;

	ck_assert_int_eq(lpm_new(&e, 1, &lpm), 0);
	ck_assert_uint_eq(lpm_find(lpm, &v4), 3);
	ck_assert_uint_eq(lpm_find(lpm, &v6), LPM_NONE);
	lpm_free(lpm);
}
END_TEST

START_TEST(duplicates_are_refused)
{
	struct lpm_entry e[2] = {0};
	struct lpm *lpm = NULL;

	ck_assert_int_eq(ip_prefix_parse("10.0.0.0/8", &e[0].prefix), 0);
	e[1].prefix = e[0].prefix;
	ck_assert_int_eq(lpm_new(e, 2, &lpm), -EEXIST);
	ck_assert_ptr_null(lpm);
}
END_TEST

/* What a process gone wrong may say: prefixes longer than their address, of no family, or with bits
 * behind their length. */
START_TEST(what_is_no_prefix_is_refused)
{
	static const struct ip_prefix wrong[] = {
		{{4, {10}}, 33}, {{6, {0xfd}}, 129}, {{0, {0}}, 0}, {{7, {0}}, 8},
		{{4, {10, 1}}, 8}, {{4, {10, 0, 0, 0, 1}}, 8}, {{6, {0xfd, 0, 1}}, 16},
	};
	static struct lpm_entry nested[256];
	struct lpm *lpm = NULL;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct lpm_entry e = {.prefix = wrong[i]};

		ck_assert_int_eq(lpm_new(&e, 1, &lpm), -EINVAL);
	}
	for (size_t i = 0; i < 256; i++)
		nested[i].prefix = (struct ip_prefix){{.family = 4}, (uint8_t)i};
	ck_assert_int_eq(lpm_new(nested, 256, &lpm), -EINVAL);
	ck_assert_ptr_null(lpm);
}
END_TEST

START_TEST(ten_thousand_routes)
{
	static struct lpm_entry entries[10000];
	struct lpm *lpm;

	for (uint32_t i = 0; i < 10000; i++) {
		struct ip_addr a = {.family = 4, .bytes = {10, (uint8_t)(i >> 8), (uint8_t)i}};

		entries[i] = (struct lpm_entry){ip_prefix_of(&a, 24), i};
	}
	ck_assert_int_eq(lpm_new(entries, 10000, &lpm), 0);
	for (uint32_t i = 0; i < 10000; i++) {
		struct ip_addr a = entries[i].prefix.addr;

		a.bytes[3] = (uint8_t)(i * 31);
		ck_assert_uint_eq(lpm_find(lpm, &a), i);
	}
	lpm_free(lpm);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lpm");
	TCase *tc = tcase_create("lpm");

	tcase_add_loop_test(tc, agrees_with_linear_search, 0, 4);
	tcase_add_test(tc, empty_table);
	tcase_add_test(tc, families_are_apart);
	tcase_add_test(tc, duplicates_are_refused);
	tcase_add_test(tc, what_is_no_prefix_is_refused);
	tcase_add_test(tc, ten_thousand_routes);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
