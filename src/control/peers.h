/* SPDX-License-Identifier: ISC */
/*
 * The peers that the engine told of, found by id and by public key. An id is one engine's name of a
 * peer; after an engine's end what is known of its peers stays, by their keys.
 */
#ifndef TUND_CONTROL_PEERS_H
#define TUND_CONTROL_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* Out of memory leaves the table as it was; the caller sees it by the handle. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include <tund/ipc/engine.h>
#include <tund/policy/model.h>

#include "control_message.h"

struct known_peer {
	uint8_t key[KEY_SIZE];
	uint64_t id; /* 0: the present engine has not told of it */
	bool up;
	bool greeted;     /* member: it was said hello under this configuration */
	bool due;         /* edge: in the list of those to be pushed to */
	double due_at;    /* edge: when its full state is to be pushed, loop's time, seconds */
	double pushed_at; /* 0: never */
	char transport[8]; /* as in struct engine_peer */
	bool by_connection;
	uint16_t mtu; /* edge: its own, as it said; 0: not said */
	struct endpoint local, remote;
	/* edge: who it is; NULL where the configuration does not know the key. Borrowed from the
	 * present configuration. */
	const struct spec_principal *principal;
	const struct spec_device *device;
	bool has_more; /* connector: the list of holders goes on with this device: */
	size_t next_principal, next_device;
	struct control_message_routes *announced; /* connector: what it last announced; owned */
	TAILQ_ENTRY(known_peer) due_entry;
	UT_hash_handle by_key, by_id;
};

struct peers {
	struct known_peer *by_key, *by_id;
	TAILQ_HEAD(due_list, known_peer) due;
};

void peers_init(struct peers *peers);
void peers_clear(struct peers *peers);

/* Finds, or adds, the peer of this key and gives it this id, not 0. NULL: out of memory. */
struct known_peer *peers_place(struct peers *peers, const uint8_t key[KEY_SIZE], uint64_t id);

/* NULL: the engine did not tell of such a peer. */
struct known_peer *peers_find(const struct peers *peers, uint64_t id);

/* The engine has removed it; nothing of it is kept. */
void peers_remove(struct peers *peers, struct known_peer *peer);

/* NULL: the engine never told of this key. */
struct known_peer *peers_find_key(const struct peers *peers, const uint8_t key[KEY_SIZE]);

/* Another configuration: forgets whose key is whose, and what it was told under the one before. */
void peers_forget_config(struct peers *peers);

/* Another engine: besides, nobody has an id, and nobody is up. */
void peers_forget_engine(struct peers *peers);

void peers_set_due(struct peers *peers, struct known_peer *peer, double at);
void peers_clear_due(struct peers *peers, struct known_peer *peer);

#endif
