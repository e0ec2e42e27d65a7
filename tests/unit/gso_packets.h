/* SPDX-License-Identifier: ISC */
/* TCP and UDP packets for the tests of segment and coalesce, with checksums of our own making. */
#ifndef TUND_TESTS_GSO_PACKETS_H
#define TUND_TESTS_GSO_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/wire/gso.h>

#include "prng.h"

struct shape {
	bool v6, udp, df;
	uint8_t tos, ttl, flags, option_words; /* TCP options: 0..10 words of 4 bytes */
	uint8_t ip_words; /* IPv4 options: 0..10 words; IPv6 hop-by-hop options: 0..8 of 8 bytes */
	uint16_t id, window, src_port, dst_port;
	uint32_t seq, ack;
	size_t payload;
};

static inline uint32_t pick(struct prng *r, uint32_t limit)
{
	return (uint32_t)prng_below(r, limit);
}

/* A shape as traffic has it, of one of a few flows. */
struct shape shape_random(struct prng *r);

size_t shape_l4(const struct shape *s);
size_t shape_header_len(const struct shape *s);
struct gso shape_gso(const struct shape *s, uint16_t size);

/* Writes the packet, its checksum complete, and returns its length. Payload byte i is a function
 * of seq + i. */
size_t shape_write(const struct shape *s, uint8_t *out);

/* Changes the payload of a UDP packet so that its checksum is 0, and is sent as 0xffff. */
void packet_zero_sum(uint8_t *packet, size_t l4);

/* The same behind a virtio header, its checksum left to be completed; with `size` > 0 to be cut
 * into pieces of so many bytes. */
size_t shape_write_frame(const struct shape *s, uint16_t size, uint8_t *out);

/* Whether TCP's or UDP's checksum is right, and IPv4's. */
bool checksums_are_right(const uint8_t *packet, size_t len);

/* RFC 1071, word by word. */
uint16_t plain_sum(uint32_t sum, const uint8_t *data, size_t len);

#endif
