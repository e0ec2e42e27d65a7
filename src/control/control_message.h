/* SPDX-License-Identifier: ISC */
/*
 * Control messages: the JSON inside control frames (tund-protocol(7)), as plain structs. Sans-I/O: bytes
 * that come from another host go in, and what leaves has been checked completely: types, counts,
 * ranges, texts without control characters, addresses that a host may have. Unknown fields and
 * unknown types are ignored, so that newer software may say more.
 */
#ifndef TUND_CONTROL_CONTROL_MESSAGE_H
#define TUND_CONTROL_CONTROL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/addr.h>
#include <tund/base/network.h>
#include <tund/ipc/engine.h>

#define CONTROL_MESSAGE_SCHEMA 1
#define CONTROL_MESSAGE_BYTES_MAX CONTROL_FRAME_MAX
#define CONTROL_MESSAGE_CHUNK_MAX 30000 /* of a list of identities; a session takes 64 KiB at a time */
#define CONTROL_MESSAGE_DEPTH_MAX 8
#define CONTROL_MESSAGE_IDENTITIES_MAX 2048 /* in one message */

enum control_message_type {
	CONTROL_MESSAGE_HELLO, /* both ways: who I am; the edge answers a peer with its full state */
	CONTROL_MESSAGE_CONFIG,     /* edge to others: addresses, routes, MTU */
	CONTROL_MESSAGE_IDENTITIES, /* edge to connector: which principal holds which inner address */
	CONTROL_MESSAGE_MORE,    /* connector to edge: that chunk was not the last, send the next */
	CONTROL_MESSAGE_ROUTES,  /* connector to edge: what it reaches */
	CONTROL_MESSAGE_DENIED,  /* edge to client: a packet of yours was refused */
	CONTROL_MESSAGE_MTU,     /* to the edge: no longer packet can reach me */
	CONTROL_MESSAGE_GOODBYE, /* to the edge: I end on purpose */
	CONTROL_MESSAGE_OTHER,   /* a type that this version does not know */
};

struct control_message_hello {
	char role[16];
	char software[64];
};

struct control_message_routes {
	uint32_t route_count;
	struct ip_prefix route[NETWORK_ROUTES_MAX];
};

/* Never a rule or a reason: what is denied and what does not exist look the same. */
struct control_message_denied {
	struct ip_addr destination;
	uint8_t proto;
	uint16_t port; /* 0 where there is none */
};

/* A chunk of the list; `first` and `last` as in struct control_identity. */
struct control_message_identities {
	bool first, last;
	uint32_t count; /* each by control_message_identity() */
};

struct control_message_identity {
	char principal[128];
	uint32_t group_count, address_count;
	char group[16][64];
	struct ip_addr address[NETWORK_ADDRESSES_MAX];
};

struct json_t;

struct control_message {
	enum control_message_type type;
	union {
		struct control_message_hello hello;
		struct network config; /* with only addresses that a host may have */
		struct control_message_routes routes;
		struct control_message_denied denied;
		struct control_message_identities identities;
		uint32_t mtu; /* inner, bytes: NETWORK_MTU_MIN..MAX */
	};
	struct json_t *list; /* of the identities; the message owns it */
};

/*
 * Decodes one message. -EBADMSG: too long, too deep, no JSON, a duplicate key, or a field that is
 * missing, of the wrong type or out of range; -ENOMEM. *out is freed by control_message_free().
 */
int control_message_decode(const uint8_t *bytes, size_t len, struct control_message **out);

/* NULL is allowed. */
void control_message_free(struct control_message *message);

/* Identity number i (below identities.count) of a decoded CONTROL_MESSAGE_IDENTITIES, all of it
 * checked before. */
void control_message_identity(const struct control_message *message, uint32_t i,
			      struct control_message_identity *out);

/*
 * Encodes any message but CONTROL_MESSAGE_IDENTITIES and CONTROL_MESSAGE_OTHER as JSON text; the
 * caller frees *text.
 * -EMSGSIZE: longer than CONTROL_MESSAGE_BYTES_MAX; -EINVAL: a text is not UTF-8; -ENOMEM.
 */
int control_message_encode(const struct control_message *message, char **text);

/* A chunk of the list of identities under construction. */
struct identities_chunk {
	struct json_t *list;
	size_t bytes; /* an upper bound of its text */
};

/* -ENOMEM. Cleared by identities_chunk_encode() or identities_chunk_clear(). */
int identities_chunk_init(struct identities_chunk *chunk);
void identities_chunk_clear(struct identities_chunk *chunk);

/* -ENOSPC: it belongs into the next chunk; -EINVAL: a text is not UTF-8 (skip it); -ENOMEM. */
int identities_chunk_add(struct identities_chunk *chunk,
			 const struct control_message_identity *identity);

/* Writes the message and clears the chunk, also on error. Errors as control_message_encode(). */
int identities_chunk_encode(struct identities_chunk *chunk, bool first, bool last, char **text);

#endif
