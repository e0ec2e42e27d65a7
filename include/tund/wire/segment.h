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
	bool complete;     /* checksums are computed */
	uint16_t ipv4_id;  /* of the first */
	uint64_t ipv4_sum; /* of what is the same in all IPv4 headers */
	uint8_t header[GSO_HEADER_MAX]; /* that of all */
};

/*
 * Begins to cut. `partial`: the checksum of the packet is to be completed; `complete`: that of each
 * piece shall be, otherwise the field of a piece means nothing (whoever takes it fills in what its
 * kernel wants there: wire/coalesce.h). A packet of GSO_NONE is its own only piece, and may be any
 * bytes. `gso` is held against the headers. The packet is not changed yet, unless it is its own
 * only piece and is completed.
 * -EBADMSG: nothing that could be cut, `gso` does not fit it, or a packet of several pieces that is
 * not partial; also where the checksum of a whole one cannot be completed, or -EPROTO: it is
 * neither TCP nor UDP, or a fragment.
 */
int segment_begin(struct segmenter *cut, uint8_t *packet, size_t len, const struct gso *gso,
		  bool partial, bool complete);

/*
 * The next piece, in order; false after the last, and nothing is written then. It lies in the
 * packet, is valid until the next call, and may be overwritten by the caller, but for the payload
 * behind it. Length fields, IPv4's identification (counting up) and header checksum, TCP's sequence
 * number and flags (FIN and PSH only in the last, CWR only in the first) are those of the piece.
 */
bool segment_next(struct segmenter *cut, uint8_t **piece, size_t *piece_len);

#endif
