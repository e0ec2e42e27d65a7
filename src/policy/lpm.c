/* SPDX-License-Identifier: ISC */
/*
 * Longest prefix match as a binary search. Sorted by first address, shorter before longer, the
 * prefixes are a walk through a forest: entering one starts a range with its value, leaving it
 * returns to the value of the one around it.
 */
#include <tund/policy/lpm.h>

#include <errno.h>
#include <stdlib.h>

#include <tund/base/bytes.h>

/* An address as a number, IPv4 in the high bits of `hi`: one order for both families. */
struct key {
	uint64_t hi, lo;
};

struct range {
	struct key first;
	uint32_t value;
};

/* The ranges of one family, ascending, while they are built; the first starts at address zero. */
struct walk {
	struct range *ranges;
	size_t count;
};

/* The same to look up in: only the keys are searched, and are small. An IPv4 table has
 * `v4`, an IPv6 one `v6`. */
struct table {
	uint32_t *v4;
	struct key *v6;
	uint32_t *values;
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
static void walk_start(struct walk *t, const struct key *first, uint32_t value)
{
	struct range *last = t->count ? &t->ranges[t->count - 1] : NULL;

	if (last && !key_before(&last->first, first))
		last->value = value;
	else if (!last || last->value != value)
		t->ranges[t->count++] = (struct range){.first = *first, .value = value};
}

/* Ends every prefix on the stack that does not cover the next one (all, if there is none). */
static size_t walk_leave(struct walk *t, const struct lpm_entry **stack, size_t depth,
			 const struct ip_prefix *next)
{
	while (depth && !(next && ip_prefix_covers(&stack[depth - 1]->prefix, next))) {
		struct key behind;

		depth--;
		if (key_behind(&stack[depth]->prefix, &behind))
			walk_start(t, &behind, depth ? stack[depth - 1]->value : LPM_NONE);
	}
	return depth;
}

/* `entries` are sorted and of one family. */
static void walk(struct walk *t, const struct lpm_entry *entries, size_t n)
{
	const struct lpm_entry *stack[129];
	const struct key zero = {0};
	size_t depth = 0;

	walk_start(t, &zero, LPM_NONE);
	for (size_t i = 0; i < n; i++) {
		struct key first = key_of(&entries[i].prefix.addr);

		depth = walk_leave(t, stack, depth, &entries[i].prefix);
		walk_start(t, &first, entries[i].value);
		stack[depth++] = &entries[i];
	}
	walk_leave(t, stack, depth, NULL);
}

static int table_fill(struct table *t, bool v4, const struct walk *from)
{
	t->count = from->count;
	t->values = calloc(t->count, sizeof *t->values);
	if (v4)
		t->v4 = calloc(t->count, sizeof *t->v4);
	else
		t->v6 = calloc(t->count, sizeof *t->v6);
	if (!t->values || (!t->v4 && !t->v6))
		return -ENOMEM;
	for (size_t i = 0; i < t->count; i++) {
		t->values[i] = from->ranges[i].value;
		if (v4)
			t->v4[i] = (uint32_t)(from->ranges[i].first.hi >> 32);
		else
			t->v6[i] = from->ranges[i].first;
	}
	return 0;
}

static int table_build(struct table *t, bool v4, const struct lpm_entry *entries, size_t n)
{
	struct walk w = {.ranges = calloc(2 * n + 1, sizeof *w.ranges)};
	int error;

	if (!w.ranges)
		return -ENOMEM;
	walk(&w, entries, n);
	error = table_fill(t, v4, &w);
	free(w.ranges);
	return error;
}

static void table_clear(struct table *t)
{
	free(t->v4);
	free(t->v6);
	free(t->values);
}

/* Both searches without a branch that depends on the key: none could be predicted. */
static uint32_t find4(const struct table *t, uint32_t key)
{
	size_t at = 0;

	for (size_t n = t->count; n > 1; n -= n / 2)
		at += t->v4[at + n / 2] <= key ? n / 2 : 0;
	return t->values[at];
}

static uint32_t find6(const struct table *t, const struct key *key)
{
	size_t at = 0;

	for (size_t n = t->count; n > 1; n -= n / 2)
		at += key_before(key, &t->v6[at + n / 2]) ? 0 : n / 2;
	return t->values[at];
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
	if (table_build(&lpm->v4, true, sorted, v4) < 0 ||
	    table_build(&lpm->v6, false, sorted + v4, n - v4) < 0) {
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
	table_clear(&lpm->v4);
	table_clear(&lpm->v6);
	free(lpm);
}

uint32_t lpm_find(const struct lpm *lpm, const struct ip_addr *a)
{
	struct key key;

	if (a->family == 4)
		return find4(&lpm->v4, get_be32(a->bytes));
	if (a->family != 6)
		return LPM_NONE;
	key = key_of(a);
	return find6(&lpm->v6, &key);
}
