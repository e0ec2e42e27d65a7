/* SPDX-License-Identifier: ISC */
/* A binary heap; every element knows its place, so that it can move or go. */
#include "timer_heap.h"

#include <errno.h>
#include <stdlib.h>

#include <tund/base/time.h>

static void put(struct timer_heap *heap, size_t i, struct timer_element *element)
{
	heap->elements[i] = element;
	element->place = i;
}

static void sift_up(struct timer_heap *heap, struct timer_element *element)
{
	size_t i = element->place;

	while (i > 0 && heap->elements[(i - 1) / 2]->at_ns > element->at_ns) {
		put(heap, i, heap->elements[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(heap, i, element);
}

static void sift_down(struct timer_heap *heap, struct timer_element *element)
{
	size_t i = element->place, child;

	while ((child = 2 * i + 1) < heap->count) {
		if (child + 1 < heap->count &&
		    heap->elements[child + 1]->at_ns < heap->elements[child]->at_ns)
			child++;
		if (heap->elements[child]->at_ns >= element->at_ns)
			break;
		put(heap, i, heap->elements[child]);
		i = child;
	}
	put(heap, i, element);
}

void timer_heap_clear(struct timer_heap *heap)
{
	free(heap->elements);
	*heap = (struct timer_heap){0};
}

static int grow(struct timer_heap *heap)
{
	size_t cap = heap->cap ? heap->cap * 2 : 4;
	struct timer_element **grown;

	if (heap->count < heap->cap)
		return 0;
	grown = realloc(heap->elements, cap * sizeof(struct timer_element *));
	if (!grown)
		return -ENOMEM;
	heap->elements = grown;
	heap->cap = cap;
	return 0;
}

int timer_heap_add(struct timer_heap *heap, struct timer_element *element)
{
	int err = grow(heap);

	if (err < 0)
		return err;
	element->at_ns = TIME_NEVER;
	put(heap, heap->count++, element);
	return 0;
}

void timer_heap_remove(struct timer_heap *heap, struct timer_element *element)
{
	struct timer_element *last = heap->elements[--heap->count];

	if (last == element)
		return;
	put(heap, element->place, last);
	sift_up(heap, last);
	sift_down(heap, last);
}

void timer_heap_set(struct timer_heap *heap, struct timer_element *element, uint64_t at_ns)
{
	element->at_ns = at_ns;
	sift_up(heap, element);
	sift_down(heap, element);
}

struct timer_element *timer_heap_first(const struct timer_heap *heap)
{
	return heap->count > 0 ? heap->elements[0] : NULL;
}
