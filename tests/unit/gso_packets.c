/* SPDX-License-Identifier: ISC */
/* Packets for the tests of segment and coalesce. */
#include <linux/virtio_net.h>
#include <string.h>

#include <tund/base/bytes.h>

#include "gso_oracle.h"
#include "gso_packets.h"

struct shape shape_random(struct prng *r)
{
	return (struct shape){
		.v6 = pick(r, 2),
		.udp = pick(r, 3) == 0,
		.df = pick(r, 2),
		.tos = (uint8_t)(pick(r, 4) * 2),
		.ttl = 64,
		.flags = 0x10,
		.option_words = pick(r, 2) ? 3 : (uint8_t)pick(r, 11),
		.id = (uint16_t)pick(r, 65536),
		.window = (uint16_t)pick(r, 65536),
		.src_port = (uint16_t)(1000 + pick(r, 3)),
		.dst_port = 443,
		.seq = pick(r, UINT32_C(0x7fffffff)) * 2 + 1,
		.ack = pick(r, UINT32_C(0x7fffffff)),
		.payload = 1 + pick(r, 1400),
	};
}

size_t shape_l4(const struct shape *s)
{
	return s->v6 ? 40 + 8u * s->ip_words : 20 + 4u * s->ip_words;
}

size_t shape_header_len(const struct shape *s)
{
	return shape_l4(s) + (s->udp ? 8u : 20u + 4u * s->option_words);
}

struct gso shape_gso(const struct shape *s, uint16_t size)
{
	return (struct gso){.kind = s->udp ? GSO_UDP : GSO_TCP,
			    .size = size,
			    .l4 = (uint16_t)shape_l4(s),
			    .header_len = (uint16_t)shape_header_len(s)};
}

static uint32_t running_sum(uint32_t sum, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

uint16_t plain_sum(uint32_t sum, const uint8_t *data, size_t len)
{
	return (uint16_t)~running_sum(sum, data, len);
}

static uint16_t l4_sum(const uint8_t *p, size_t len)
{
	bool v6 = p[0] >> 4 == 6;
	uint8_t proto = 0;
	size_t l4 = oracle_l4(p, len, &proto);
	uint32_t sum = running_sum(0, p + (v6 ? 8 : 12), v6 ? 32 : 8) + proto;

	return plain_sum(sum + (uint32_t)(len - l4), p + l4, len - l4);
}

bool checksums_are_right(const uint8_t *p, size_t len)
{
	return l4_sum(p, len) == 0 && (p[0] >> 4 == 6 || plain_sum(0, p, (p[0] & 15) * 4u) == 0);
}

static void write_ip(const struct shape *s, size_t len, uint8_t *p)
{
	uint8_t proto = s->udp ? 17 : 6;

	if (s->v6) {
		p[0] = (uint8_t)(0x60 | s->tos >> 4);
		p[1] = (uint8_t)(s->tos << 4);
		put_be16(p + 4, (uint16_t)(len - 40));
		p[6] = s->ip_words ? 0 : proto;
		p[7] = s->ttl;
		memset(p + 8, 0xfd, 16);
		memset(p + 24, 0xfc, 16);
		if (s->ip_words) /* one PadN fills it */
			memcpy(p + 40, (uint8_t[]){proto, (uint8_t)(s->ip_words - 1), 1,
						   (uint8_t)(8 * s->ip_words - 4)}, 4);
		return;
	}
	p[0] = (uint8_t)(0x45 + s->ip_words);
	memset(p + 20, 1, 4u * s->ip_words);
	p[1] = s->tos;
	put_be16(p + 2, (uint16_t)len);
	put_be16(p + 4, s->id);
	p[6] = s->df ? 0x40 : 0;
	p[8] = s->ttl;
	p[9] = proto;
	put_be32(p + 12, 0x0a4d000a);
	put_be32(p + 16, 0x6450000b);
	put_be16(p + 10, plain_sum(0, p, 20 + 4u * s->ip_words));
}

static void write_l4(const struct shape *s, size_t len, uint8_t *l4)
{
	put_be16(l4, s->src_port);
	put_be16(l4 + 2, s->dst_port);
	if (s->udp) {
		put_be16(l4 + 4, (uint16_t)len);
		return;
	}
	put_be32(l4 + 4, s->seq);
	put_be32(l4 + 8, s->ack);
	l4[12] = (uint8_t)((5 + s->option_words) << 4);
	l4[13] = s->flags;
	put_be16(l4 + 14, s->window);
	memset(l4 + 20, 1, 4u * s->option_words);
}

size_t shape_write(const struct shape *s, uint8_t *out)
{
	size_t header = shape_header_len(s), len = header + s->payload, l4 = shape_l4(s);
	uint16_t sum;

	memset(out, 0, header);
	write_ip(s, len, out);
	write_l4(s, len - l4, out + l4);
	for (size_t i = 0; i < s->payload; i++)
		out[header + i] = (uint8_t)((s->seq + i) * 167 >> 3);
	sum = l4_sum(out, len);
	put_be16(out + l4 + (s->udp ? 6 : 16), s->udp && sum == 0 ? 0xffff : sum);
	return len;
}

void packet_zero_sum(uint8_t *p, size_t l4)
{
	uint32_t word = (uint32_t)get_be16(p + l4 + 8) + get_be16(p + l4 + 6);

	put_be16(p + l4 + 8, (uint16_t)(word + (word >> 16)));
	put_be16(p + l4 + 6, 0xffff);
}

size_t shape_write_frame(const struct shape *s, uint16_t size, uint8_t *out)
{
	size_t l4 = shape_l4(s), n = shape_write(s, out + sizeof(struct virtio_net_hdr));
	uint8_t *p = out + sizeof(struct virtio_net_hdr);
	struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				   .csum_start = (uint16_t)l4,
				   .csum_offset = s->udp ? 6 : 16};
	uint32_t sum = (s->udp ? 17u : 6u) + (uint32_t)(n - l4);

	if (size) {
		h.gso_type = s->udp ? 5 : s->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
		h.gso_size = size;
		h.hdr_len = (uint16_t)shape_header_len(s);
	}
	sum = running_sum(sum, p + (s->v6 ? 8 : 12), s->v6 ? 32 : 8);
	put_be16(p + l4 + h.csum_offset, (uint16_t)sum);
	memcpy(out, &h, sizeof h);
	return sizeof h + n;
}
