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

	HASH_CLEAR(by_id, peers->by_id);
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

struct known_peer *peers_find(const struct peers *peers, uint64_t id)
{
	struct known_peer *peer;

	HASH_FIND(by_id, peers->by_id, &id, sizeof id, peer);
	return peer;
}

static void take_id(struct peers *peers, struct known_peer *peer)
{
	if (peer->id != 0)
		HASH_DELETE(by_id, peers->by_id, peer);
	peer->id = 0;
}

void peers_remove(struct peers *peers, struct known_peer *peer)
{
	take_id(peers, peer);
	peers_clear_due(peers, peer);
	HASH_DELETE(by_key, peers->by_key, peer);
	free(peer->announced);
	free(peer);
}

struct known_peer *peers_find_key(const struct peers *peers, const uint8_t key[KEY_SIZE])
{
	struct known_peer *peer;

	HASH_FIND(by_key, peers->by_key, key, KEY_SIZE, peer);
	return peer;
}

struct known_peer *peers_place(struct peers *peers, const uint8_t key[KEY_SIZE], uint64_t id)
{
	struct known_peer *peer = peers_find_key(peers, key), *other = peers_find(peers, id);

	if (!peer)
		peer = add(peers, key);
	if (!peer || peer == other)
		return peer;
	if (other)
		take_id(peers, other);
	take_id(peers, peer);
	peer->id = id;
	HASH_ADD(by_id, peers->by_id, id, sizeof peer->id, peer);
	if (!peer->by_id.tbl) {
		peer->id = 0;
		return NULL;
	}
	return peer;
}

void peers_forget_config(struct peers *peers)
{
	struct known_peer *peer, *next;

	HASH_ITER(by_key, peers->by_key, peer, next) {
		peer->greeted = false;
		peer->has_more = false;
		peer->principal = NULL;
		peer->device = NULL;
		peers_clear_due(peers, peer);
	}
}

void peers_forget_engine(struct peers *peers)
{
	struct known_peer *peer, *next;

	peers_forget_config(peers);
	HASH_CLEAR(by_id, peers->by_id);
	HASH_ITER(by_key, peers->by_key, peer, next) {
		peer->id = 0;
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
