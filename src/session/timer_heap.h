/* SPDX-License-Identifier: ISC */
/*
 * Who is next: a heap of deadlines. It knows nothing of whose they are or what is due then. An
 * element is part of what it is the deadline of, and stays in the heap, with TIME_NEVER if it waits
 * for nothing, until it is removed. One thread.
 */
#ifndef TUND_SESSION_TIMER_HEAP_H
#define TUND_SESSION_TIMER_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct timer_element {
	uint64_t at_ns;
	size_t place;
};

/* All zero: empty. Ends with timer_heap_clear(). */
struct timer_heap {
	struct timer_element **elements;
	size_t count, cap;
};

/* Frees the heap's own memory; the elements are the caller's. */
void timer_heap_clear(struct timer_heap *heap);

/* Adds an element that is in no heap, with TIME_NEVER. -ENOMEM: it is not in this one either. */
int timer_heap_add(struct timer_heap *heap, struct timer_element *element);
void timer_heap_remove(struct timer_heap *heap, struct timer_element *element);

/* Another deadline, earlier or later. */
void timer_heap_set(struct timer_heap *heap, struct timer_element *element, uint64_t at_ns);

/* The one with the earliest deadline, or one of those; NULL if there is none. */
struct timer_element *timer_heap_first(const struct timer_heap *heap);

#endif
