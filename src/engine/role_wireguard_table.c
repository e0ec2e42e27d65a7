/* SPDX-License-Identifier: ISC */
/* Peers of a WireGuard interface and their allowed IPs. */
#include "role_wireguard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/session/setting.h>
#include <tund/sys/hook.h>

/* A benchmark that compares data paths wants tund's suites between two hosts, without an edge. */
static int suite_of_peers(void)
{
	const char *suite = hook_value("TUND_TEST_SUITE");

	return suite ? (int)strtoul(suite, NULL, 10) % SUITE_COUNT : SUITE_WIREGUARD;
}

int wg_peer_new(struct engine *engine, uint64_t now_ns, const uint8_t public_key[KEY_SIZE],
		struct wg_peer **out)
{
	struct wireguard *wg = engine->state;
	int suite = suite_of_peers();
	struct peer_config config = {.wireguard = suite == SUITE_WIREGUARD, .pinned_suite = suite};
	struct wg_peer *peer = calloc(1, sizeof *peer);
	int err;

	if (!peer)
		return -ENOMEM;
	memcpy(config.public_key, public_key, KEY_SIZE);
	config.user = peer;
	err = peer_add(engine->node, now_ns, &config, &peer->peer);
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

void wg_peer_free(struct engine *engine, struct wg_peer *peer)
{
	struct wireguard *wg = engine->state;
	struct wg_view *view = dataplane_view(&engine->plane);

	wg_disallow_all(wg, peer);
	if (view && peer->slot != LPM_NONE) /* at the end no packet is routed any more */
		view->by_slot[peer->slot] = NULL;
	TAILQ_REMOVE(&wg->peers, peer, next);
	peer_remove(peer->peer);
	free(peer);
}

void wg_begin(struct engine *engine, uint64_t now_ns)
{
	struct wireguard *wg = engine->state;
	struct wg_peer *peer;

	if (!wg->up)
		return;
	TAILQ_FOREACH(peer, &wg->peers, next) {
		if (peer->keepalive_s > 0)
			peer_send_keepalive(peer->peer, now_ns);
	}
}

void wg_peers_clear(struct engine *engine)
{
	struct wireguard *wg = engine->state;

	while (!TAILQ_EMPTY(&wg->peers))
		wg_peer_free(engine, TAILQ_FIRST(&wg->peers));
}

struct wg_peer *wg_peer_find(struct engine *engine, const uint8_t public_key[KEY_SIZE])
{
	struct peer *peer = peer_find(engine->node, public_key);

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

static void view_free(void *arg)
{
	struct wg_view *view = arg;

	if (!view)
		return;
	lpm_free(view->lpm);
	free(view);
}

/* Numbers the peers and lists their allowed IPs. */
static void list_entries(struct wireguard *wg, struct lpm_entry *entries, struct wg_view *view)
{
	struct wg_peer *peer;
	struct allowed_ip *ip;
	size_t n = 0;

	TAILQ_FOREACH(peer, &wg->peers, next) {
		view->by_slot[view->count] = peer->peer;
		TAILQ_FOREACH(ip, &peer->allowed, next)
			entries[n++] =
				(struct lpm_entry){.prefix = ip->prefix, .value = view->count};
		view->count++;
	}
}

static void number_peers(struct wireguard *wg)
{
	struct wg_peer *peer;
	uint32_t slot = 0;

	TAILQ_FOREACH(peer, &wg->peers, next)
		peer->slot = slot++;
}

int wg_publish(struct engine *engine)
{
	struct wireguard *wg = engine->state;
	size_t count = HASH_COUNT(wg->allowed), peers = 0;
	struct lpm_entry *entries;
	struct wg_peer *peer;
	struct wg_view *view;
	int err = -ENOMEM;

	if (!wg->changed)
		return 0;
	TAILQ_FOREACH(peer, &wg->peers, next)
		peers++;
	entries = calloc(count + 1, sizeof *entries);
	view = calloc(1, sizeof *view + peers * sizeof view->by_slot[0]);
	if (entries && view) {
		view->head.free = view_free;
		list_entries(wg, entries, view);
		err = lpm_new(entries, count, &view->lpm);
	}
	free(entries);
	if (err < 0) {
		view_free(view);
		return err;
	}
	number_peers(wg);
	dataplane_publish(&engine->plane, node_epoch(engine->node), &view->head);
	wg->changed = false;
	return 0;
}

struct peer *wg_route(const struct wg_view *view, const struct ip_addr *addr)
{
	uint32_t slot = lpm_find(view->lpm, addr);

	return slot == LPM_NONE ? NULL : view->by_slot[slot];
}
