/* SPDX-License-Identifier: ISC */
/* Addresses, length and ECN of an inner packet. */
#include <tund/wire/peek.h>

#include <errno.h>

#include <tund/base/bytes.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40

static int read_v4(const uint8_t *p, size_t len, struct peek *out)
{
	size_t total;

	if (len < IPV4_HEADER)
		return -EBADMSG;
	total = get_be16(p + 2);
	if (total < IPV4_HEADER || total > len)
		return -EBADMSG;
	*out = (struct peek){
		.src = ip_addr_from_bytes(4, p + 12),
		.dst = ip_addr_from_bytes(4, p + 16),
		.len = total,
		.ecn = peek_ecn(p),
	};
	return 0;
}

static int read_v6(const uint8_t *p, size_t len, struct peek *out)
{
	size_t total;

	if (len < IPV6_HEADER)
		return -EBADMSG;
	total = IPV6_HEADER + (size_t)get_be16(p + 4);
	if (total > len)
		return -EBADMSG;
	*out = (struct peek){
		.src = ip_addr_from_bytes(6, p + 8),
		.dst = ip_addr_from_bytes(6, p + 24),
		.len = total,
		.ecn = peek_ecn(p), /* the traffic class begins in the byte before */
	};
	return 0;
}

int peek_read(const uint8_t *packet, size_t len, struct peek *out)
{
	if (len == 0)
		return -EBADMSG;
	if (packet[0] >> 4 == 4)
		return read_v4(packet, len, out);
	return packet[0] >> 4 == 6 ? read_v6(packet, len, out) : -EBADMSG;
}

uint8_t peek_outer_ecn(uint8_t inner)
{
	return inner == ECN_CE ? ECN_ECT0 : inner;
}

void peek_set_congested(uint8_t *packet, struct peek *o)
{
	uint32_t sum;

	if (o->ecn == ECN_NOT_ECT || o->ecn == ECN_CE)
		return;
	if (packet[0] >> 4 == 6) {
		packet[1] |= ECN_CE << 4;
	} else {
		/* RFC 1624: HC' = ~(~HC + ~m + m'). */
		sum = (uint16_t)~get_be16(packet + 10) + (uint32_t)(uint16_t)~get_be16(packet);
		packet[1] |= ECN_CE;
		sum += get_be16(packet);
		sum = (sum & 0xffff) + (sum >> 16);
		sum = (sum & 0xffff) + (sum >> 16);
		put_be16(packet + 10, (uint16_t)~sum);
	}
	o->ecn = ECN_CE;
}
