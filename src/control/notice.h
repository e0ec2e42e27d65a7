/* SPDX-License-Identifier: ISC */
/*
 * Notices: the JSON inside control frames (tund-protocol(7)), as plain structs. Sans-I/O: bytes
 * that come from another host go in, and what leaves has been checked completely: types, counts,
 * ranges, texts without control characters, addresses that a host may have. Unknown fields and
 * unknown types are ignored, so that newer software may say more.
 */
#ifndef TUND_CONTROL_NOTICE_H
#define TUND_CONTROL_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/addr.h>
#include <tund/ipc/engine.h>

#define NOTICE_SCHEMA 1
#define NOTICE_BYTES_MAX CONTROL_FRAME_MAX
#define NOTICE_CHUNK_MAX 30000 /* of a list of holders; a session takes 64 KiB at a time */
#define NOTICE_DEPTH_MAX 8
#define NOTICE_HOLDERS_MAX 2048 /* in one notice */
#define NOTICE_MTU_MIN 1280
#define NOTICE_MTU_MAX 9000

enum notice_type {
	NOTICE_HELLO,   /* both ways: who I am; the edge answers a peer with its full state */
	NOTICE_CONFIG,  /* edge to others: addresses, routes, MTU */
	NOTICE_HOLDERS, /* edge to connector: which principal holds which inner address */
	NOTICE_MORE,    /* connector to edge: that chunk was not the last, send the next */
	NOTICE_ROUTES,  /* connector to edge: what it reaches */
	NOTICE_DENIED,  /* edge to client: a packet of yours was refused */
	NOTICE_GOODBYE, /* to the edge: I end on purpose */
	NOTICE_OTHER,   /* a type that this version does not know */
};

struct notice_hello {
	char role[16];
	char software[64];
};

struct notice_config {
	uint32_t mtu; /* NOTICE_MTU_MIN..MAX; 0: not said */
	uint32_t address_count, route_count;
	struct ip_addr address[ENGINE_ADDRESSES_MAX];
	struct ip_prefix route[ENGINE_ROUTES_MAX];
};

struct notice_routes {
	uint32_t route_count;
	struct ip_prefix route[ENGINE_ROUTES_MAX];
};

/* Never a rule or a reason: what is denied and what does not exist look the same. */
struct notice_denied {
	struct ip_addr destination;
	uint8_t proto;
	uint16_t port; /* 0 where there is none */
};

/* A chunk of the list; `first` and `last` as in struct control_holders. */
struct notice_holders {
	bool first, last;
	uint32_t count; /* each by notice_holder() */
};

struct notice_holder {
	char principal[128];
	uint32_t group_count, address_count;
	char group[16][64];
	struct ip_addr address[ENGINE_ADDRESSES_MAX];
};

struct json_t;

struct notice {
	enum notice_type type;
	union {
		struct notice_hello hello;
		struct notice_config config;
		struct notice_routes routes;
		struct notice_denied denied;
		struct notice_holders holders;
	};
	struct json_t *list; /* of the holders; the notice owns it */
};

/*
 * Decodes one notice. -EBADMSG: too long, too deep, no JSON, a duplicate key, or a field that is
 * missing, of the wrong type or out of range; -ENOMEM. *out is freed by notice_free().
 */
int notice_decode(const uint8_t *bytes, size_t len, struct notice **out);

/* NULL is allowed. */
void notice_free(struct notice *notice);

/* Holder number i (below holders.count) of a decoded NOTICE_HOLDERS, all of it checked before. */
void notice_holder(const struct notice *notice, uint32_t i, struct notice_holder *out);

/*
 * Encodes any notice but NOTICE_HOLDERS and NOTICE_OTHER as JSON text; the caller frees *text.
 * -EMSGSIZE: longer than NOTICE_BYTES_MAX; -EINVAL: a text is not UTF-8; -ENOMEM.
 */
int notice_encode(const struct notice *notice, char **text);

/* A chunk of the list of holders under construction. */
struct holders_chunk {
	struct json_t *list;
	size_t bytes; /* an upper bound of its text */
};

/* -ENOMEM. Cleared by holders_chunk_encode() or holders_chunk_clear(). */
int holders_chunk_init(struct holders_chunk *chunk);
void holders_chunk_clear(struct holders_chunk *chunk);

/* -ENOSPC: it belongs into the next chunk; -EINVAL: a text is not UTF-8 (skip it); -ENOMEM. */
int holders_chunk_add(struct holders_chunk *chunk, const struct notice_holder *holder);

/* Writes the notice and clears the chunk, also on error. Errors as notice_encode(). */
int holders_chunk_encode(struct holders_chunk *chunk, bool first, bool last, char **text);

#endif
