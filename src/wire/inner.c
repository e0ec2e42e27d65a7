/* SPDX-License-Identifier: ISC */
/* The strict parser of inner packets. Offsets in comments are RFC 791's and RFC 8200's. */
#include <tund/wire/inner.h>

#include <errno.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/checksum.h>

enum {
	EXT_HOP_BY_HOP = 0,
	EXT_ROUTING = 43,
	EXT_FRAGMENT = 44,
	EXT_AUTH = 51,
	EXT_NONE = 59,
	EXT_DESTINATION = 60,
	EXT_MOBILITY = 135,
	EXT_HIP = 139,
	EXT_SHIM6 = 140,
	EXT_TEST1 = 253, /* RFC 3692 */
	EXT_TEST2 = 254,
};

enum {
	OPT4_END = 0,
	OPT4_NOP = 1,
	OPT4_LOOSE_ROUTE = 131,
	OPT4_STRICT_ROUTE = 137,
	OPT6_PAD1 = 0,
	OPT6_JUMBO = 0xc2,
	OPT6_HOME_ADDRESS = 0xc9, /* RFC 6275: replaces the source address */
};

/* The input, and how strict to be with it. */
struct input {
	const uint8_t *data;
	size_t len;  /* bytes that are there */
	bool quoted; /* cut: see inner_parse_quote() */
};

static size_t minimal_l4(uint8_t proto)
{
	switch (proto) {
	case PROTO_TCP:
		return 20;
	case PROTO_UDP:
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		return 8;
	}
	return 0;
}

static enum inner_error parse_tcp(const struct input *in, size_t size, struct inner_packet *p)
{
	const uint8_t *l4 = in->data + p->l4;
	size_t header;

	p->src_port = get_be16(l4);
	p->dst_port = get_be16(l4 + 2);
	if (in->quoted)
		return INNER_OK;
	header = (size_t)(l4[12] >> 4) * 4;
	if (header < 20)
		return INNER_BAD_L4;
	if (header > size)
		return p->fragment == INNER_FIRST ? INNER_TINY_FRAGMENT : INNER_TRUNCATED_L4;
	p->tcp_flags = l4[13];
	return INNER_OK;
}

static enum inner_error parse_udp(const struct input *in, size_t size, struct inner_packet *p)
{
	const uint8_t *l4 = in->data + p->l4;
	size_t length = get_be16(l4 + 4);

	p->src_port = get_be16(l4);
	p->dst_port = get_be16(l4 + 2);
	if (in->quoted)
		return INNER_OK;
	if (length < 8 || (p->fragment == INNER_FIRST ? length <= size : length != size))
		return INNER_BAD_L4;
	return INNER_OK;
}

static enum inner_error parse_icmp(const struct input *in, struct inner_packet *p)
{
	const uint8_t *l4 = in->data + p->l4;
	enum inner_icmp class;

	if ((p->proto == PROTO_ICMP) != (p->src.family == 4))
		return INNER_WRONG_ICMP;
	p->icmp_type = l4[0];
	p->icmp_code = l4[1];
	class = inner_icmp_class(p);
	if (class == INNER_ICMP_QUERY || class == INNER_ICMP_REPLY)
		p->icmp_id = get_be16(l4 + 4);
	return INNER_OK;
}

/* The upper-layer header: `size` bytes of it and its payload are in this packet. */
static enum inner_error parse_l4(const struct input *in, size_t size, struct inner_packet *p)
{
	size_t need = in->quoted ? 8 : minimal_l4(p->proto);

	if (p->fragment == INNER_LATER && in->quoted)
		return INNER_TINY_FRAGMENT;
	if (p->fragment == INNER_LATER)
		return p->frag_offset < minimal_l4(p->proto) ? INNER_TINY_FRAGMENT : INNER_OK;
	if (p->fragment == INNER_FIRST && need == 0)
		need = 1; /* of a protocol unknown here, too, its header has to have begun */
	if (size < need)
		return p->fragment == INNER_FIRST ? INNER_TINY_FRAGMENT : INNER_TRUNCATED_L4;
	if (p->proto == PROTO_TCP)
		return parse_tcp(in, size, p);
	if (p->proto == PROTO_UDP)
		return parse_udp(in, size, p);
	if (inner_is_icmp(p))
		return parse_icmp(in, p);
	return INNER_OK;
}

/* Offset, more and size are known: where in its datagram does this packet belong? */
static enum inner_error place_fragment(size_t size, struct inner_packet *p)
{
	if (p->frag_offset == 0 && !p->frag_more) {
		p->fragment = INNER_WHOLE;
		return INNER_OK;
	}
	p->fragment = p->frag_offset ? INNER_LATER : INNER_FIRST;
	if (size == 0 || (p->frag_more && size % 8) || p->frag_offset + size > 65535)
		return INNER_BAD_FRAGMENT;
	return INNER_OK;
}

static enum inner_error parse_options4(const uint8_t *opt, size_t len)
{
	for (size_t i = 0; i < len && opt[i] != OPT4_END;) {
		if (opt[i] == OPT4_NOP) {
			i++;
			continue;
		}
		if (opt[i] == OPT4_LOOSE_ROUTE || opt[i] == OPT4_STRICT_ROUTE)
			return INNER_FORBIDDEN_OPTION;
		if (i + 2 > len || opt[i + 1] < 2 || opt[i + 1] > len - i)
			return INNER_BAD_OPTION;
		i += opt[i + 1];
	}
	return INNER_OK;
}

/* Copies of constant length, which need no call: this is done for every packet. */
static inline void put_address4(struct ip_addr *a, const uint8_t *bytes)
{
	a->family = 4;
	memcpy(a->bytes, bytes, 4);
}

static inline void put_address6(struct ip_addr *a, const uint8_t *bytes)
{
	a->family = 6;
	memcpy(a->bytes, bytes, 16);
}

/* The lengths of an IPv4 header against what is there. */
static enum inner_error check_lengths4(const struct input *in, size_t header, size_t total)
{
	if (header < 20 || header > in->len)
		return INNER_BAD_IHL;
	if (total < header)
		return INNER_LENGTH_SHORT;
	if (in->quoted)
		return INNER_OK;
	if (total > in->len)
		return INNER_LENGTH_BEYOND;
	return checksum_fold(checksum_add(0, in->data, header)) ? INNER_BAD_CHECKSUM : INNER_OK;
}

static enum inner_error parse_ip4(const struct input *in, struct inner_packet *p)
{
	const uint8_t *d = in->data;
	size_t header, total, size;
	enum inner_error error;

	if (in->len < 20)
		return INNER_SHORT_HEADER;
	header = (size_t)(d[0] & 15) * 4;
	total = get_be16(d + 2);
	if ((error = check_lengths4(in, header, total)) ||
	    (error = parse_options4(d + 20, header - 20)))
		return error;
	put_address4(&p->src, d + 12);
	put_address4(&p->dst, d + 16);
	p->len = (uint32_t)total;
	p->l4 = p->frag_start = (uint16_t)header;
	p->proto = p->frag_proto = d[9];
	p->ttl = d[8];
	p->dont_fragment = d[6] & 0x40;
	p->frag_more = d[6] & 0x20;
	p->frag_offset = (uint16_t)((get_be16(d + 6) & 0x1fff) * 8);
	p->frag_id = get_be16(d + 4);
	if (p->proto == EXT_AUTH)
		return INNER_AUTH_HEADER;
	if ((error = place_fragment(total - header, p)))
		return error;
	size = (in->quoted && total > in->len ? in->len : total) - header;
	return parse_l4(in, size, p);
}

/* The options of a hop-by-hop or destination options header of `len` bytes. */
static enum inner_error parse_options6(const uint8_t *ext, size_t len)
{
	for (size_t i = 2; i < len;) {
		if (ext[i] == OPT6_PAD1) {
			i++;
			continue;
		}
		if (i + 2 > len || ext[i + 1] + 2u > len - i)
			return INNER_BAD_OPTION;
		if (ext[i] == OPT6_JUMBO)
			return INNER_JUMBOGRAM;
		if (ext[i] == OPT6_HOME_ADDRESS)
			return INNER_FORBIDDEN_OPTION;
		i += ext[i + 1] + 2u;
	}
	return INNER_OK;
}

/* A walk along the extension headers: what comes next, and where. */
struct chain {
	uint8_t next;
	size_t at, end; /* offsets into the packet */
	unsigned count;
	bool fragmented;
};

static enum inner_error chain_options(const struct input *in, struct chain *c)
{
	const uint8_t *ext = in->data + c->at;
	enum inner_error error;
	size_t len;

	if (c->next == EXT_HOP_BY_HOP && c->count > 1)
		return INNER_MISPLACED_EXTENSION;
	if (c->end - c->at < 8)
		return INNER_TRUNCATED_EXTENSION;
	len = (ext[1] + 1u) * 8;
	if (len > INNER_MAX_OPTIONS_BYTES)
		return INNER_LONG_OPTIONS;
	if (len > c->end - c->at)
		return INNER_TRUNCATED_EXTENSION;
	if ((error = parse_options6(ext, len)))
		return error;
	c->next = ext[0];
	c->at += len;
	return INNER_OK;
}

static enum inner_error chain_fragment(const struct input *in, struct chain *c,
				       struct inner_packet *p)
{
	const uint8_t *ext = in->data + c->at;
	size_t whole_end = 40u + get_be16(in->data + 4);

	if (c->fragmented)
		return INNER_DOUBLE_FRAGMENT;
	if (c->end - c->at < 8)
		return INNER_TRUNCATED_EXTENSION;
	p->frag_proto = ext[0];
	p->frag_offset = get_be16(ext + 2) & 0xfff8;
	p->frag_more = ext[3] & 1;
	p->frag_id = get_be32(ext + 4);
	if (p->frag_offset == 0 && !p->frag_more)
		return INNER_ATOMIC_FRAGMENT;
	c->fragmented = true;
	c->next = ext[0];
	c->at += 8;
	p->frag_start = (uint16_t)c->at;
	return place_fragment(whole_end - c->at, p);
}

/* One extension header; sets *done where c->next is the upper layer. */
static enum inner_error chain_step(const struct input *in, struct chain *c, struct inner_packet *p,
				   bool *done)
{
	c->count++;
	switch (c->next) {
	case EXT_HOP_BY_HOP:
	case EXT_DESTINATION:
		if (c->count > INNER_MAX_EXTENSIONS)
			return INNER_LONG_CHAIN;
		return chain_options(in, c);
	case EXT_FRAGMENT:
		if (c->count > INNER_MAX_EXTENSIONS)
			return INNER_LONG_CHAIN;
		return chain_fragment(in, c, p);
	case EXT_ROUTING:
		return INNER_ROUTING_HEADER;
	case EXT_AUTH:
		return INNER_AUTH_HEADER;
	case EXT_NONE:
	case EXT_MOBILITY:
	case EXT_HIP:
	case EXT_SHIM6:
	case EXT_TEST1:
	case EXT_TEST2:
		return INNER_UNKNOWN_EXTENSION;
	}
	*done = true;
	return INNER_OK;
}

static enum inner_error parse_chain(const struct input *in, struct inner_packet *p)
{
	struct chain c = {.next = in->data[6], .at = 40, .end = p->len};
	enum inner_error error;
	bool done = false;

	if (c.end > in->len)
		c.end = in->len;
	while (!done) {
		error = chain_step(in, &c, p, &done);
		/* RFC 7112: the first fragment has the whole chain */
		if (error == INNER_TRUNCATED_EXTENSION && p->fragment == INNER_FIRST)
			return INNER_TINY_FRAGMENT;
		if (error)
			return error;
		done = done || p->fragment == INNER_LATER;
	}
	p->proto = c.next;
	p->l4 = (uint16_t)c.at;
	return parse_l4(in, c.end - c.at, p);
}

static enum inner_error parse_ip6(const struct input *in, struct inner_packet *p)
{
	const uint8_t *d = in->data;

	if (in->len < 40)
		return INNER_SHORT_HEADER;
	if (get_be16(d + 4) == 0 && d[6] == EXT_HOP_BY_HOP)
		return INNER_JUMBOGRAM;
	p->len = 40u + get_be16(d + 4);
	if (p->len > in->len && !in->quoted)
		return INNER_LENGTH_BEYOND;
	put_address6(&p->src, d + 8);
	put_address6(&p->dst, d + 24);
	p->ttl = d[7];
	return parse_chain(in, p);
}

static enum inner_error parse(const struct input *in, struct inner_packet *out)
{
	struct inner_packet p = {0};
	enum inner_error error;

	if (in->len == 0)
		return INNER_EMPTY;
	switch (in->data[0] >> 4) {
	case 4:
		error = parse_ip4(in, &p);
		break;
	case 6:
		error = parse_ip6(in, &p);
		break;
	default:
		error = INNER_NOT_IP;
	}
	if (!error)
		*out = p;
	return error;
}

enum inner_error inner_parse(const uint8_t *data, size_t len, struct inner_packet *out)
{
	struct input in = {.data = data, .len = len};

	return parse(&in, out);
}

enum inner_error inner_parse_quote(const uint8_t *data, size_t len, struct inner_packet *out)
{
	struct input in = {.data = data, .len = len, .quoted = true};

	return parse(&in, out);
}

bool inner_is_icmp(const struct inner_packet *p)
{
	return p->proto == PROTO_ICMP || p->proto == PROTO_ICMPV6;
}

static enum inner_icmp icmp4_class(uint8_t type)
{
	switch (type) {
	case 8:  /* echo */
	case 13: /* timestamp */
		return INNER_ICMP_QUERY;
	case 0:
	case 14:
		return INNER_ICMP_REPLY;
	case 3:  /* unreachable */
	case 11: /* time exceeded */
	case 12: /* parameter problem */
		return INNER_ICMP_ERROR;
	}
	return INNER_ICMP_OTHER;
}

static enum inner_icmp icmp6_class(uint8_t type)
{
	if (type >= 1 && type <= 4)
		return INNER_ICMP_ERROR;
	if (type == 128)
		return INNER_ICMP_QUERY;
	return type == 129 ? INNER_ICMP_REPLY : INNER_ICMP_OTHER;
}

enum inner_icmp inner_icmp_class(const struct inner_packet *p)
{
	return p->proto == PROTO_ICMP ? icmp4_class(p->icmp_type) : icmp6_class(p->icmp_type);
}

bool inner_ttl_decrement(uint8_t *data)
{
	bool v4 = data[0] >> 4 == 4;
	uint8_t *ttl = v4 ? data + 8 : data + 7;

	if (*ttl <= 1)
		return false;
	if (v4) {
		uint16_t old = get_be16(data + 8);

		put_be16(data + 10,
			 checksum_update(get_be16(data + 10), old, (uint16_t)(old - 0x100)));
	}
	--*ttl;
	return true;
}

void inner_set_source(uint8_t *data, struct inner_packet *p, const struct ip_addr *src)
{
	bool v4 = p->src.family == 4;
	uint8_t *addr = v4 ? data + 12 : data + 8;
	uint8_t *field = v4 ? data + 10 : data + p->l4 + 2;
	size_t size = ip_addr_size(src);

	for (size_t i = 0; i < size; i += 2)
		put_be16(field, checksum_update(get_be16(field), get_be16(addr + i),
						get_be16(src->bytes + i)));
	memcpy(addr, src->bytes, size);
	p->src = *src;
}

int inner_complete_checksum(uint8_t *data, const struct inner_packet *p)
{
	size_t addr_size = ip_addr_size(&p->src), size = p->len - p->l4;
	uint8_t *field = data + p->l4 + (p->proto == PROTO_TCP ? 16 : 6);
	uint64_t sum;
	uint16_t value;

	if (p->fragment != INNER_WHOLE || (p->proto != PROTO_TCP && p->proto != PROTO_UDP))
		return -EPROTO;
	put_be16(field, 0);
	sum = checksum_add_pseudo(0, addr_size == 4 ? data + 12 : data + 8, addr_size, p->proto,
				  (uint32_t)size);
	value = checksum_fold(checksum_add(sum, data + p->l4, size));
	if (value == 0 && p->proto == PROTO_UDP)
		value = 0xffff; /* RFC 768: 0 would mean none */
	put_be16(field, value);
	return 0;
}

const char *inner_error_name(enum inner_error error)
{
	static const char *const names[INNER_ERROR_COUNT] = {
		[INNER_OK] = "inner_ok",
		[INNER_EMPTY] = "inner_empty",
		[INNER_NOT_IP] = "inner_not_ip",
		[INNER_SHORT_HEADER] = "inner_short_header",
		[INNER_BAD_IHL] = "inner_bad_ihl",
		[INNER_BAD_CHECKSUM] = "inner_bad_checksum",
		[INNER_LENGTH_BEYOND] = "inner_length_beyond",
		[INNER_LENGTH_SHORT] = "inner_length_short",
		[INNER_JUMBOGRAM] = "inner_jumbogram",
		[INNER_BAD_OPTION] = "inner_bad_option",
		[INNER_FORBIDDEN_OPTION] = "inner_forbidden_option",
		[INNER_LONG_OPTIONS] = "inner_long_options",
		[INNER_LONG_CHAIN] = "inner_long_chain",
		[INNER_MISPLACED_EXTENSION] = "inner_misplaced_extension",
		[INNER_UNKNOWN_EXTENSION] = "inner_unknown_extension",
		[INNER_ROUTING_HEADER] = "inner_routing_header",
		[INNER_AUTH_HEADER] = "inner_auth_header",
		[INNER_TRUNCATED_EXTENSION] = "inner_truncated_extension",
		[INNER_DOUBLE_FRAGMENT] = "inner_double_fragment",
		[INNER_ATOMIC_FRAGMENT] = "inner_atomic_fragment",
		[INNER_BAD_FRAGMENT] = "inner_bad_fragment",
		[INNER_TINY_FRAGMENT] = "inner_tiny_fragment",
		[INNER_TRUNCATED_L4] = "inner_truncated_l4",
		[INNER_BAD_L4] = "inner_bad_l4",
		[INNER_WRONG_ICMP] = "inner_wrong_icmp",
	};

	return (unsigned)error < INNER_ERROR_COUNT ? names[error] : "inner_unknown";
}
