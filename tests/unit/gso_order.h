/* SPDX-License-Identifier: ISC */
/*
 * What goes into a coalescer must come out, whole and in the order of each flow. What is written to
 * the device is cut as the kernel cuts it (gso_oracle.h) and held against what went in.
 */
#ifndef TUND_TESTS_GSO_ORDER_H
#define TUND_TESTS_GSO_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <tund/wire/coalesce.h>

#include "gso_oracle.h"
#include "gso_packets.h"

#define ORDER_PACKETS 256
#define ORDER_ROOM 2048

struct order {
	enum coalesce_mode mode;
	bool wrong; /* something came out that should not have, or not then */
	unsigned writes, joined, seen;
	size_t count;
	struct {
		uint8_t bytes[ORDER_ROOM]; /* as it has to come out */
		size_t len;
		bool seen;
		bool optional; /* it may be dropped */
	} in[ORDER_PACKETS];
	uint8_t given[ORDER_PACKETS][ORDER_ROOM]; /* what the coalescer works on */
	uint8_t out[70000];                       /* the last write */
	size_t out_len;
	struct oracle_pieces oracle;
};

void order_init(struct order *o, enum coalesce_mode mode);

/* The emit callback of the coalescer; `ctx` is the order. */
void order_emit(void *ctx, const struct iovec *iov, size_t n);

/* The packet in given[count] is about to be handed over: it has to come out as it is now, or with
 * its checksum completed. */
void order_expect(struct order *o, size_t len, bool partial);

/* Hands over the packet in given[count], which has to come out as it is now. */
void order_add_given(struct order *o, struct coalescer *c, size_t len);

/* Hands over a packet, its checksum complete or to be completed. */
void order_add(struct order *o, struct coalescer *c, const struct shape *s, bool partial);

/* Hands over a packet of several pieces of `size` bytes, which lies in `frame` (70000 bytes). */
void order_add_whole(struct order *o, struct coalescer *c, const struct shape *s, uint16_t size,
		     uint8_t *frame);

/* A packet came out. */
void order_came(struct order *o, const uint8_t *packet, size_t len);

/* Whether all that must come out did, and nothing else. */
bool order_holds(const struct order *o);

/* A segment as bulk has it, and the next one. */
struct shape shape_bulk(bool v6, bool udp);
void shape_advance(struct shape *s);

#endif
