/* SPDX-License-Identifier: ISC */
/* GRO for a TUN device. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/checksum.h>
#include <tund/wire/coalesce.h>
#include <tund/wire/inner.h>
#include <tund/wire/segment.h>
#include <tund/wire/virtio.h>

#define FLOWS 8
#define PIECES_MAX 64
#define TOTAL_MAX 65000 /* bytes: an IP length is 16 bits */
#define HEADERS_MAX (40 + 60)

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define UDP_HEADER 8
#define IPV4_DF 0x40

/* What decides whether a packet can be joined, read once. */
struct view {
	uint8_t *packet;
	size_t len;
	bool v6, tcp, partial;
	uint16_t l4, header_len, payload;
	uint32_t seq; /* TCP */
};

/* Packets of one flow, joined so far. */
struct joined {
	bool active;
	struct view first;
	uint32_t next_seq;
	uint16_t size;     /* payload bytes of a piece */
	uint16_t pieces;
	uint32_t payload;  /* bytes of all pieces */
	uint8_t push;      /* TCP_PSH if the last one had it */
	struct iovec iov[1 + PIECES_MAX];
	uint8_t head[VIRTIO_HEADER + HEADERS_MAX];
};

struct coalescer {
	void (*emit)(void *ctx, const struct iovec *iov, size_t n);
	void *ctx;
	enum coalesce_mode mode;
	unsigned active;
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

static uint64_t pseudo_sum(const uint8_t *packet, bool v6, bool tcp, size_t size)
{
	return checksum_add_pseudo(0, packet + (v6 ? 8 : 12), v6 ? 16 : 4,
				   tcp ? PROTO_TCP : PROTO_UDP, (uint32_t)size);
}

/* What the kernel wants to find in the field of a checksum that it is to complete. */
static void put_pseudo_sum(uint8_t *headers, const struct view *v, size_t size)
{
	uint64_t sum = pseudo_sum(headers, v->v6, v->tcp, size);

	put_be16(headers + v->l4 + (v->tcp ? 16 : 6), (uint16_t)~checksum_fold(sum));
}

/* A packet as it is, behind a virtio header. */
static void emit_alone(struct coalescer *c, const struct view *v, const struct gso *gso)
{
	uint8_t header[VIRTIO_HEADER];
	struct iovec iov[2] = {{header, sizeof header}, {v->packet, v->len}};

	if (v->partial)
		put_pseudo_sum(v->packet, v, v->len - v->l4);
	virtio_put(header, v->v6, v->partial, v->tcp ? PROTO_TCP : PROTO_UDP, gso, v->l4);
	c->emit(c->ctx, iov, 2);
}

/* The headers of the first piece, with the length of all. */
static void finish_headers(struct joined *j, uint8_t *headers)
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
		headers[v->l4 + 13] |= j->push;
	else
		put_be16(headers + v->l4 + 4, (uint16_t)(len - v->l4));
	put_pseudo_sum(headers, v, len - v->l4);
}

static void emit_joined(struct coalescer *c, struct joined *j)
{
	const struct view *v = &j->first;
	struct gso gso = {.kind = v->tcp ? GSO_TCP : GSO_UDP,
			  .size = j->size,
			  .l4 = v->l4,
			  .header_len = v->header_len};

	j->active = false;
	c->active--;
	if (j->pieces == 1) {
		emit_alone(c, v, NULL);
		return;
	}
	memcpy(j->head + VIRTIO_HEADER, v->packet, v->header_len);
	finish_headers(j, j->head + VIRTIO_HEADER);
	virtio_put(j->head, v->v6, true, v->tcp ? PROTO_TCP : PROTO_UDP, &gso, v->l4);
	j->iov[0] = (struct iovec){j->head, (size_t)VIRTIO_HEADER + v->header_len};
	c->emit(c->ctx, j->iov, 1u + j->pieces);
}

void coalesce_flush(struct coalescer *c)
{
	for (unsigned i = 0; c->active > 0 && i < FLOWS; i++) {
		if (c->flow[i].active)
			emit_joined(c, &c->flow[i]);
	}
}

static bool read_ipv4(const uint8_t *p, size_t len, struct view *v, uint8_t *proto)
{
	v->l4 = (uint16_t)((p[0] & 15) * 4);
	*proto = p[9];
	/* Options, and fragments of any kind, go alone. */
	return v->l4 == IPV4_HEADER && len >= IPV4_HEADER && !(get_be16(p + 6) & 0x3fff);
}

static bool read_ipv6(const uint8_t *p, size_t len, struct view *v, uint8_t *proto)
{
	v->v6 = true;
	v->l4 = IPV6_HEADER;
	if (len < IPV6_HEADER)
		return false;
	*proto = p[6];
	return true;
}

/* Whether it is a whole TCP or UDP packet behind a plain IP header; then `v` is complete. */
static bool read_packet(uint8_t *p, size_t len, bool partial, struct view *v)
{
	uint8_t proto = 0;

	*v = (struct view){.packet = p, .len = len, .partial = partial};
	if (!(p[0] >> 4 == 6 ? read_ipv6(p, len, v, &proto) : read_ipv4(p, len, v, &proto)))
		return false;
	v->tcp = proto == PROTO_TCP;
	if (v->tcp && len >= v->l4 + 20u)
		v->header_len = (uint16_t)(v->l4 + (p[v->l4 + 12] >> 4) * 4);
	else if (proto == PROTO_UDP && len >= v->l4 + (size_t)UDP_HEADER)
		v->header_len = v->l4 + UDP_HEADER;
	else
		return false;
	if (len < v->header_len || (v->tcp && v->header_len < v->l4 + 20))
		return false;
	v->payload = (uint16_t)(len - v->header_len);
	if (v->tcp)
		v->seq = get_be32(p + v->l4 + 4);
	return true;
}

/* Data, and nothing that the stack must see by itself. */
static bool can_be_joined(const struct coalescer *c, const struct view *v)
{
	uint8_t flags;

	if (v->payload == 0 || v->len > TOTAL_MAX)
		return false;
	if (!v->tcp)
		return c->mode == COALESCE_TCP_UDP;
	flags = v->packet[v->l4 + 13];
	return (flags & (uint8_t)~TCP_PSH) == TCP_ACK;
}

/* Addresses, and of TCP and UDP the ports. */
static bool same_flow(const struct view *a, const struct view *b)
{
	size_t at = a->v6 ? 8 : 12, n = a->v6 ? 32 : 8;

	return a->v6 == b->v6 && a->tcp == b->tcp &&
	       memcmp(a->packet + at, b->packet + at, n) == 0 &&
	       memcmp(a->packet + a->l4, b->packet + b->l4, 4) == 0;
}

/* IPv4: DSCP, ECN, DF and TTL; the identification counts up where it means something (RFC 6864). */
static bool same_ip(const struct joined *j, const struct view *v)
{
	const uint8_t *a = j->first.packet, *b = v->packet;

	if (v->v6)
		return memcmp(a, b, 4) == 0 && a[7] == b[7];
	if (a[1] != b[1] || a[6] != b[6] || a[8] != b[8])
		return false;
	return a[6] & IPV4_DF ||
	       get_be16(b + 4) == (uint16_t)(get_be16(a + 4) + j->pieces);
}

/* TCP: acknowledgement, data offset, flags but PSH, window, urgent pointer and options. */
static bool same_l4(const struct joined *j, const struct view *v)
{
	const uint8_t *a = j->first.packet + j->first.l4, *b = v->packet + v->l4;

	if (!v->tcp)
		return true;
	return v->seq == j->next_seq && memcmp(a + 8, b + 8, 5) == 0 &&
	       ((a[13] ^ b[13]) & (uint8_t)~TCP_PSH) == 0 && memcmp(a + 14, b + 14, 2) == 0 &&
	       memcmp(a + 18, b + 18, v->header_len - v->l4 - 18u) == 0;
}

static bool fits(const struct joined *j, const struct view *v)
{
	return v->partial == j->first.partial && v->header_len == j->first.header_len &&
	       v->payload <= j->size && j->pieces < PIECES_MAX &&
	       v->header_len + j->payload + v->payload <= TOTAL_MAX && same_ip(j, v) &&
	       same_l4(j, v);
}

/* Only packets whose sum is right are joined: the kernel will not look again. */
static bool is_right(const struct view *v)
{
	size_t size = v->len - v->l4;
	uint64_t sum = pseudo_sum(v->packet, v->v6, v->tcp, size);

	if (!v->tcp && get_be16(v->packet + v->l4 + 6) == 0)
		return false; /* UDP without one: not to be given one */
	return checksum_fold(checksum_add(sum, v->packet + v->l4, size)) == 0;
}

static void append(struct coalescer *c, struct joined *j, const struct view *v)
{
	uint8_t push = v->tcp ? v->packet[v->l4 + 13] & TCP_PSH : 0;

	j->iov[1 + j->pieces] = (struct iovec){v->packet + v->header_len, v->payload};
	j->pieces++;
	j->payload += v->payload;
	j->next_seq = v->seq + v->payload;
	j->push = push;
	if (push || v->payload < j->size || j->pieces == PIECES_MAX)
		emit_joined(c, j);
}

static void begin(struct coalescer *c, const struct view *v)
{
	struct joined *j = &c->flow[0];

	if (c->active == FLOWS)
		coalesce_flush(c);
	while (j->active)
		j++;
	j->active = true;
	c->active++;
	j->first = *v;
	j->size = v->payload;
	j->pieces = 0;
	j->payload = 0;
	append(c, j, v);
}

static struct joined *find(struct coalescer *c, const struct view *v)
{
	unsigned left = c->active;

	for (unsigned i = 0; left > 0 && i < FLOWS; i++) {
		if (!c->flow[i].active)
			continue;
		if (same_flow(&c->flow[i].first, v))
			return &c->flow[i];
		left--;
	}
	return NULL;
}

/* A device without virtio headers takes packets as they are on a wire. */
static void emit_plain(struct coalescer *c, uint8_t *packet, size_t len, bool partial,
		       const struct gso *gso)
{
	struct segmenter cut;
	struct iovec iov;
	uint8_t *piece;
	size_t n;

	if (segment_begin(&cut, packet, len, gso, partial, true) < 0)
		return;
	while (segment_next(&cut, &piece, &n)) {
		iov = (struct iovec){piece, n};
		c->emit(c->ctx, &iov, 1);
	}
}

/* What we do not read as TCP or UDP, the strict parser may. */
static int complete(uint8_t *packet, size_t len)
{
	struct inner_packet p;

	if (inner_parse(packet, len, &p) != INNER_OK)
		return -EBADMSG;
	return inner_complete_checksum(packet, &p);
}

void coalesce_add(struct coalescer *c, uint8_t *packet, size_t len, bool partial,
		  const struct gso *gso)
{
	bool whole = gso->kind == GSO_NONE;
	struct joined *j;
	struct view v;

	if (c->mode == COALESCE_PLAIN || (gso->kind == GSO_UDP && c->mode != COALESCE_TCP_UDP)) {
		emit_plain(c, packet, len, partial, gso);
		return;
	}
	if (!read_packet(packet, len, partial, &v)) {
		coalesce_flush(c);
		if (partial && complete(packet, len) < 0)
			return;
		v.partial = false;
		emit_alone(c, &v, NULL);
		return;
	}
	j = find(c, &v);
	if (!whole || !can_be_joined(c, &v) || (!partial && !is_right(&v))) {
		if (j)
			emit_joined(c, j);
		emit_alone(c, &v, gso);
	} else if (j && fits(j, &v)) {
		append(c, j, &v);
	} else {
		if (j)
			emit_joined(c, j);
		begin(c, &v);
	}
}
