/* SPDX-License-Identifier: ISC */
/* Paths: which one is active, which are known, and whether the active one still works. */
#include "node_path.h"

#include <tund/wire/control_frame.h>

#include "node_data.h"
#include "node_event.h"
#include "node_initiate.h"
#include "node_keypair.h"
#include "node_state.h"
#include "node_timers.h"

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
static void forget(struct peer *peer, const struct known_path *slot)
{
	const struct node_ops *ops = &peer->node->ops;

	if (slot->heard_ns != 0 && ops->forgotten)
		ops->forgotten(ops->ctx, &slot->path);
}

void path_publish(struct peer *peer)
{
	shared_path_set(&peer->traffic.path, peer->has_path ? &peer->path : NULL);
}

/* What lanes have heard on the active path, they noted in one place. */
static void note_active_heard(struct peer *peer)
{
	uint64_t heard_ns = atomic_exchange(&peer->traffic.path_heard_ns, 0);

	for (int i = 0; i < PATHS_MAX; i++) {
		struct known_path *slot = &peer->known[i];

		if (slot->heard_ns != 0 && slot->heard_ns < heard_ns &&
		    is_active(peer, &slot->path))
			slot->heard_ns = heard_ns;
	}
}

/* Returns whether it is another path than before. */
static bool store(struct peer *peer, const struct path *path)
{
	if (is_active(peer, path))
		return false;
	note_active_heard(peer);
	peer->path = *path;
	peer->has_path = true;
	peer->patient = false;
	path_publish(peer);
	return true;
}

void path_set(struct peer *peer, const struct path *path)
{
	if (store(peer, path))
		peer_emit(peer, PEER_MOVED);
}

void path_unknown(struct node *node, const struct peer *peer, const struct path *from)
{
	for (int i = 0; peer && i < PATHS_MAX; i++) {
		if (peer->known[i].heard_ns != 0 && path_equal(&peer->known[i].path, from))
			return;
	}
	if (node->ops.forgotten)
		node->ops.forgotten(node->ops.ctx, from);
}

void path_forget_all(struct peer *peer)
{
	for (int i = 0; i < PATHS_MAX; i++)
		forget(peer, &peer->known[i]);
}

void path_end_rescue(struct peer *peer)
{
	if (!atomic_exchange(&peer->traffic.rescuing, false))
		return;
	handshake_forget(peer);
	timer_stop(peer, TIMER_RETRANSMIT);
}

static void remember(struct peer *peer, uint64_t now_ns, const struct path *from)
{
	struct known_path *slot = known_slot(peer, from);

	if (slot->heard_ns == 0 || !path_equal(&slot->path, from)) {
		forget(peer, slot);
		*slot = (struct known_path){.path = *from, .mtu = peer->node->mtu};
	}
	slot->heard_ns = now_ns;
}

static void note_heard(struct peer *peer, uint64_t now_ns, const struct path *from)
{
	if (is_active(peer, from))
		traffic_advance(&peer->traffic.path_heard_ns, now_ns);
}

void path_heard(struct peer *peer, uint64_t now_ns, const struct path *from, bool moves)
{
	remember(peer, now_ns, from);
	path_end_rescue(peer);
	if (moves)
		path_set(peer, from);
	note_heard(peer, now_ns, from);
}

void path_heard_newest(struct peer *peer, uint64_t now_ns, const struct path *from,
		       struct keypair *keypair, uint64_t order)
{
	bool moved = false;
	uint32_t version;

	remember(peer, now_ns, from);
	/* Under the lock, so that a lane that finds the active path notes its message before we
	 * look, or sees after it that the path has changed. */
	lock_take(&keypair->lock);
	if (shared_path_is(&peer->traffic.path, from, &version)) {
		moved = store(peer, from); /* a lane has shown it already */
	} else if (order >= keypair->stayed && order >= keypair->moved &&
		   order + 1 >= keypair->shown) {
		keypair->moved = order + 1;
		moved = store(peer, from);
	}
	lock_release(&keypair->lock);
	note_heard(peer, now_ns, from);
	if (moved)
		peer_emit(peer, PEER_MOVED);
}

void path_measured(struct peer *peer, const struct path *path, uint64_t rtt_ns)
{
	for (int i = 0; i < PATHS_MAX; i++) {
		if (peer->known[i].heard_ns != 0 && path_equal(&peer->known[i].path, path))
			peer->known[i].rtt_ns = rtt_ns;
	}
}

void path_probe(struct peer *peer, uint64_t now_ns)
{
	uint8_t frame[FRAME_PROBE_SIZE] = {FRAME_PROBE};

	rng_fill(&peer->node->rng, frame + 1, sizeof frame - 1);
	timers_note(peer, traffic_expects_answer(peer, now_ns));
	data_send_frame(peer, now_ns, &peer->path, frame, sizeof frame, false);
}

void path_timer_probe(struct peer *peer, uint64_t now_ns)
{
	uint64_t since_ns = peer->folded.unanswered_ns;

	if (!keypair_may_send(peer->current, now_ns))
		return;
	timer_set(peer, TIMER_PROBE, now_ns + PROBE_INTERVAL_NS);
	path_probe(peer, now_ns);
	/* Perhaps it is not the path: the other side may have lost our keys. */
	if (elapsed(now_ns, since_ns) >= RESCUE_AFTER_NS &&
	    peer->secrets->state == HANDSHAKE_ZEROED) {
		atomic_store(&peer->traffic.rescuing, true);
		handshake_initiate(peer, now_ns, true);
	}
}

void path_timer_silent(struct peer *peer, uint64_t now_ns)
{
	timer_set(peer, TIMER_SILENT, now_ns + peer_silence_ns(peer));
	peer_emit(peer, PEER_PATH_SILENT);
}

void peer_path_use(struct peer *peer, uint64_t now_ns, const struct path *path)
{
	path_set(peer, path);
	/* Whatever the old path owed, the new one has all its time. */
	atomic_store(&peer->traffic.unanswered_ns, 0);
	timers_fold(peer);
	if (!keypair_may_send(peer->current, now_ns)) {
		if (peer->connect || peer->staged_count > 0)
			handshake_initiate(peer, now_ns, true);
		return;
	}
	if (atomic_load(&peer->current)->suite == SUITE_WIREGUARD) {
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

_Static_assert(PEER_PATHS_MAX == PATHS_MAX + 1, "the active one may not be known yet");

size_t peer_paths(const struct peer *peer, struct peer_path_stats out[PEER_PATHS_MAX])
{
	uint64_t active_ns = atomic_load(&peer->traffic.path_heard_ns);
	bool active_is_known = false;
	size_t n = 0;

	for (int i = 0; i < PATHS_MAX; i++) {
		const struct known_path *slot = &peer->known[i];
		struct peer_path_stats *p = &out[n];

		if (slot->heard_ns == 0)
			continue;
		*p = (struct peer_path_stats){slot->path, is_active(peer, &slot->path),
					      slot->heard_ns, slot->rtt_ns, slot->mtu};
		if (p->active && active_ns > p->heard_ns)
			p->heard_ns = active_ns;
		active_is_known |= p->active;
		n++;
	}
	if (peer->has_path && !active_is_known)
		out[n++] = (struct peer_path_stats){
			.path = peer->path, .active = true, .mtu = peer->node->mtu};
	return n;
}

static void fall_back(struct peer *peer)
{
	struct known_path *best = &peer->known[0];

	atomic_store(&peer->traffic.path_heard_ns, 0);
	for (int i = 1; i < PATHS_MAX; i++) {
		if (peer->known[i].heard_ns > best->heard_ns)
			best = &peer->known[i];
	}
	peer->has_path = best->heard_ns != 0;
	if (peer->has_path)
		peer->path = best->path;
	path_publish(peer);
	peer_emit(peer, PEER_MOVED);
}

void node_path_closed(struct node *node, uint64_t now_ns, uint32_t socket)
{
	struct peer *peer, *next;

	(void)now_ns;
	HASH_ITER(hh, node->peers, peer, next) {
		for (int i = 0; i < PATHS_MAX; i++) {
			if (peer->known[i].path.socket == socket)
				peer->known[i] = (struct known_path){0};
		}
		if (peer->has_path && peer->path.socket == socket)
			fall_back(peer);
	}
}
