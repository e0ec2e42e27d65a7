/* SPDX-License-Identifier: ISC */
/* A sorted list of byte strings. */
#include "model_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int index_init(struct index *x, size_t max)
{
	x->items = calloc(max + 1, sizeof *x->items);
	x->count = 0;
	return x->items ? 0 : -ENOMEM;
}

void index_clear(struct index *x)
{
	free(x->items);
	*x = (struct index){0};
}

void index_add(struct index *x, const void *key, size_t len, uint32_t value,
	       const struct spec_place *place)
{
	x->items[x->count++] =
		(struct index_item){.key = key, .len = len, .value = value, .place = place};
}

void index_add_text(struct index *x, const char *text, uint32_t value,
		    const struct spec_place *place)
{
	index_add(x, text, strlen(text), value, place);
}

static int key_compare(const struct index_item *a, const struct index_item *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->key, b->key, a->len);
}

static int item_compare(const void *va, const void *vb)
{
	const struct index_item *a = va, *b = vb;
	int order = key_compare(a, b);

	if (order)
		return order;
	return a->value < b->value ? -1 : a->value > b->value;
}

void index_sort(struct index *x)
{
	qsort(x->items, x->count, sizeof *x->items, item_compare);
}

const struct index_item *index_duplicate(const struct index *x)
{
	for (size_t i = 1; i < x->count; i++) {
		if (key_compare(&x->items[i - 1], &x->items[i]) == 0)
			return &x->items[i];
	}
	return NULL;
}

uint32_t index_find(const struct index *x, const void *key, size_t len)
{
	struct index_item wanted = {.key = key, .len = len};
	size_t low = 0, high = x->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (key_compare(&x->items[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == x->count || key_compare(&x->items[low], &wanted) != 0)
		return INDEX_NONE;
	return x->items[low].value;
}

uint32_t index_find_text(const struct index *x, const char *text)
{
	return index_find(x, text, strlen(text));
}
