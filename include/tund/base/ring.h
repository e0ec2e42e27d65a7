/* SPDX-License-Identifier: ISC */
/*
 * Records of bytes from one thread to another, in order, bounded, without a lock. All memory is
 * allocated at creation. A record lies in one piece, aligned to RING_ALIGN.
 *
 *     producer                                   consumer
 *     p = ring_reserve(r, len);                  while ((p = ring_peek(r, &len)) != NULL) {
 *     if (p) { ... write len bytes                       ... read
 *             ring_commit(r); }                          ring_consume(r); }
 */
#ifndef TUND_BASE_RING_H
#define TUND_BASE_RING_H

#include <stddef.h>

#define RING_ALIGN 8 /* bytes, also what a record costs above its length, before rounding up */

struct ring;

/* `size` bytes, a power of two, 64 or more; a record has at most size / 2 - RING_ALIGN. NULL: out
 * of memory, or another size. Owned by the caller. */
struct ring *ring_new(size_t size);

/* Neither side uses it any more. NULL is allowed. */
void ring_free(struct ring *r);

/* Producer: room for a record of `len` bytes (1 or more), to be written before ring_commit().
 * NULL: no room now, or too long for ever. A second reserve replaces one not committed. */
void *ring_reserve(struct ring *r, size_t len);
void ring_commit(struct ring *r);

/* Consumer: the oldest record, NULL if there is none; it stays until ring_consume(). */
const void *ring_peek(struct ring *r, size_t *len);
void ring_consume(struct ring *r);

#endif
