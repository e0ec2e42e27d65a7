/* SPDX-License-Identifier: ISC */
/*
 * The inside of a host, shared by the host_*.c files and nobody else. All of it belongs to one
 * thread.
 *
 *   host_handshake.c   messages 1 and 2, cookies, the queue before them
 *   host_data.c        sealing, opening, staging of inner packets and control frames
 *   host_keypair.c     keypairs and the index that finds them
 *   host_path.c        paths, probes, moving
 *   host_timers.c      deadlines of every peer, in one heap
 *   host_peer.c        peers as the caller sees them
 *   host.c             the host as a whole
 */
#ifndef TUND_SESSION_HOST_STATE_H
#define TUND_SESSION_HOST_STATE_H

#include <sys/queue.h>

/* A table that cannot grow leaves the new element out (its hh.tbl stays NULL), it never exits. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include <tund/base/time.h>
#include <tund/crypto/aead.h>
#include <tund/crypto/secret.h>
#include <tund/session/control_channel.h>
#include <tund/session/cookie.h>
#include <tund/session/host.h>
#include <tund/session/noise.h>
#include <tund/session/ratelimit.h>
#include <tund/session/replay.h>
#include <tund/session/tai64n.h>

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

/* design section 5, "Paths". */
#define PROBE_AFTER_NS (1 * NS_PER_SEC)
#define PROBE_INTERVAL_NS (250 * NS_PER_MS)
#define RESCUE_AFTER_NS (2 * NS_PER_SEC)
#define PATH_FAIL_NS (3 * NS_PER_SEC)
#define HANDSHAKE_FAIL_NS (3 * REKEY_TIMEOUT_NS) /* of suite 0 */

#define UNDER_LOAD_NS (1 * NS_PER_SEC)
#define PATHS_MAX 4
#define STAGED_MAX 32        /* packets of one peer */
#define STAGED_TOTAL_MAX 1024

/* What distinguishes the suites. */
struct suite_rules {
	const char *construction, *identifier;
	enum aead_kind kind;
	bool authenticates_header;    /* type word into the hash, data header as associated data */
	uint64_t rekey_after_messages;
};

extern const struct suite_rules suite_rules[SUITE_COUNT];

struct keypair {
	struct aead_key send, receive;
	struct replay replay;
	uint64_t send_counter;  /* next to be used */
	uint64_t born_ns;
	uint32_t local_index, remote_index;
	enum suite suite;
	bool is_initiator;      /* we began the handshake that made it */
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
	TIMER_RETRANSMIT,  /* the initiation was not answered */
	TIMER_KEEPALIVE,   /* received data, sent nothing */
	TIMER_NEW_HANDSHAKE, /* sent data, received nothing */
	TIMER_ERASE,       /* keys too old to keep */
	TIMER_PERSISTENT,  /* persistent keepalive */
	TIMER_EXPIRE,      /* the current keypair is too old to use */
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

struct peer {
	struct host *host;
	UT_hash_handle hh;
	uint8_t public_key[KEY_SIZE];
	bool wireguard, connect;
	int pinned_suite;
	uint64_t keepalive_ns; /* 0: off */
	void *user;

	struct peer_secrets *secrets;
	struct keypair *previous, *current, *next;
	bool up;

	struct tai64n_greatest greatest_tai64n; /* received */
	struct cookie_maker cookie;
	uint64_t last_initiation_sent_ns, last_initiation_consumed_ns; /* 0: never */
	unsigned attempts;           /* initiations unanswered */
	bool sent_last_minute;       /* rekeyed on receive, once in a keypair's life */
	bool need_another_keepalive;

	bool has_path;
	struct path path;
	struct known_path known[PATHS_MAX];
	uint64_t unanswered_ns;      /* first packet since anything was heard; TIME_NEVER: none */
	bool rescuing;               /* the pending handshake is there because nothing is heard */

	struct staged_list staged;
	unsigned staged_count;
	struct control_channel *control; /* NULL until used, and in suite 0 */

	uint64_t timers[TIMER_COUNT]; /* TIME_NEVER: off */
	uint64_t deadline_ns;         /* as in the heap: never later than the earliest timer */
	size_t heap_index;

	struct peer_stats stats;
};

/* What an index names: a keypair, or the pending handshake of a peer. */
struct index_entry {
	uint32_t index;
	struct peer *peer;
	struct keypair *keypair; /* NULL: the pending handshake */
	UT_hash_handle hh;
};

struct queued_handshake {
	struct path from;
	size_t len;
	uint8_t msg[INITIATION_SIZE];
};

struct host {
	struct host_ops ops;
	struct rng rng;
	bool prefer_aes;
	uint16_t mtu;
	uint64_t rekey_after_ns;
	struct secret *private_key;
	uint8_t public_key[KEY_SIZE];
	const struct aead *aead[SUITE_COUNT];
	struct secret_slab *keypairs, *secrets;
	struct cookie_checker checker;
	struct ratelimit *limit;
	uint8_t last_tai64n[TAI64N_SIZE]; /* sent */
	struct peer *peers;          /* uthash by public key */
	struct index_entry *indices; /* uthash by index */
	struct peer **heap;          /* by deadline */
	size_t heap_count, heap_cap;
	struct queued_handshake *queue;
	uint32_t queue_slots, queue_head, queue_count;
	uint64_t under_load_until_ns;
	unsigned staged_total;
	uint8_t *out;                /* one message being sealed */
	uint64_t counters[SESSION_REASON_COUNT];
	struct epoch *epoch;         /* of the lanes */
	struct lane *lanes;
};

/* host_keypair.c */
int session_index_insert(struct host *host, struct peer *peer, struct keypair *keypair, uint32_t *index);
struct index_entry *session_index_find(const struct host *host, uint32_t index);
void session_index_remove(struct host *host, uint32_t index);
/* A keypair from a finished handshake, its local index moved over from the pending handshake (or
 * new, for a responder). -ENOMEM. */
int keypair_new(struct peer *peer, const struct noise *noise, enum suite suite, bool is_initiator,
		uint64_t now_ns, struct keypair **out);
void keypair_free(struct peer *peer, struct keypair **keypair);
/* Puts a new keypair into its slot; `next` of a responder waits for data. */
void keypair_install(struct peer *peer, struct keypair *keypair);
/* The first data under `next` has come: it becomes current. */
void keypair_confirm(struct peer *peer, uint64_t now_ns);
bool keypair_may_send(const struct keypair *keypair, uint64_t now_ns);
void keypairs_erase(struct peer *peer);

/* host_handshake.c */
enum session_reason handshake_queue(struct host *host, uint64_t now_ns, const struct path *from,
				    const uint8_t *msg, size_t len);
enum session_reason handshake_cookie(struct host *host, uint64_t now_ns, const uint8_t *msg);
enum session_reason handshake_handle(struct host *host, uint64_t now_ns,
				     struct queued_handshake *item);
/* Sends an initiation, unless the last one is younger than REKEY_TIMEOUT and not `forced`. */
int handshake_initiate(struct peer *peer, uint64_t now_ns, bool forced);
void handshake_forget(struct peer *peer);

/* host_data.c */
int data_send(struct peer *peer, uint64_t now_ns, const struct path *path, uint8_t flags,
	      const uint8_t *payload, size_t len);
void keep_key_fresh_on_send(struct peer *peer, uint64_t now_ns);
void data_send_keepalive(struct peer *peer, uint64_t now_ns);
void data_send_staged(struct peer *peer, uint64_t now_ns);
void data_drop_staged(struct peer *peer);
enum received_kind data_receive(struct host *host, uint64_t now_ns, const struct path *from,
				uint8_t *msg, size_t len, struct received *out);
/* Sends a control frame to the peer on `path`; a probe, its answer or an acknowledgement is not
 * traffic that waits for an answer. -ENOTCONN without a session. */
int data_send_frame(struct peer *peer, uint64_t now_ns, const struct path *path,
		    const uint8_t *frame, size_t len, bool is_traffic);
/* The control channel, made when first needed. NULL: out of memory. */
struct control_channel *peer_control(struct peer *peer);

/* lane.c */
int lanes_new(struct host *host, unsigned count);
void lanes_free(struct host *host);

/* host_path.c */
void path_heard(struct peer *peer, uint64_t now_ns, const struct path *from, bool may_move);
void path_set(struct peer *peer, const struct path *path);
void path_probe(struct peer *peer, uint64_t now_ns);
void path_timer_probe(struct peer *peer, uint64_t now_ns);
void path_timer_silent(struct peer *peer, uint64_t now_ns);
/* Something that wants an answer was sent. */
void path_expect_answer(struct peer *peer, uint64_t now_ns);
/* The same for an initiation of suite 0. */
void path_expect_response(struct peer *peer, uint64_t now_ns);

/* host_timers.c */
int timers_add_peer(struct host *host, struct peer *peer);
void timers_remove_peer(struct host *host, struct peer *peer);
void timer_set(struct peer *peer, enum peer_timer timer, uint64_t at_ns);
void timer_stop(struct peer *peer, enum peer_timer timer);
/* Takes the control channel's deadline into account. */
void timers_note_control(struct peer *peer);
void timers_run(struct host *host, uint64_t now_ns);
uint64_t timers_jitter(struct host *host);
/* What the protocol's events do to the timers (WireGuard paper section 6). */
void timers_data_sent(struct peer *peer, uint64_t now_ns);
void timers_data_received(struct peer *peer, uint64_t now_ns);
void timers_authentic_sent(struct peer *peer, uint64_t now_ns);
void timers_authentic_received(struct peer *peer, uint64_t now_ns);
void timers_handshake_complete(struct peer *peer, uint64_t now_ns);
void timers_session_derived(struct peer *peer, uint64_t now_ns);

/* host_peer.c */
void peer_set_up(struct peer *peer, uint64_t now_ns, bool up);
/* What control messages wait are sent at once, over a new session or path. */
void peer_kick_control(struct peer *peer, uint64_t now_ns);
void peer_emit(struct peer *peer, enum peer_event event);

#endif
