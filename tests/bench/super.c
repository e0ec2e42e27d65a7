/* SPDX-License-Identifier: ISC */
/* Packets of many segments, made by hand. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <tund/wire/checksum.h>

#include "super.h"

#define TCP_HEADER 32 /* with time stamps, as Linux sends it */
#define UDP_HEADER 8

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* Returns the bytes of the header. */
static uint16_t make_ip(uint8_t *p, int family, uint8_t proto, size_t len)
{
	static const uint8_t v4[] = {0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 0, 0, 0,
				     100, 80, 0, 11, 10, 77, 0, 1};

	if (family == 4) {
		memcpy(p, v4, sizeof v4);
		p[9] = proto;
		put16(p + 2, len);
		put16(p + 10, checksum_fold(checksum_add(0, p, sizeof v4)));
		return sizeof v4;
	}
	p[0] = 0x60;
	put16(p + 4, len - 40);
	p[6] = proto;
	p[7] = 64;
	p[8] = p[24] = 0xfd;
	p[23] = 11;
	p[39] = 1;
	return 40;
}

/* The field that is to be completed holds the sum over the pseudo-header. */
static void make_partial(struct super *s, int family, uint8_t proto, uint8_t *field)
{
	size_t size = family == 4 ? 4 : 16;
	const uint8_t *addresses = s->packet + (family == 4 ? 12 : 8);
	uint64_t sum =
		checksum_add_pseudo(0, addresses, size, proto, (uint32_t)(s->len - s->gso.l4));

	put16(field, (uint16_t)~checksum_fold(sum));
}

static void make_tcp(uint8_t *tcp)
{
	static const uint8_t options[] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};

	put16(tcp, 40000);
	put16(tcp + 2, 5201);
	tcp[12] = TCP_HEADER / 4 << 4;
	tcp[13] = 0x10; /* ACK */
	put16(tcp + 14, 500);
	memcpy(tcp + 20, options, sizeof options);
}

void super_make(struct super *s, enum gso_kind kind, int family)
{
	uint8_t proto = kind == GSO_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	size_t ip = family == 4 ? 20 : 40, l4 = kind == GSO_TCP ? TCP_HEADER : UDP_HEADER;
	size_t piece = SUPER_MTU - ip - l4;

	memset(s, 0, sizeof *s);
	s->len = ip + l4 + piece * SUPER_PIECES;
	s->gso = (struct gso){kind, (uint16_t)piece, make_ip(s->packet, family, proto, s->len),
			      (uint16_t)(ip + l4)};
	for (size_t i = ip + l4; i < s->len; i++)
		s->packet[i] = (uint8_t)(i * 7);
	if (kind == GSO_TCP) {
		make_tcp(s->packet + ip);
	} else {
		put16(s->packet + ip, 40000);
		put16(s->packet + ip + 2, 5202);
		put16(s->packet + ip + 4, s->len - ip);
	}
	make_partial(s, family, proto, s->packet + ip + (kind == GSO_TCP ? 16 : 6));
	memcpy(s->header, s->packet, sizeof s->header);
	s->name = kind == GSO_TCP ? family == 4 ? "tcp4" : "tcp6" : family == 4 ? "udp4" : "udp6";
}
