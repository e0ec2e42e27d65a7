/* SPDX-License-Identifier: ISC */
/*
 * The least that crypto-key routing needs of an inner packet: addresses, length and the ECN bits.
 * WireGuard carries any IP packet; what a policy decides on is read by the strict parser of
 * wire/inner.h instead. Nothing allocates; any thread.
 */
#ifndef TUND_WIRE_PEEK_H
#define TUND_WIRE_PEEK_H

#include <stddef.h>
#include <stdint.h>

#include <tund/base/addr.h>

/* RFC 3168 section 5. */
#define ECN_MASK 0x03
#define ECN_NOT_ECT 0x00
#define ECN_ECT0 0x02
#define ECN_CE 0x03

struct peek {
	struct ip_addr src, dst;
	size_t len;  /* bytes of the packet by its own header; what follows is padding */
	uint8_t ecn; /* ECN_* */
};

/* 0; -EBADMSG: neither IPv4 nor IPv6, or a length that is not in `len` bytes. */
int peek_read(const uint8_t *packet, size_t len, struct peek *out);

/* The ECN bits alone of a packet of at least 2 bytes. */
static inline uint8_t peek_ecn(const uint8_t *packet)
{
	return (packet[0] >> 4 == 6 ? packet[1] >> 4 : packet[1]) & ECN_MASK;
}

/* The ECN bits of the outer header of a packet with `inner` (RFC 6040 section 4.1, normal mode;
 * congestion that the packet met before is not repeated outside). */
uint8_t peek_outer_ecn(uint8_t inner);

/* The outer packet met congestion: marks the inner one, unless it does not take part in ECN
 * (RFC 6040 section 4.2; WireGuard forwards that one unmarked). `o` is the peek of `packet`. */
void peek_set_congested(uint8_t *packet, struct peek *o);

#endif
