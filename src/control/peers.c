/* SPDX-License-Identifier: ISC */
/* The peers that the engine told of. */
#include "peers.h"

#include <stdlib.h>
#include <string.h>

void peers_init(struct peers *peers)
{
	*peers = (struct peers){0};
	TAILQ_INIT(&peers->due);
}

void peers_clear(struct peers *peers)
{
	struct known_peer *peer, *next;

	HASH_CLEAR(by_slot, peers->by_slot);
	HASH_ITER(by_key, peers->by_key, peer, next) {
		HASH_DELETE(by_key, peers->by_key, peer);
		free(peer->announced);
		free(peer);
	}
	TAILQ_INIT(&peers->due);
}

static struct known_peer *add(struct peers *peers, const uint8_t key[KEY_SIZE])
{
	struct known_peer *peer = calloc(1, sizeof *peer);

	if (!peer)
		return NULL;
	memcpy(peer->key, key, KEY_SIZE);
	HASH_ADD(by_key, peers->by_key, key, KEY_SIZE, peer);
	if (!peer->by_key.tbl) {
		free(peer);
		return NULL;
	}
	return peer;
}

struct known_peer *peers_find(const struct peers *peers, uint32_t slot)
{
	struct known_peer *peer;

	HASH_FIND(by_slot, peers->by_slot, &slot, sizeof slot, peer);
	return peer;
}

static void take_slot(struct peers *peers, struct known_peer *peer)
{
	if (peer->has_slot)
		HASH_DELETE(by_slot, peers->by_slot, peer);
	peer->has_slot = false;
}

struct known_peer *peers_find_key(const struct peers *peers, const uint8_t key[KEY_SIZE])
{
	struct known_peer *peer;

	HASH_FIND(by_key, peers->by_key, key, KEY_SIZE, peer);
	return peer;
}

struct known_peer *peers_place(struct peers *peers, const uint8_t key[KEY_SIZE], uint32_t slot)
{
	struct known_peer *peer = peers_find_key(peers, key), *other = peers_find(peers, slot);

	if (!peer)
		peer = add(peers, key);
	if (!peer || peer == other)
		return peer;
	if (other)
		take_slot(peers, other);
	take_slot(peers, peer);
	peer->slot = slot;
	HASH_ADD(by_slot, peers->by_slot, slot, sizeof peer->slot, peer);
	if (!peer->by_slot.tbl)
		return NULL;
	peer->has_slot = true;
	return peer;
}

void peers_forget_slots(struct peers *peers)
{
	struct known_peer *peer, *next;

	HASH_CLEAR(by_slot, peers->by_slot);
	HASH_ITER(by_key, peers->by_key, peer, next) {
		peer->has_slot = false;
		peer->greeted = false;
		peer->has_more = false;
		peer->principal = NULL;
		peer->device = NULL;
		peers_clear_due(peers, peer);
	}
}

void peers_forget_sessions(struct peers *peers)
{
	struct known_peer *peer, *next;

	peers_forget_slots(peers);
	HASH_ITER(by_key, peers->by_key, peer, next) {
		peer->up = false;
		peer->pushed_at = 0;
	}
}

void peers_set_due(struct peers *peers, struct known_peer *peer, double at)
{
	if (!peer->due)
		TAILQ_INSERT_TAIL(&peers->due, peer, due_entry);
	peer->due = true;
	peer->due_at = at;
}

void peers_clear_due(struct peers *peers, struct known_peer *peer)
{
	if (peer->due)
		TAILQ_REMOVE(&peers->due, peer, due_entry);
	peer->due = false;
}
