/* SPDX-License-Identifier: ISC */
/*
 * A network on paper: nodes of the session protocol in one process, a virtual clock, and between
 * them a network that loses, delays (and so reorders), duplicates and blocks, by a seed. Every run
 * with the same seed is the same. All data goes through lanes, which take turns and which main
 * drains at once.
 *
 *     node 0 (192.0.2.1)  ---.                  .---  node 1 (192.0.2.2)
 *                             >  UDP: all this  <
 *     node 2 (192.0.2.3)  ---'   TCP: delay only '---  ...
 */
#ifndef TUND_TESTS_SIM_NETWORK_H
#define TUND_TESTS_SIM_NETWORK_H

#include <stdbool.h>

#include <tund/base/time.h>
#include <tund/session/lane.h>

#include "../unit/prng.h"

#define SIM_NODES 3
#define SIM_LANES 4
#define SIM_START_NS (UINT64_C(1000) * NS_PER_SEC)
#define SIM_WALL_NS (UINT64_C(1790000000) * NS_PER_SEC)
#define SIM_EVENTS (PEER_CONTROL_RESET + 1)
#define SIM_NO_TAG UINT64_MAX

/* How it numbers its transports; handles are unique among both. */
enum sim_transport {
	TRANSPORT_UDP,
	TRANSPORT_TCP,
};

struct sim;

struct sim_node {
	struct sim *sim;
	unsigned id;
	struct node *node;
	struct prng prng;
	uint8_t private_key[KEY_SIZE], public_key[KEY_SIZE];
	struct endpoint udp;           /* where it is; change it to roam */
	int64_t wall_skew_ns;          /* its clock against the true one */
	unsigned events[SIM_EVENTS];   /* how often each came */
	uint64_t event_ns[SIM_EVENTS]; /* when it came last */
	uint64_t sent, received;       /* messages */
	uint64_t next_tag;             /* of the inner packet being sent; SIM_NO_TAG: none */
	uint8_t last_tai64n[TAI64N_SIZE];
};

struct sim_flight {
	uint64_t at_ns, number; /* of two at the same time the first sent is the first */
	unsigned to;
	struct path from; /* as the receiver sees it */
	size_t len;
	uint8_t bytes[2048];
};

/* What the test may look at and decide. */
struct sim_hooks {
	void *ctx;
	/* A message leaves; false drops it. It may be changed. */
	bool (*message)(void *ctx, struct sim_node *from, uint8_t *msg, size_t len);
	/* `copies` of the message that carries the tagged packet will arrive. */
	void (*fate)(void *ctx, struct sim_node *from, uint64_t tag, unsigned copies);
	void (*packet)(void *ctx, struct sim_node *at, const uint8_t *packet, size_t len);
	void (*control)(void *ctx, struct sim_node *at, struct peer *peer, const uint8_t *msg,
			size_t len);
	void (*event)(void *ctx, struct sim_node *at, struct peer *peer, enum peer_event event);
};

struct sim {
	uint64_t now_ns;
	struct prng prng;
	unsigned loss_percent, duplicate_percent;
	uint64_t delay_ns, jitter_ns;
	bool udp_blocked;
	struct sim_hooks hooks;
	struct sim_node nodes[SIM_NODES];
	struct sim_flight **flights; /* a heap by time */
	size_t flight_count, flight_cap;
	uint64_t flights_ever;
	uint32_t tcp_count; /* connections; number n joins nodes tcp[n][0] and tcp[n][1] */
	unsigned tcp[64][2];
};

/* A network without nodes, and without faults but a delay of 1 ms. */
void sim_init(struct sim *sim, uint64_t seed);
void sim_free(struct sim *sim);

/* Starts the node of a node (again, if it had one: then it has lost all but its key and, with
 * `keep_clock`, the last timestamp that it sent). */
void sim_start(struct sim *sim, unsigned node, uint32_t queue_slots, bool keep_clock);

/* Takes a snapshot of a node into out[cap]; returns its length. */
size_t sim_snapshot(struct sim *sim, unsigned node, uint8_t *out, size_t cap);

/* Replaces a node by the one that these bytes are. What snapshot_read() returns; no node is there if
 * that fails. */
int sim_restore(struct sim *sim, unsigned node, const uint8_t *bytes, size_t len);

/* Makes `other` a peer of `node`; `config` says all but the key. */
struct peer *sim_add_peer(struct sim *sim, unsigned node, unsigned other,
			  struct peer_config config);

/* The UDP path from `node` to `other`, and a new TCP connection between them. */
struct path sim_udp_path(struct sim *sim, unsigned node, unsigned other);
struct path sim_tcp_path(struct sim *sim, unsigned node, unsigned other);

/* Sends a packet that `tag` identifies to the fate hook. 0: sent. -EAGAIN: there is no session yet,
 * it is staged. -EHOSTUNREACH. */
int sim_send(struct sim *sim, unsigned node, struct peer *peer, uint64_t tag, const uint8_t *packet,
	     size_t len);

/* Gives a node a message that came from `from`, which a lane and then main take up at once; a
 * handshake waits for node_work(). `msg` is clobbered. */
enum received_kind sim_receive(struct sim *sim, unsigned node, const struct path *from, uint8_t *msg,
			       size_t len, struct received *out);

/* The same with a copy; a packet goes to the hook, and handshakes are done. */
enum session_reason sim_inject(struct sim *sim, unsigned node, const struct path *from,
			       const uint8_t *msg, size_t len);

/* Lets time pass: every flight and every deadline until then. */
void sim_run(struct sim *sim, uint64_t for_ns);

#endif
