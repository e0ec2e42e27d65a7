/* SPDX-License-Identifier: ISC */
/* Sorted by address, the wider first: what covers a prefix is then the last that was kept before it,
 * and its other half, too. */
#include <tund/base/prefixes.h>

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const struct ip_prefix *x = a, *y = b;
	int order = ip_addr_compare(&x->addr, &y->addr);

	return order ? order : (int)x->len - (int)y->len;
}

/* Whether the two are the halves of one prefix; then the first becomes that. */
static bool join_halves(struct ip_prefix *a, const struct ip_prefix *b)
{
	struct ip_prefix whole;

	if (a->len != b->len || a->len == 0)
		return false;
	whole = ip_prefix_of(&a->addr, (uint8_t)(a->len - 1));
	if (!ip_prefix_covers(&whole, b))
		return false;
	*a = whole;
	return true;
}

size_t prefixes_join(struct ip_prefix *list, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(list, n, sizeof *list, compare);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && ip_prefix_covers(&list[kept - 1], &list[i]))
			continue;
		list[kept++] = list[i];
		while (kept > 1 && join_halves(&list[kept - 2], &list[kept - 1]))
			kept--;
	}
	return kept;
}
