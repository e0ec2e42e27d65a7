/* SPDX-License-Identifier: ISC */
/*
 * The inside of a WireGuard interface, shared by the role_wireguard_*.c files and nobody else.
 *
 *   role_wireguard.c         packets, events of the interface
 *   role_wireguard_table.c   peers and their allowed IPs: crypto-key routing
 *   role_wireguard_listen.c  the UDP socket: port and mark
 *   role_wireguard_uapi.c    what the configuration protocol's lines do
 *   role_wireguard_zone.c    names of interfaces in endpoints
 */
#ifndef TUND_ENGINE_ROLE_WIREGUARD_H
#define TUND_ENGINE_ROLE_WIREGUARD_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include <tund/policy/lpm.h>

#include "engine.h"
#include "role.h"

struct wg_peer;

struct allowed_ip {
	struct ip_prefix prefix;
	struct wg_peer *peer;
	TAILQ_ENTRY(allowed_ip) next; /* of the peer */
	UT_hash_handle hh;
};

TAILQ_HEAD(allowed_ips, allowed_ip);

struct wg_peer {
	struct peer *peer;
	TAILQ_ENTRY(wg_peer) next;
	struct allowed_ips allowed;
	uint16_t keepalive_s;
	uint32_t slot; /* in the view; LPM_NONE: not in it */
};

TAILQ_HEAD(wg_peers, wg_peer);

/* What packets are routed by, as the workers see it: made anew when a transaction ends, so that it
 * costs once what a transaction of any size changes. A peer that was removed since leaves a hole. */
struct wg_view {
	struct view_head head;
	struct lpm *lpm;
	uint32_t count;
	struct peer *_Atomic by_slot[];
};

struct wg_listen {
	struct request_listen wanted;   /* port 0: any */
	struct request_listen actual;   /* as the parent has it */
	struct request_listen asked;    /* id 0: nothing is being answered */
	bool again;                     /* what is wanted has changed since */
};

/* The name of an interface that the parent was asked about, and the one that it told last. */
struct wg_zone {
	uint32_t asked; /* id of the request; 0: none */
	char asked_name[UAPI_ZONE_SIZE];
	char name[UAPI_ZONE_SIZE];
	uint32_t number; /* 0: there is no such interface */
	bool valid;      /* only while those who wait for it are told: names change */
};

struct wireguard {
	uint32_t socket;        /* handle in outer.h, for ever */
	struct wg_peers peers;  /* in the order in which they came */
	struct allowed_ip *allowed; /* uthash by prefix */
	bool changed;           /* the view is to be made anew */
	struct wg_listen listen;
	struct wg_zone zone;
	bool up;                /* the interface */
};

/* WireGuard's peers begin when there is something to send, or a keepalive to keep up: these do,
 * while the interface is up. */
void wg_begin(struct engine *engine, uint64_t now_ns);

/* Makes a peer. -errno of peer_add(). */
int wg_peer_new(struct engine *engine, uint64_t now_ns, const uint8_t public_key[KEY_SIZE],
		struct wg_peer **out);
void wg_peer_free(struct engine *engine, struct wg_peer *peer);
void wg_peers_clear(struct engine *engine);
/* NULL: there is none. */
struct wg_peer *wg_peer_find(struct engine *engine, const uint8_t public_key[KEY_SIZE]);

/* Gives the prefix to this peer, whoever had it. -ENOMEM. */
int wg_allow(struct wireguard *wg, struct wg_peer *peer, const struct ip_prefix *prefix);
/* Takes it away, if it is this peer's. */
void wg_disallow(struct wireguard *wg, struct wg_peer *peer, const struct ip_prefix *prefix);
void wg_disallow_all(struct wireguard *wg, struct wg_peer *peer);
/* Makes what changed valid for packets. -ENOMEM: the old routing stays. */
int wg_publish(struct engine *engine);
/* A worker's question. */
struct peer *wg_route(const struct wg_view *view, const struct ip_addr *addr);

/* listen.wanted has changed: asks the parent for it. 0: that is what there is; UAPI_LATER: asked;
 * -errno. */
int wg_listen_apply(struct engine *engine);
/* The parent's answer. */
void wg_listen_opened(struct engine *engine, const struct parent_reply *reply, int fd);

/* Writes the interface's number. UAPI_BUSY: it is being asked for; -ENODEV: there is none; -EIO. */
int wg_zone_find(struct engine *engine, const char *name, uint32_t *number);
/* False: the answer is to something else. */
bool wg_zone_answered(struct engine *engine, const struct parent_reply *reply);

/* What the configuration protocol's lines do; the owner is the engine. */
extern const struct uapi_ops wg_uapi;

#endif
