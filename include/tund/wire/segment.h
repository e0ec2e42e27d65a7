/* SPDX-License-Identifier: ISC */
/*
 * Cuts a packet of several segments where it lies: nothing of the payload is copied. The headers of
 * a piece are written directly in front of its payload, over the end of the piece before it, which
 * the caller must have done with. As a network card does (TSO) and Linux in software
 * (tcp_gso_segment()). Pure; any thread.
 *
 *   segment_begin(&cut, packet, len, &gso, true, false);
 *   while (segment_next(&cut, &piece, &piece_len))
 *           use(piece, piece_len);
 */
#ifndef TUND_WIRE_SEGMENT_H
#define TUND_WIRE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/wire/gso.h>

struct segmenter {
	uint8_t *packet;
	size_t len;       /* of the whole */
	size_t done;      /* payload bytes handed out */
	uint32_t pieces;  /* handed out */
	struct gso gso;
	bool complete;    /* checksums are computed */
	uint8_t header[GSO_HEADER_MAX]; /* as it was */
};

/*
 * Begins to cut. `partial`: the checksum of the packet is to be completed; `complete`: that of each
 * piece shall be, otherwise the field of a piece means nothing. A packet of GSO_NONE is its own
 * only piece. -EBADMSG: nothing that could be cut, or whose checksum could be completed.
 */
int segment_begin(struct segmenter *cut, uint8_t *packet, size_t len, const struct gso *gso,
		  bool partial, bool complete);

/* The next piece; false after the last. It lies in the packet and is valid until the next call. */
bool segment_next(struct segmenter *cut, uint8_t **piece, size_t *piece_len);

#endif
