/* SPDX-License-Identifier: ISC */
/*
 * Memory that lives and dies together: everything allocated from an arena is released by one call,
 * and wiped first, since preshared keys pass through. One thread at a time.
 */
#ifndef TUND_BASE_ARENA_H
#define TUND_BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;
};

/* `size` zeroed bytes, aligned for any type; NULL when memory is out. A zeroed struct is an empty
 * arena. */
void *arena_alloc(struct arena *a, size_t size);

/* A copy of `n` bytes of text with a NUL behind them; NULL when memory is out. */
char *arena_strndup(struct arena *a, const char *text, size_t n);

/*
 * Room for one more element in an array that doubles: returns the address of element `*count`
 * (zeroed) and increments it, moving the array where it must grow; NULL when memory is out, and
 * nothing has changed then.
 */
void *arena_push(struct arena *a, void **array, size_t *count, size_t element_size);

/* Wipes and releases everything; the arena is empty afterwards. */
void arena_clear(struct arena *a);

#endif
