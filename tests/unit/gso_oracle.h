/* SPDX-License-Identifier: ISC */
/*
 * What the kernel makes of a packet with a virtio header: cut into pieces, checksums completed.
 * Written from linux/virtio_net.h and the RFCs, slowly and with nothing of the product.
 */
#ifndef TUND_TESTS_GSO_ORACLE_H
#define TUND_TESTS_GSO_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORACLE_PIECES 65536

struct oracle_pieces {
	size_t count;
	size_t at[ORACLE_PIECES + 1]; /* piece i is data[at[i]..at[i + 1]) */
	uint8_t data[8u << 20];
};

static inline uint8_t *oracle_piece(struct oracle_pieces *p, size_t i, size_t *len)
{
	*len = p->at[i + 1] - p->at[i];
	return p->data + p->at[i];
}

/* `frame` begins with the virtio header. False: the kernel would not take it. */
bool oracle_cut(const uint8_t *frame, size_t len, struct oracle_pieces *out);

/* Computes the TCP or UDP checksum of a packet, behind IPv4 options or IPv6 hop-by-hop and
 * destination options as well. False: it has none. */
bool oracle_complete(uint8_t *packet, size_t len);

/* Where the TCP or UDP header begins; 0: there is none. */
size_t oracle_l4(const uint8_t *packet, size_t len, uint8_t *proto);

#endif
