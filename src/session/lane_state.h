/* SPDX-License-Identifier: ISC */
/*
 * The inside of lanes: what a worker posts, and where main takes it up.
 *
 *   lane.c           lanes, and what is posted in them
 *   lane_receive.c   opening
 *   lane_send.c      sealing
 *   lane_drain.c     what main does about what was posted
 *
 * A lane has three rings, so that who fills one does not fill another: strangers may send as many
 * handshakes as they like, nodes inside as many packets for a peer that is not there.
 */
#ifndef TUND_SESSION_LANE_STATE_H
#define TUND_SESSION_LANE_STATE_H

#include <tund/base/ring.h>
#include <tund/session/lane.h>

#include "node_state.h"

#define NOTES_BYTES (64 * 1024)
#define STRANGERS_BYTES (64 * 1024)
#define STAGED_BYTES (256 * 1024)
#define ASK_INTERVAL_NS (100 * NS_PER_MS) /* to renew one keypair */

/* What there is to do. */
#define NOTE_PATH 0x01    /* the peer was heard on `from` */
#define NOTE_MOVE 0x02    /* which moves it, if nothing newer was heard */
#define NOTE_FIRST 0x04   /* the first message under `next` */
#define NOTE_RESCUED 0x08 /* something was heard while a rescue is under way */
#define NOTE_OLD_KEYS_HEARD 0x10
#define NOTE_OLD_KEYS_SENT 0x20
#define NOTE_TIMERS 0x40 /* a deadline that main does not know */
#define NOTE_FRAME 0x80  /* a control frame follows */

/* About one message that was opened under the keypair, or a run that was sealed under it. */
struct note {
	uint64_t peer_id;
	uint32_t index; /* of the keypair */
	uint8_t work;   /* NOTE_* */
	/* Which of two messages of a keypair is newer: its counter, or in suite 0, where the one
	 * that came last counts, how many came before. */
	uint64_t order;
	uint64_t now_ns;
	uint64_t deadline_ns; /* of NOTE_TIMERS */
	struct path from;
};

struct stranger {
	struct path from;
	/* the message follows */
};

struct staged {
	uint64_t peer_id;
	/* the packet follows */
};

struct lane {
	_Alignas(CACHE_LINE) struct node *node;
	unsigned number;
	bool posted;
	struct keypair *last; /* the one found last since lane_enter() */
	struct ring *notes, *strangers, *staged;
	_Atomic uint64_t counters[SESSION_REASON_COUNT]; /* written by this lane only */
};

_Static_assert(INITIATION_SIZE <= UINT8_MAX, "the longest message of a stranger");

/* lane.c: all lanes of a node. -EINVAL: too many; -ENOMEM. */
int lanes_new(struct node *node, unsigned count);
void lanes_free(struct node *node);
/* Frees what no lane can see any more. */
void lanes_collect(struct node *node, uint64_t now_ns);
/* What they and main have dropped for this reason. */
uint64_t lanes_counter(const struct node *node, enum session_reason reason);
/* lane_send.c: seals under a counter that was reserved, as lane_seal() does. Any thread. */
ssize_t message_seal(const struct keypair *keypair, uint64_t counter, uint16_t mtu, uint8_t flags,
		     uint8_t *payload, size_t len, uint8_t *out);

/* lane.c: what a lane posts. False: no room. */
bool lane_post(struct lane *lane, const struct note *note, const uint8_t *frame, size_t len);
bool lane_post_stranger(struct lane *lane, const struct path *from, const uint8_t *msg, size_t len);
void lane_count(struct lane *lane, enum session_reason reason);
/* What the note was for must be asked again by the next message. */
void lane_not_posted(struct lane *lane, struct peer *peer, struct keypair *keypair,
		     const struct note *note);
/* Whether this lane is the one to ask main to renew the keypair now. */
bool lane_may_ask(struct keypair *keypair, uint64_t now_ns);
/* Whether this lane is the one to ask main to look at the peer's timers, for a deadline. */
bool lane_may_watch(struct peer *peer, uint64_t deadline_ns);

#endif
