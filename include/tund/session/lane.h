/* SPDX-License-Identifier: ISC */
/*
 * A lane is one data worker's way into a node: it opens and seals data messages there while the
 * main thread does all the rest (node.h, setting.h). What a lane finds that is main's work, it
 * posts: handshakes and cookies, control frames, packets without a session, a packet from another
 * path, a new keypair's first packet, keys to renew, a peer whose timers want a look. Main takes
 * it up in node_drain(). Nothing here allocates, blocks on main or calls node_ops.
 *
 *     lane_enter(lane);
 *     ... lane_receive() for each message that came; for each peer with packets to send:
 *     if (lane_send_begin(lane, now_ns, peer, n, &s) == 0) {
 *             ... lane_seal(&s, flags, packet, len, out) up to n times, send `out` on s.path
 *             lane_send_end(&s);
 *     }
 *     lane_leave(lane);
 *     if (lane_posted(lane))
 *             wake the main thread, which calls node_drain()
 *
 * A lane is for one thread at a time; different lanes and the main thread run at once. Everything
 * takes a time of the same clock; a worker may take it once for a batch, and be a little behind.
 */
#ifndef TUND_SESSION_LANE_H
#define TUND_SESSION_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <tund/session/node.h>

#define LANES_MAX 64
#define SEALING_MAX 128 /* messages of one run */

struct lane;
struct keypair;
struct epoch;

/* Lane `i` of node_config.lanes. Owned by the node; its worker has ended before node_free(). */
struct lane *node_lane(struct node *node, unsigned i);

/*
 * Around a batch, and around everything else here but lane_posted(). A peer that the lane gets
 * from lane_receive(), or reads in between from what main publishes to it, stays valid until
 * lane_leave(), even if main removes it meanwhile (main withdraws it from what it publishes before
 * it calls peer_remove()); what peer_user() leads to is kept as long by the caller, who can retire it
 * in node_epoch(). Does not nest. A worker that waits for events has left.
 */
void lane_enter(struct lane *lane);
void lane_leave(struct lane *lane);

/* The epoch of all lanes of this node, reader i being lane i, so that the engine can retire there
 * what it publishes itself (base/epoch.h). Main thread. */
struct epoch *node_epoch(struct node *node);

/* Whether something was posted since last asked: then main is to be woken. */
bool lane_posted(struct lane *lane);

enum received_kind {
	RECEIVED_NOTHING, /* dropped (see reason), or consumed: handshake, keepalive, control */
	RECEIVED_PACKET,  /* an inner packet for the caller */
};

struct received {
	struct peer *peer; /* set for every authenticated data message, NULL otherwise */
	uint8_t *packet;   /* inside the caller's message buffer, decrypted in place */
	size_t len;        /* bytes, padding included: the caller trims to the IP length */
	uint8_t flags;     /* DATA_FLAG_* */
	bool unnoticed;    /* main has not heard of the path that it came on: there was no room */
	enum session_reason reason; /* why dropped; SESSION_OK when consumed or delivered */
};

/*
 * Gives one message that arrived on `from`, and decrypts it in place: msg is clobbered. What is
 * main's part of it follows in node_drain(), while an inner packet is delivered at once. Handshakes
 * and cookies are posted unchecked, as many as their part of the lane holds; more are dropped
 * (SESSION_QUEUE_FULL). out->flags of a packet may have DATA_FLAG_CSUM, and on TCP DATA_FLAG_GSO.
 */
enum received_kind lane_receive(struct lane *lane, uint64_t now_ns, const struct path *from,
				uint8_t *msg, size_t len, struct received *out);

/* Whether the index names a live keypair or pending handshake: a stranger's TCP connection whose
 * first frame has none such is closed at once. */
bool lane_knows_index(const struct lane *lane, uint32_t index);

/* A run of messages to one peer under one keypair and on one path, the caller's own. Public are
 * path, suite and peer, to be read between begin and end. */
struct sealing {
	struct path path;     /* where they are to be sent */
	enum suite suite;     /* of suite 0: flags must be 0, so checksums complete and no GSO */
	struct lane *lane;
	struct peer *peer;
	struct keypair *keypair;
	uint64_t now_ns;
	uint32_t path_version;
	uint64_t next, end;   /* counters that are left of those reserved */
	uint64_t bytes;       /* of messages sealed */
	uint32_t sealed;      /* messages */
	uint16_t mtu;
};

/*
 * Reserves counters for `messages` (1..SEALING_MAX) messages. 0: go on with lane_seal(), and end
 * with lane_send_end() before lane_leave(). -EHOSTUNREACH: no path is known. -EAGAIN: no session
 * that can be used; the caller gives its packets to lane_stage(). After an error `out` is
 * untouched, and there is nothing to end.
 */
int lane_send_begin(struct lane *lane, uint64_t now_ns, struct peer *peer, uint32_t messages,
		    struct sealing *out);

/*
 * Whether a run that has not been ended, or was never begun and is all zeros, is one to this peer
 * that has counters for so many messages, and the peer has not moved since.
 */
bool lane_send_goes_on(const struct sealing *s, const struct peer *peer, uint32_t messages);

/*
 * Seals one payload (0..65000 bytes; behind flag GSO its two bytes of size are part of it) into
 * `out`, which has room for len + PADDING + DATA_OVERHEAD bytes. Returns the message's length.
 * `out` and payload do not overlap, or payload is out + DATA_PAYLOAD and is overwritten. Up to
 * PADDING - 1 bytes behind the payload are zeroed for a moment and then what they were before, so
 * they must be writable and nobody else's. -ENOBUFS: all that was reserved is used. -EIO: the AEAD
 * failed; the counter is spent.
 */
ssize_t lane_seal(struct sealing *s, uint8_t flags, uint8_t *payload, size_t len, uint8_t *out);

/* Ends the run: statistics, timers, renewal of keys. Counters not used are given back, or skipped for
 * ever where another lane has already reserved some behind them. */
void lane_send_end(struct sealing *s);

/* Posts an inner packet (1..65000 bytes, copied), which main sends as soon as there is a session;
 * it begins a handshake. Where there is no room it is dropped. */
void lane_stage(struct lane *lane, uint64_t now_ns, struct peer *peer, const uint8_t *packet,
		size_t len);

/*
 * Main thread: takes up what all lanes have posted, a bounded amount of each for one call, and
 * frees what no lane can see any more. Returns whether more is waiting: call again soon. Handshakes
 * are queued only: node_work() follows.
 */
bool node_drain(struct node *node, uint64_t now_ns);

#endif
