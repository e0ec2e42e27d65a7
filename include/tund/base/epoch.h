/* SPDX-License-Identifier: ISC */
/*
 * When may something be freed that other threads read without a lock? When each of them has, since
 * it was withdrawn, been at a point where it holds nothing. A reader says so by entering before a
 * batch and leaving behind it; one that waits for work has left and holds up nobody.
 *
 *     reader i                                owner (one thread)
 *     epoch_enter(e, i);                      atomic_store(&current, new);   withdraw the old ...
 *     p = atomic_load(&current); ... use p    epoch_retire(e, &old->retired, free_thing, old);
 *     epoch_leave(e, i);                      epoch_collect(e);              ... now and then
 *
 * The owner may read without entering, being the one who frees. Readers publish nothing here.
 */
#ifndef TUND_BASE_EPOCH_H
#define TUND_BASE_EPOCH_H

#include <stdbool.h>
#include <stdint.h>

struct epoch;

/* Inside of what is to be retired, so that retiring never needs memory. */
struct retired {
	struct retired *next;
	uint64_t since; /* the epoch in which nobody can find it any more */
	void (*release)(void *object);
	void *object;
};

/* For readers 0..readers-1. NULL: out of memory. Owned by the caller. */
struct epoch *epoch_new(unsigned readers);

/* Releases all that is still retired, then the epoch itself; every reader has left for good. NULL
 * is allowed. */
void epoch_free(struct epoch *e);

/* Reader `i` begins to read, or ends; what it found in between it forgets. Each `i` is one thread
 * at a time. Does not nest. */
void epoch_enter(struct epoch *e, unsigned i);
void epoch_leave(struct epoch *e, unsigned i);

/*
 * Owner: calls release(object) as soon as no reader can have found it: at once if none has
 * entered, else in a later epoch_collect() or epoch_retire(). Objects are released in the order in
 * which they were retired. `node` is part of the object.
 */
void epoch_retire(struct epoch *e, struct retired *node, void (*release)(void *object),
		  void *object);

/* Owner: releases what can be released. Returns whether something is left. */
bool epoch_collect(struct epoch *e);

/* Owner: whether something waits to be released. */
bool epoch_is_waiting(const struct epoch *e);

#endif
