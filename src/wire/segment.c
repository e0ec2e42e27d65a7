/* SPDX-License-Identifier: ISC */
/* TSO and USO in place. */
#include <errno.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/checksum.h>
#include <tund/wire/inner.h>
#include <tund/wire/segment.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER 20
#define UDP_HEADER 8
#define TCP_CWR 0x80 /* RFC 3168: of the first piece only */

static int complete_whole(uint8_t *packet, size_t len)
{
	struct inner_packet p;

	if (inner_parse(packet, len, &p) != INNER_OK)
		return -EBADMSG;
	return inner_complete_checksum(packet, &p);
}

static bool can_be_cut(const uint8_t *packet, size_t len, const struct gso *gso)
{
	size_t ip = packet[0] >> 4 == 4 ? IPV4_HEADER : IPV6_HEADER;
	size_t l4 = gso->kind == GSO_TCP ? TCP_HEADER : UDP_HEADER;

	return gso->size > 0 && gso->l4 >= ip && gso->header_len >= gso->l4 + l4 &&
	       gso->header_len <= GSO_HEADER_MAX && gso->header_len < len;
}

int segment_begin(struct segmenter *cut, uint8_t *packet, size_t len, const struct gso *gso,
		  bool partial, bool complete)
{
	cut->packet = packet;
	cut->len = len;
	cut->done = 0;
	cut->pieces = 0;
	cut->gso = *gso;
	cut->complete = complete;
	if (gso->kind == GSO_NONE)
		return partial && complete ? complete_whole(packet, len) : 0;
	if (!partial || !can_be_cut(packet, len, gso))
		return -EBADMSG;
	memcpy(cut->header, packet, gso->header_len);
	return 0;
}

/* RFC 791: every piece is a datagram of its own. */
static void fix_ipv4(uint8_t *piece, size_t len, uint32_t number)
{
	size_t header = (piece[0] & 15) * 4u;

	put_be16(piece + 2, (uint16_t)len);
	put_be16(piece + 4, (uint16_t)(get_be16(piece + 4) + number));
	put_be16(piece + 10, 0);
	put_be16(piece + 10, checksum_fold(checksum_add(0, piece, header)));
}

/* FIN and PSH belong to the last byte, CWR to the first. */
static void fix_tcp(const struct segmenter *cut, uint8_t *tcp, bool last)
{
	put_be32(tcp + 4, get_be32(tcp + 4) + (uint32_t)cut->done);
	if (!last)
		tcp[13] &= (uint8_t)~(TCP_FIN | TCP_PSH);
	if (cut->pieces > 0)
		tcp[13] &= (uint8_t)~TCP_CWR;
}

static void complete_piece(const struct gso *gso, uint8_t *piece, size_t len)
{
	bool v4 = piece[0] >> 4 == 4;
	bool tcp = gso->kind == GSO_TCP;
	uint8_t *field = piece + gso->l4 + (tcp ? 16 : 6);
	size_t size = len - gso->l4;
	uint64_t sum;
	uint16_t value;

	put_be16(field, 0);
	sum = checksum_add_pseudo(0, piece + (v4 ? 12 : 8), v4 ? 4 : 16, tcp ? PROTO_TCP : PROTO_UDP,
				  (uint32_t)size);
	value = checksum_fold(checksum_add(sum, piece + gso->l4, size));
	put_be16(field, value == 0 && !tcp ? 0xffff : value);
}

bool segment_next(struct segmenter *cut, uint8_t **piece, size_t *piece_len)
{
	const struct gso *gso = &cut->gso;
	size_t left, payload, len;
	uint8_t *p;

	if (gso->kind == GSO_NONE) {
		*piece = cut->packet;
		*piece_len = cut->len;
		return cut->pieces++ == 0;
	}
	left = cut->len - gso->header_len - cut->done;
	if (left == 0)
		return false;
	payload = left < gso->size ? left : gso->size;
	len = gso->header_len + payload;
	p = cut->packet + cut->done;
	memcpy(p, cut->header, gso->header_len);
	if (p[0] >> 4 == 4)
		fix_ipv4(p, len, cut->pieces);
	else
		put_be16(p + 4, (uint16_t)(len - IPV6_HEADER));
	if (gso->kind == GSO_TCP)
		fix_tcp(cut, p + gso->l4, payload == left);
	else
		put_be16(p + gso->l4 + 4, (uint16_t)(len - gso->l4));
	if (cut->complete)
		complete_piece(gso, p, len);
	cut->done += payload;
	cut->pieces++;
	*piece = p;
	*piece_len = len;
	return true;
}
