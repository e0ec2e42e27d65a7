/* SPDX-License-Identifier: ISC */
/*
 * Joins consecutive packets of a flow into one, as a network card (LRO) or Linux (GRO) does, for
 * the price of one write to the TUN device. Payloads are not copied: what comes out is a list of
 * pieces, the first of which holds the virtio header and the headers. The order within a flow is
 * kept, and cut again what comes out is what went in.
 *
 * What has been joined comes out together with the rest of a batch, so that the kernel, and with it
 * a reader on another processor, is woken for all of it and not for each; before that where more
 * than 16 would wait.
 *
 * TCP segments with data are joined when all but sequence number, PSH, FIN, checksum, IPv4's
 * identification and length is the same, IP's type of service and the TCP options included, they
 * follow each other without a gap, and every one but the last is of the same size. IPv4's
 * identification counts up, or DF is set and it means nothing (RFC 6864). PSH, FIN, a shorter
 * segment, 64 segments or 65,535 bytes end it. UDP datagrams are joined likewise. SYN, RST, URG,
 * CWR, what has no data, and UDP without a checksum go alone behind their flow; fragments, IPv4
 * options, IPv6 extension headers and whatever is odd behind all flows.
 *
 * Checksums: one that is still to be completed is left to the kernel, which finds in its field the
 * sum that it wants there; one that is complete is verified before another packet is joined with
 * it, as is IPv4's, for the kernel will not look again. The two never mix, and one that is wrong
 * goes alone, for the kernel to drop.
 *
 * Not for more than one thread at a time. Nothing allocates after coalescer_new().
 */
#ifndef TUND_WIRE_COALESCE_H
#define TUND_WIRE_COALESCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <tund/wire/gso.h>

struct coalescer;

enum coalesce_mode {
	COALESCE_PLAIN,   /* a device without virtio headers: packets go alone, completed */
	COALESCE_TCP,     /* virtio headers, TSO */
	COALESCE_TCP_UDP, /* and USO */
};

/* `emit` gets each packet that comes out, to be used before it returns. NULL: out of memory. */
struct coalescer *coalescer_new(void (*emit)(void *ctx, const struct iovec *iov, size_t n),
				void *ctx);
void coalescer_free(struct coalescer *c);

/* Nothing is being joined at that moment. */
void coalesce_set_mode(struct coalescer *c, enum coalesce_mode mode);

/*
 * Takes one packet of exactly `len` bytes, an IP packet as wire/inner.h or wire/peek.h has let
 * it through. `partial`: its TCP or UDP checksum is to be completed; one that is neither, or a
 * fragment, is dropped then. `gso`: what it is already; then it is partial. A packet that cannot be
 * joined comes out at once, behind all that ended before; all others at coalesce_flush(), or before
 * it for want of room. Until then their bytes belong to the coalescer, which may write to their
 * checksum fields.
 */
void coalesce_add(struct coalescer *c, uint8_t *packet, size_t len, bool partial,
		  const struct gso *gso);

/* Everything comes out. */
void coalesce_flush(struct coalescer *c);

#endif
