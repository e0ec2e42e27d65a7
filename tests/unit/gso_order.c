/* SPDX-License-Identifier: ISC */
/* What went into a coalescer, and whether it came out. */
#include <linux/virtio_net.h>
#include <string.h>

#include <tund/base/bytes.h>

#include "gso_order.h"

#define HEADER sizeof(struct virtio_net_hdr)

static const struct gso none = {.kind = GSO_NONE};

void order_init(struct order *o, enum coalesce_mode mode)
{
	o->mode = mode;
	o->wrong = false;
	o->writes = o->joined = o->seen = 0;
	o->count = 0;
	o->out_len = 0;
}

/* Whether two packets are in one order: protocol, addresses and ports; all that is odd is. */
static bool same_order(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	uint8_t proto[2] = {0};
	size_t l4 = oracle_l4(a, a_len, &proto[0]), ip = a[0] >> 4 == 6 ? 40 : 20;
	size_t addresses = a[0] >> 4 == 6 ? 8 : 12;

	if (a[0] >> 4 != b[0] >> 4 || l4 != oracle_l4(b, b_len, &proto[1]) || proto[0] != proto[1])
		return false;
	if (a_len < ip || b_len < ip)
		return a_len == b_len;
	return memcmp(a + addresses, b + addresses, ip - addresses) == 0 &&
	       (l4 == 0 || l4 + 4 > a_len || l4 + 4 > b_len || memcmp(a + l4, b + l4, 4) == 0);
}

/* Where DF is set the identification means nothing (RFC 6864), and may have changed. */
static bool same_bytes(const uint8_t *a, const uint8_t *b, size_t len)
{
	bool free_id = len >= 20 && a[0] >> 4 == 4 && b[0] >> 4 == 4 && a[6] & b[6] & 0x40;

	if (!free_id)
		return memcmp(a, b, len) == 0;
	return memcmp(a, b, 4) == 0 && memcmp(a + 6, b + 6, 4) == 0 &&
	       memcmp(a + 12, b + 12, len - 12) == 0;
}

/* It is the oldest in its order that has not come out, but for those that may be dropped. Of
 * several that are alike it is the last, for the others may have been. */
static bool is_next(struct order *o, const uint8_t *piece, size_t len)
{
	bool *found = NULL;

	for (size_t i = 0; i < o->count; i++) {
		if (o->in[i].seen || !same_order(o->in[i].bytes, o->in[i].len, piece, len))
			continue;
		if (o->in[i].len == len && same_bytes(o->in[i].bytes, piece, len))
			found = &o->in[i].seen;
		if (!o->in[i].optional)
			break;
	}
	if (found)
		*found = true;
	return found != NULL;
}

void order_came(struct order *o, const uint8_t *packet, size_t len)
{
	o->seen++;
	o->wrong |= !is_next(o, packet, len);
}

static bool is_header_right(const uint8_t *packet)
{
	return packet[0] >> 4 == 6 || plain_sum(0, packet, (packet[0] & 15) * 4u) == 0;
}

void order_emit(void *ctx, const struct iovec *iov, size_t n)
{
	struct order *o = ctx;
	size_t len = 0, piece_len;

	o->writes++;
	for (size_t i = 0; i < n; i++) {
		memcpy(o->out + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	o->out_len = len;
	if (o->mode == COALESCE_PLAIN) {
		order_came(o, o->out, len);
		return;
	}
	if (!oracle_cut(o->out, len, &o->oracle)) {
		o->wrong = true;
		return;
	}
	if (o->out[1] != VIRTIO_NET_HDR_GSO_NONE) {
		o->joined++;
		o->wrong |= !is_header_right(o->out + HEADER);
	}
	for (size_t i = 0; i < o->oracle.count; i++) {
		const uint8_t *piece = oracle_piece(&o->oracle, i, &piece_len);

		order_came(o, piece, piece_len);
	}
}

static void expect(struct order *o, const uint8_t *bytes, size_t len)
{
	memcpy(o->in[o->count].bytes, bytes, len);
	o->in[o->count].len = len;
	o->in[o->count].seen = o->in[o->count].optional = false;
	o->count++;
}

void order_expect(struct order *o, size_t len, bool partial)
{
	expect(o, o->given[o->count], len);
	if (partial)
		oracle_complete(o->in[o->count - 1].bytes, len);
}

void order_add_given(struct order *o, struct coalescer *c, size_t len)
{
	uint8_t *packet = o->given[o->count];

	order_expect(o, len, false);
	coalesce_add(c, packet, len, false, &none);
}

void order_add(struct order *o, struct coalescer *c, const struct shape *s, bool partial)
{
	uint8_t *packet = o->given[o->count];
	size_t len = shape_write(s, packet);

	expect(o, packet, len);
	if (partial)
		put_be16(packet + shape_l4(s) + (s->udp ? 6 : 16), 0xbeef);
	coalesce_add(c, packet, len, partial, &none);
}

void order_add_whole(struct order *o, struct coalescer *c, const struct shape *s, uint16_t size,
		     uint8_t *frame)
{
	size_t len = shape_write_frame(s, size, frame), piece_len;
	struct gso gso = shape_gso(s, size);

	o->wrong |= !oracle_cut(frame, len, &o->oracle);
	for (size_t i = 0; i < o->oracle.count; i++) {
		const uint8_t *piece = oracle_piece(&o->oracle, i, &piece_len);

		expect(o, piece, piece_len);
	}
	memset(frame + HEADER + gso.l4 + (s->udp ? 6 : 16), 0xff, 2);
	coalesce_add(c, frame + HEADER, len - HEADER, true, &gso);
}

bool order_holds(const struct order *o)
{
	for (size_t i = 0; i < o->count; i++) {
		if (!o->in[i].seen && !o->in[i].optional)
			return false;
	}
	return !o->wrong;
}

struct shape shape_bulk(bool v6, bool udp)
{
	return (struct shape){.v6 = v6, .udp = udp, .ttl = 64, .flags = 0x10, .option_words = 3,
			      .id = 0xffff, .window = 500, .src_port = 1000, .dst_port = 443,
			      .seq = 0xfffffff0, .ack = 1, .payload = 1000};
}

void shape_advance(struct shape *s)
{
	s->seq += (uint32_t)s->payload;
	s->id++;
}
