/* SPDX-License-Identifier: ISC */
/* IP addresses, prefixes and endpoints as plain values. */
#include <tund/base/addr.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

size_t ip_addr_size(const struct ip_addr *a)
{
	return a->family == 4 ? 4 : a->family == 6 ? 16 : 0;
}

struct ip_addr ip_addr_from_bytes(uint8_t family, const uint8_t *bytes)
{
	struct ip_addr a = {.family = family};

	memcpy(a.bytes, bytes, ip_addr_size(&a));
	return a;
}

bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return ip_addr_compare(a, b) == 0;
}

int ip_addr_compare(const struct ip_addr *a, const struct ip_addr *b)
{
	if (a->family != b->family)
		return (int)a->family - (int)b->family;
	return memcmp(a->bytes, b->bytes, ip_addr_size(a));
}

int ip_addr_parse(const char *text, struct ip_addr *out)
{
	struct ip_addr a = {0};

	if (inet_pton(AF_INET, text, a.bytes) == 1)
		a.family = 4;
	else if (inet_pton(AF_INET6, text, a.bytes) == 1)
		a.family = 6;
	else
		return -EINVAL;
	*out = a;
	return 0;
}

const char *ip_addr_format(const struct ip_addr *a, char *buf)
{
	if (a->family == 0)
		return strcpy(buf, "-");
	inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, buf, IP_ADDR_STRLEN);
	return buf;
}

static bool ip4_is_special(const uint8_t *b)
{
	return b[0] == 0 || b[0] == 127 || (b[0] == 169 && b[1] == 254) || b[0] >= 224;
}

static bool ip6_is_special(const uint8_t *b)
{
	static const uint8_t loopback[16] = {[15] = 1};
	static const uint8_t zero[16];

	return b[0] == 0xff || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) ||
	       memcmp(b, loopback, 16) == 0 || memcmp(b, zero, 16) == 0 ||
	       memcmp(b, mapped_prefix, sizeof mapped_prefix) == 0;
}

bool ip_addr_is_special(const struct ip_addr *a)
{
	if (a->family == 4)
		return ip4_is_special(a->bytes);
	return a->family != 6 || ip6_is_special(a->bytes);
}

static uint8_t family_bits(const struct ip_addr *a)
{
	return (uint8_t)(ip_addr_size(a) * 8);
}

/* A decimal number without sign, space or leading zero, as prefix lengths and ports are. */
static int parse_number(const char *text, unsigned max, unsigned *out)
{
	unsigned value = 0;

	if (text[0] < '0' || text[0] > '9' || (text[0] == '0' && text[1] != '\0'))
		return -EINVAL;
	for (; *text >= '0' && *text <= '9'; text++) {
		value = value * 10 + (unsigned)(*text - '0');
		if (value > max)
			return -EINVAL;
	}
	if (*text != '\0')
		return -EINVAL;
	*out = value;
	return 0;
}

int ip_prefix_parse(const char *text, struct ip_prefix *out)
{
	char copy[IP_ADDR_STRLEN];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	struct ip_addr addr;
	struct ip_prefix p;
	unsigned len;

	if (n >= sizeof copy)
		return -EINVAL;
	memcpy(copy, text, n);
	copy[n] = '\0';
	if (ip_addr_parse(copy, &addr) < 0)
		return -EINVAL;
	len = family_bits(&addr);
	if (slash && parse_number(slash + 1, len, &len) < 0)
		return -EINVAL;
	p = ip_prefix_of(&addr, (uint8_t)len);
	if (!ip_addr_equal(&p.addr, &addr))
		return -ERANGE;
	*out = p;
	return 0;
}

struct ip_prefix ip_prefix_of(const struct ip_addr *a, uint8_t len)
{
	struct ip_prefix p = {.addr = *a, .len = len};
	size_t size = ip_addr_size(a);

	if (len > family_bits(a))
		p.len = family_bits(a);
	for (size_t i = 0; i < size; i++) {
		unsigned bits = i * 8 >= p.len ? 0 : p.len - (unsigned)(i * 8);

		if (bits < 8)
			p.addr.bytes[i] &= (uint8_t)(0xff00 >> bits);
	}
	return p;
}

bool ip_addr_is_valid(const struct ip_addr *a)
{
	static const uint8_t zero[12];

	return a->family == 6 || (a->family == 4 && memcmp(a->bytes + 4, zero, sizeof zero) == 0);
}

bool ip_prefix_is_valid(const struct ip_prefix *p)
{
	struct ip_prefix canonical = ip_prefix_of(&p->addr, p->len);

	return ip_addr_is_valid(&p->addr) && ip_prefix_equal(&canonical, p);
}

bool ip_prefix_contains(const struct ip_prefix *p, const struct ip_addr *a)
{
	size_t whole = p->len / 8;
	uint8_t mask = (uint8_t)(0xff00 >> (p->len % 8));

	if (p->addr.family != a->family)
		return false;
	if (memcmp(p->addr.bytes, a->bytes, whole) != 0)
		return false;
	return p->len % 8 == 0 || ((p->addr.bytes[whole] ^ a->bytes[whole]) & mask) == 0;
}

bool ip_prefix_covers(const struct ip_prefix *outer, const struct ip_prefix *inner)
{
	return outer->len <= inner->len && ip_prefix_contains(outer, &inner->addr);
}

bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return ip_prefix_covers(a, b) || ip_prefix_covers(b, a);
}

bool ip_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->len == b->len && ip_addr_equal(&a->addr, &b->addr);
}

const char *ip_prefix_format(const struct ip_prefix *p, char *buf)
{
	char addr[IP_ADDR_STRLEN];

	snprintf(buf, IP_PREFIX_STRLEN, "%s/%u", ip_addr_format(&p->addr, addr), p->len);
	return buf;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && a->scope_id == b->scope_id &&
	       ip_addr_equal(&a->addr, &b->addr);
}

int endpoint_parse(const char *text, struct endpoint *out)
{
	char host[IP_ADDR_STRLEN];
	bool bracket = text[0] == '[';
	const char *start = text + bracket;
	const char *end = strchr(start, bracket ? ']' : ':');
	struct endpoint e = {0};
	unsigned port;

	if (!end || (size_t)(end - start) >= sizeof host)
		return -EINVAL;
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = '\0';
	end += bracket;
	if (*end != ':' || parse_number(end + 1, UINT16_MAX, &port) < 0 || port == 0)
		return -EINVAL;
	if (ip_addr_parse(host, &e.addr) < 0 || (e.addr.family == 6) != bracket)
		return -EINVAL;
	e.port = (uint16_t)port;
	*out = e;
	return 0;
}

const char *endpoint_format(const struct endpoint *e, char *buf)
{
	char addr[IP_ADDR_STRLEN];

	ip_addr_format(&e->addr, addr);
	if (e->addr.family == 0)
		return strcpy(buf, "-");
	if (e->addr.family == 4)
		snprintf(buf, ENDPOINT_STRLEN, "%s:%u", addr, e->port);
	else if (e->scope_id == 0)
		snprintf(buf, ENDPOINT_STRLEN, "[%s]:%u", addr, e->port);
	else
		snprintf(buf, ENDPOINT_STRLEN, "[%s%%%u]:%u", addr, e->scope_id, e->port);
	return buf;
}

static socklen_t to_sockaddr_in(const struct endpoint *e, struct sockaddr_storage *out)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(e->port)};

	memcpy(&sin.sin_addr, e->addr.bytes, 4);
	memcpy(out, &sin, sizeof sin);
	return sizeof sin;
}

socklen_t endpoint_to_sockaddr(const struct endpoint *e, bool v6, struct sockaddr_storage *out)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(e->port)};

	memset(out, 0, sizeof *out);
	if (e->addr.family == 4 && !v6)
		return to_sockaddr_in(e, out);
	if (e->addr.family == 4) {
		memcpy(sin6.sin6_addr.s6_addr, mapped_prefix, sizeof mapped_prefix);
		memcpy(sin6.sin6_addr.s6_addr + 12, e->addr.bytes, 4);
	} else {
		memcpy(sin6.sin6_addr.s6_addr, e->addr.bytes, 16);
		sin6.sin6_scope_id = e->scope_id;
	}
	memcpy(out, &sin6, sizeof sin6);
	return sizeof sin6;
}

int endpoint_from_sockaddr(const struct sockaddr *sa, struct endpoint *out)
{
	struct endpoint e = {0};
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	if (sa->sa_family == AF_INET) {
		memcpy(&sin, sa, sizeof sin);
		e.addr = ip_addr_from_bytes(4, (const uint8_t *)&sin.sin_addr);
		e.port = ntohs(sin.sin_port);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&sin6, sa, sizeof sin6);
		e.port = ntohs(sin6.sin6_port);
		if (memcmp(sin6.sin6_addr.s6_addr, mapped_prefix, sizeof mapped_prefix) == 0) {
			e.addr = ip_addr_from_bytes(4, sin6.sin6_addr.s6_addr + 12);
		} else {
			e.addr = ip_addr_from_bytes(6, sin6.sin6_addr.s6_addr);
			e.scope_id = sin6.sin6_scope_id;
		}
	} else {
		return -EAFNOSUPPORT;
	}
	*out = e;
	return 0;
}
