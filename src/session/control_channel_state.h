/* SPDX-License-Identifier: ISC */
/*
 * The inside of a control channel, shared by the control_channel*.c files and nobody else.
 *
 *   control_channel_frame.c   frames, taken apart
 *   control_channel_in.c      pieces of the other side's, until they have been consumed
 *   control_channel_out.c     our pieces, until the other side has consumed them
 *   control_channel.c         epochs, repeating, and the channel as its owner sees it
 */
#ifndef TUND_SESSION_CONTROL_CHANNEL_STATE_H
#define TUND_SESSION_CONTROL_CHANNEL_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/wire/control_frame.h>

#include "control_channel.h"

enum {
	WINDOW = CONTROL_WINDOW,
	DEAD = 8, /* epochs of the other side that are remembered as left */
	MAP_BITS = 64,

	FLAG_FIRST = 0x01,
	FLAG_LAST = 0x02,
	FLAG_START = 0x04,

	MESSAGE_HEADER = 16,
	PIECE_MAX = CONTROL_FRAME_BYTES - MESSAGE_HEADER,
};

/* A frame taken apart. */
struct frame {
	enum control_frame_type type;
	uint8_t flags;
	uint32_t from, to;
	uint32_t sequence;    /* MESSAGE */
	const uint8_t *piece; /* borrowed */
	uint16_t len;
	uint32_t consumed, received; /* ACK */
	uint64_t map;
};

/* control_channel_frame.c. -EBADMSG. */
int control_frame_parse(const uint8_t *buf, size_t len, struct frame *out);

struct piece {
	uint8_t *data; /* own; NULL: there is none, or (inbound) it was delivered */
	uint16_t len;
	uint8_t flags; /* FLAG_FIRST, FLAG_LAST */
	bool arrived;  /* outbound: the other side has it */
};

/* Sequence numbers count modulo 2^32; piece n is number n % WINDOW. */
static inline struct piece *piece_at(struct piece *pieces, uint32_t n)
{
	return &pieces[n % WINDOW];
}

/* control_channel_out.c. A window of WINDOW pieces, made when it is needed. -ENOMEM. */
int pieces_need(struct piece **pieces);
void pieces_free(struct piece **pieces);

struct outbound {
	uint32_t epoch;
	uint32_t first, next; /* the oldest not consumed; that of the next new piece */
	size_t bytes;
	bool acknowledged;    /* something of this epoch was */
	struct piece *pieces; /* NULL while first == next */
};

/* Drops everything and begins another epoch. */
void outbound_restart(struct outbound *out, const struct rng *rng);
/* Queues a message. -ENOBUFS, -ENOMEM. */
int outbound_append(struct outbound *out, const uint8_t *msg, size_t len);
/* Whether what this ACK acknowledges was sent. One overtaken by a newer one is valid. */
bool outbound_ack_is_valid(const struct outbound *out, const struct frame *f);
/* Takes a valid ACK; true if it says something new. */
bool outbound_take_ack(struct outbound *out, const struct frame *f);

/* control_channel_in.c */
struct inbound {
	uint32_t epoch;               /* 0: unknown */
	uint32_t consumed, delivered; /* the first not yet so; both at the start of a message */
	size_t bytes;                 /* of the pieces from `consumed` on */
	size_t held;                  /* number of pieces with data */
	unsigned left_over;           /* delivered of epochs left, and not yet consumed */
	struct piece *pieces;         /* NULL while there is nothing from `consumed` on */
	uint32_t dead[DEAD];
	unsigned dead_next;
};

/* Whether a frame of an epoch that is not the known one begins that epoch. */
bool inbound_begins(const struct inbound *in, const struct frame *f);
/* Leaves the epoch known for another one, or for an unknown one (0). */
void inbound_restart(struct inbound *in, uint32_t epoch);
/* Whether a piece, of the epoch known or of one that it begins, keeps the rules. */
bool inbound_is_valid(const struct inbound *in, const struct frame *f);
/* Keeps a valid piece unless it is a duplicate. -ENOMEM: as if it had been lost. */
int inbound_take(struct inbound *in, const struct frame *f);
/* The next whole message, if it may be delivered; the caller frees it. NULL: there is none. */
uint8_t *inbound_next(struct inbound *in, size_t *len);
/* The oldest message delivered was consumed; false if there was none of this epoch. */
bool inbound_consume(struct inbound *in);
/* What an ACK says. */
uint32_t inbound_received(const struct inbound *in, uint64_t *map);

#endif
