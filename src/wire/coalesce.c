/* SPDX-License-Identifier: ISC */
/* GRO for a TUN device. */
#include <tund/wire/coalesce.h>

#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/checksum.h>
#include <tund/wire/inner.h>
#include <tund/wire/segment.h>
#include <tund/wire/virtio.h>

#include "coalesce_view.h"

#define FLOWS 16
#define ALL_FLOWS ((1u << FLOWS) - 1)
#define PIECES_MAX 64
#define TOTAL_MAX 65535 /* bytes: an IP length is 16 bits */
#define HEADERS_MAX (40 + 60)

#define IPV4_HEADER 20
#define IPV6_HEADER 40

/* Packets of one flow, joined so far. */
struct joined {
	struct view first;
	bool sound;        /* the checksums of the first have been verified */
	uint8_t last;      /* PSH and FIN of the last one */
	uint16_t size;     /* payload bytes of a piece */
	uint16_t pieces;   /* 1..PIECES_MAX */
	uint32_t payload;  /* bytes of all pieces */
	uint32_t next_seq; /* TCP */
	struct iovec iov[1 + PIECES_MAX];
	uint8_t head[VIRTIO_HEADER + HEADERS_MAX];
};

struct coalescer {
	void (*emit)(void *ctx, const struct iovec *iov, size_t n);
	void *ctx;
	enum coalesce_mode mode;
	unsigned active; /* a bit for each flow that more can be joined to */
	unsigned taken;  /* a bit for each one in use: active, or ended and not handed out yet */
	unsigned victim; /* which flow ends next for want of room */
	unsigned ended;
	uint8_t order[FLOWS]; /* of those that ended, `ended` of them */
	struct joined flow[FLOWS];
};

struct coalescer *coalescer_new(void (*emit)(void *ctx, const struct iovec *iov, size_t n),
				void *ctx)
{
	struct coalescer *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->emit = emit;
	c->ctx = ctx;
	return c;
}

void coalescer_free(struct coalescer *c)
{
	free(c);
}

void coalesce_set_mode(struct coalescer *c, enum coalesce_mode mode)
{
	c->mode = mode;
}

/* What the kernel wants to find in the field of a checksum that it is to complete. */
static void put_pseudo_sum(uint8_t *headers, const struct view *v, size_t size)
{
	uint64_t sum = view_pseudo_sum(v, headers, size);

	put_be16(headers + v->l4 + (v->tcp ? 16 : 6), (uint16_t)~checksum_fold(sum));
}

/* A packet as it is, behind a virtio header. `gso`: NULL, or what it is already. */
static void emit_alone(struct coalescer *c, const struct view *v, const struct gso *gso)
{
	uint8_t header[VIRTIO_HEADER];
	struct iovec iov[2] = {{header, sizeof header}, {v->packet, v->len}};

	if (v->partial)
		put_pseudo_sum(v->packet, v, v->len - v->l4);
	virtio_put(header, v->packet, v->partial, v->tcp ? PROTO_TCP : PROTO_UDP, gso, v->l4);
	c->emit(c->ctx, iov, 2);
}

/* The headers of the first piece, with the length of all. */
static void finish_headers(const struct joined *j, uint8_t *headers)
{
	const struct view *v = &j->first;
	size_t len = v->header_len + j->payload;

	if (v->v6) {
		put_be16(headers + 4, (uint16_t)(len - IPV6_HEADER));
	} else {
		put_be16(headers + 2, (uint16_t)len);
		put_be16(headers + 10, 0);
		put_be16(headers + 10, checksum_fold(checksum_add(0, headers, IPV4_HEADER)));
	}
	if (v->tcp)
		headers[v->l4 + 13] |= j->last;
	else
		put_be16(headers + v->l4 + 4, (uint16_t)(len - v->l4));
	put_pseudo_sum(headers, v, len - v->l4);
}

static void emit_flow(struct coalescer *c, struct joined *j)
{
	const struct view *v = &j->first;
	struct gso gso = {.kind = v->tcp ? GSO_TCP : GSO_UDP,
			  .size = j->size,
			  .l4 = v->l4,
			  .header_len = v->header_len};

	if (j->pieces == 1) {
		emit_alone(c, v, NULL);
		return;
	}
	memcpy(j->head + VIRTIO_HEADER, v->packet, v->header_len);
	finish_headers(j, j->head + VIRTIO_HEADER);
	virtio_put(j->head, v->packet, true, v->tcp ? PROTO_TCP : PROTO_UDP, &gso, v->l4);
	j->iov[0] = (struct iovec){j->head, (size_t)VIRTIO_HEADER + v->header_len};
	c->emit(c->ctx, j->iov, 1u + j->pieces);
}

/* Nothing more is joined to it. */
static void end(struct coalescer *c, const struct joined *j)
{
	unsigned i = (unsigned)(j - c->flow);

	c->active &= ~(1u << i);
	c->order[c->ended++] = (uint8_t)i;
}

/* Those that ended, one behind the other: whoever waits for them is woken once. */
static void emit_ended(struct coalescer *c)
{
	for (unsigned i = 0; i < c->ended; i++) {
		emit_flow(c, &c->flow[c->order[i]]);
		c->taken &= ~(1u << c->order[i]);
	}
	c->ended = 0;
}

void coalesce_flush(struct coalescer *c)
{
	while (c->active)
		end(c, &c->flow[__builtin_ctz(c->active)]);
	emit_ended(c);
}

static struct joined *find(struct coalescer *c, const struct view *v)
{
	for (unsigned left = c->active; left; left &= left - 1) {
		struct joined *j = &c->flow[__builtin_ctz(left)];

		if (view_same_flow(&j->first, v))
			return j;
	}
	return NULL;
}

/* One that is free, or made so. */
static struct joined *take_flow(struct coalescer *c)
{
	if (c->active == ALL_FLOWS) {
		c->victim = (c->victim + 1) % FLOWS;
		end(c, &c->flow[c->victim]);
	}
	if (c->taken == ALL_FLOWS)
		emit_ended(c);
	return &c->flow[__builtin_ctz(~c->taken)];
}

/* Whether `v` goes behind what is joined; checksums are verified last, for that costs most. */
static bool fits(struct joined *j, const struct view *v)
{
	const struct view *first = &j->first;

	if (v->partial != first->partial || v->payload > j->size ||
	    v->len + j->payload > TOTAL_MAX || (v->tcp && v->seq != j->next_seq) ||
	    !view_same_headers(first, v, j->pieces))
		return false;
	j->sound = j->sound || view_is_sound(first);
	return j->sound && view_is_sound(v);
}

static void append(struct coalescer *c, struct joined *j, const struct view *v)
{
	j->iov[++j->pieces] = (struct iovec){v->packet + v->header_len, v->payload};
	j->payload += v->payload;
	j->next_seq = v->seq + v->payload;
	j->last = v->flags & (TCP_PSH | TCP_FIN);
	if (j->last || v->payload < j->size || j->pieces == PIECES_MAX)
		end(c, j);
}

/* `v` is not verified unless another follows it: alone it is the kernel's to judge. */
static void begin(struct coalescer *c, const struct view *v)
{
	struct joined *j = take_flow(c);

	c->active |= 1u << (j - c->flow);
	c->taken |= 1u << (j - c->flow);
	j->first = *v;
	j->sound = false;
	j->size = v->payload;
	j->pieces = 0;
	j->payload = 0;
	append(c, j, v);
}

static void add_to_flow(struct coalescer *c, const struct view *v)
{
	struct joined *j = find(c, v);
	bool joinable = view_is_data(v) && (v->tcp || c->mode == COALESCE_TCP_UDP);

	if (j && joinable && fits(j, v)) {
		append(c, j, v);
		return;
	}
	if (j)
		end(c, j);
	if (joinable) {
		begin(c, v);
		return;
	}
	emit_ended(c);
	emit_alone(c, v, NULL);
}

/* A packet whose checksum is there, with or without a virtio header in front. */
static void emit_complete(struct coalescer *c, uint8_t *packet, size_t len)
{
	struct view v = {.packet = packet, .len = len};
	struct iovec bare = {packet, len};

	if (c->mode == COALESCE_PLAIN)
		c->emit(c->ctx, &bare, 1);
	else
		emit_alone(c, &v, NULL);
}

/* A device that cannot cut takes packets as they are on a wire. */
static void emit_pieces(struct coalescer *c, uint8_t *packet, size_t len, bool partial,
			const struct gso *gso)
{
	struct segmenter cut;
	uint8_t *piece;
	size_t n;

	if (segment_begin(&cut, packet, len, gso, partial, true) < 0)
		return;
	while (segment_next(&cut, &piece, &n))
		emit_complete(c, piece, n);
}

/* Of several pieces already: behind whatever may be of its flow. */
static void add_whole(struct coalescer *c, uint8_t *packet, size_t len, const struct gso *gso)
{
	struct view v = {.packet = packet,
			 .len = len,
			 .v6 = packet[0] >> 4 == 6,
			 .tcp = gso->kind == GSO_TCP,
			 .partial = true,
			 .l4 = gso->l4};

	coalesce_flush(c);
	if (gso->kind == GSO_UDP && c->mode == COALESCE_TCP)
		emit_pieces(c, packet, len, true, gso);
	else
		emit_alone(c, &v, gso);
}

static void add_single(struct coalescer *c, uint8_t *packet, size_t len, bool partial)
{
	static const struct gso none = {.kind = GSO_NONE};
	enum view_kind kind;
	struct view v;

	kind = view_read(packet, len, partial, &v);
	if (kind == VIEW_FLOW) {
		add_to_flow(c, &v);
		return;
	}
	if (kind == VIEW_UNCLEAR)
		coalesce_flush(c);
	emit_pieces(c, packet, len, partial, &none);
}

void coalesce_add(struct coalescer *c, uint8_t *packet, size_t len, bool partial,
		  const struct gso *gso)
{
	if (c->mode == COALESCE_PLAIN)
		emit_pieces(c, packet, len, partial, gso);
	else if (gso->kind != GSO_NONE)
		add_whole(c, packet, len, gso);
	else
		add_single(c, packet, len, partial);
}
