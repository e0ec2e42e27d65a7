/* SPDX-License-Identifier: ISC */
/* What differs between edge, connector, client and WireGuard interface: one table of operations for
 * each. */
#ifndef TUND_ENGINE_ROLE_H
#define TUND_ENGINE_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/config/config.h>
#include <tund/ipc/engine.h>
#include <tund/ipc/parent.h>
#include <tund/session/node.h>
#include <tund/sys/why.h>

#include "packet.h"

struct engine;
struct uapi_ops;
struct uapi_text;

/* What a role does; in the main thread, where nothing else is said. Pointers that a role has no use
 * for are NULL. */
struct role_ops {
	uint32_t handshake_queue; /* slots: many where strangers knock */
	bool accepts;   /* peers open connections to it, which end when the peer leaves them */
	bool tun_waits; /* packets wait in the TUN queue until the role begins to read them */
	/* The node exists: make the role's state and its peers. 0 or -errno. */
	int (*start)(struct engine *engine, uint64_t now_ns);
	void (*stop)(struct engine *engine);
	/* A checked configuration is to take the place of engine->config: makes all that it needs, and
	 * changes nothing. 0, or -errno with nothing left, and why[] filled where there is more to say. */
	int (*prepare)(struct engine *engine, struct config *fresh, char why[WHY_MAX]);
	/* The prepared one is in force from now on, and engine->config afterwards. Never fails. */
	void (*commit)(struct engine *engine, uint64_t now_ns, struct config *fresh);
	/* Forgets what was prepared. */
	void (*discard)(struct engine *engine);
	struct packet_ops packets;
	void (*peer_event)(struct engine *engine, uint64_t now_ns, struct peer *peer,
			   enum peer_event event);
	/* From the parent: its answer to a request for a socket (owns `fd`, -1 with an error), what
	 * became of the interface, and that local addresses or kernel routes changed. */
	void (*opened)(struct engine *engine, const struct parent_reply *reply, int fd);
	void (*interface)(struct engine *engine, uint64_t now_ns,
			  const struct parent_interface *interface);
	void (*routes_changed)(struct engine *engine);
	/* What clients of the UAPI read and set; their owner is the engine. */
	const struct uapi_ops *uapi;
	/* The allowed IPs of a peer of a tunnel, for uapi_of_tunnel. */
	void (*uapi_allowed)(const struct engine *engine, const struct peer *peer,
			     struct uapi_text *text);
	/* From control. */
	void (*network)(struct engine *engine, const struct network *network);
	void (*routes)(struct engine *engine, struct peer *peer,
		       const struct control_routes *routes);
	void (*peer_mtu)(struct engine *engine, struct peer *peer, uint16_t mtu);
	void (*identity)(struct engine *engine, const struct control_identity *identity);
	void (*last_seen)(struct engine *engine, uint64_t now_ns,
			  const struct control_last_seen *seen);
	void (*explain)(struct engine *engine, const struct control_explain *question,
			struct engine_explained *answer);
};

extern const struct role_ops edge_role, connector_role, client_role, wireguard_role;

#endif
