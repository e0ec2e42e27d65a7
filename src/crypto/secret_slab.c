/* SPDX-License-Identifier: ISC */
/*
 * A slab of equal objects in locked memory. sodium_malloc() takes several mappings for each
 * object and so meets the kernel's limit of mappings after about 16,000; this takes one for each
 * chunk. Free objects form a list through their own first bytes; all else in them is zero.
 */
#include <tund/crypto/secret.h>

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define CACHE_LINE 64 /* bytes */

struct free_object {
	struct free_object *next;
};

struct chunk {
	struct chunk *next;
	uint8_t *base;
	size_t size;    /* bytes, whole pages */
	size_t objects; /* how many fit */
};

struct secret_slab {
	size_t object_size;  /* bytes, whole cache lines */
	size_t chunk_size;   /* bytes, whole pages */
	struct chunk *chunks;
	struct free_object *free;
	bool locked; /* every chunk so far */
};

static size_t round_up(size_t n, size_t unit)
{
	return (n + unit - 1) / unit * unit;
}

struct secret_slab *secret_slab_new(size_t object_size, size_t count_hint)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), object, bytes;
	struct secret_slab *slab;

	if (object_size == 0 || object_size > SIZE_MAX / 2)
		return NULL;
	object = round_up(object_size, CACHE_LINE);
	if (__builtin_mul_overflow(object, count_hint ? count_hint : 1, &bytes) ||
	    bytes > SIZE_MAX / 2)
		return NULL;
	slab = calloc(1, sizeof *slab);
	if (!slab)
		return NULL;
	slab->object_size = object;
	slab->chunk_size = round_up(bytes, page);
	slab->locked = true;
	return slab;
}

static void push_free(struct secret_slab *slab, void *object)
{
	struct free_object *f = object;

	f->next = slab->free;
	slab->free = f;
}

/* Maps one more chunk and puts its objects on the free list. */
static bool grow(struct secret_slab *slab)
{
	struct chunk *c = calloc(1, sizeof *c);

	if (!c)
		return false;
	c->size = slab->chunk_size;
	c->objects = c->size / slab->object_size;
	c->base = mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->base == MAP_FAILED) {
		free(c);
		return false;
	}
	(void)madvise(c->base, c->size, MADV_DONTDUMP);
	(void)madvise(c->base, c->size, MADV_WIPEONFORK);
	if (mlock(c->base, c->size) != 0)
		slab->locked = false;
	for (size_t i = c->objects; i > 0; i--)
		push_free(slab, c->base + (i - 1) * slab->object_size);
	c->next = slab->chunks;
	slab->chunks = c;
	return true;
}

void *secret_slab_alloc(struct secret_slab *slab)
{
	struct free_object *f;

	if (!slab->free && !grow(slab))
		return NULL;
	f = slab->free;
	slab->free = f->next;
	f->next = NULL;
	return f;
}

static bool owns(const struct secret_slab *slab, const uint8_t *object)
{
	for (const struct chunk *c = slab->chunks; c; c = c->next) {
		if (object >= c->base && object < c->base + c->objects * slab->object_size)
			return (size_t)(object - c->base) % slab->object_size == 0;
	}
	return false;
}

void secret_slab_free(struct secret_slab *slab, void *object)
{
	if (!object)
		return;
	assert(owns(slab, object));
	secret_wipe(object, slab->object_size);
	push_free(slab, object);
}

bool secret_slab_locked(const struct secret_slab *slab)
{
	return slab->locked;
}

void secret_slab_destroy(struct secret_slab *slab)
{
	if (!slab)
		return;
	while (slab->chunks) {
		struct chunk *c = slab->chunks;

		slab->chunks = c->next;
		secret_wipe(c->base, c->size);
		munmap(c->base, c->size);
		free(c);
	}
	free(slab);
}
