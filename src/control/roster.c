/* SPDX-License-Identifier: ISC */
/* The peers that the engine told of. */
#include "roster.h"

#include <stdlib.h>
#include <string.h>

void roster_init(struct roster *roster)
{
	*roster = (struct roster){0};
	TAILQ_INIT(&roster->due);
}

void roster_clear(struct roster *roster)
{
	struct known_peer *peer, *next;

	HASH_CLEAR(by_slot, roster->by_slot);
	HASH_ITER(by_key, roster->by_key, peer, next)
	{
		HASH_DELETE(by_key, roster->by_key, peer);
		free(peer->announced);
		free(peer);
	}
	TAILQ_INIT(&roster->due);
}

static struct known_peer *add(struct roster *roster, const uint8_t key[KEY_SIZE])
{
	struct known_peer *peer = calloc(1, sizeof *peer);

	if (!peer)
		return NULL;
	memcpy(peer->key, key, KEY_SIZE);
	HASH_ADD(by_key, roster->by_key, key, KEY_SIZE, peer);
	if (!peer->by_key.tbl) {
		free(peer);
		return NULL;
	}
	return peer;
}

struct known_peer *roster_find(const struct roster *roster, uint32_t slot)
{
	struct known_peer *peer;

	HASH_FIND(by_slot, roster->by_slot, &slot, sizeof slot, peer);
	return peer;
}

static void take_slot(struct roster *roster, struct known_peer *peer)
{
	if (peer->has_slot)
		HASH_DELETE(by_slot, roster->by_slot, peer);
	peer->has_slot = false;
}

struct known_peer *roster_find_key(const struct roster *roster, const uint8_t key[KEY_SIZE])
{
	struct known_peer *peer;

	HASH_FIND(by_key, roster->by_key, key, KEY_SIZE, peer);
	return peer;
}

struct known_peer *roster_place(struct roster *roster, const uint8_t key[KEY_SIZE], uint32_t slot)
{
	struct known_peer *peer = roster_find_key(roster, key), *other = roster_find(roster, slot);

	if (!peer)
		peer = add(roster, key);
	if (!peer || peer == other)
		return peer;
	if (other)
		take_slot(roster, other);
	take_slot(roster, peer);
	peer->slot = slot;
	HASH_ADD(by_slot, roster->by_slot, slot, sizeof peer->slot, peer);
	if (!peer->by_slot.tbl)
		return NULL;
	peer->has_slot = true;
	return peer;
}

void roster_forget_slots(struct roster *roster)
{
	struct known_peer *peer, *next;

	HASH_CLEAR(by_slot, roster->by_slot);
	HASH_ITER(by_key, roster->by_key, peer, next)
	{
		peer->has_slot = false;
		peer->greeted = false;
		peer->has_more = false;
		peer->principal = NULL;
		peer->device = NULL;
		roster_clear_due(roster, peer);
	}
}

void roster_forget_sessions(struct roster *roster)
{
	struct known_peer *peer, *next;

	roster_forget_slots(roster);
	HASH_ITER(by_key, roster->by_key, peer, next)
	{
		peer->up = false;
		peer->pushed_at = 0;
	}
}

void roster_set_due(struct roster *roster, struct known_peer *peer, double at)
{
	if (!peer->due)
		TAILQ_INSERT_TAIL(&roster->due, peer, due_entry);
	peer->due = true;
	peer->due_at = at;
}

void roster_clear_due(struct roster *roster, struct known_peer *peer)
{
	if (peer->due)
		TAILQ_REMOVE(&roster->due, peer, due_entry);
	peer->due = false;
}
