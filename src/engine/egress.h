/* SPDX-License-Identifier: ISC */
/*
 * The way out of a worker: inner packets are cut to size, sealed straight into the buffer that
 * leaves, and leave as trains: messages of one size on one path, for one system call.
 */
#ifndef TUND_ENGINE_EGRESS_H
#define TUND_ENGINE_EGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/session/lane.h>

struct inner_bytes;
struct peer;
struct worker;

#define EGRESS_TRAINS 4
#define TRAIN_BYTES 65536

/* Messages under way to one place: all of the same size, but the last may be shorter. */
struct train {
	struct path path;
	uint8_t tos;        /* DSCP and ECN of the outer header */
	bool closed;        /* its last message was shorter */
	uint16_t segment;   /* bytes of each message */
	uint16_t count;
	uint32_t len;       /* bytes in the buffer */
	uint32_t last_used;
	uint8_t *buffer;    /* TRAIN_BYTES */
};

struct egress {
	struct train train[EGRESS_TRAINS];
	struct sealing run; /* goes on from packet to packet; peer NULL: there is none */
	uint32_t clock; /* orders the trains by their last use */
};

int egress_init(struct egress *egress);
void egress_clear(struct egress *egress);

/*
 * Sends an inner packet to a peer. Where there is no session yet it is handed to the main thread,
 * which begins one. The buffer needs 2 writable bytes in front of the packet and 16 behind it;
 * what is in the packet afterwards is undefined.
 */
void egress_send(struct worker *worker, uint64_t now_ns, struct peer *peer,
		 const struct inner_bytes *packet);

/* Ends the run, and hands every train to the kernel: before lane_leave(). */
void egress_flush(struct worker *worker);

#endif
