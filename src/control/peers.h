/* SPDX-License-Identifier: ISC */
/*
 * The peers that the engine told of, found by slot and by public key. A slot is the engine's name
 * of a peer for one generation of the configuration; the key is for ever.
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
	uint32_t slot;
	bool has_slot; /* in this generation */
	bool up;
	bool greeted;     /* member: it was said hello in this generation */
	bool due;         /* edge: in the list of those to be pushed to */
	double due_at;    /* edge: when its full state is to be pushed, loop's time, seconds */
	double pushed_at; /* 0: never */
	uint8_t transport;
	struct endpoint local, remote;
	/* edge: who it is; NULL where the configuration does not know the key. Borrowed from the
	 * configuration of this generation. */
	const struct spec_principal *principal;
	const struct spec_device *device;
	bool has_more; /* connector: the list of holders goes on with this device: */
	size_t next_principal, next_device;
	struct control_message_routes *announced; /* connector: what it last announced; owned */
	TAILQ_ENTRY(known_peer) due_entry;
	UT_hash_handle by_key, by_slot;
};

struct peers {
	struct known_peer *by_key, *by_slot;
	TAILQ_HEAD(due_list, known_peer) due;
};

void peers_init(struct peers *peers);
void peers_clear(struct peers *peers);

/* Finds, or adds, the peer of this key and gives it this slot. NULL: out of memory. */
struct known_peer *peers_place(struct peers *peers, const uint8_t key[KEY_SIZE], uint32_t slot);

/* NULL: the engine did not tell of such a slot in this generation. */
struct known_peer *peers_find(const struct peers *peers, uint32_t slot);

/* NULL: the engine never told of this key. */
struct known_peer *peers_find_key(const struct peers *peers, const uint8_t key[KEY_SIZE]);

/* Another configuration: forgets every slot, and whose key is whose. */
void peers_forget_slots(struct peers *peers);

/* The engine was restarted: besides, nobody is up. */
void peers_forget_sessions(struct peers *peers);

void peers_set_due(struct peers *peers, struct known_peer *peer, double at);
void peers_clear_due(struct peers *peers, struct known_peer *peer);

#endif
