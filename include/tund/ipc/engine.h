/* SPDX-License-Identifier: ISC */
/*
 * What engine and control say to each other, over a SOCK_SEQPACKET pair: a kind, then exactly the
 * struct of that kind (for those that end in a flexible part, that many bytes more).
 *
 * A peer is named by an id, which is never 0 and never used again in the life of an engine. Another
 * engine, which counts anew, brings another channel; control then forgets the ids of the one before.
 * What a message says of an id that its receiver does not know, or not any more, is ignored. Control
 * learns whose an id is from the public key in ENGINE_PEER, and only from there: so that comes before
 * any other message of that id; the last one is ENGINE_GONE.
 *
 * On a reload the two take the new configuration in either order, and what they say meanwhile may
 * be from before or after it. That is harmless:
 *
 * - The engine bounds what control says (routes above all) by the policy that it has, and again when
 *   that changes. A peer that has other keys now is another one, with another id.
 * - Control consumes a frame only if its configuration knows the key of that peer; and when it has
 *   taken a configuration it forgets what it made of keys before, and says CONTROL_HELLO. The engine
 *   then begins all control frames anew and names every peer that is up. So what came too early,
 *   of a peer that only the engine knew yet, is said again; and what control says after that to a
 *   peer that is up, it says under its new configuration.
 * - If the engine is the later one, it names and removes what has changed when it gets there, as at
 *   any other time.
 */
#ifndef TUND_IPC_ENGINE_H
#define TUND_IPC_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/base/addr.h>
#include <tund/base/base64.h>
#include <tund/base/network.h>

/* Control to engine. */
enum control_says {
	CONTROL_HELLO = 1, /* no body: a new control, or one with another configuration; engine
			     * answers with ENGINE_PEER for every peer that is up, and restarts its
			     * control frames */
	CONTROL_ENDPOINTS, /* struct control_endpoints: where the edge is, resolved */
	CONTROL_FRAME,     /* struct control_frame + bytes: send to this peer, reliably */
	CONTROL_CONSUMED,  /* struct control_peer: one frame of this peer was consumed */
	CONTROL_NETWORK,   /* struct network: client/connector: addresses and routes now
			     * applied on this host, which bound what the engine lets in and out */
	CONTROL_ROUTES,    /* struct control_routes: edge: the prefixes a connector announced */
	CONTROL_IDENTITY,  /* struct control_identity: connector: who holds which inner address */
	CONTROL_STATUS,    /* struct control_ask: send ENGINE_PEER for all, counters, then END */
	CONTROL_EXPLAIN,   /* struct control_explain: answered by ENGINE_EXPLAINED */
	CONTROL_CLOSE,     /* struct control_peer: this peer said goodbye */
	CONTROL_LAST_SEEN, /* struct control_last_seen: edge: after a restart of the engine, where a
			     * peer was last reached by UDP: the engine starts a handshake there, so
			     * that a peer behind NAT comes back at once and not at its next keepalive */
	CONTROL_CONFIRM,   /* no body: client/connector: answer with ENGINE_CONFIRMED once the edge
			     * has taken a handshake */
	CONTROL_PEER_MTU,  /* struct control_peer_mtu: edge: no longer inner packet reaches it */
};

struct control_last_seen {
	uint8_t public_key[KEY_SIZE];  /* a restarted engine has other ids */
	struct endpoint local, remote; /* as in the last struct engine_peer */
};

/* For messages that say nothing but of whom they are. */
struct control_peer {
	uint64_t peer; /* its id */
};

struct control_peer_mtu {
	uint64_t peer;
	uint32_t mtu; /* NETWORK_MTU_MIN..MAX */
};

#define ENDPOINTS_MAX 8

struct control_endpoints {
	uint32_t count;
	struct endpoint endpoint[ENDPOINTS_MAX]; /* in order of preference */
};

#define CONTROL_FRAME_MAX 65000

struct control_frame {
	uint64_t peer;
	uint32_t len; /* bytes that follow, 1..CONTROL_FRAME_MAX */
};

struct control_routes {
	uint64_t peer;
	uint32_t route_count;
	struct ip_prefix route[NETWORK_ROUTES_MAX];
};

/* One address and its holder; the list is sent whole: `first` empties the table, `last` publishes
 * it. An address of family 0 adds nothing: so is an empty list sent. */
struct control_identity {
	bool first, last;
	struct ip_addr address;
	char principal[128];
	uint32_t group_count;
	char group[16][64];
};

struct control_ask {
	uint32_t id;
};

struct control_explain {
	uint32_t id;
	char principal[128];     /* "alice@example.com", or a device "alice@example.com/laptop" */
	struct ip_addr source;   /* family 0: the device's first address of dst's family */
	struct ip_addr dst;
	uint8_t proto;           /* IP protocol number */
	uint16_t port;           /* 0 where there is none */
};

/* Engine to control. */
enum engine_says {
	ENGINE_PEER = 1,  /* struct engine_peer: a change, or an answer to CONTROL_STATUS */
	ENGINE_FRAME,     /* struct control_frame + bytes: a control message from this peer */
	ENGINE_RESET,     /* struct control_peer: the peer lost its state; send all again */
	ENGINE_COUNTERS,  /* struct engine_counters: one drop reason with its count */
	ENGINE_END,       /* struct control_ask: the answer to CONTROL_STATUS is complete */
	ENGINE_EXPLAINED, /* struct engine_explained */
	ENGINE_DENIED,    /* struct engine_denied: a refusal on this edge, rate-limited */
	ENGINE_RESOLVE,   /* no body: every endpoint failed; resolve the name again */
	ENGINE_CONFIRMED, /* no body: the edge answers our handshakes, now or seconds ago */
	ENGINE_GONE,      /* struct control_peer: it was removed */
};

struct engine_peer {
	uint64_t peer;
	uint32_t id; /* of the CONTROL_STATUS it answers; 0: a change */
	bool up;
	int8_t suite;      /* -1 without a session */
	char transport[8]; /* its name, as a configuration calls it; "": no path */
	bool by_connection; /* it is reached through a connection, and by that alone */
	uint8_t public_key[KEY_SIZE];
	struct endpoint endpoint;  /* remote; family 0: none known */
	struct endpoint local;
	uint64_t last_handshake_wall_ns, last_heard_ago_ns; /* 0: never */
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
};

struct engine_counters {
	uint32_t id;
	char name[48];
	uint64_t count;
};

struct engine_explained {
	uint32_t id;
	int32_t error;     /* 0; ENOENT: no such principal or device */
	bool accepted;
	char text[900];    /* lines for people: route, rule, file:line, why */
	char file[128];
	uint32_t line;
	char route[64], rule[64], reason[48], action[16];
};

struct engine_denied {
	uint64_t peer; /* that sent the packet */
	struct ip_addr src, dst;
	uint8_t proto;
	uint16_t port;
	char reason[48];
};

#endif
