/* SPDX-License-Identifier: ISC */
/* Builds inner packets for tests. */
#include <arpa/inet.h>
#include <string.h>

#include "packets.h"

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static size_t get16(const uint8_t *p)
{
	return (size_t)(p[0] << 8 | p[1]);
}

static size_t header_len(const uint8_t *d)
{
	return d[0] >> 4 == 4 ? (size_t)(d[0] & 15) * 4 : 40;
}

/* The plain definition, one 16-bit word at a time. */
static size_t sum16(size_t sum, const uint8_t *d, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? d[i] : (size_t)d[i] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

void packet_fix(struct packet *p)
{
	if (p->data[0] >> 4 != 4)
		return;
	put16(p->data + 10, 0);
	put16(p->data + 10, 0xffff ^ sum16(0, p->data, header_len(p->data)));
}

static size_t pseudo_sum(const uint8_t *d, uint8_t proto, size_t len)
{
	bool v4 = d[0] >> 4 == 4;

	if (proto == 1)
		return 0;
	return sum16(proto + len, d + (v4 ? 12 : 8), v4 ? 8 : 32);
}

static size_t checksum_at(uint8_t proto)
{
	return proto == 6 ? 16 : proto == 17 ? 6 : 2;
}

static void fix_upper(struct packet *p, uint8_t proto)
{
	size_t at = header_len(p->data), len = p->len - at;
	uint8_t *field = p->data + at + checksum_at(proto);

	put16(field, 0);
	put16(field, 0xffff ^ sum16(pseudo_sum(p->data, proto, len), p->data + at, len));
}

bool packet_sums_hold(const uint8_t *d, size_t len)
{
	uint8_t proto = d[0] >> 4 == 4 ? d[9] : d[6];
	size_t at = header_len(d);

	if (d[0] >> 4 == 4 && sum16(0, d, at) != 0xffff)
		return false;
	return sum16(pseudo_sum(d, proto, len - at), d + at, len - at) == 0xffff;
}

void packet_ip(struct packet *p, const char *src, const char *dst, uint8_t proto,
	       const uint8_t *payload, size_t len)
{
	bool v6 = strchr(src, ':') != NULL;
	size_t at = v6 ? 40 : 20;

	memset(p, 0, sizeof *p);
	p->len = at + len;
	memcpy(p->data + at, payload, len);
	if (v6) {
		p->data[0] = 0x60;
		put16(p->data + 4, len);
		p->data[6] = proto;
		p->data[7] = 64;
		inet_pton(AF_INET6, src, p->data + 8);
		inet_pton(AF_INET6, dst, p->data + 24);
		return;
	}
	p->data[0] = 0x45;
	put16(p->data + 2, p->len);
	p->data[8] = 64;
	p->data[9] = proto;
	inet_pton(AF_INET, src, p->data + 12);
	inet_pton(AF_INET, dst, p->data + 16);
	packet_fix(p);
}

/* Something to recognise bytes by. */
static void fill(uint8_t *d, size_t len)
{
	for (size_t i = 0; i < len; i++)
		d[i] = (uint8_t)(i * 7 + i / 256);
}

void packet_tcp(struct packet *p, const char *src, uint16_t sport, const char *dst, uint16_t dport,
		uint8_t flags, size_t payload)
{
	uint8_t tcp[4000] = {0};

	put16(tcp, sport);
	put16(tcp + 2, dport);
	put16(tcp + 4, 0x1234);
	put16(tcp + 6, 0x5678);
	put16(tcp + 8, 0x9abc);
	tcp[12] = 5 << 4;
	tcp[13] = flags;
	put16(tcp + 14, 1000);
	fill(tcp + 20, payload);
	packet_ip(p, src, dst, 6, tcp, 20 + payload);
	fix_upper(p, 6);
}

void packet_udp(struct packet *p, const char *src, uint16_t sport, const char *dst, uint16_t dport,
		size_t payload)
{
	uint8_t udp[4000] = {0};

	put16(udp, sport);
	put16(udp + 2, dport);
	put16(udp + 4, 8 + payload);
	fill(udp + 8, payload);
	packet_ip(p, src, dst, 17, udp, 8 + payload);
	fix_upper(p, 17);
}

void packet_icmp(struct packet *p, const char *src, const char *dst, uint8_t type, uint8_t code,
		 const uint8_t *body, size_t len)
{
	uint8_t proto = strchr(src, ':') ? 58 : 1;
	uint8_t icmp[4000] = {type, code};

	memcpy(icmp + 8, body, len);
	packet_ip(p, src, dst, proto, icmp, 8 + len);
	fix_upper(p, proto);
}

void packet_echo(struct packet *p, const char *src, const char *dst, bool reply, uint16_t id)
{
	bool v6 = strchr(src, ':') != NULL;

	packet_icmp(p, src, dst, v6 ? (reply ? 129 : 128) : (reply ? 0 : 8), 0,
		    (const uint8_t *)"0123456789abcdef", 16);
	put16(p->data + header_len(p->data) + 4, id);
	fix_upper(p, v6 ? 58 : 1);
}

void packet_unreachable(struct packet *p, const char *src, const char *dst,
			const struct packet *quote)
{
	bool v6 = strchr(src, ':') != NULL;

	packet_icmp(p, src, dst, v6 ? 1 : 3, v6 ? 4 : 3, quote->data,
		    quote->len < 64 ? quote->len : 64);
}

void packet_fragment(struct packet *p, const struct packet *whole, uint32_t id, size_t first,
		     size_t behind)
{
	size_t at = header_len(whole->data), len = behind - first;
	bool more = behind < whole->len - at;
	struct packet out = {.len = at + len};

	memcpy(out.data, whole->data, at);
	if (at == 20) {
		memcpy(out.data + at, whole->data + at + first, len);
		put16(out.data + 2, out.len);
		put16(out.data + 4, id);
		put16(out.data + 6, (more ? 0x2000u : 0) | first / 8);
	} else {
		out.len += 8;
		out.data[6] = 44;
		put16(out.data + 4, 8 + len);
		out.data[40] = whole->data[6];
		put16(out.data + 42, first | more);
		put16(out.data + 46, id);
		memcpy(out.data + 48, whole->data + at + first, len);
	}
	*p = out;
	packet_fix(p);
}

void packet_extend(struct packet *p, uint8_t first, const uint8_t *bytes, size_t count)
{
	memmove(p->data + 40 + count, p->data + 40, p->len - 40);
	memcpy(p->data + 40, bytes, count);
	p->data[6] = first;
	p->len += count;
	put16(p->data + 4, get16(p->data + 4) + count);
}
