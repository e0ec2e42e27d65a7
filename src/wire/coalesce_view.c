/* SPDX-License-Identifier: ISC */
/*
 * Offsets are those of RFC 791, 8200, 9293 and 768. Comparisons are of whole words: a few for each
 * packet of a run is all that joining costs.
 */
#include "coalesce_view.h"

#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/checksum.h>
#include <tund/wire/inner.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER 20
#define UDP_HEADER 8
#define IPV4_DF 0x40

/* Only ever compared or added up, so the byte order does not matter. */
static uint16_t load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* 0x45: version 4 and no options. Returns the protocol, or -1 for what is no such packet. */
static int read_ipv4(const uint8_t *p, size_t len, struct view *v)
{
	if (len < IPV4_HEADER || p[0] != 0x45 || get_be16(p + 2) != len || get_be16(p + 6) & 0x3fff)
		return -1;
	v->l4 = IPV4_HEADER;
	return p[9];
}

static int read_ipv6(const uint8_t *p, size_t len, struct view *v)
{
	v->v6 = true;
	if (len < IPV6_HEADER || get_be16(p + 4) + (size_t)IPV6_HEADER != len)
		return -1;
	v->l4 = IPV6_HEADER;
	return p[6];
}

static enum view_kind read_tcp(struct view *v)
{
	const uint8_t *tcp = v->packet + v->l4;
	size_t size = v->len - v->l4, header;

	if (size < TCP_HEADER)
		return VIEW_UNCLEAR;
	header = (tcp[12] >> 4) * 4u;
	if (header < TCP_HEADER || header > size)
		return VIEW_UNCLEAR;
	v->tcp = true;
	v->flags = tcp[13];
	v->seq = get_be32(tcp + 4);
	v->header_len = (uint16_t)(v->l4 + header);
	v->payload = (uint16_t)(size - header);
	return VIEW_FLOW;
}

static enum view_kind read_udp(struct view *v)
{
	size_t size = v->len - v->l4;

	if (size < UDP_HEADER || get_be16(v->packet + v->l4 + 4) != size)
		return VIEW_UNCLEAR;
	v->header_len = (uint16_t)(v->l4 + UDP_HEADER);
	v->payload = (uint16_t)(size - UDP_HEADER);
	return VIEW_FLOW;
}

enum view_kind view_read(uint8_t *packet, size_t len, bool partial, struct view *v)
{
	int proto;

	*v = (struct view){.packet = packet, .len = len, .partial = partial};
	if (len == 0)
		return VIEW_UNCLEAR;
	proto = packet[0] >> 4 == 6 ? read_ipv6(packet, len, v) : read_ipv4(packet, len, v);
	if (proto == PROTO_TCP)
		return read_tcp(v);
	if (proto == PROTO_UDP)
		return read_udp(v);
	return proto == PROTO_ICMP || proto == PROTO_ICMPV6 ? VIEW_OTHER : VIEW_UNCLEAR;
}

bool view_is_data(const struct view *v)
{
	if (v->payload == 0)
		return false;
	if (v->tcp)
		return (v->flags & (TCP_ACK | TCP_SYN | TCP_RST | TCP_URG | TCP_CWR)) == TCP_ACK;
	/* A datagram without a checksum is not to be given one. */
	return v->partial || load16(v->packet + v->l4 + 6) != 0;
}

bool view_same_flow(const struct view *a, const struct view *b)
{
	const uint8_t *p = a->packet, *q = b->packet;

	if (a->v6 != b->v6 || a->tcp != b->tcp || load32(p + a->l4) != load32(q + b->l4))
		return false;
	if (!a->v6)
		return load64(p + 12) == load64(q + 12);
	return load64(p + 8) == load64(q + 8) && load64(p + 16) == load64(q + 16) &&
	       load64(p + 24) == load64(q + 24) && load64(p + 32) == load64(q + 32);
}

/* Where DF is set the identification means nothing (RFC 6864); else it counts up. */
static bool same_ip(const struct view *a, const struct view *b, uint16_t pieces)
{
	const uint8_t *p = a->packet, *q = b->packet;

	if (a->v6) /* class, flow label and hop limit */
		return load32(p) == load32(q) && p[7] == q[7];
	/* type of service, DF and TTL */
	if (load16(p) != load16(q) || load16(p + 6) != load16(q + 6) || p[8] != q[8])
		return false;
	return p[6] & IPV4_DF || get_be16(q + 4) == (uint16_t)(get_be16(p + 4) + pieces);
}

/* Acknowledgement, data offset, flags, window; urgent pointer; options. */
static bool same_tcp(const struct view *a, const struct view *b)
{
	static const uint8_t mask[8] = {
		0xff, 0xff, 0xff, 0xff, 0xff, (uint8_t) ~(TCP_PSH | TCP_FIN), 0xff, 0xff};
	const uint8_t *p = a->packet + a->l4, *q = b->packet + b->l4;
	size_t header = (size_t)a->header_len - a->l4;

	if ((load64(p + 8) ^ load64(q + 8)) & load64(mask) || load16(p + 18) != load16(q + 18))
		return false;
	for (size_t i = TCP_HEADER; i < header; i += 4) {
		if (load32(p + i) != load32(q + i))
			return false;
	}
	return true;
}

bool view_same_headers(const struct view *a, const struct view *b, uint16_t pieces)
{
	return a->header_len == b->header_len && same_ip(a, b, pieces) &&
	       (!a->tcp || same_tcp(a, b));
}

uint64_t view_pseudo_sum(const struct view *v, const uint8_t *headers, size_t size)
{
	return checksum_add_pseudo(0, headers + (v->v6 ? 8 : 12), v->v6 ? 16 : 4,
				   v->tcp ? PROTO_TCP : PROTO_UDP, (uint32_t)size);
}

/* All ones when folded, in whichever byte order (RFC 1071 section 2(B)). */
static bool is_ipv4_sound(const uint8_t *p)
{
	uint64_t sum = (uint64_t)load32(p) + load32(p + 4) + load32(p + 8) + load32(p + 12) +
		       load32(p + 16);

	return checksum_fold(sum) == 0;
}

bool view_is_sound(const struct view *v)
{
	size_t size = v->len - v->l4;

	if (!v->v6 && !is_ipv4_sound(v->packet))
		return false;
	return v->partial || checksum_fold(checksum_add(view_pseudo_sum(v, v->packet, size),
							v->packet + v->l4, size)) == 0;
}
