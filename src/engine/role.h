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
#include <tund/wire/gso.h>

struct engine;
struct uapi_client;
struct uapi_line;
struct uapi_text;
struct worker;

/*
 * An inner packet that came out of a session, or out of the TUN device. In front of it 2 bytes are
 * writable, behind it 16.
 */
struct inner_bytes {
	uint8_t *data;
	size_t len;            /* bytes, padding included */
	bool partial_checksum; /* the TCP or UDP checksum is still to be completed */
	struct gso gso;        /* kind other than GSO_NONE: still to be cut */
};

/* What a role does; in the main thread, where nothing else is said. Pointers that a role has no use
 * for are NULL. */
struct role_ops {
	uint32_t handshake_queue; /* slots: many where strangers knock */
	bool tun_waits; /* packets wait in the TUN queue until the role begins to read them */
	/* The host exists: make the role's state and its peers. 0 or -errno. */
	int (*start)(struct engine *engine, uint64_t now_ns);
	void (*stop)(struct engine *engine);
	/* A checked configuration replaces engine->config, which the caller then frees. */
	int (*reload)(struct engine *engine, uint64_t now_ns, struct config *fresh);
	/* Packets, in a worker's thread and within a batch. */
	void (*from_session)(struct worker *worker, uint64_t now_ns, struct peer *peer,
			     const struct inner_bytes *packet);
	void (*from_tun)(struct worker *worker, uint64_t now_ns, const struct inner_bytes *packet);
	void (*peer_event)(struct engine *engine, uint64_t now_ns, struct peer *peer,
			   enum peer_event event);
	/* From the parent: its answer to a request for a socket (owns `fd`, -1 with an error), what
	 * became of the interface, and that local addresses or kernel routes changed. */
	void (*opened)(struct engine *engine, const struct parent_reply *reply, int fd);
	void (*interface)(struct engine *engine, uint64_t now_ns,
			  const struct parent_interface *interface);
	void (*routes_changed)(struct engine *engine);
	/* What a client of the UAPI reads, and (NULL: nothing can be set) one line of a "set", or
	 * NULL at its end. See uapi.h. */
	void (*uapi_get)(struct engine *engine, struct uapi_text *text);
	int (*uapi_set)(struct engine *engine, uint64_t now_ns, struct uapi_client *client,
			const struct uapi_line *line);
	/* The allowed IPs of a peer of a tunnel: what uapi_put_tunnel() says of it. */
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
