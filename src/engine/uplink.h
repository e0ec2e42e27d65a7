/* SPDX-License-Identifier: ISC */
/*
 * A client's or connector's way to its edge: which endpoint, over which transport. It begins with
 * UDP to the first endpoint; when the session says that a path is silent, or a socket breaks, it
 * takes the next way in the order UDP, TCP, next endpoint (transport = auto), and after the last
 * one asks control to resolve the name again. Other transports get their place in this order.
 */
#ifndef TUND_ENGINE_UPLINK_H
#define TUND_ENGINE_UPLINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include <tund/config/config.h>
#include <tund/ipc/engine.h>
#include <tund/ipc/parent.h>
#include <tund/session/node.h>

struct engine;
struct inner_bytes;
struct worker;

/* A new attempt begins at the earliest this long after the previous one. */
#define UPLINK_PAUSE_S 0.5
/* A handshake so young needs no other to prove that the edge still knows us; until then no other
 * begins (REKEY_TIMEOUT). */
#define UPLINK_FRESH_S 5
/* A TCP connection that is not established by then has failed. */
#define UPLINK_CONNECT_S 5.0

struct uplink {
	struct peer *_Atomic peer; /* the edge; workers look at it, too */
	uint32_t count, current;
	struct endpoint endpoint[ENDPOINTS_MAX];
	enum transport transport; /* of the way in use or being tried */
	uint32_t request;         /* to the parent, being answered; 0: none */
	uint32_t udp, tcp;        /* outer sockets; 0: none */
	bool tcp_ready;           /* established, and the session's path */
	bool complained;          /* since the last session began */
	bool confirming;          /* control waits for a handshake */
	ev_timer retry;
};

/* Makes the edge a peer of the host. 0, or peer_add()'s error. */
int uplink_start(struct engine *engine, uint64_t now_ns);

/* Where the edge is. The way in use stays in use if it leads to one of these. */
void uplink_set_endpoints(struct engine *engine, const struct control_endpoints *list);

/* The parent's answer to a request for a socket; owns `fd` (-1 with an error). */
void uplink_opened(struct engine *engine, const struct parent_reply *reply, int fd);

/* For role_ops: a silent path makes the next way be tried. */
void uplink_peer_event(struct engine *engine, uint64_t now_ns, struct peer *peer,
		       enum peer_event event);

/* The edge's key, keepalive or transport may have changed with the configuration: takes `fresh` into
 * account, which becomes engine->config later. 0, or peer_add()'s error with nothing changed. */
int uplink_reload(struct engine *engine, uint64_t now_ns, struct config *fresh);

/* A session lives on for a while when the edge knows us no more: sees by a handshake whether it
 * does, and tells control when it succeeds. */
void uplink_confirm(struct engine *engine, uint64_t now_ns);

/* Sends an inner packet to the edge. A worker's thread, within a batch. */
void uplink_send(struct worker *worker, uint64_t now_ns, const struct inner_bytes *packet);

/* A socket of ours cannot send (its address or route is gone), or its connection ended. */
void uplink_broken(struct engine *engine, uint64_t now_ns, uint32_t socket);

/* The TCP connection is established. */
void uplink_connected(struct engine *engine, uint64_t now_ns, const struct path *path);

#endif
