/* SPDX-License-Identifier: ISC */
/* The virtio header of a TUN device. */
#include <tund/wire/virtio.h>

#include <errno.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/checksum.h>
#include <tund/wire/inner.h>

/* As in linux/virtio_net.h. */
#define NEEDS_CSUM 1
#define HDR_GSO_NONE 0
#define HDR_GSO_TCPV4 1
#define HDR_GSO_TCPV6 4
#define HDR_GSO_UDP_L4 5
#define HDR_GSO_ECN 0x80

#define TCP_CSUM 16 /* offsets of the checksum fields */
#define UDP_CSUM 6
#define TCP_HEADER 20
#define UDP_HEADER 8

struct header {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
};

_Static_assert(sizeof(struct header) == VIRTIO_HEADER, "the layout is the kernel's");

/* The kernel's own words, but for the lengths: hdr_len is only a hint. */
static int read_gso(const struct header *h, const uint8_t *packet, size_t len, struct gso *out)
{
	size_t l4 = h->csum_start;
	bool tcp = h->csum_offset == TCP_CSUM;
	size_t header = l4 + (tcp ? TCP_HEADER : UDP_HEADER);

	if (!(h->flags & NEEDS_CSUM) || h->gso_size == 0 || header > len)
		return -EBADMSG;
	switch (h->gso_type & ~HDR_GSO_ECN) {
	case HDR_GSO_TCPV4:
	case HDR_GSO_TCPV6:
		if (!tcp)
			return -EBADMSG;
		header = l4 + (packet[l4 + 12] >> 4) * 4u;
		break;
	case HDR_GSO_UDP_L4:
		if (tcp)
			return -EBADMSG;
		break;
	default:
		return -EBADMSG;
	}
	if (header >= len || header > GSO_HEADER_MAX)
		return -EBADMSG;
	*out = (struct gso){.kind = tcp ? GSO_TCP : GSO_UDP,
			    .size = h->gso_size,
			    .l4 = (uint16_t)l4,
			    .header_len = (uint16_t)header};
	return 0;
}

/* Whether the field is that of the packet's own TCP or UDP header. */
static bool is_plain(const struct header *h, const uint8_t *packet, size_t len)
{
	size_t ip;
	uint8_t proto;

	if (len < 40)
		return packet[0] >> 4 == 4 && len >= 20 && packet[9] == PROTO_UDP &&
		       h->csum_start == (packet[0] & 15) * 4 && h->csum_offset == UDP_CSUM;
	ip = packet[0] >> 4 == 4 ? (packet[0] & 15) * 4u : 40;
	proto = packet[0] >> 4 == 4 ? packet[9] : packet[6];
	return h->csum_start == ip && ((proto == PROTO_TCP && h->csum_offset == TCP_CSUM) ||
				       (proto == PROTO_UDP && h->csum_offset == UDP_CSUM));
}

/* The field holds the sum of what is not in the packet. */
static int complete(const struct header *h, uint8_t *packet, size_t len)
{
	size_t start = h->csum_start, field = start + h->csum_offset;
	uint16_t value;

	if (field + 2 > len)
		return -EBADMSG;
	value = checksum_fold(checksum_add(0, packet + start, len - start));
	/* RFC 768: 0 would mean none; elsewhere the two are the same */
	put_be16(packet + field, value ? value : 0xffff);
	return 0;
}

int virtio_take(uint8_t **packet, size_t *len, bool *partial, struct gso *gso)
{
	struct gso found = {.kind = GSO_NONE};
	bool is_partial = false;
	struct header h;
	uint8_t *inside = *packet + VIRTIO_HEADER;
	size_t n;
	int err = 0;

	if (*len < VIRTIO_HEADER + 20)
		return -EBADMSG;
	n = *len - VIRTIO_HEADER;
	memcpy(&h, *packet, sizeof h);
	if (h.gso_type != HDR_GSO_NONE)
		err = read_gso(&h, inside, n, &found);
	if (err == 0 && h.flags & NEEDS_CSUM) {
		is_partial = found.kind != GSO_NONE || is_plain(&h, inside, n);
		if (!is_partial)
			err = complete(&h, inside, n);
	}
	if (err < 0)
		return err;
	*packet = inside;
	*len = n;
	*partial = is_partial;
	*gso = found;
	return 0;
}

static uint8_t gso_type(const struct gso *gso, const uint8_t *headers)
{
	uint8_t type = headers[0] >> 4 == 6 ? HDR_GSO_TCPV6 : HDR_GSO_TCPV4;

	if (gso->kind == GSO_UDP)
		return HDR_GSO_UDP_L4;
	/* A card that does not know CWR would repeat it in every piece. */
	return headers[gso->l4 + 13] & TCP_CWR ? type | HDR_GSO_ECN : type;
}

void virtio_put(uint8_t header[VIRTIO_HEADER], const uint8_t *headers, bool partial, uint8_t proto,
		const struct gso *gso, uint16_t l4)
{
	struct header h = {.gso_type = HDR_GSO_NONE};

	if (partial) {
		h.flags = NEEDS_CSUM;
		h.csum_start = l4;
		h.csum_offset = proto == PROTO_TCP ? TCP_CSUM : UDP_CSUM;
	}
	if (gso && gso->kind != GSO_NONE) {
		h.gso_type = gso_type(gso, headers);
		h.gso_size = gso->size;
		h.hdr_len = gso->header_len;
	}
	memcpy(header, &h, sizeof h);
}
