/* SPDX-License-Identifier: ISC */
/*
 * A client's or connector's way to its edge. The ways are a list of address and transport, tried in
 * order: for each address every transport that the configuration allows, in the order of their table.
 * When the session says that a path is silent, or a socket breaks, the next one is taken; after the
 * last one control is asked to resolve the name again. Main thread, where nothing else is said.
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
#include <tund/transport/transport.h>

struct control_link;
struct parent_link;

#define UPLINK_WAYS_MAX (ENDPOINTS_MAX * TRANSPORTS_MAX)

/* A way to the edge. */
struct way {
	struct endpoint remote;
	uint8_t transport;
};

/* What is open over one transport. */
struct uplink_socket {
	uint32_t handle; /* 0: none */
	bool ready;      /* established */
};

struct uplink {
	/* borrowed */
	struct node *node;
	struct ev_loop *loop;
	struct transports *transports;
	struct parent_link *parent;
	struct control_link *control;

	struct peer *_Atomic peer; /* the edge; workers look at it, too */
	struct peer *next;         /* prepared to be it; NULL: it stays */
	uint32_t endpoint_count;
	struct endpoint endpoint[ENDPOINTS_MAX];
	enum transport_choice allowed;
	uint32_t way_count, current; /* `current` is in use or being tried */
	struct way way[UPLINK_WAYS_MAX];
	uint32_t request;         /* to the parent, being answered; 0: none */
	struct uplink_socket socket[TRANSPORTS_MAX];
	bool complained;          /* since the last session began */
	bool confirming;          /* control waits for a handshake */
	ev_timer retry;
};

/* Makes the edge of `config` a peer of the node. What is borrowed is there. 0, or peer_add()'s error. */
int uplink_start(struct uplink *up, const struct config *config);

/* Where the edge is. The way in use stays in use if it leads to one of these. */
void uplink_set_endpoints(struct uplink *up, const struct control_endpoints *list);

/* The parent's answer to a request for a socket; owns `fd` (-1 with an error). */
void uplink_opened(struct uplink *up, const struct parent_reply *reply, int fd);

/* What the session says of the edge: a silent path makes the next way be tried. */
void uplink_peer_event(struct uplink *up, enum peer_event event);

/* The edge's key or keepalive may have changed from `before` to `fresh`: makes what takes its place
 * then, and changes nothing. 0, or peer_new()'s error. */
int uplink_prepare(struct uplink *up, const struct config *before, const struct config *fresh);

/* `fresh` is in force, for which it was prepared; the transport may have changed, too. */
void uplink_commit(struct uplink *up, uint64_t now_ns, const struct config *fresh);

/* Forgets what was prepared; nothing if nothing was. */
void uplink_discard(struct uplink *up);

/* A session lives on for a while when the edge knows us no more: sees by a handshake whether it
 * does, and tells control when it succeeds. */
void uplink_confirm(struct uplink *up, uint64_t now_ns);

/* What happened to a socket; of others than the uplink's nothing follows. */
void uplink_transport_event(struct uplink *up, uint64_t now_ns, enum transport_event event,
			    const struct path *path);

#endif
