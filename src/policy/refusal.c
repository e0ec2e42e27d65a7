/* SPDX-License-Identifier: ISC */
/* Builds resets and ICMP errors, and counts how many a device gets. */
#include <tund/policy/refusal.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/base/time.h>
#include <tund/wire/checksum.h>

#define ICMP4_MAX_BYTES 576
#define ICMP_HEADER 8
#define TCP_HEADER 20
#define OUR_TTL 64

/* Token bucket as a virtual schedule (GCRA): the time at which the next one would be due. */
#define INTERVAL_NS (NS_PER_SEC / 90)
#define BURST 10

struct refusal_limiter {
	uint32_t count;
	_Atomic uint64_t due_ns[];
};

struct refusal_limiter *refusal_limiter_new(uint32_t places)
{
	struct refusal_limiter *l = calloc(1, sizeof *l + places * sizeof *l->due_ns);

	if (l)
		l->count = places;
	return l;
}

void refusal_limiter_free(struct refusal_limiter *l)
{
	free(l);
}

bool refusal_allow(struct refusal_limiter *l, uint64_t now_ns, uint32_t device)
{
	_Atomic uint64_t *at = &l->due_ns[device % l->count];
	uint64_t due = atomic_load_explicit(at, memory_order_relaxed), start;

	do {
		start = due > now_ns ? due : now_ns;
		if (start - now_ns > (BURST - 1) * INTERVAL_NS)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(at, &due, start + INTERVAL_NS,
							memory_order_relaxed,
							memory_order_relaxed));
	return true;
}

/* Whether this packet may be answered at all. */
static bool may_answer(enum refusal kind, const struct inner_packet *p)
{
	if (p->fragment == INNER_LATER || ip_addr_is_special(&p->src) ||
	    ip_addr_is_special(&p->dst))
		return false;
	if (p->proto == PROTO_TCP)
		return !(p->tcp_flags & TCP_RST);
	if (!inner_is_icmp(p))
		return true;
	switch (inner_icmp_class(p)) {
	case INNER_ICMP_QUERY:
		return true;
	case INNER_ICMP_REPLY:
		return kind == REFUSAL_TOO_BIG; /* who sent it must learn the size */
	case INNER_ICMP_ERROR:
	case INNER_ICMP_OTHER:
		break;
	}
	return false;
}

/* The IP header of an answer to `p`, with `size` bytes behind it; returns its length. */
static size_t build_ip(const struct inner_packet *p, uint8_t proto, size_t size, uint8_t *out)
{
	if (p->src.family == 4) {
		memset(out, 0, 20);
		out[0] = 0x45;
		put_be16(out + 2, (uint16_t)(20 + size));
		out[6] = 0x40; /* DF: its identification is of no use (RFC 6864) */
		out[8] = OUR_TTL;
		out[9] = proto;
		memcpy(out + 12, p->dst.bytes, 4);
		memcpy(out + 16, p->src.bytes, 4);
		put_be16(out + 10, checksum_fold(checksum_add(0, out, 20)));
		return 20;
	}
	memset(out, 0, 40);
	out[0] = 0x60;
	put_be16(out + 4, (uint16_t)size);
	out[6] = proto;
	out[7] = OUR_TTL;
	memcpy(out + 8, p->dst.bytes, 16);
	memcpy(out + 24, p->src.bytes, 16);
	return 40;
}

/* The checksum of the upper layer over the answer's pseudo-header. */
static uint16_t checksum_of(const uint8_t *packet, size_t ip, uint8_t proto, size_t size)
{
	size_t addr_size = ip == 20 ? 4 : 16;
	uint64_t sum = checksum_add_pseudo(0, packet + (ip == 20 ? 12 : 8), addr_size, proto,
					   (uint32_t)size);

	return checksum_fold(checksum_add(sum, packet + ip, size));
}

/* RFC 9293 3.10.7.1: the reset that a closed port would send. */
static size_t build_reset(const uint8_t *data, const struct inner_packet *p, uint8_t *out)
{
	const uint8_t *tcp = data + p->l4;
	size_t header = (size_t)(tcp[12] >> 4) * 4;
	size_t ip = build_ip(p, PROTO_TCP, TCP_HEADER, out);
	uint8_t *reset = out + ip;

	memset(reset, 0, TCP_HEADER);
	put_be16(reset, p->dst_port);
	put_be16(reset + 2, p->src_port);
	reset[12] = TCP_HEADER / 4 << 4;
	if (p->tcp_flags & TCP_ACK) {
		memcpy(reset + 4, tcp + 8, 4);
		reset[13] = TCP_RST;
	} else {
		uint32_t length = p->len - p->l4 - (uint32_t)header;

		length += (p->tcp_flags & TCP_SYN ? 1u : 0u) + (p->tcp_flags & TCP_FIN ? 1u : 0u);
		put_be32(reset + 8, get_be32(tcp + 4) + length);
		reset[13] = TCP_RST | TCP_ACK;
	}
	put_be16(reset + 16, checksum_of(out, ip, PROTO_TCP, TCP_HEADER));
	return ip + TCP_HEADER;
}

size_t refusal_build_end(const uint8_t *data, const struct inner_packet *p,
			 uint8_t out[REFUSAL_MAX_BYTES])
{
	struct inner_packet answered = *p; /* what he would have sent, were this its refusal */
	const uint8_t *tcp = data + p->l4;
	uint8_t *reset;
	size_t ip;

	if (p->proto != PROTO_TCP || !may_answer(REFUSAL_PROHIBITED, p))
		return 0;
	answered.src = p->dst;
	answered.dst = p->src;
	ip = build_ip(&answered, PROTO_TCP, TCP_HEADER, out);
	reset = out + ip;
	memset(reset, 0, TCP_HEADER);
	memcpy(reset, tcp, 12); /* ports, sequence and acknowledgement */
	reset[12] = TCP_HEADER / 4 << 4;
	reset[13] = (uint8_t)(TCP_RST | (p->tcp_flags & TCP_ACK));
	put_be16(reset + 16, checksum_of(out, ip, PROTO_TCP, TCP_HEADER));
	return ip + TCP_HEADER;
}

struct icmp_message {
	uint8_t type, code;
};

static struct icmp_message icmp_message(enum refusal kind, bool v4)
{
	switch (kind) {
	case REFUSAL_PROHIBITED:
		return v4 ? (struct icmp_message){3, 13} : (struct icmp_message){1, 1};
	case REFUSAL_UNREACHABLE:
		return v4 ? (struct icmp_message){3, 1} : (struct icmp_message){1, 0};
	case REFUSAL_TIME_EXCEEDED:
		return v4 ? (struct icmp_message){11, 0} : (struct icmp_message){3, 0};
	case REFUSAL_TOO_BIG:
		return v4 ? (struct icmp_message){3, 4} : (struct icmp_message){2, 0};
	}
	return (struct icmp_message){0};
}

/* What the sender's kernel has not computed is computed in the quote, as if it had: the field may
 * hold anything, so it is taken out of the sum. */
static void complete_quote(const uint8_t *data, const struct inner_packet *p, uint8_t *quote,
			   size_t quoted)
{
	size_t field = p->l4 + (p->proto == PROTO_TCP ? 16u : 6u), size = p->len - p->l4;
	bool v4 = p->src.family == 4;
	uint64_t sum =
		checksum_add_pseudo(0, data + (v4 ? 12 : 8), v4 ? 4 : 16, p->proto, (uint32_t)size);
	uint16_t value;

	if ((p->proto != PROTO_TCP && p->proto != PROTO_UDP) || field + 2 > quoted)
		return;
	sum = checksum_add(sum, data + p->l4, size) + (uint16_t)~get_be16(data + field);
	value = checksum_fold(sum);
	put_be16(quote + field, value == 0 && p->proto == PROTO_UDP ? 0xffff : value);
}

static size_t build_icmp(enum refusal kind, const uint8_t *data, const struct inner_packet *p,
			 bool partial_checksum, uint32_t mtu, uint8_t *out)
{
	bool v4 = p->src.family == 4;
	size_t room = v4 ? ICMP4_MAX_BYTES - 20 : REFUSAL_MAX_BYTES - 40;
	size_t quoted = p->len < room - ICMP_HEADER ? p->len : room - ICMP_HEADER;
	size_t size = ICMP_HEADER + quoted;
	uint8_t proto = v4 ? PROTO_ICMP : PROTO_ICMPV6;
	size_t ip = build_ip(p, proto, size, out);
	struct icmp_message message = icmp_message(kind, v4);
	uint8_t *icmp = out + ip;

	memset(icmp, 0, ICMP_HEADER);
	icmp[0] = message.type;
	icmp[1] = message.code;
	if (kind == REFUSAL_TOO_BIG && v4)
		put_be16(icmp + 6, (uint16_t)(mtu > UINT16_MAX ? UINT16_MAX : mtu)); /* RFC 1191 */
	else if (kind == REFUSAL_TOO_BIG)
		put_be32(icmp + 4, mtu);
	memcpy(icmp + ICMP_HEADER, data, quoted);
	if (partial_checksum)
		complete_quote(data, p, icmp + ICMP_HEADER, quoted);
	put_be16(icmp + 2, v4 ? checksum_fold(checksum_add(0, icmp, size))
			      : checksum_of(out, ip, proto, size));
	return ip + size;
}

size_t refusal_build(enum refusal kind, const uint8_t *data, const struct inner_packet *p,
		     bool partial_checksum, uint32_t mtu, uint8_t out[REFUSAL_MAX_BYTES])
{
	if (!may_answer(kind, p))
		return 0;
	if (kind == REFUSAL_TOO_BIG && p->src.family == 4 && !p->dont_fragment)
		return 0;
	if (kind == REFUSAL_PROHIBITED && p->proto == PROTO_TCP)
		return build_reset(data, p, out);
	return build_icmp(kind, data, p, partial_checksum, mtu, out);
}
