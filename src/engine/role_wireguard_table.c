/* SPDX-License-Identifier: ISC */
/* Peers of a WireGuard interface and their allowed IPs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "role_wireguard.h"

int wg_peer_new(struct engine *engine, uint64_t now_ns, const uint8_t public_key[KEY_SIZE],
		struct wg_peer **out)
{
	struct wireguard *wg = engine->state;
	struct peer_config config = {.wireguard = true, .pinned_suite = SUITE_WIREGUARD};
	struct wg_peer *peer = calloc(1, sizeof *peer);
	int err;

	if (!peer)
		return -ENOMEM;
	memcpy(config.public_key, public_key, KEY_SIZE);
	config.user = peer;
	err = peer_add(engine->host, now_ns, &config, &peer->peer);
	if (err < 0) {
		free(peer);
		return err;
	}
	peer->slot = LPM_NONE;
	TAILQ_INIT(&peer->allowed);
	TAILQ_INSERT_TAIL(&wg->peers, peer, next);
	*out = peer;
	return 0;
}

void wg_peer_free(struct wireguard *wg, struct wg_peer *peer)
{
	wg_disallow_all(wg, peer);
	if (peer->slot != LPM_NONE)
		wg->snapshot.by_slot[peer->slot] = NULL;
	TAILQ_REMOVE(&wg->peers, peer, next);
	peer_remove(peer->peer);
	free(peer);
}

void wg_peers_clear(struct wireguard *wg)
{
	while (!TAILQ_EMPTY(&wg->peers))
		wg_peer_free(wg, TAILQ_FIRST(&wg->peers));
}

struct wg_peer *wg_peer_find(struct engine *engine, const uint8_t public_key[KEY_SIZE])
{
	struct peer *peer = peer_find(engine->host, public_key);

	return peer ? peer_user(peer) : NULL;
}

static struct allowed_ip *find(struct wireguard *wg, const struct ip_prefix *prefix)
{
	struct allowed_ip *entry;

	_Static_assert(sizeof *prefix == 18, "no padding in the key");
	HASH_FIND(hh, wg->allowed, prefix, sizeof *prefix, entry);
	return entry;
}

int wg_allow(struct wireguard *wg, struct wg_peer *peer, const struct ip_prefix *prefix)
{
	struct allowed_ip *entry = find(wg, prefix);

	if (entry) {
		TAILQ_REMOVE(&entry->peer->allowed, entry, next);
	} else {
		entry = calloc(1, sizeof *entry);
		if (!entry)
			return -ENOMEM;
		entry->prefix = *prefix;
		HASH_ADD(hh, wg->allowed, prefix, sizeof entry->prefix, entry);
		if (!entry->hh.tbl) {
			free(entry);
			return -ENOMEM;
		}
	}
	entry->peer = peer;
	TAILQ_INSERT_TAIL(&peer->allowed, entry, next);
	wg->changed = true;
	return 0;
}

static void forget(struct wireguard *wg, struct allowed_ip *entry)
{
	TAILQ_REMOVE(&entry->peer->allowed, entry, next);
	HASH_DEL(wg->allowed, entry);
	free(entry);
	wg->changed = true;
}

void wg_disallow(struct wireguard *wg, struct wg_peer *peer, const struct ip_prefix *prefix)
{
	struct allowed_ip *entry = find(wg, prefix);

	if (entry && entry->peer == peer)
		forget(wg, entry);
}

void wg_disallow_all(struct wireguard *wg, struct wg_peer *peer)
{
	while (!TAILQ_EMPTY(&peer->allowed))
		forget(wg, TAILQ_FIRST(&peer->allowed));
}

static void snapshot_free(struct wg_snapshot *s)
{
	lpm_free(s->lpm);
	free(s->by_slot);
	*s = (struct wg_snapshot){0};
}

/* Numbers the peers that have allowed IPs, and lists these. */
static void list_entries(struct wireguard *wg, struct lpm_entry *entries, struct wg_snapshot *s)
{
	struct wg_peer *peer;
	struct allowed_ip *ip;
	size_t n = 0;

	TAILQ_FOREACH(peer, &wg->peers, next) {
		s->by_slot[s->count] = peer;
		TAILQ_FOREACH(ip, &peer->allowed, next)
			entries[n++] = (struct lpm_entry){.prefix = ip->prefix, .value = s->count};
		s->count++;
	}
}

int wg_publish(struct wireguard *wg)
{
	size_t count = HASH_COUNT(wg->allowed);
	struct wg_snapshot fresh = {0};
	struct lpm_entry *entries;
	struct wg_peer *peer;
	size_t peers = 0;
	int err = -ENOMEM;

	if (!wg->changed)
		return 0;
	TAILQ_FOREACH(peer, &wg->peers, next)
		peers++;
	entries = calloc(count + 1, sizeof *entries);
	fresh.by_slot = calloc(peers + 1, sizeof(struct wg_peer *));
	if (entries && fresh.by_slot) {
		list_entries(wg, entries, &fresh);
		err = lpm_new(entries, count, &fresh.lpm);
	}
	free(entries);
	if (err < 0) {
		snapshot_free(&fresh);
		return err;
	}
	for (uint32_t i = 0; i < fresh.count; i++)
		fresh.by_slot[i]->slot = i;
	snapshot_free(&wg->snapshot);
	wg->snapshot = fresh;
	wg->changed = false;
	return 0;
}

struct wg_peer *wg_route(const struct wireguard *wg, const struct ip_addr *addr)
{
	uint32_t slot = wg->snapshot.lpm ? lpm_find(wg->snapshot.lpm, addr) : LPM_NONE;

	return slot == LPM_NONE ? NULL : wg->snapshot.by_slot[slot];
}

void wg_table_free(struct wireguard *wg)
{
	wg_peers_clear(wg);
	snapshot_free(&wg->snapshot);
}
