/* SPDX-License-Identifier: ISC */
/*
 * The packets with which an edge says no. They quote only what the sender itself sent (but for the
 * end of a connection that was allowed), and their source is the destination that was asked for,
 * whatever the cause: a denied destination and one that does not exist look the same. Never an
 * answer to a reset, an ICMP error, an ICMP reply (but for its size), a later fragment, or a packet
 * to or from an address that is no single host's (RFC 1122 3.2.2, RFC 4443 2.4(e)). The builders
 * are pure functions; the limiter may be shared by all workers.
 */
#ifndef TUND_POLICY_REFUSAL_H
#define TUND_POLICY_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/wire/inner.h>

#define REFUSAL_MAX_BYTES 1280 /* RFC 4443 2.4(c); 576 for IPv4 (RFC 1812 4.3.2.3) */

enum refusal {
	REFUSAL_PROHIBITED,    /* TCP: reset. Else ICMP 3/13 or ICMPv6 1/1 */
	REFUSAL_UNREACHABLE,   /* accepted, but nobody is there: ICMP 3/1, ICMPv6 1/0 */
	REFUSAL_TIME_EXCEEDED, /* ICMP 11/0, ICMPv6 3/0 */
	REFUSAL_TOO_BIG,       /* ICMP 3/4 (only with DF), ICMPv6 2/0; `mtu` says to what */
};

/*
 * Builds the answer to the packet that `p` was parsed from into out[REFUSAL_MAX_BYTES] and returns
 * its length, or 0 where there must be none. `partial_checksum`: the packet's TCP or UDP checksum
 * is still to be completed, and is, in the quote. `mtu`: bytes, for TOO_BIG only.
 */
size_t refusal_build(enum refusal kind, const uint8_t *data, const struct inner_packet *p,
		     bool partial_checksum, uint32_t mtu, uint8_t out[REFUSAL_MAX_BYTES]);

/*
 * The end of a connection for who began it, when an answer to him, of which `p` was parsed, is
 * refused: the reset that its sender would send in its place. As refusal_build(), it is 0 where
 * there must be none, which here is all but TCP.
 */
size_t refusal_build_end(const uint8_t *data, const struct inner_packet *p,
			 uint8_t out[REFUSAL_MAX_BYTES]);

/* At most 100 refusals in any second to one device, so that a scan is not answered at its own pace:
 * 90/s and a burst of 10. */
struct refusal_limiter;

/* Keeps `places` (at least 1) states; devices whose numbers are the same modulo that share one. NULL:
 * no memory. */
struct refusal_limiter *refusal_limiter_new(uint32_t places);
void refusal_limiter_free(struct refusal_limiter *l);

/* Takes one refusal off the device's allowance; false when it is used up. */
bool refusal_allow(struct refusal_limiter *l, uint64_t now_ns, uint32_t device);

#endif
