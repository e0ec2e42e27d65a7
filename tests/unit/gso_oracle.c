/* SPDX-License-Identifier: ISC */
/* The kernel's side of a TUN device, in short. */
#include <arpa/inet.h>
#include <linux/virtio_net.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "gso_oracle.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* Linux 6.2 */
#endif

/* RFC 1071: the sum, not yet complemented. */
static uint32_t plain(uint32_t sum, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static uint32_t word(const uint8_t *p)
{
	return (uint32_t)(p[0] << 8 | p[1]);
}

static void put_word(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The field holds what is not in the packet. Of UDP 0 would mean none, so it is sent as 0xffff. */
static void complete_from(uint8_t *packet, size_t len, size_t start, size_t field)
{
	uint32_t sum = 0xffff & ~plain(0, packet + start, len - start);

	put_word(packet + field, sum == 0 && field - start != 16 ? 0xffff : sum);
}

size_t oracle_l4(const uint8_t *p, size_t len, uint8_t *proto)
{
	size_t at = sizeof(struct ip6_hdr);

	if (len >= 20 && p[0] >> 4 == 4) {
		*proto = p[9];
		return word(p + 6) & 0x3fff ? 0 : (p[0] & 15) * 4u;
	}
	if (len < at || p[0] >> 4 != 6)
		return 0;
	*proto = p[6];
	while ((*proto == 0 || *proto == 60) && at + 8 <= len) {
		*proto = p[at];
		at += (p[at + 1] + 1u) * 8;
	}
	return at;
}

/* What its header says is the packet; the rest is padding. */
static size_t own_len(const uint8_t *p, size_t len)
{
	size_t own = p[0] >> 4 == 4 ? word(p + 2) : 40 + word(p + 4);

	return own < len ? own : len;
}

bool oracle_complete(uint8_t *p, size_t len)
{
	uint8_t proto = 0;
	size_t at = oracle_l4(p, len, &proto), field = at + (proto == IPPROTO_TCP ? 16 : 6);
	uint32_t sum;

	if (at > 0)
		len = own_len(p, len);
	if (at == 0 || (proto != IPPROTO_TCP && proto != IPPROTO_UDP) || field + 2 > len)
		return false;
	sum = p[0] >> 4 == 4 ? plain(proto, p + 12, 8) : plain(proto, p + 8, 32);
	put_word(p + field, 0);
	sum = 0xffff & ~plain(sum + (uint32_t)(len - at), p + at, len - at);
	put_word(p + field, sum == 0 && proto == IPPROTO_UDP ? 0xffff : sum);
	return true;
}

/* What is known of a packet that is to be cut. */
struct whole {
	const uint8_t *packet;
	size_t len, l4, header, size;
	bool v4, tcp;
};

static void fix_ip(const struct whole *w, uint8_t *piece, size_t len, size_t number)
{
	struct ip6_hdr h6;
	struct iphdr h4;

	if (w->v4) {
		memcpy(&h4, piece, sizeof h4);
		h4.tot_len = htons((uint16_t)len);
		h4.id = htons((uint16_t)(ntohs(h4.id) + number));
		h4.check = 0;
		memcpy(piece, &h4, sizeof h4);
		put_word(piece + 10, 0xffff & ~plain(0, piece, h4.ihl * 4u));
		return;
	}
	memcpy(&h6, piece, sizeof h6);
	h6.ip6_plen = htons((uint16_t)(len - sizeof h6));
	memcpy(piece, &h6, sizeof h6);
}

static void fix_l4(const struct whole *w, uint8_t *l4, size_t len, size_t done, size_t number)
{
	struct udphdr udp;
	struct tcphdr tcp;
	bool last = w->header + done + (len - (w->header - w->l4)) == w->len;

	if (!w->tcp) {
		memcpy(&udp, l4, sizeof udp);
		udp.len = htons((uint16_t)len);
		memcpy(l4, &udp, sizeof udp);
		return;
	}
	memcpy(&tcp, l4, sizeof tcp);
	tcp.seq = htonl(ntohl(tcp.seq) + (uint32_t)done);
	tcp.fin &= last;
	tcp.psh &= last;
	memcpy(l4, &tcp, sizeof tcp);
	if (number > 0)
		l4[13] &= 0x7f; /* CWR */
}

/* tcp_gso_segment(): the field holds the pseudo-header's sum with the length of the whole. */
static void cut_piece(const struct whole *w, uint8_t *piece, size_t len, size_t done, size_t number)
{
	size_t field = w->l4 + (w->tcp ? 16 : 6);
	uint32_t sum, shorter = (uint32_t)(w->len - len);

	memcpy(piece, w->packet, w->header);
	memcpy(piece + w->header, w->packet + w->header + done, len - w->header);
	sum = word(piece + field) + (0xffff & ~plain(0, (uint8_t[]){(uint8_t)(shorter >> 8),
								    (uint8_t)shorter}, 2));
	put_word(piece + field, (sum & 0xffff) + (sum >> 16));
	fix_ip(w, piece, len, number);
	fix_l4(w, piece + w->l4, len - w->l4, done, number);
	complete_from(piece, len, w->l4, field);
}

static void cut_whole(const struct whole *w, struct oracle_pieces *out)
{
	size_t payload = w->len - w->header, done = 0;

	out->at[0] = out->count = 0;
	while (done < payload) {
		size_t n = payload - done < w->size ? payload - done : w->size;

		cut_piece(w, out->data + out->at[out->count], w->header + n, done, out->count);
		out->at[out->count + 1] = out->at[out->count] + w->header + n;
		out->count++;
		done += n;
	}
}

/* virtio_net_hdr_to_skb(). */
static bool read_whole(const struct virtio_net_hdr *h, struct whole *w)
{
	unsigned type = h->gso_type & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN;

	w->v4 = w->packet[0] >> 4 == 4;
	w->tcp = type != VIRTIO_NET_HDR_GSO_UDP_L4;
	w->l4 = h->csum_start;
	w->size = h->gso_size;
	if (type != VIRTIO_NET_HDR_GSO_UDP_L4 &&
	    type != (w->v4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6))
		return false;
	if (!(h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || h->csum_offset != (w->tcp ? 16 : 6) ||
	    w->size == 0 || w->l4 + (w->tcp ? 20u : 8u) > w->len)
		return false;
	w->header = w->l4 + (w->tcp ? (w->packet[w->l4 + 12] >> 4) * 4u : 8);
	return w->header < w->len;
}

bool oracle_cut(const uint8_t *frame, size_t len, struct oracle_pieces *out)
{
	struct whole w = {.packet = frame + sizeof(struct virtio_net_hdr)};
	struct virtio_net_hdr h;

	if (len < sizeof h + 20)
		return false;
	memcpy(&h, frame, sizeof h);
	w.len = len - sizeof h;
	if (h.gso_type != VIRTIO_NET_HDR_GSO_NONE) {
		if (!read_whole(&h, &w))
			return false;
		cut_whole(&w, out);
		return true;
	}
	memcpy(out->data, w.packet, w.len);
	out->at[0] = 0;
	out->at[1] = w.len;
	out->count = 1;
	if (!(h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return true;
	if (h.csum_start + h.csum_offset + 2u > w.len)
		return false;
	complete_from(out->data, w.len, h.csum_start, (size_t)h.csum_start + h.csum_offset);
	return true;
}
