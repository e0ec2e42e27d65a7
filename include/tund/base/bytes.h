/* SPDX-License-Identifier: ISC */
/*
 * Integers in foreign byte order, and a bounded reader and writer over a byte string. The reader
 * and writer carry a sticky error: a short or overlong access yields zeros (or nothing) and sets
 * `failed`, which the caller tests once at the end. Any thread; nothing allocates.
 */
#ifndef TUND_BASE_BYTES_H
#define TUND_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t get_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)get_be16(p) << 16 | get_be16(p + 2);
}

static inline uint64_t get_be64(const uint8_t *p)
{
	return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

static inline uint32_t get_le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t get_le64(const uint8_t *p)
{
	return (uint64_t)get_le32(p + 4) << 32 | get_le32(p);
}

static inline void put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
	put_be16(p, (uint16_t)(v >> 16));
	put_be16(p + 2, (uint16_t)v);
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
	put_be32(p, (uint32_t)(v >> 32));
	put_be32(p + 4, (uint32_t)v);
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static inline void put_le64(uint8_t *p, uint64_t v)
{
	put_le32(p, (uint32_t)v);
	put_le32(p + 4, (uint32_t)(v >> 32));
}

struct reader {
	const uint8_t *data;
	size_t len, pos; /* bytes */
	bool failed;
};

struct writer {
	uint8_t *data;
	size_t cap, len; /* bytes */
	bool failed;     /* it did not fit; `len` then stands where it stopped */
};

static inline struct reader reader_init(const void *data, size_t len)
{
	return (struct reader){.data = data, .len = len};
}

static inline struct writer writer_init(void *data, size_t cap)
{
	return (struct writer){.data = data, .cap = cap};
}

/* Takes `n` bytes in place; NULL (and failed) where fewer are left. */
static inline const uint8_t *read_bytes(struct reader *r, size_t n)
{
	if (r->failed || r->len - r->pos < n) {
		r->failed = true;
		return NULL;
	}
	r->pos += n;
	return r->data + r->pos - n;
}

static inline void read_copy(struct reader *r, void *out, size_t n)
{
	const uint8_t *p = read_bytes(r, n);

	if (p)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}

static inline uint8_t read_u8(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 1);
	return p ? *p : 0;
}

static inline uint16_t read_u16(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 2);
	return p ? get_be16(p) : 0;
}

static inline uint32_t read_u32(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 4);
	return p ? get_be32(p) : 0;
}

static inline uint64_t read_u64(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 8);
	return p ? get_be64(p) : 0;
}

/* Everything was read, exactly, and nothing failed. */
static inline bool reader_done(const struct reader *r)
{
	return !r->failed && r->pos == r->len;
}

static inline void write_bytes(struct writer *w, const void *src, size_t n)
{
	if (w->failed || w->cap - w->len < n) {
		w->failed = true;
		return;
	}
	memcpy(w->data + w->len, src, n);
	w->len += n;
}

static inline void write_u8(struct writer *w, uint8_t v)
{
	write_bytes(w, &v, 1);
}

static inline void write_u16(struct writer *w, uint16_t v)
{
	uint8_t b[2];

	put_be16(b, v);
	write_bytes(w, b, sizeof b);
}

static inline void write_u32(struct writer *w, uint32_t v)
{
	uint8_t b[4];

	put_be32(b, v);
	write_bytes(w, b, sizeof b);
}

static inline void write_u64(struct writer *w, uint64_t v)
{
	uint8_t b[8];

	put_be64(b, v);
	write_bytes(w, b, sizeof b);
}

#endif
