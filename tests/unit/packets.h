/* SPDX-License-Identifier: ISC */
/* Builds inner packets for tests, byte by byte and with plain loops: nothing of the product's. */
#ifndef TUND_TESTS_UNIT_PACKETS_H
#define TUND_TESTS_UNIT_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/wire/inner.h>

struct packet {
	uint8_t data[4096];
	size_t len;
};

/* Addresses are texts; the family is that of `src`. */
void packet_ip(struct packet *p, const char *src, const char *dst, uint8_t proto,
	       const uint8_t *payload, size_t len);
void packet_tcp(struct packet *p, const char *src, uint16_t sport, const char *dst, uint16_t dport,
		uint8_t flags, size_t payload);
void packet_udp(struct packet *p, const char *src, uint16_t sport, const char *dst, uint16_t dport,
		size_t payload);
void packet_echo(struct packet *p, const char *src, const char *dst, bool reply, uint16_t id);

/* An ICMP or ICMPv6 message of any type, 8 bytes of header and `body` behind. */
void packet_icmp(struct packet *p, const char *src, const char *dst, uint8_t type, uint8_t code,
		 const uint8_t *body, size_t len);

/* "Port unreachable" about `quote`, cut to 64 bytes. */
void packet_unreachable(struct packet *p, const char *src, const char *dst,
			const struct packet *quote);

/* Bytes first..behind of the payload of `whole` (no extension headers) as a fragment. */
void packet_fragment(struct packet *p, const struct packet *whole, uint32_t id, size_t first,
		     size_t behind);

/* Puts `count` bytes of extension headers in front of the payload of an IPv6 packet. `first` is
 * the number of the first one; the last one's next header must already be right. */
void packet_extend(struct packet *p, uint8_t first, const uint8_t *bytes, size_t count);

/* Recomputes an IPv4 header's checksum after a change. */
void packet_fix(struct packet *p);

/* Whether all checksums that a receiver would verify are right. */
bool packet_sums_hold(const uint8_t *data, size_t len);

#endif
