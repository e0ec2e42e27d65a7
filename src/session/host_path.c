/* SPDX-License-Identifier: ISC */
/* Paths: which one is active, which are known, and whether the active one still works. */
#include <string.h>

#include <tund/wire/control_frame.h>

#include "host_state.h"

static bool is_active(const struct peer *peer, const struct path *path)
{
	return peer->has_path && path_equal(&peer->path, path);
}

/* The slot of this path, or else one that is free, or else the one that was heard of least
 * recently, though never the active one's. */
static struct known_path *known_slot(struct peer *peer, const struct path *path)
{
	struct known_path *oldest = NULL;

	for (int i = 0; i < PATHS_MAX; i++) {
		struct known_path *slot = &peer->known[i];

		if (slot->heard_ns != 0 && path_equal(&slot->path, path))
			return slot;
		if (slot->heard_ns != 0 && is_active(peer, &slot->path))
			continue;
		if (!oldest || slot->heard_ns < oldest->heard_ns)
			oldest = slot;
	}
	return oldest;
}

/* Makes room in a slot: who owns the connection of its path may close it. */
static void forget(struct peer *peer, const struct known_path *slot, const struct path *unless)
{
	const struct host_ops *ops = &peer->host->ops;

	if (slot->heard_ns != 0 && !path_equal(&slot->path, unless) && ops->forgotten)
		ops->forgotten(ops->ctx, &slot->path);
}

void path_set(struct peer *peer, const struct path *path)
{
	bool moved = !is_active(peer, path);

	peer->path = *path;
	peer->has_path = true;
	if (moved)
		peer_emit(peer, PEER_MOVED);
}

/* The keys were not lost, only packets: the handshake that asked is not needed. */
static void end_rescue(struct peer *peer)
{
	if (!peer->rescuing)
		return;
	peer->rescuing = false;
	handshake_forget(peer);
	timer_stop(peer, TIMER_RETRANSMIT);
}

void path_heard(struct peer *peer, uint64_t now_ns, const struct path *from, bool may_move)
{
	struct known_path *slot = known_slot(peer, from);

	forget(peer, slot, from);
	slot->path = *from;
	slot->heard_ns = now_ns;
	peer->unanswered_ns = TIME_NEVER;
	timer_stop(peer, TIMER_PROBE);
	timer_stop(peer, TIMER_SILENT);
	end_rescue(peer);
	if (may_move)
		path_set(peer, from);
}

void path_expect_answer(struct peer *peer, uint64_t now_ns)
{
	if (!peer->connect || peer->wireguard || peer->unanswered_ns != TIME_NEVER)
		return;
	peer->unanswered_ns = now_ns;
	timer_set(peer, TIMER_PROBE, now_ns + PROBE_AFTER_NS);
	timer_set(peer, TIMER_SILENT, now_ns + PATH_FAIL_NS);
}

/* Suite 0 has no probes, and an empty packet needs no answer: only a handshake tells. */
void path_expect_response(struct peer *peer, uint64_t now_ns)
{
	if (!peer->connect || !peer->wireguard || peer->unanswered_ns != TIME_NEVER)
		return;
	peer->unanswered_ns = now_ns;
	timer_set(peer, TIMER_SILENT, now_ns + HANDSHAKE_FAIL_NS);
}

void path_probe(struct peer *peer, uint64_t now_ns)
{
	uint8_t frame[FRAME_PROBE_SIZE] = {FRAME_PROBE};

	rng_fill(&peer->host->rng, frame + 1, sizeof frame - 1);
	path_expect_answer(peer, now_ns);
	data_send_frame(peer, now_ns, &peer->path, frame, sizeof frame, false);
}

void path_timer_probe(struct peer *peer, uint64_t now_ns)
{
	if (!keypair_may_send(peer->current, now_ns))
		return;
	timer_set(peer, TIMER_PROBE, now_ns + PROBE_INTERVAL_NS);
	path_probe(peer, now_ns);
	/* Perhaps it is not the path: the other side may have lost our keys. */
	if (now_ns - peer->unanswered_ns >= RESCUE_AFTER_NS &&
	    peer->secrets->state == HANDSHAKE_ZEROED) {
		peer->rescuing = true;
		handshake_initiate(peer, now_ns, true);
	}
}

void path_timer_silent(struct peer *peer, uint64_t now_ns)
{
	timer_set(peer, TIMER_SILENT,
		  now_ns + (peer->wireguard ? HANDSHAKE_FAIL_NS : PATH_FAIL_NS));
	peer_emit(peer, PEER_PATH_SILENT);
}

void peer_path_use(struct peer *peer, uint64_t now_ns, const struct path *path)
{
	path_set(peer, path);
	/* Whatever the old path owed, the new one has all its time. */
	peer->unanswered_ns = TIME_NEVER;
	timer_stop(peer, TIMER_PROBE);
	timer_stop(peer, TIMER_SILENT);
	if (!keypair_may_send(peer->current, now_ns)) {
		if (peer->connect || peer->staged_count > 0)
			handshake_initiate(peer, now_ns, true);
		return;
	}
	if (peer->current->suite == SUITE_WIREGUARD) {
		data_send_keepalive(peer, now_ns);
		return;
	}
	/* A probe is answered at once and moves the other side. */
	path_probe(peer, now_ns);
	peer_kick_control(peer, now_ns);
}

bool peer_path(const struct peer *peer, struct path *out)
{
	if (peer->has_path)
		*out = peer->path;
	return peer->has_path;
}

static void fall_back(struct peer *peer)
{
	struct known_path *best = &peer->known[0];

	for (int i = 1; i < PATHS_MAX; i++) {
		if (peer->known[i].heard_ns > best->heard_ns)
			best = &peer->known[i];
	}
	peer->has_path = best->heard_ns != 0;
	if (peer->has_path)
		peer->path = best->path;
	peer_emit(peer, PEER_MOVED);
}

static bool is_on(const struct path *path, uint32_t tcp_socket)
{
	return path->transport == TRANSPORT_TCP && path->socket == tcp_socket;
}

void host_path_closed(struct host *host, uint64_t now_ns, uint32_t tcp_socket)
{
	struct peer *peer, *next;

	(void)now_ns;
	HASH_ITER(hh, host->peers, peer, next) {
		for (int i = 0; i < PATHS_MAX; i++) {
			if (is_on(&peer->known[i].path, tcp_socket))
				peer->known[i] = (struct known_path){0};
		}
		if (peer->has_path && is_on(&peer->path, tcp_socket))
			fall_back(peer);
	}
}
