/* SPDX-License-Identifier: ISC */
/*
 * A peer. All of it is the main thread's but what is said to be shared: that, lanes read and write
 * too, while they are in the epoch.
 */
#ifndef TUND_SESSION_NODE_PEER_H
#define TUND_SESSION_NODE_PEER_H

#include <sys/queue.h>

/* A table that cannot grow leaves the new element out (its hh.tbl stays NULL), it never exits. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include <tund/base/epoch.h>
#include <tund/session/node.h>

#include "control_channel.h"
#include "cookie.h"
#include "limits.h"
#include "node_traffic.h"
#include "noise.h"
#include "tai64n.h"
#include "timer_heap.h"

struct keypair;

enum handshake_state {
	HANDSHAKE_ZEROED,
	HANDSHAKE_CREATED_INITIATION,
};

/* Secrets of a peer, in locked memory. */
struct peer_secrets {
	uint8_t psk[KEY_SIZE];
	uint8_t static_static[KEY_SIZE];
	/* The initiation that waits for its response. */
	enum handshake_state state;
	enum suite suite;
	uint32_t local_index;
	uint8_t ephemeral[KEY_SIZE];
	struct noise noise;
};

enum peer_timer {
	TIMER_RETRANSMIT,    /* the initiation was not answered */
	TIMER_KEEPALIVE,     /* received data, sent nothing */
	TIMER_NEW_HANDSHAKE, /* sent data, received nothing */
	TIMER_ERASE,         /* keys too old to keep */
	TIMER_PERSISTENT,    /* persistent keepalive */
	TIMER_EXPIRE,        /* the current keypair is too old to use */
	TIMER_PROBE,
	TIMER_SILENT,
	TIMER_COUNT,
};

struct known_path {
	struct path path;
	uint64_t heard_ns; /* 0: the slot is free */
	uint64_t rtt_ns;   /* from an initiation of ours to its response; 0: not measured */
	uint16_t mtu;      /* the largest inner packet, bytes */
};

struct staged_packet;
STAILQ_HEAD(staged_list, staged_packet);

/* What timers_fold() made deadlines of. */
struct folded {
	uint64_t data_sent_ns, data_heard_ns, unanswered_ns, exchanged_ns;
};

struct peer {
	struct traffic traffic;
	struct node *node;
	uint64_t id; /* never used again: what lanes post names its peer so */
	struct retired retired;
	UT_hash_handle hh, hh_id;
	uint8_t public_key[KEY_SIZE];
	bool wireguard, connect;
	int pinned_suite;
	void *user;

	struct peer_secrets *secrets;
	struct keypair *previous, *next;
	_Atomic(struct keypair *) current; /* shared */
	/* What lanes send with in its place: the next one, proven by what a lane has heard, until
	 * main has taken that up. An answer under the old one would be lost on who has lost that.
	 * NULL: nothing. Shared; set under the keypair's lock. */
	_Atomic(struct keypair *) ahead;
	bool up;

	struct tai64n_greatest greatest_tai64n; /* received */
	struct cookie_maker cookie;
	struct path cookie_path; /* on which it came: it is bound to its address and port */
	bool patient; /* the active path has answered with a cookie: the next try comes on it */
	uint64_t last_initiation_sent_ns, last_initiation_consumed_ns; /* 0: never */
	unsigned attempts;                                             /* initiations unanswered */

	bool has_path;
	struct path path;
	struct known_path known[PATHS_MAX];

	struct staged_list staged;
	unsigned staged_count;
	struct control_channel *control; /* NULL until used, and in suite 0 */

	uint64_t timers[TIMER_COUNT]; /* TIME_NEVER: off */
	struct folded folded;
	struct timer_element due; /* at traffic.deadline_ns */

	struct peer_stats stats; /* but for what traffic and keypairs count */
};

/* How long the active path may be silent. Where only handshakes tell, or the other side is under load
 * and has asked for a cookie, it takes some of them. */
static inline uint64_t peer_silence_ns(const struct peer *peer)
{
	return peer->wireguard || peer->patient ? HANDSHAKE_FAIL_NS : PATH_FAIL_NS;
}

#endif
