/* SPDX-License-Identifier: ISC */
/*
 * Quiescent-state-based reclamation. The owner counts epochs, one for each thing retired; a reader
 * notes the epoch in which it entered. What was withdrawn before epoch n began cannot be found by a
 * reader that entered in n or later.
 *
 * There is no fence here, only operations of one total order: a reader whose note the owner
 * overlooked made it after the owner had looked, thus after the epoch was counted up, and finds so
 * when it reads the epoch once more.
 */
#include <tund/base/epoch.h>

#include <stdatomic.h>
#include <stdlib.h>

#define CACHE_LINE 64
#define OUTSIDE 0

struct reader {
	_Alignas(CACHE_LINE) _Atomic uint64_t entered; /* in which epoch, or OUTSIDE */
};

struct epoch {
	_Alignas(CACHE_LINE) _Atomic uint64_t now; /* from 1 */
	struct retired *first, **last;             /* the owner's, oldest first */
	unsigned count;
	struct reader readers[];
};

struct epoch *epoch_new(unsigned readers)
{
	struct epoch *e = aligned_alloc(CACHE_LINE, sizeof *e + readers * sizeof(struct reader));

	if (!e)
		return NULL;
	atomic_init(&e->now, 1);
	e->first = NULL;
	e->last = &e->first;
	e->count = readers;
	for (unsigned i = 0; i < readers; i++)
		atomic_init(&e->readers[i].entered, OUTSIDE);
	return e;
}

void epoch_enter(struct epoch *e, unsigned i)
{
	uint64_t now = atomic_load(&e->now), seen;

	for (;;) {
		atomic_store(&e->readers[i].entered, now);
		seen = atomic_load(&e->now);
		if (seen == now)
			return;
		now = seen;
	}
}

void epoch_leave(struct epoch *e, unsigned i)
{
	atomic_store_explicit(&e->readers[i].entered, OUTSIDE, memory_order_release);
}

/* The earliest epoch that some reader is still in. */
static uint64_t oldest(const struct epoch *e)
{
	uint64_t at = UINT64_MAX;

	for (unsigned i = 0; i < e->count; i++) {
		uint64_t entered = atomic_load(&e->readers[i].entered);

		if (entered != OUTSIDE && entered < at)
			at = entered;
	}
	return at;
}

static void release_before(struct epoch *e, uint64_t end)
{
	while (e->first && e->first->since <= end) {
		struct retired *r = e->first;

		e->first = r->next;
		if (!e->first)
			e->last = &e->first;
		r->release(r->object);
	}
}

bool epoch_collect(struct epoch *e)
{
	if (e->first)
		release_before(e, oldest(e));
	return epoch_is_waiting(e);
}

bool epoch_is_waiting(const struct epoch *e)
{
	return e->first != NULL;
}

void epoch_retire(struct epoch *e, struct retired *node, void (*release)(void *object),
		  void *object)
{
	node->next = NULL;
	node->since = atomic_fetch_add(&e->now, 1) + 1;
	node->release = release;
	node->object = object;
	*e->last = node;
	e->last = &node->next;
	epoch_collect(e);
}

void epoch_free(struct epoch *e)
{
	if (!e)
		return;
	release_before(e, UINT64_MAX);
	free(e);
}
