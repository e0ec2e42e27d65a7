/* SPDX-License-Identifier: ISC */
/*
 * Inner packets, strictly and as quotes, against a second parser that was written from the RFCs
 * with the kernel's structs: both must accept the same packets and read the same from them. Then
 * the functions that change or answer an accepted packet run on it.
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#include <tund/policy/refusal.h>
#include <tund/wire/inner.h>

#include "../unit/packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* What the second parser reads. */
struct reading {
	size_t total, l4, offset;
	unsigned proto, sport, dport, flags, type;
	bool more, later;
};

static bool read_tcp(const uint8_t *d, size_t size, struct reading *r)
{
	struct tcphdr h;

	if (size < sizeof h)
		return false;
	memcpy(&h, d, sizeof h);
	r->sport = ntohs(h.source);
	r->dport = ntohs(h.dest);
	r->flags = d[13];
	return h.doff >= 5 && h.doff * 4u <= size;
}

static bool read_udp(const uint8_t *d, size_t size, struct reading *r)
{
	struct udphdr h;

	if (size < sizeof h)
		return false;
	memcpy(&h, d, sizeof h);
	r->sport = ntohs(h.source);
	r->dport = ntohs(h.dest);
	if (r->more)
		return ntohs(h.len) > size;
	return ntohs(h.len) == size;
}

static bool read_upper(const uint8_t *d, size_t size, bool v4, struct reading *r)
{
	bool eight = r->proto == 17 || r->proto == 1 || r->proto == 58;
	size_t least = r->proto == 6 ? 20 : eight ? 8 : 0;

	if (r->offset + size > 65535 || (r->more && (size == 0 || size % 8)))
		return false;
	r->later = r->offset > 0;
	if (r->later)
		return size > 0 && r->offset >= least;
	if (r->proto == 6)
		return read_tcp(d, size, r);
	if (r->proto == 17)
		return read_udp(d, size, r);
	if (r->proto != 1 && r->proto != 58)
		return true;
	r->type = size ? d[0] : 0;
	return size >= 8 && (r->proto == 1) == v4;
}

static bool options4_fine(const uint8_t *o, size_t n)
{
	while (n > 0 && *o != IPOPT_EOL) {
		size_t step = *o == IPOPT_NOP ? 1 : n > 1 ? o[1] : 0;

		if (*o == IPOPT_LSRR || *o == IPOPT_SSRR)
			return false;
		if (step == 0 || step > n || (*o != IPOPT_NOP && step < 2))
			return false;
		o += step;
		n -= step;
	}
	return true;
}

static bool header_sum_fine(const uint8_t *d, size_t n)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < n; i += 2)
		sum += (unsigned long)d[i] * 256 + d[i + 1];
	return sum % 65535 == 0 && sum > 0;
}

static bool read4(const uint8_t *d, size_t len, struct reading *r)
{
	struct ip h;
	size_t header;

	if (len < sizeof h)
		return false;
	memcpy(&h, d, sizeof h);
	header = h.ip_hl * 4u;
	r->total = ntohs(h.ip_len);
	r->proto = h.ip_p;
	r->l4 = header;
	r->more = ntohs(h.ip_off) & IP_MF;
	r->offset = (ntohs(h.ip_off) & IP_OFFMASK) * 8u;
	if (header < 20 || r->total < header || r->total > len || r->proto == IPPROTO_AH)
		return false;
	return header_sum_fine(d, header) && options4_fine(d + 20, header - 20) &&
	       read_upper(d + header, r->total - header, true, r);
}

static bool options6_fine(const uint8_t *e, size_t n)
{
	size_t i = 2;

	while (i < n) {
		if (e[i] == IP6OPT_PAD1) {
			i++;
			continue;
		}
		if (i + 1 >= n || i + 2 + e[i + 1] > n || e[i] == IP6OPT_JUMBO || e[i] == 0xc9)
			return false;
		i += 2u + e[i + 1];
	}
	return true;
}

/* Walks extension headers from the end of the fixed header; false for any that is not allowed. */
static bool read6(const uint8_t *d, size_t len, struct reading *r)
{
	unsigned next, count = 0;
	bool fragment = false;
	size_t at = 40;

	if (len < 40 || 40u + d[4] * 256u + d[5] > len)
		return false;
	r->total = 40u + d[4] * 256u + d[5];
	for (next = d[6]; next == 0 || next == 60 || next == 44; count++) {
		size_t size = 8, left = r->total - at;

		if (count == INNER_MAX_EXTENSIONS || left < 8 || (next == 0 && count > 0) ||
		    (next == 44 && fragment))
			return false;
		if (next == 44) {
			fragment = true;
			r->offset = (d[at + 2] * 256u + d[at + 3]) & 0xfff8;
			r->more = d[at + 3] & 1;
			if (r->offset == 0 && !r->more)
				return false;
		} else {
			size = d[at + 1] * 8u + 8;
			if (size > INNER_MAX_OPTIONS_BYTES || size > left ||
			    !options6_fine(d + at, size))
				return false;
		}
		/* the length of a fragment counts from behind its header, options included */
		if (fragment && next == 44 &&
		    (r->offset + left - 8 > 65535 || (r->more && (left == 8 || (left - 8) % 8)) ||
		     left == 8))
			return false;
		next = d[at];
		at += size;
		if (fragment && r->offset > 0)
			break;
	}
	r->proto = next;
	r->l4 = at;
	if (!(fragment && r->offset > 0) &&
	    (next == 43 || next == 51 || next == 59 || next == 135 || next == 139 || next == 140 ||
	     next == 253 || next == 254))
		return false;
	return read_upper(d + at, r->total - at, false, r);
}

static bool read_packet(const uint8_t *d, size_t len, struct reading *r)
{
	if (len == 0)
		return false;
	if (d[0] >> 4 == 4)
		return read4(d, len, r);
	return d[0] >> 4 == 6 && read6(d, len, r);
}

static void compare(const struct inner_packet *p, const struct reading *r)
{
	expect(p->len == r->total && p->l4 == r->l4 && p->proto == r->proto);
	expect((p->fragment == INNER_LATER) == r->later);
	expect((p->fragment == INNER_FIRST) == (r->more && !r->later));
	expect(p->frag_offset == r->offset);
	expect(p->src_port == r->sport && p->dst_port == r->dport);
	expect(p->tcp_flags == r->flags && p->icmp_type == r->type);
}

/* Any refusal of an accepted packet is itself a packet with right sums, back to its source. */
static void refuse(const uint8_t *data, const struct inner_packet *p, bool partial)
{
	for (unsigned kind = REFUSAL_PROHIBITED; kind <= REFUSAL_TOO_BIG; kind++) {
		uint8_t out[REFUSAL_MAX_BYTES];
		struct inner_packet answer;
		size_t n = refusal_build((enum refusal)kind, data, p, partial, 1280, out);

		if (n == 0)
			continue;
		expect(inner_parse(out, n, &answer) == INNER_OK && answer.len == n);
		expect(packet_sums_hold(out, n));
		expect(ip_addr_equal(&answer.dst, &p->src) && ip_addr_equal(&answer.src, &p->dst));
	}
}

static void change(const uint8_t *data, const struct inner_packet *p)
{
	uint8_t *copy = malloc(p->len);
	struct inner_packet again;

	expect(copy != NULL);
	memcpy(copy, data, p->len);
	expect(inner_ttl_decrement(copy) == (p->ttl > 1));
	expect(inner_parse(copy, p->len, &again) == INNER_OK);
	expect(again.ttl == (p->ttl > 1 ? p->ttl - 1 : p->ttl));
	if (p->fragment == INNER_WHOLE && inner_is_icmp(p)) {
		inner_set_source(copy, &again, &p->dst);
		expect(inner_parse(copy, p->len, &again) == INNER_OK);
		expect(ip_addr_equal(&again.src, &p->dst));
	}
	if (inner_complete_checksum(copy, p) == 0)
		refuse(copy, p, true);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reading r = {0};
	struct inner_packet p, quote;
	bool accepted = inner_parse(data, len, &p) == INNER_OK;

	expect(accepted == read_packet(data, len, &r));
	if (inner_parse_quote(data, len, &quote) == INNER_OK)
		expect(quote.fragment != INNER_LATER && quote.l4 + 8u <= len);
	if (!accepted)
		return 0;
	compare(&p, &r);
	refuse(data, &p, false);
	change(data, &p);
	return 0;
}
