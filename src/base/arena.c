/* SPDX-License-Identifier: ISC */
/* Chunks of memory, linked; an allocation that does not fit the newest chunk opens another. */
#include <tund/base/arena.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 4096
#define ALIGNMENT 16

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used; /* bytes of `data` */
	_Alignas(ALIGNMENT) uint8_t data[];
};

static struct arena_chunk *chunk_new(struct arena *a, size_t size)
{
	struct arena_chunk *chunk = calloc(1, sizeof *chunk + size);

	if (!chunk)
		return NULL;
	chunk->size = size;
	chunk->next = a->chunks;
	a->chunks = chunk;
	return chunk;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_chunk *chunk = a->chunks;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (!chunk || chunk->size - chunk->used < size)
		chunk = chunk_new(a, size > CHUNK_BYTES ? size : CHUNK_BYTES);
	if (!chunk)
		return NULL;
	p = chunk->data + chunk->used;
	chunk->used += size;
	return p;
}

char *arena_strndup(struct arena *a, const char *text, size_t n)
{
	char *copy = arena_alloc(a, n + 1);

	if (copy)
		memcpy(copy, text, n);
	return copy;
}

/* Capacity is not stored: it is the next power of two, so only a full power has to move. */
void *arena_push(struct arena *a, void **array, size_t *count, size_t element_size)
{
	size_t n = *count;

	if ((n & (n - 1)) == 0) {
		size_t cap = n ? n * 2 : 1;
		void *bigger;

		if (cap > SIZE_MAX / 2 / element_size)
			return NULL;
		bigger = arena_alloc(a, cap * element_size);
		if (!bigger)
			return NULL;
		if (n)
			memcpy(bigger, *array, n * element_size);
		*array = bigger;
	}
	(*count)++;
	return (uint8_t *)*array + n * element_size;
}

void arena_clear(struct arena *a)
{
	struct arena_chunk *chunk;

	while ((chunk = a->chunks)) {
		a->chunks = chunk->next;
		explicit_bzero(chunk, sizeof *chunk + chunk->size);
		free(chunk);
	}
}
