/* SPDX-License-Identifier: ISC */
/* What a peer says is a whole TSO packet. */
#include <tund/wire/gso.h>

#include <errno.h>

#include <tund/base/bytes.h>
#include <tund/wire/inner.h>

int gso_of_frame(const uint8_t prefix[GSO_PREFIX], const uint8_t *packet, size_t *len, uint32_t mtu,
		 struct gso *out)
{
	struct gso gso = {.kind = GSO_TCP, .size = get_be16(prefix)};
	struct inner_packet p;
	size_t header;

	if (inner_parse(packet, *len, &p) != INNER_OK || p.proto != PROTO_TCP ||
	    p.fragment != INNER_WHOLE)
		return -EBADMSG;
	/* The parser has checked that the data offset lies in the packet. */
	header = p.l4 + (packet[p.l4 + 12] >> 4) * 4u;
	if (header > GSO_HEADER_MAX || p.len <= header || gso.size < GSO_SIZE_MIN ||
	    gso.size + header > mtu ||
	    (p.len - header + gso.size - 1) / gso.size > GSO_PIECES_MAX)
		return -EBADMSG;
	gso.l4 = p.l4;
	gso.header_len = (uint16_t)header;
	*len = p.len;
	*out = gso;
	return 0;
}
