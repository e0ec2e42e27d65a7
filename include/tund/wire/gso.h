/* SPDX-License-Identifier: ISC */
/*
 * A packet that is still to be cut: several TCP segments or UDP datagrams of one flow under one
 * header, as the kernel gives it to a TUN device (TSO, USO), and as a frame carries it
 * (tund-protocol(7)). Pure; any thread.
 */
#ifndef TUND_WIRE_GSO_H
#define TUND_WIRE_GSO_H

#include <stddef.h>
#include <stdint.h>

enum gso_kind {
	GSO_NONE, /* nothing to cut */
	GSO_TCP,
	GSO_UDP,
};

struct gso {
	enum gso_kind kind;
	uint16_t size;       /* payload bytes of each piece but the last, which may be shorter */
	uint16_t l4;         /* where the TCP or UDP header begins */
	uint16_t header_len; /* all headers in front of the payload, bytes */
};

#define GSO_PREFIX 2 /* bytes in front of the packet in a frame: the size, big-endian */
#define GSO_SIZE_MIN 48
#define GSO_PIECES_MAX 128
#define GSO_HEADER_MAX 256 /* longest header that is cut: all of IPv4's and TCP's options fit */

/*
 * Builds `gso` for a packet that came in a frame, from our own parse of it: TCP only, unfragmented,
 * with complete headers, GSO_SIZE_MIN <= size <= mtu - headers, at most GSO_PIECES_MAX pieces.
 * `len` becomes the packet's own length. -EBADMSG: it is not so.
 */
int gso_of_frame(const uint8_t prefix[GSO_PREFIX], const uint8_t *packet, size_t *len, uint32_t mtu,
		 struct gso *out);

#endif
