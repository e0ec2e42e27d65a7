/* SPDX-License-Identifier: ISC */
/*
 * The Internet checksum (RFC 1071) and its incremental update (RFC 1624). Sums are carried
 * unfolded in 64 bits; checksum_fold() gives the 16 bits. Any thread.
 */
#ifndef TUND_WIRE_CHECKSUM_H
#define TUND_WIRE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Adds `len` bytes to a running sum. An odd length counts as padded with a zero byte, so only
 * the last piece may be odd. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t len);

/* Adds the pseudo-header of RFC 9293 3.1 / RFC 8200 8.1: two addresses of `addr_size` (4 or 16)
 * bytes that lie one behind the other, the protocol and the length of the upper-layer packet. */
uint64_t checksum_add_pseudo(uint64_t sum, const uint8_t *src_dst, size_t addr_size, uint8_t proto,
			     uint32_t len);

/* Folds and complements: the value for a checksum field, in host order. */
uint16_t checksum_fold(uint64_t sum);

/* RFC 1624 (eqn. 3): the field's new value when one 16-bit word under it changes. Host order. */
uint16_t checksum_update(uint16_t field, uint16_t old_word, uint16_t new_word);

#endif
