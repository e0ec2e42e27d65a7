/* SPDX-License-Identifier: ISC */
/*
 * The way out of a worker: inner packets are cut to size, sealed straight into the buffer that
 * leaves, and leave as trains: messages of one size on one path, for one system call; or in place in
 * a connection. The worker's thread, within a batch.
 */
#ifndef TUND_ENGINE_EGRESS_H
#define TUND_ENGINE_EGRESS_H

#include <stdatomic.h>
#include <stdint.h>

#include <tund/session/lane.h>
#include <tund/transport/transport.h>

#include "counters.h"
#include "packet.h"

#define EGRESS_TRAINS 4

struct egress {
	struct train train[EGRESS_TRAINS];
	struct sealing run; /* goes on from packet to packet; peer NULL: there is none */
	uint32_t clock;     /* orders the trains by their last use */
	struct lane *lane;  /* NULL until the node is there */
	struct transport_worker *out;
	struct counters *counters;
	const _Atomic uint32_t *frame_mtu; /* that a whole TSO packet's pieces must fit */
};

/* The rest is filled in by the owner. 0 or -ENOMEM, to be cleared, too. */
int egress_init(struct egress *egress);
void egress_clear(struct egress *egress);

/*
 * Sends an inner packet to a peer. Where there is no session yet it is handed to the main thread,
 * which begins one. The buffer needs 2 writable bytes in front of the packet and 16 behind it;
 * what is in the packet afterwards is undefined.
 */
void egress_send(struct egress *egress, uint64_t now_ns, struct peer *peer,
		 const struct inner_bytes *packet);

/* Ends the run, and hands every train to the kernel: before lane_leave(). */
void egress_flush(struct egress *egress);

#endif
