/* SPDX-License-Identifier: ISC */
/*
 * One producer, one consumer. Both positions count bytes for ever and are taken modulo the size.
 * Each side keeps what it last saw of the other's, and looks again only when that does not
 * suffice. A record that would not fit before the end of the memory begins at its start, behind a
 * head that says to skip the rest.
 */
#include <tund/base/ring.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define CACHE_LINE 64
#define SIZE_MIN 64
#define SKIP UINT64_MAX /* as a length */

struct ring {
	_Alignas(CACHE_LINE) _Atomic uint64_t written; /* the producer's line */
	uint64_t reserved_end;                         /* of the record that is being written */
	uint64_t consumed_seen;
	_Alignas(CACHE_LINE) _Atomic uint64_t consumed; /* the consumer's line */
	uint64_t peeked_end;
	uint64_t written_seen;
	_Alignas(CACHE_LINE) size_t size;
	uint8_t *bytes;
};

_Static_assert(RING_ALIGN == sizeof(uint64_t), "a head is one word");

static uint64_t *head_at(const struct ring *r, uint64_t position)
{
	return (uint64_t *)(void *)(r->bytes + (position & (r->size - 1)));
}

/* Head and record, whole words. */
static uint64_t span_of(uint64_t len)
{
	return RING_ALIGN + (len + RING_ALIGN - 1) / RING_ALIGN * RING_ALIGN;
}

struct ring *ring_new(size_t size)
{
	struct ring *r;

	if (size < SIZE_MIN || (size & (size - 1)) != 0)
		return NULL;
	r = aligned_alloc(CACHE_LINE, sizeof *r);
	if (!r)
		return NULL;
	*r = (struct ring){.size = size, .bytes = aligned_alloc(CACHE_LINE, size)};
	if (!r->bytes) {
		free(r);
		return NULL;
	}
	return r;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	free(r->bytes);
	free(r);
}

static bool has_room(struct ring *r, uint64_t end)
{
	if (end - r->consumed_seen <= r->size)
		return true;
	r->consumed_seen = atomic_load_explicit(&r->consumed, memory_order_acquire);
	return end - r->consumed_seen <= r->size;
}

void *ring_reserve(struct ring *r, size_t len)
{
	uint64_t at = atomic_load_explicit(&r->written, memory_order_relaxed), span, rest;

	if (len == 0 || len > r->size / 2 - RING_ALIGN)
		return NULL;
	span = span_of(len);
	rest = r->size - (at & (r->size - 1));
	if (rest < span) {
		if (!has_room(r, at + rest + span))
			return NULL;
		*head_at(r, at) = SKIP;
		at += rest;
	} else if (!has_room(r, at + span)) {
		return NULL;
	}
	*head_at(r, at) = len;
	r->reserved_end = at + span;
	return head_at(r, at) + 1;
}

void ring_commit(struct ring *r)
{
	atomic_store_explicit(&r->written, r->reserved_end, memory_order_release);
}

static bool has_more(struct ring *r, uint64_t at)
{
	if (at != r->written_seen)
		return true;
	r->written_seen = atomic_load_explicit(&r->written, memory_order_acquire);
	return at != r->written_seen;
}

const void *ring_peek(struct ring *r, size_t *len)
{
	uint64_t at = atomic_load_explicit(&r->consumed, memory_order_relaxed);

	if (!has_more(r, at))
		return NULL;
	/* A skip and the record behind it are committed as one. */
	if (*head_at(r, at) == SKIP)
		at += r->size - (at & (r->size - 1));
	*len = *head_at(r, at);
	r->peeked_end = at + span_of(*len);
	return head_at(r, at) + 1;
}

void ring_consume(struct ring *r)
{
	atomic_store_explicit(&r->consumed, r->peeked_end, memory_order_release);
}
