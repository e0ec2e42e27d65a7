/* SPDX-License-Identifier: ISC */
/* TSO and USO in place. */
#include <tund/wire/segment.h>

#include <errno.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/checksum.h>
#include <tund/wire/inner.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER 20
#define UDP_HEADER 8
#define PIECE_MAX 65535 /* bytes: an IP length is 16 bits */

static int complete_whole(uint8_t *packet, size_t len)
{
	struct inner_packet p;

	if (inner_parse(packet, len, &p) != INNER_OK)
		return -EBADMSG;
	return inner_complete_checksum(packet, &p);
}

/* IPv4's options lie in front of `l4`, IPv6's extension headers as well; those may be any. */
static bool is_ip_in_front(const uint8_t *packet, size_t l4)
{
	if (packet[0] >> 4 == 4)
		return l4 >= IPV4_HEADER && l4 == (packet[0] & 15) * 4u;
	return packet[0] >> 4 == 6 && l4 >= IPV6_HEADER;
}

static bool can_be_cut(const uint8_t *packet, size_t len, const struct gso *gso)
{
	size_t l4 = gso->l4, payload;

	if (gso->size == 0 || gso->header_len > GSO_HEADER_MAX || gso->header_len >= len ||
	    l4 + UDP_HEADER > gso->header_len || !is_ip_in_front(packet, l4))
		return false;
	payload = len - gso->header_len;
	if (gso->header_len + (payload < gso->size ? payload : gso->size) > PIECE_MAX)
		return false;
	if (gso->kind == GSO_UDP)
		return gso->header_len == l4 + UDP_HEADER;
	return l4 + TCP_HEADER <= gso->header_len &&
	       gso->header_len == l4 + (packet[l4 + 12] >> 4) * 4u;
}

/* What changes in an IPv4 header from piece to piece is left out of the sum of the others. */
static void prepare_ipv4(struct segmenter *cut)
{
	uint8_t *header = cut->header;

	cut->ipv4_id = get_be16(header + 4);
	put_be32(header + 2, 0);
	put_be16(header + 10, 0);
	cut->ipv4_sum = checksum_add(0, header, (header[0] & 15) * 4u);
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
	if (packet[0] >> 4 == 4)
		prepare_ipv4(cut);
	return 0;
}

/* RFC 791: every piece is a datagram of its own. */
static void fix_ipv4(const struct segmenter *cut, uint8_t *piece, size_t len)
{
	uint16_t id = (uint16_t)(cut->ipv4_id + cut->pieces);

	put_be16(piece + 2, (uint16_t)len);
	put_be16(piece + 4, id);
	put_be16(piece + 10, checksum_fold(cut->ipv4_sum + len + id));
}

/* FIN and PSH belong to the last byte, CWR to the first (RFC 3168 section 6.1.2). */
static void fix_tcp(const struct segmenter *cut, uint8_t *tcp, bool last)
{
	put_be32(tcp + 4, get_be32(tcp + 4) + (uint32_t)cut->done);
	if (!last)
		tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
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
	sum = checksum_add_pseudo(0, piece + (v4 ? 12 : 8), v4 ? 4 : 16,
				  tcp ? PROTO_TCP : PROTO_UDP, (uint32_t)size);
	value = checksum_fold(checksum_add(sum, piece + gso->l4, size));
	/* RFC 768: 0 would mean none */
	put_be16(field, value == 0 && !tcp ? 0xffff : value);
}

static void write_headers(const struct segmenter *cut, uint8_t *piece, size_t len, bool last)
{
	const struct gso *gso = &cut->gso;

	memcpy(piece, cut->header, gso->header_len);
	if (piece[0] >> 4 == 4)
		fix_ipv4(cut, piece, len);
	else
		put_be16(piece + 4, (uint16_t)(len - IPV6_HEADER));
	if (gso->kind == GSO_TCP)
		fix_tcp(cut, piece + gso->l4, last);
	else
		put_be16(piece + gso->l4 + 4, (uint16_t)(len - gso->l4));
	if (cut->complete)
		complete_piece(gso, piece, len);
}

bool segment_next(struct segmenter *cut, uint8_t **piece, size_t *piece_len)
{
	const struct gso *gso = &cut->gso;
	size_t left, payload;

	if (gso->kind == GSO_NONE) {
		*piece = cut->packet;
		*piece_len = cut->len;
		return cut->pieces++ == 0;
	}
	left = cut->len - gso->header_len - cut->done;
	if (left == 0)
		return false;
	payload = left < gso->size ? left : gso->size;
	*piece = cut->packet + cut->done;
	*piece_len = gso->header_len + payload;
	write_headers(cut, *piece, *piece_len, payload == left);
	cut->done += payload;
	cut->pieces++;
	return true;
}
