/* SPDX-License-Identifier: ISC */
/*
 * The inside of a node, shared by the node_*.c and lane_*.c files and nobody else.
 *
 *   node_handshake.c   messages 1 and 2, cookies, the queue before them
 *   node_data.c        what main sends: inner packets, those that wait, control frames
 *   node_keypair.c     keypairs and their slots
 *   node_index.c       the index that finds them
 *   node_path.c        paths, probes, moving
 *   node_traffic.c     what traffic says to the timers
 *   node_timers.c      deadlines of every peer, in one heap
 *   node_peer.c        peers as the caller sees them
 *   node.c             the node as a whole
 *   lane*.c            what data workers do, and what main makes of it: lane_state.h
 *
 * All belongs to the main thread but what is said to be shared: that, lanes read and write too,
 * while they are in the epoch. What never changes after it was published is for all to read.
 */
#ifndef TUND_SESSION_NODE_STATE_H
#define TUND_SESSION_NODE_STATE_H

#include <stdatomic.h>
#include <sys/queue.h>

/* A table that cannot grow leaves the new element out (its hh.tbl stays NULL), it never exits. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include <tund/base/epoch.h>
#include <tund/base/lock.h>
#include <tund/base/time.h>
#include <tund/crypto/aead.h>
#include <tund/crypto/secret.h>
#include <tund/session/node.h>

#include "control_channel.h"
#include "cookie.h"
#include "noise.h"
#include "ratelimit.h"
#include "replay.h"
#include "tai64n.h"

/* WireGuard paper section 6.1. */
#define REKEY_AFTER_TIME_NS (120 * NS_PER_SEC)
#define REJECT_AFTER_TIME_NS (180 * NS_PER_SEC)
#define REKEY_TIMEOUT_NS (5 * NS_PER_SEC)
#define REKEY_JITTER_NS (333 * NS_PER_MS)
#define REKEY_ATTEMPTS_MAX 18 /* REKEY_ATTEMPT_TIME / REKEY_TIMEOUT */
#define KEEPALIVE_TIMEOUT_NS (10 * NS_PER_SEC)
#define ERASE_AFTER_NS (3 * REJECT_AFTER_TIME_NS)
#define INITIATION_INTERVAL_NS (20 * NS_PER_MS)
#define REJECT_AFTER_MESSAGES (UINT64_MAX - 8192)

/* When a path of suites 1 and 2 is asked whether it lives, left for another, and given up. */
#define PROBE_AFTER_NS (1 * NS_PER_SEC)
#define PROBE_INTERVAL_NS (250 * NS_PER_MS)
#define RESCUE_AFTER_NS (2 * NS_PER_SEC)
#define PATH_FAIL_NS (3 * NS_PER_SEC)
#define HANDSHAKE_FAIL_NS (3 * REKEY_TIMEOUT_NS) /* of suite 0 */

#define COLLECT_INTERVAL_NS (10 * NS_PER_MS)
#define UNDER_LOAD_NS (1 * NS_PER_SEC)
#define PATHS_MAX 4
#define STAGED_MAX 32 /* packets of one peer */
#define STAGED_TOTAL_MAX 1024

/* What distinguishes the suites. */
struct suite_rules {
	const char *construction, *identifier;
	enum aead_kind kind;
	bool authenticates_header; /* type word into the hash, data header as associated data */
	uint64_t rekey_after_messages;
};

extern const struct suite_rules suite_rules[SUITE_COUNT];

#define CACHE_LINE 64

/* Made by main, found by lanes through the index or as the current one; wiped when no lane can have
 * it any more. */
struct keypair {
	struct aead_key send, receive;
	struct peer *peer;
	uint64_t born_ns;
	uint32_t local_index, remote_index;
	enum suite suite;
	bool is_initiator; /* we began the handshake that made it */
	struct retired retired;
	/* Shared from here on. */
	atomic_bool unproven;      /* the other side has not shown yet that it has the keys */
	_Atomic uint64_t asked_ns; /* when a lane asked main to renew it; 0: never */
	_Alignas(CACHE_LINE) _Atomic uint64_t send_counter; /* next to be used */
	/* Under the lock. */
	_Alignas(CACHE_LINE) struct lock lock;
	uint64_t arrivals; /* messages accepted */
	/* One more than the greatest order (see struct note) of a message that could move and came
	 * on the active path; that moved; that a lane moved ahead of main. */
	uint64_t stayed, moved, shown;
	uint64_t rx_bytes, rx_packets; /* not yet in the peer's */
	bool ended;                    /* in no slot any more */
	struct replay replay;
};

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
};

struct staged_packet;
STAILQ_HEAD(staged_list, staged_packet);

#define PATH_WORDS 7

/* What data messages do to timers and paths, by whichever thread. All shared. The instants are of
 * the messages, 0 where there is none; main makes deadlines of them (timers_fold()). */
struct traffic {
	_Alignas(CACHE_LINE) _Atomic uint64_t heard_ns; /* the last authentic message */
	_Atomic uint64_t path_heard_ns; /* the last on the active path since it is that */
	_Atomic uint64_t data_sent_ns;  /* the first data sent since anything was heard */
	_Atomic uint64_t data_heard_ns; /* the first data heard since anything was sent */
	_Atomic uint64_t unanswered_ns; /* the first sent since, that wants an answer of the path */
	_Atomic uint64_t exchanged_ns;  /* the last message, either way; with a keepalive only */
	_Atomic uint64_t keepalive_ns;  /* configured, written by main only; 0: off */
	_Atomic uint64_t deadline_ns;   /* as in the heap, written by main only: never later than
					 * the earliest timer that main knows */
	_Alignas(CACHE_LINE) atomic_bool need_another_keepalive;
	atomic_bool watched;          /* main was asked to look at the timers and has not yet */
	atomic_bool rescuing;         /* the pending handshake is there because nothing is heard */
	atomic_bool sent_last_minute; /* rekeyed on receive, once in a keypair's life */
	/* The active path, as main has it or a lane that has just heard a newer one: odd while it
	 * is being written, under the lock. */
	struct lock path_lock;
	_Atomic uint32_t path_version;
	_Atomic uint64_t path[PATH_WORDS];
	_Alignas(CACHE_LINE) _Atomic uint64_t tx_bytes;
	_Atomic uint64_t tx_packets;
};

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
	size_t heap_index;

	struct peer_stats stats; /* but for what traffic and keypairs count */
};

/* What an index names: a keypair, or the pending handshake of a peer. */
struct index_entry {
	uint32_t index;
	struct peer *peer;
	_Atomic(struct keypair *) keypair; /* shared; NULL: the pending handshake */
	struct retired retired;
};

struct index_table;

struct queued_handshake {
	struct path from;
	size_t len;
	uint8_t msg[INITIATION_SIZE];
};

struct node {
	struct node_ops ops;
	struct rng rng;
	bool prefer_aes;
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
	struct peer **heap; /* by deadline */
	size_t heap_count, heap_cap;
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

/* node_index.c: finding is for all, the rest for main. */
int session_index_init(struct node *node);
void session_index_clear(struct node *node);
/* Draws an index, which goes to *index and into the keypair, if there is one. -ENOMEM. */
int session_index_insert(struct node *node, struct peer *peer, struct keypair *keypair,
			 uint32_t *index);
struct index_entry *session_index_find(const struct node *node, uint32_t index);
void session_index_remove(struct node *node, uint32_t index);

/* node_keypair.c */
/* A keypair from a finished handshake, its local index moved over from the pending handshake (or
 * new, for a responder). -ENOMEM. */
int keypair_new(struct peer *peer, const struct noise *noise, enum suite suite, bool is_initiator,
		uint64_t now_ns, struct keypair **out);
/* Puts a new keypair into its slot; `next` of a responder waits for data. */
void keypair_install(struct peer *peer, struct keypair *keypair);
/* The first data under `next` has come: it becomes current. */
void keypair_confirm(struct peer *peer, uint64_t now_ns);
/* A lane has proved it: see peer.ahead. */
void keypair_show_ahead(struct keypair *keypair);
/* Main has taken that up, or it ends. */
void keypair_not_ahead(struct keypair *keypair);
/* Any thread, as the next two. */
bool keypair_may_send(const struct keypair *keypair, uint64_t now_ns);
/* WireGuard paper 6.2: the initiator begins a new handshake in time, anyone when the counter
 * demands it. */
bool keypair_is_old_for_sending(const struct node *node, const struct keypair *keypair,
				uint64_t now_ns);
bool keypair_is_old_for_receiving(const struct keypair *keypair, uint64_t now_ns);
/* Adds what the keypair has counted to its peer's. */
void keypair_count(struct keypair *keypair);
void keypairs_erase(struct peer *peer);

/* node_handshake.c */
enum session_reason handshake_queue(struct node *node, uint64_t now_ns, const struct path *from,
				    const uint8_t *msg, size_t len);
enum session_reason handshake_cookie(struct node *node, uint64_t now_ns, const uint8_t *msg);
enum session_reason handshake_handle(struct node *node, uint64_t now_ns,
				     struct queued_handshake *item);
/* Sends an initiation, unless the last one is younger than REKEY_TIMEOUT and not `forced`. */
int handshake_initiate(struct peer *peer, uint64_t now_ns, bool forced);
void handshake_forget(struct peer *peer);

/* node_data.c */
int data_send(struct peer *peer, uint64_t now_ns, const struct path *path, uint8_t flags,
	      const uint8_t *payload, size_t len);
/* Begin a new handshake where it is time. */
void keep_key_fresh_on_send(struct peer *peer, uint64_t now_ns);
void keep_key_fresh_on_receive(struct peer *peer, uint64_t now_ns);
void data_send_keepalive(struct peer *peer, uint64_t now_ns);
/* Sends one inner packet (1..65000 bytes). 0: sent. -EAGAIN: no session yet; it is staged (bounded,
 * the oldest staged falls out) and a handshake runs. -EHOSTUNREACH: no path known. */
int data_send_packet(struct peer *peer, uint64_t now_ns, const uint8_t *packet, size_t len);
void data_send_staged(struct peer *peer, uint64_t now_ns);
void data_drop_staged(struct peer *peer);
/* A control frame came on `from`. */
enum session_reason data_frame_received(struct peer *peer, uint64_t now_ns, const struct path *from,
					const uint8_t *frame, size_t len);
/* Sends a control frame to the peer on `path`; a probe, its answer or an acknowledgement is not
 * traffic that waits for an answer. -ENOTCONN without a session. */
int data_send_frame(struct peer *peer, uint64_t now_ns, const struct path *path,
		    const uint8_t *frame, size_t len, bool is_traffic);
/* The control channel, made when first needed. NULL: out of memory. */
struct control_channel *peer_control(struct peer *peer);

/* lane.c, lane_send.c */
int lanes_new(struct node *node, unsigned count);
void lanes_free(struct node *node);
/* Frees what no lane can see any more. */
void lanes_collect(struct node *node, uint64_t now_ns);
/* What they and main have dropped for this reason. */
uint64_t lanes_counter(const struct node *node, enum session_reason reason);
/* Seals under a counter that was reserved, as lane_seal() does. Any thread. */
ssize_t message_seal(const struct keypair *keypair, uint64_t counter, uint16_t mtu, uint8_t flags,
		     uint8_t *payload, size_t len, uint8_t *out);

/* node_path.c */
/* The peer was heard on this path: by a message that moves the peer or does not ... */
void path_heard(struct peer *peer, uint64_t now_ns, const struct path *from, bool moves);
/* ... or by a data message that moves it if no newer one came on the active path. */
void path_heard_newest(struct peer *peer, uint64_t now_ns, const struct path *from,
		       struct keypair *keypair, uint64_t order);
void path_set(struct peer *peer, const struct path *path);
/* Shows peer->path to the lanes. */
void path_publish(struct peer *peer);
/* A lane's: the next message goes to this path already; main makes it the peer's when it takes up
 * the note. */
void path_show(struct peer *peer, const struct path *from);
/* Any thread: whether `from` is the active path, and in which version; whether it still is that
 * version; a copy of it and its version, false if there is none. */
bool path_is_active(const struct peer *peer, const struct path *from, uint32_t *version);
bool path_is_version(const struct peer *peer, uint32_t version);
bool path_copy(const struct peer *peer, struct path *out, uint32_t *version);
/* A message came on this path whose keys have ended since: if the peer (NULL: it is gone) does not
 * know it, a connection that it names serves nobody. */
void path_unknown(struct node *node, const struct peer *peer, const struct path *from);
/* The peer goes: no connection of its paths serves anybody any more. */
void path_forget_all(struct peer *peer);
/* The keys were not lost, only packets: the handshake that asked is not needed. */
void path_end_rescue(struct peer *peer);
void path_probe(struct peer *peer, uint64_t now_ns);
void path_timer_probe(struct peer *peer, uint64_t now_ns);
void path_timer_silent(struct peer *peer, uint64_t now_ns);

/*
 * node_traffic.c: what the protocol's events do to the timers (WireGuard paper section 6). Any
 * thread. Each returns the deadline that it sets, TIME_NEVER if none or the one there was: one
 * that is earlier than traffic.deadline_ns main is to be told (timers_fold()).
 */
uint64_t traffic_data_sent(struct peer *peer, uint64_t now_ns);
uint64_t traffic_data_heard(struct peer *peer, uint64_t now_ns);
uint64_t traffic_authentic_sent(struct peer *peer, uint64_t now_ns);
uint64_t traffic_authentic_heard(struct peer *peer, uint64_t now_ns);
/* Something that wants an answer was sent. */
uint64_t traffic_expects_answer(struct peer *peer, uint64_t now_ns);
/* The same for an initiation of suite 0. */
uint64_t traffic_expects_response(struct peer *peer, uint64_t now_ns);
/* Whether main is to be told of this deadline. */
bool traffic_wants_watch(const struct peer *peer, uint64_t deadline_ns);
/* The later of two instants stays. */
void traffic_advance(_Atomic uint64_t *at_ns, uint64_t now_ns);

/* node_timers.c */
int timers_add_peer(struct node *node, struct peer *peer);
void timers_remove_peer(struct node *node, struct peer *peer);
void timer_set(struct peer *peer, enum peer_timer timer, uint64_t at_ns);
void timer_stop(struct peer *peer, enum peer_timer timer);
/* Takes the control channel's deadline into account. */
void timers_note_control(struct peer *peer);
void timers_run(struct node *node, uint64_t now_ns);
uint64_t timers_jitter(struct node *node);
/* Makes deadlines of what traffic has said since. */
void timers_fold(struct peer *peer);
/* The same for a lane that noted this deadline. */
void timers_watch(struct peer *peer, uint64_t deadline_ns);
/* A traffic function on the main thread returned this deadline. */
void timers_note(struct peer *peer, uint64_t deadline_ns);
/* Forgets what traffic said: every timer is off. */
void timers_reset(struct peer *peer);
void timers_handshake_complete(struct peer *peer, uint64_t now_ns);
void timers_session_derived(struct peer *peer, uint64_t now_ns);

/* node_peer.c */
void peer_set_up(struct peer *peer, uint64_t now_ns, bool up);
/* What control messages wait are sent at once, over a new session or path. */
void peer_kick_control(struct peer *peer, uint64_t now_ns);
void peer_emit(struct peer *peer, enum peer_event event);

#endif
