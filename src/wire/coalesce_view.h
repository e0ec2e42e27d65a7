/* SPDX-License-Identifier: ISC */
/* What coalesce.c must know of a packet, read once, and comparisons of it with another. */
#ifndef TUND_WIRE_COALESCE_VIEW_H
#define TUND_WIRE_COALESCE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view {
	uint8_t *packet;
	size_t len; /* bytes */
	bool v6, tcp, partial;
	uint8_t flags;       /* TCP */
	uint16_t l4;         /* where the TCP or UDP header begins */
	uint16_t header_len; /* up to the payload */
	uint16_t payload;    /* bytes */
	uint32_t seq;        /* TCP */
};

enum view_kind {
	VIEW_FLOW,    /* TCP or UDP behind a plain IP header: the view is complete */
	VIEW_OTHER,   /* a protocol without flows here: in no order with them */
	VIEW_UNCLEAR, /* fragment, options, extension headers, odd: may belong to any flow */
};

/* Unless VIEW_FLOW is returned only packet, len, v6 and partial are set. Any bytes may be given. */
enum view_kind view_read(uint8_t *packet, size_t len, bool partial, struct view *v);

/* Data, and nothing that a receiver must see by itself. */
bool view_is_data(const struct view *v);

/* The same addresses, protocol and ports. */
bool view_same_flow(const struct view *a, const struct view *b);

/* Of two packets of one flow: `b` may follow the first, `a`, `pieces` places behind it, by all
 * that its headers say but lengths, checksums, sequence number, PSH and FIN. */
bool view_same_headers(const struct view *a, const struct view *b, uint16_t pieces);

/* The checksums that a receiver would verify, now that it will not: IPv4's, and that of TCP or
 * UDP if it is complete. */
bool view_is_sound(const struct view *v);

/* The sum over the pseudo-header of `headers`, with `size` bytes from the TCP or UDP header on. */
uint64_t view_pseudo_sum(const struct view *v, const uint8_t *headers, size_t size);

#endif
