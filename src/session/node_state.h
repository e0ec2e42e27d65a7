/* SPDX-License-Identifier: ISC */
/*
 * The inside of a node, shared by the node_*.c and lane*.c files and nobody else. Each has a header
 * for what it offers to those above it; none calls one above it:
 *
 *   node.c             the node as a whole
 *   lane_drain.c       what main does about what lanes have posted
 *   setting.c          what changes while it runs
 *   node_due.c         what is done when a timer is due
 *   node_handshake.c   initiations, responses and cookies that came, and the queue before them
 *   node_peer.c        peers as the caller sees them
 *   node_path.c        paths, probes, moving
 *   node_control.c     control frames that came, the control channel of a peer
 *   node_data.c        what main sends: inner packets, those that wait, frames
 *   node_initiate.c    the first message of a handshake
 *   lane_receive.c, lane_send.c, lane.c   what data workers do (lane_state.h)
 *   node_keypair.c     keypairs and their slots
 *   node_event.c       what the node's owner is told
 *   node_timers.c      the deadlines of every peer, in one heap
 *   node_traffic.c     what traffic says to the timers
 *   node_index.c       the index that finds keypairs
 *   node_suite.c       what distinguishes the suites
 *
 * What the control channel does about a frame or a deadline it does through its ops, which
 * node_control.c gives it: so those below may have it send.
 *
 * All belongs to the main thread but what is said to be shared: that, lanes read and write too,
 * while they are in the epoch. What never changes after it was published is for all to read.
 */
#ifndef TUND_SESSION_NODE_STATE_H
#define TUND_SESSION_NODE_STATE_H

#include "cookie.h"
#include "node_peer.h"
#include "node_suite.h"
#include "ratelimit.h"

struct index_table;
struct lane;

struct queued_handshake {
	struct path from;
	size_t len;
	uint8_t msg[INITIATION_SIZE];
};

struct node {
	struct node_ops ops;
	struct rng rng;
	bool prefer_aes;
	uint32_t whole_tso;
	_Atomic uint16_t mtu; /* shared */
	uint64_t rekey_after_ns;
	struct secret *private_key;
	uint8_t public_key[KEY_SIZE];
	const struct aead *aead[SUITE_COUNT];
	struct secret_slab *keypairs, *secrets;
	struct cookie_checker checker;
	struct ratelimit *limit;
	uint8_t last_tai64n[TAI64N_SIZE]; /* sent */
	struct peer *peers;               /* uthash by public key */
	struct peer *peers_by_id;
	uint64_t last_id;
	_Atomic(struct index_table *) indices; /* shared */
	size_t index_count;
	struct timer_heap due; /* the peers */
	struct queued_handshake *queue;
	uint32_t queue_slots, queue_head, queue_count;
	uint64_t under_load_until_ns;
	unsigned staged_total;
	uint8_t *out;          /* one message being sealed */
	struct epoch *epoch;   /* of the lanes */
	uint64_t collected_ns; /* when what is retired there was last looked at */
	struct lane *lanes;
	unsigned lane_count;
	uint64_t counters[SESSION_REASON_COUNT]; /* what main dropped */
	atomic_bool watch_all; /* shared: a lane had no room to ask for a look at a peer */
};

/* Lanes and main have looked at their clocks at different moments. */
static inline uint64_t elapsed(uint64_t now_ns, uint64_t since_ns)
{
	return now_ns > since_ns ? now_ns - since_ns : 0;
}

#endif
