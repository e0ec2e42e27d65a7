/* SPDX-License-Identifier: ISC */
/*
 * Longest prefix match as a binary search. Sorted by first address, shorter before longer, the
 * prefixes are a walk through a forest: entering one starts a range with its value, leaving it
 * returns to the value of the one around it.
 */
#include <errno.h>
#include <stdlib.h>

#include <tund/base/bytes.h>
#include <tund/policy/lpm.h>

/* An address as a number, IPv4 in the high bits of `hi`: one order for both families. */
struct key {
	uint64_t hi, lo;
};

struct range {
	struct key first;
	uint32_t value;
};

/* The ranges of one family, ascending; the first starts at address zero. */
struct table {
	struct range *ranges;
	size_t count;
};

struct lpm {
	struct table v4, v6;
};

static struct key key_of(const struct ip_addr *a)
{
	return (struct key){.hi = get_be64(a->bytes), .lo = get_be64(a->bytes + 8)};
}

static inline bool key_before(const struct key *a, const struct key *b)
{
	return a->hi < b->hi || (a->hi == b->hi && a->lo < b->lo);
}

/* The first key behind a prefix; false if nothing is behind it. */
static bool key_behind(const struct ip_prefix *p, struct key *out)
{
	struct key k = key_of(&p->addr);

	if (p->len == 0)
		return false;
	if (p->len > 64) {
		k.lo += UINT64_C(1) << (128 - p->len);
		k.hi += k.lo == 0;
		*out = k;
		return k.hi || k.lo;
	}
	k.hi += UINT64_C(1) << (64 - p->len);
	*out = k;
	return k.hi != 0;
}

static int entry_compare(const void *va, const void *vb)
{
	const struct lpm_entry *a = va, *b = vb;
	int order = ip_addr_compare(&a->prefix.addr, &b->prefix.addr);

	return order ? order : (int)a->prefix.len - (int)b->prefix.len;
}

/* Starts a range; one that starts where the last one does replaces it. */
static void table_start(struct table *t, const struct key *first, uint32_t value)
{
	struct range *last = t->count ? &t->ranges[t->count - 1] : NULL;

	if (last && !key_before(&last->first, first))
		last->value = value;
	else if (!last || last->value != value)
		t->ranges[t->count++] = (struct range){.first = *first, .value = value};
}

/* Ends every prefix on the stack that does not cover the next one (all, if there is none). */
static size_t table_leave(struct table *t, const struct lpm_entry **stack, size_t depth,
			  const struct ip_prefix *next)
{
	while (depth && !(next && ip_prefix_covers(&stack[depth - 1]->prefix, next))) {
		struct key behind;

		depth--;
		if (key_behind(&stack[depth]->prefix, &behind))
			table_start(t, &behind, depth ? stack[depth - 1]->value : LPM_NONE);
	}
	return depth;
}

/* `entries` are sorted and of one family. */
static int table_build(struct table *t, const struct lpm_entry *entries, size_t n)
{
	const struct lpm_entry *stack[129];
	const struct key zero = {0};
	size_t depth = 0;

	t->ranges = calloc(2 * n + 1, sizeof *t->ranges);
	if (!t->ranges)
		return -ENOMEM;
	table_start(t, &zero, LPM_NONE);
	for (size_t i = 0; i < n; i++) {
		struct key first = key_of(&entries[i].prefix.addr);

		depth = table_leave(t, stack, depth, &entries[i].prefix);
		table_start(t, &first, entries[i].value);
		stack[depth++] = &entries[i];
	}
	table_leave(t, stack, depth, NULL);
	return 0;
}

static uint32_t table_find(const struct table *t, const struct key *key)
{
	const struct range *base = t->ranges;
	size_t n = t->count;

	while (n > 1) {
		size_t half = n / 2;

		base = key_before(key, &base[half].first) ? base : base + half;
		n -= half;
	}
	return base->value;
}

/* What is none could nest deeper than the stack of table_build(). */
static bool all_valid(const struct lpm_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!ip_prefix_is_valid(&entries[i].prefix))
			return false;
	}
	return true;
}

static bool has_duplicate(const struct lpm_entry *sorted, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (ip_prefix_equal(&sorted[i - 1].prefix, &sorted[i].prefix))
			return true;
	}
	return false;
}

static int build(const struct lpm_entry *sorted, size_t n, struct lpm **out)
{
	struct lpm *lpm;
	size_t v4 = 0;

	if (has_duplicate(sorted, n))
		return -EEXIST;
	lpm = calloc(1, sizeof *lpm);
	if (!lpm)
		return -ENOMEM;
	while (v4 < n && sorted[v4].prefix.addr.family == 4)
		v4++;
	if (table_build(&lpm->v4, sorted, v4) < 0 ||
	    table_build(&lpm->v6, sorted + v4, n - v4) < 0) {
		lpm_free(lpm);
		return -ENOMEM;
	}
	*out = lpm;
	return 0;
}

int lpm_new(const struct lpm_entry *entries, size_t n, struct lpm **out)
{
	struct lpm_entry *sorted = calloc(n + 1, sizeof *sorted);
	int error;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		sorted[i] = entries[i];
	qsort(sorted, n, sizeof *sorted, entry_compare);
	error = all_valid(sorted, n) ? build(sorted, n, out) : -EINVAL;
	free(sorted);
	return error;
}

void lpm_free(struct lpm *lpm)
{
	if (!lpm)
		return;
	free(lpm->v4.ranges);
	free(lpm->v6.ranges);
	free(lpm);
}

uint32_t lpm_find(const struct lpm *lpm, const struct ip_addr *a)
{
	struct key key = key_of(a);

	if (a->family == 4)
		return table_find(&lpm->v4, &key);
	return a->family == 6 ? table_find(&lpm->v6, &key) : LPM_NONE;
}
