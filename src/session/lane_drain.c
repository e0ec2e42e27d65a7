/* SPDX-License-Identifier: ISC */
/*
 * What main does about what lanes have posted. Meanwhile the peer may have been removed, or the
 * keypair ended: then there is nothing to do. A note's own time counts where something was heard;
 * what main does itself, it does now.
 */
#include <tund/session/lane.h>

#include <string.h>

#include <tund/wire/control_frame.h>

#include "lane_state.h"
#include "node_control.h"
#include "node_data.h"
#include "node_handshake.h"
#include "node_index.h"
#include "node_keypair.h"
#include "node_path.h"
#include "node_timers.h"

#define BUDGET 64 /* of each ring for one node_drain() */

static struct keypair *find_keypair(struct node *node, uint32_t index, const struct peer *peer)
{
	struct index_entry *entry = session_index_find(node, index);

	return entry && entry->peer == peer ? atomic_load(&entry->keypair) : NULL;
}

/* A straggler under an old keypair says nothing about where the peer is now. */
static void take_up_path(struct peer *peer, struct keypair *keypair, const struct note *note)
{
	if (note->work & NOTE_MOVE && keypair != peer->previous)
		path_heard_newest(peer, note->now_ns, &note->from, keypair, note->order);
	else
		path_heard(peer, note->now_ns, &note->from, false);
}

/* Whether a frame says something that wants our attention, and so counts as data received. */
static bool is_data(const uint8_t *frame)
{
	return frame[0] == FRAME_MESSAGE || frame[0] == FRAME_RESET;
}

/* Does what a note says. */
static enum session_reason take_up(struct node *node, uint64_t now_ns, const struct note *note,
				   const uint8_t *frame, size_t len)
{
	struct peer *peer = peer_by_id(node, note->peer_id);
	struct keypair *keypair = peer ? find_keypair(node, note->index, peer) : NULL;

	if (peer && note->work & NOTE_TIMERS) {
		atomic_store(&peer->traffic.watched, false);
		timers_watch(peer, note->deadline_ns);
	}
	if (!keypair) {
		if (note->work & NOTE_PATH)
			path_unknown(node, peer, &note->from);
		return SESSION_OK;
	}
	if (note->work & NOTE_RESCUED)
		path_end_rescue(peer);
	if (note->work & NOTE_PATH)
		take_up_path(peer, keypair, note);
	if (note->work & NOTE_FIRST && keypair == peer->next) {
		keypair_confirm(peer, now_ns);
		data_send_staged(peer, now_ns);
	}
	if (note->work & NOTE_FIRST)
		keypair_not_ahead(keypair);
	if (note->work & NOTE_OLD_KEYS_HEARD)
		keep_key_fresh_on_receive(peer, now_ns);
	if (note->work & NOTE_OLD_KEYS_SENT)
		keep_key_fresh_on_send(peer, now_ns);
	if (!(note->work & NOTE_FRAME))
		return SESSION_OK;
	if (is_data(frame))
		timers_note(peer, traffic_data_heard(peer, note->now_ns));
	return control_frame_received(peer, now_ns, &note->from, frame, len);
}

/* The lane has counted it as good. */
static void count(struct node *node, enum session_reason reason)
{
	if (reason != SESSION_OK)
		node->counters[reason]++;
}

static void take_note(struct node *node, uint64_t now_ns, const uint8_t *record, size_t len)
{
	struct note note;

	memcpy(&note, record, sizeof note);
	count(node, take_up(node, now_ns, &note, record + sizeof note, len - sizeof note));
}

static void take_stranger(struct node *node, uint64_t now_ns, const uint8_t *record, size_t len)
{
	const uint8_t *msg = record + sizeof(struct stranger);
	struct stranger stranger;

	memcpy(&stranger, record, sizeof stranger);
	if (msg[0] == MESSAGE_COOKIE)
		count(node, handshake_cookie(node, now_ns, msg));
	else
		count(node, handshake_queue(node, now_ns, &stranger.from, msg,
					    len - sizeof stranger));
}

static void take_staged(struct node *node, uint64_t now_ns, const uint8_t *record, size_t len)
{
	struct staged staged;
	struct peer *peer;

	memcpy(&staged, record, sizeof staged);
	peer = peer_by_id(node, staged.peer_id);
	if (peer)
		data_send_packet(peer, now_ns, record + sizeof staged, len - sizeof staged);
}

/* True if there is more. */
static bool drain(struct node *node, uint64_t now_ns, struct ring *ring,
		  void take(struct node *node, uint64_t now_ns, const uint8_t *record, size_t len))
{
	const uint8_t *record;
	size_t len;

	for (unsigned n = 0; n < BUDGET && (record = ring_peek(ring, &len)) != NULL; n++) {
		take(node, now_ns, record, len);
		ring_consume(ring);
	}
	return ring_peek(ring, &len) != NULL;
}

/* Some lane found no room to ask for a look at one of the peers. */
static void watch_all(struct node *node)
{
	struct peer *peer, *next;

	if (!atomic_exchange(&node->watch_all, false))
		return;
	HASH_ITER(hh, node->peers, peer, next)
		timers_fold(peer);
}

void lanes_collect(struct node *node, uint64_t now_ns)
{
	node->collected_ns = now_ns;
	epoch_collect(node->epoch);
}

bool node_drain(struct node *node, uint64_t now_ns)
{
	bool more = false;

	for (unsigned i = 0; i < node->lane_count; i++) {
		struct lane *lane = &node->lanes[i];

		more = drain(node, now_ns, lane->notes, take_note) || more;
		more = drain(node, now_ns, lane->strangers, take_stranger) || more;
		more = drain(node, now_ns, lane->staged, take_staged) || more;
	}
	watch_all(node);
	lanes_collect(node, now_ns);
	return more;
}
