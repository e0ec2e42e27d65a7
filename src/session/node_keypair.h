/* SPDX-License-Identifier: ISC */
/* Keypairs, and the three slots of a peer that they are in. */
#ifndef TUND_SESSION_NODE_KEYPAIR_H
#define TUND_SESSION_NODE_KEYPAIR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <tund/base/epoch.h>
#include <tund/base/lock.h>
#include <tund/crypto/aead.h>
#include <tund/wire/message.h>

#include "noise.h"
#include "replay.h"

#define CACHE_LINE 64

struct node;
struct peer;

/* Made by main, found by lanes through the index or as the current one; wiped when no lane can have
 * it any more. */
struct keypair {
	struct aead_key send, receive;
	struct peer *peer;
	uint64_t born_ns;
	uint32_t local_index, remote_index;
	enum suite suite;
	bool is_initiator; /* we began the handshake that made it */
	struct retired retired;
	/* Shared from here on. */
	atomic_bool unproven;      /* the other side has not shown yet that it has the keys */
	_Atomic uint64_t asked_ns; /* when a lane asked main to renew it; 0: never */
	_Alignas(CACHE_LINE) _Atomic uint64_t send_counter; /* next to be used */
	/* Under the lock. */
	_Alignas(CACHE_LINE) struct lock lock;
	uint64_t arrivals; /* messages accepted */
	/* One more than the greatest order (see struct note) of a message that could move and came
	 * on the active path; that moved; that a lane moved ahead of main. */
	uint64_t stayed, moved, shown;
	uint64_t rx_bytes, rx_packets; /* not yet in the peer's */
	bool ended;                    /* in no slot any more */
	struct replay replay;
	/* What the keys were made of. */
	uint8_t send_secret[KEY_SIZE], receive_secret[KEY_SIZE];
};

/* An empty one; NULL: out of memory. */
struct keypair *keypair_alloc(struct peer *peer);
/* Makes the keys from their secrets. -ENOMEM. */
int keypair_expand(struct keypair *keypair);
/* Wipes one that is in no slot and no index, and that no lane can have. */
void keypair_discard(struct keypair *keypair);
/* A keypair from a finished handshake, its local index moved over from the pending handshake (or
 * new, for a responder). -ENOMEM. */
int keypair_new(struct peer *peer, const struct noise *noise, enum suite suite, bool is_initiator,
		uint64_t now_ns, struct keypair **out);
/* Puts a new keypair into its slot; `next` of a responder waits for data. */
void keypair_install(struct peer *peer, struct keypair *keypair);
/* The first data under `next` has come: it becomes current. */
void keypair_confirm(struct peer *peer, uint64_t now_ns);
/* A lane has proved it: see peer.ahead. */
void keypair_show_ahead(struct keypair *keypair);
/* Main has taken that up, or it ends. */
void keypair_not_ahead(struct keypair *keypair);
/* Any thread, as the next two. */
bool keypair_may_send(const struct keypair *keypair, uint64_t now_ns);
/* WireGuard paper 6.2: the initiator begins a new handshake in time, anyone when the counter
 * demands it. */
bool keypair_is_old_for_sending(const struct node *node, const struct keypair *keypair,
				uint64_t now_ns);
bool keypair_is_old_for_receiving(const struct keypair *keypair, uint64_t now_ns);
/* Adds what the keypair has counted to its peer's. */
void keypair_count(struct keypair *keypair);
void keypairs_erase(struct peer *peer);

#endif
