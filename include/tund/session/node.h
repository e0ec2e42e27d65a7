/* SPDX-License-Identifier: ISC */
/*
 * A node is one static identity with all its peers: the session protocol as a machine into which
 * go bytes and a time, and out of which come messages to send, inner packets and events, through
 * the ops given at creation. It owns no socket, thread or clock. WireGuard paper sections 5 and 6;
 * tund-protocol(7) for suites 1 and 2, control frames and paths.
 *
 * All functions are for one thread (the engine's main thread); data workers have lane.h.
 */
#ifndef TUND_SESSION_NODE_H
#define TUND_SESSION_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/base64.h>
#include <tund/crypto/random.h>
#include <tund/session/path.h>
#include <tund/session/reason.h>
#include <tund/wire/message.h>

struct node;
struct peer;

enum peer_event {
	PEER_UP,            /* the first usable keypair after there was none */
	PEER_REKEYED,       /* a new keypair replaced a live one */
	PEER_DOWN,          /* the last keypair expired, was closed, or attempts ended */
	PEER_MOVED,         /* the active path changed */
	PEER_PATH_SILENT,   /* nothing heard for PATH_FAIL_TIME on the active path although asked:
			     * the engine may offer another by peer_path_use() */
	PEER_CONTROL_RESET, /* the other side lost its control state: send full state again */
};

/* Called during node_drain() (lane.h), node_work(), node_tick() and the peer functions; must not
 * call back into peer_remove(), node_set_private_key() or node_free(). */
struct node_ops {
	void *ctx;
	/* Sends one message; a failure is a lost packet. `msg` is borrowed for the call. */
	void (*send)(void *ctx, const struct path *path, const uint8_t *msg, size_t len);
	void (*event)(void *ctx, struct peer *peer, enum peer_event event);
	/* One whole control message, in order. It stays unacknowledged until
	 * peer_control_consumed() has been called as often as this was. `msg` is borrowed. */
	void (*control)(void *ctx, struct peer *peer, const uint8_t *msg, size_t len);
	/* Wall clock, nanoseconds since 1970, for TAI64N. */
	uint64_t (*wall_ns)(void *ctx);
	/* Stores the TAI64N about to be sent, to be given back as node_config.last_tai64n. */
	void (*store_tai64n)(void *ctx, const uint8_t stamp[TAI64N_SIZE]);
	/* The peer has heard on other paths since and forgets this one, which is not its active one.
	 * A connection that it names serves nothing any more. NULL: nobody wants to know. */
	void (*forgotten)(void *ctx, const struct path *path);
};

struct node_config {
	/* Copied into guarded memory; the caller wipes its own. Zeros: none yet (setting.h), and no
	 * handshake is begun or answered. */
	uint8_t private_key[KEY_SIZE];
	uint8_t last_tai64n[TAI64N_SIZE]; /* zeros if none was ever sent */
	struct node_ops ops;
	struct rng rng;
	uint64_t rekey_after_ns;  /* REKEY_AFTER_TIME; 0: WireGuard's 120 s */
	uint32_t handshake_queue; /* slots for handshake messages waiting for node_work() */
	uint16_t mtu;             /* inner, bytes: padding never makes a packet longer than this */
	uint8_t lanes;            /* data workers (lane.h): 0..LANES_MAX */
	const char *aead;         /* provider of both AEADs (crypto/aead.h); NULL: the fastest */
	uint32_t whole_tso;       /* transports, as bits, whose messages may be whole TSO packets */
	bool prefer_aes;          /* AES is in hardware: initiate with suite 1 where not pinned */
};

struct peer_config {
	uint8_t public_key[KEY_SIZE];
	uint8_t preshared_key[KEY_SIZE]; /* zeros: none */
	bool wireguard;                  /* suite 0, and only that */
	int pinned_suite;                /* 1 or 2: only that suite; -1: both, initiator's choice */
	/* Persistent keepalive, seconds; 0: off. A connecting peer of suites 1 and 2 sends it as a
	 * probe, so that a restarted edge is noticed: unanswered, it is repeated as any probe is and
	 * ends in PEER_PATH_SILENT. */
	uint16_t keepalive_s;
	/* Initiate at once and never give up. In suite 0, 15 s without an answer to initiations
	 * are PEER_PATH_SILENT. */
	bool connect;
	void *user; /* the engine's own, see peer_user() */
};

/* Creates a node. -EINVAL: no handshake queue, or too many lanes; -EOPNOTSUPP: the AEAD provider is
 * not in this build or fails on this CPU; -ENOMEM. Owned by the caller, freed by node_free(). */
int node_new(const struct node_config *config, uint64_t now_ns, struct node **out);

/* Erases every key and frees all peers. NULL is allowed. */
void node_free(struct node *node);

void node_public_key(const struct node *node, uint8_t key[KEY_SIZE]);

/* Handles up to `budget` queued handshake messages; returns how many still wait. */
size_t node_work(struct node *node, uint64_t now_ns, size_t budget);

/* Runs every timer that is due. */
void node_tick(struct node *node, uint64_t now_ns);

/* When node_tick() is next needed, or TIME_NEVER. Never earlier than necessary: an idle node
 * without keepalive has no deadline but that of erasing its keys. */
uint64_t node_next_deadline(const struct node *node);

/* Drop counters since start, by reason. */
uint64_t node_counter(const struct node *node, enum session_reason reason);

/* Adds a peer. -EEXIST: the key is known; -EINVAL: own key, or low order (but WireGuard keeps such
 * a peer, with which no handshake ever succeeds); -ENOMEM. The node owns it. */
int peer_add(struct node *node, uint64_t now_ns, const struct peer_config *config,
	     struct peer **out);

/*
 * peer_add() in two steps, for who changes several things at once, or nothing. What is wrong with a
 * peer shows, and its memory is there, before anything has changed: -EINVAL, -ENOMEM. Until it joins
 * it is the caller's, and no function but these takes it.
 */
int peer_new(struct node *node, const struct peer_config *config, struct peer **out);

/* From now on it is the node's. -EEXIST: another has the key, -ENOMEM: the tables cannot grow; then it
 * is the caller's as before. */
int peer_join(struct peer *peer);

/* Wipes and frees one that has not joined. NULL is allowed. */
void peer_discard(struct peer *peer);

/* Erases the peer's keys and forgets it. */
void peer_remove(struct peer *peer);

struct peer *peer_find(struct node *node, const uint8_t public_key[KEY_SIZE]);

/* Names a peer: never 0, and never again that of another one of this node. Any thread. */
uint64_t peer_id(const struct peer *peer);

/* NULL: there is no such peer, or not any more. */
struct peer *peer_by_id(struct node *node, uint64_t id);

/* The first peer, in the order in which they were added, whose id is greater; NULL: none. So a walk
 * that begins with 0 may be interrupted, whatever is added or removed meanwhile. */
struct peer *peer_after(struct node *node, uint64_t id);
void *peer_user(const struct peer *peer);
void peer_public_key(const struct peer *peer, uint8_t key[KEY_SIZE]);

/*
 * Starts a handshake on the active path now, unless one has been running for less than
 * REKEY_TIMEOUT. A live session stays in use until the new one is confirmed. -EHOSTUNREACH: no
 * path known.
 */
int peer_handshake(struct peer *peer, uint64_t now_ns);

/*
 * Makes `path` the active one (configured or newly opened) and, if the peer is to connect or has
 * data waiting, starts or restarts the handshake on it at once; with a live session it sends a
 * keepalive there so that the other side moves.
 */
void peer_path_use(struct peer *peer, uint64_t now_ns, const struct path *path);

/* Forgets every path on this TCP connection; another known path becomes active, if any. */
void node_path_closed(struct node *node, uint64_t now_ns, uint32_t socket);

/* The active path; false if there is none. */
bool peer_path(const struct peer *peer, struct path *out);

/*
 * Queues a control message (1..65000 bytes), delivered reliably and in order over any path.
 * -ENOBUFS: more than 64 KiB are unacknowledged. -EINVAL: a suite 0 peer, or the length.
 */
int peer_control_send(struct peer *peer, uint64_t now_ns, const uint8_t *msg, size_t len);

/* The oldest delivered control message was consumed: acknowledge it. */
void peer_control_consumed(struct peer *peer, uint64_t now_ns);

/* Our control process lost its state: forget both directions and ask the other side for its full
 * state (it sees PEER_CONTROL_RESET). */
void peer_control_restart(struct peer *peer, uint64_t now_ns);

/* Forgets the session: erases the keypairs, PEER_DOWN. The peer stays configured. */
void peer_close(struct peer *peer, uint64_t now_ns);

struct peer_stats {
	bool up;                         /* a usable keypair exists */
	int suite;                       /* of the current keypair; -1 without */
	uint64_t last_handshake_wall_ns; /* 0: never */
	uint64_t last_heard_ns;          /* any authenticated packet; 0: never */
	uint64_t rx_bytes, tx_bytes;     /* whole messages */
	uint64_t rx_packets, tx_packets;
};

void peer_get_stats(const struct peer *peer, struct peer_stats *out);

#define PEER_PATHS_MAX 5 /* the last four that the peer was heard on, and one that it was not yet */

struct peer_path_stats {
	struct path path;
	bool active;
	uint64_t heard_ns; /* any authenticated packet; 0: never */
	uint64_t rtt_ns;   /* from our last initiation to its response there; 0: not measured */
	uint16_t mtu;      /* the largest inner packet, bytes: the node's */
};

/* The paths of a peer, in no order. Returns how many there are. */
size_t peer_paths(const struct peer *peer, struct peer_path_stats out[PEER_PATHS_MAX]);

#endif
