/* SPDX-License-Identifier: ISC */
/*
 * IP addresses, prefixes and endpoints as plain values: the same four functions serve the wire,
 * the policy, the configuration and the kernel adapters. Nothing here allocates; all functions
 * may be called from any thread.
 */
#ifndef TUND_BASE_ADDR_H
#define TUND_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* An address. IPv4 uses the first four bytes and leaves the others zero. */
struct ip_addr {
	uint8_t family; /* 4, 6, or 0 for none */
	uint8_t bytes[16];
};

/* A prefix; the bits behind `len` are zero in every prefix made by this module. */
struct ip_prefix {
	struct ip_addr addr;
	uint8_t len; /* bits: 0..32 or 0..128 */
};

/* An outer address and port. */
struct endpoint {
	struct ip_addr addr;
	uint16_t port;     /* host byte order */
	uint32_t scope_id; /* IPv6 link-local only, else 0 */
};

#define IP_ADDR_STRLEN 46
#define IP_PREFIX_STRLEN 50
#define ENDPOINT_STRLEN 72

/* Bytes of an address of this family: 4 or 16; 0 for no address. */
size_t ip_addr_size(const struct ip_addr *a);

/* Makes an address of `family` (4 or 6) from 4 or 16 bytes in network order. */
struct ip_addr ip_addr_from_bytes(uint8_t family, const uint8_t *bytes);

/* Whether an address that did not come from here is one: a family, nothing in the spare bytes. The
 * other functions take it for granted. */
bool ip_addr_is_valid(const struct ip_addr *a);

bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b);

/* Total order: family first, then bytes. Returns <0, 0 or >0. */
int ip_addr_compare(const struct ip_addr *a, const struct ip_addr *b);

/* Parses "192.0.2.1" or "2001:db8::1" (inet_pton's forms, nothing else). -EINVAL otherwise. */
int ip_addr_parse(const char *text, struct ip_addr *out);

/* Writes the address into buf[IP_ADDR_STRLEN] and returns buf; "-" for no address. */
const char *ip_addr_format(const struct ip_addr *a, char *buf);

/* Multicast, limited broadcast, loopback, link-local, unspecified, v4-mapped: never a host's
 * address inside a tunnel (RFC 6890, RFC 5771, RFC 4291). */
bool ip_addr_is_special(const struct ip_addr *a);

/*
 * Parses "10.0.0.0/8", or an address alone as a host prefix.
 * -EINVAL: not a prefix. -ERANGE: bits set behind the length (the caller says what was meant:
 * ip_prefix_of() of the address gives it).
 */
int ip_prefix_parse(const char *text, struct ip_prefix *out);

/* Whether a prefix that did not come from here is one: a family, a length within it, nothing set
 * behind it. The other functions take it for granted. */
bool ip_prefix_is_valid(const struct ip_prefix *p);

/* The prefix of `len` bits that holds `a`; len is clamped to the family's width. */
struct ip_prefix ip_prefix_of(const struct ip_addr *a, uint8_t len);

bool ip_prefix_contains(const struct ip_prefix *p, const struct ip_addr *a);

/* Whether every address of `inner` is in `outer`. */
bool ip_prefix_covers(const struct ip_prefix *outer, const struct ip_prefix *inner);

bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b);

bool ip_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b);

/* Writes the prefix into buf[IP_PREFIX_STRLEN] and returns buf. */
const char *ip_prefix_format(const struct ip_prefix *p, char *buf);

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* Parses "192.0.2.1:51820" or "[2001:db8::1]:51820", numeric only, port 1..65535. -EINVAL. */
int endpoint_parse(const char *text, struct endpoint *out);

/* Writes the endpoint into buf[ENDPOINT_STRLEN] and returns buf; "-" for none. */
const char *endpoint_format(const struct endpoint *e, char *buf);

/*
 * To and from the kernel's form. A v4-mapped IPv6 address becomes IPv4.
 * endpoint_to_sockaddr() returns the length used; with `v6` an IPv4 endpoint becomes v4-mapped,
 * for dual-stack sockets. endpoint_from_sockaddr(): -EAFNOSUPPORT for another family.
 */
socklen_t endpoint_to_sockaddr(const struct endpoint *e, bool v6, struct sockaddr_storage *out);
int endpoint_from_sockaddr(const struct sockaddr *sa, struct endpoint *out);

#endif
