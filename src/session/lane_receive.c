/* SPDX-License-Identifier: ISC */
/* Opening data messages: index and suite, key age, tag, replay, path. */
#include <tund/session/lane.h>

#include <tund/base/bytes.h>

#include "lane_state.h"
#include "node_index.h"
#include "node_keypair.h"

#define FRAME_MAX (CONTROL_FRAME_BYTES + PADDING)

/* Where an accepted message stands among those of its keypair. */
struct standing {
	bool on_active;   /* it came on the active path */
	uint32_t version; /* of which this one is the active path */
	bool may_move;    /* it is newer than all before it, and no probe */
	uint64_t order;
};

static struct keypair *find(struct lane *lane, uint32_t index)
{
	struct index_entry *entry;
	struct keypair *keypair;

	if (lane->last && lane->last->local_index == index)
		return lane->last;
	entry = session_index_find(lane->node, index);
	keypair = entry ? atomic_load_explicit(&entry->keypair, memory_order_acquire) : NULL;
	lane->last = keypair;
	return keypair;
}

static enum session_reason open_message(const struct keypair *keypair, uint64_t now_ns,
					uint8_t *msg, size_t len)
{
	uint64_t counter = get_le64(msg + DATA_COUNTER);
	size_t ad_len = suite_rules[keypair->suite].authenticates_header ? DATA_PAYLOAD : 0;

	if (elapsed(now_ns, keypair->born_ns) >= REJECT_AFTER_TIME_NS ||
	    counter >= REJECT_AFTER_MESSAGES)
		return SESSION_EXPIRED_KEY;
	if (aead_open(&keypair->receive, counter, ad_len ? msg : NULL, ad_len, msg + DATA_PAYLOAD,
		      len - DATA_PAYLOAD, msg + DATA_PAYLOAD) < 0)
		return SESSION_BAD_TAG;
	return SESSION_OK;
}

/* Only a packet newer than all before it moves the path; suite 0 moves as WireGuard does, by
 * whatever came last. */
static void take_standing(struct keypair *keypair, uint64_t counter, uint8_t flags,
			  struct standing *s)
{
	bool newest = counter >= keypair->replay.next;

	if (keypair->suite == SUITE_WIREGUARD) {
		s->order = keypair->arrivals;
		s->may_move = true;
	} else {
		s->order = counter;
		s->may_move = newest && !(flags & DATA_FLAG_NO_MOVE);
	}
}

/*
 * An answer to this message may leave before main has taken up the note, and must not go where the
 * peer no longer is: it would move the other side back. A straggler under an old keypair says
 * nothing. Under the keypair's lock.
 */
static void move_ahead(struct keypair *keypair, const struct path *from, uint64_t order)
{
	struct peer *peer = keypair->peer;

	if (order < keypair->stayed || order < keypair->moved || order < keypair->shown ||
	    atomic_load_explicit(&peer->current, memory_order_relaxed) != keypair)
		return;
	keypair->shown = order + 1;
	shared_path_set(&peer->traffic.path, from);
	/* Main is yet to hear of it. */
	atomic_store(&peer->traffic.path_heard_ns, 0);
}

/* Check and set are one, and so are looking which path is active and saying that this message
 * stays on it: path_heard_newest(). */
static bool take_in(struct keypair *keypair, const struct path *from, const uint8_t *msg,
		    size_t len, struct standing *s)
{
	uint64_t counter = get_le64(msg + DATA_COUNTER);
	bool is_new;

	lock_take(&keypair->lock);
	take_standing(keypair, counter, msg[2], s);
	s->on_active =
		s->on_active && shared_path_is_version(&keypair->peer->traffic.path, s->version);
	is_new = replay_accept(&keypair->replay, counter);
	if (is_new) {
		keypair->arrivals++;
		keypair->rx_packets++;
		keypair->rx_bytes += len;
		if (s->on_active && s->may_move && s->order >= keypair->stayed)
			keypair->stayed = s->order + 1;
		if (!s->on_active && s->may_move)
			move_ahead(keypair, from, s->order);
	}
	lock_release(&keypair->lock);
	return is_new;
}

/* It came on the active path, and main knows that one was heard there. */
static bool is_settled(struct peer *peer, uint64_t now_ns, const struct standing *s)
{
	struct traffic *t = &peer->traffic;
	uint64_t heard_ns = atomic_load_explicit(&t->path_heard_ns, memory_order_relaxed);

	if (!s->on_active || heard_ns == 0)
		return false;
	/* If it fails, another lane was there, or the path has just changed. */
	if (heard_ns < now_ns)
		atomic_compare_exchange_strong(&t->path_heard_ns, &heard_ns, now_ns);
	return true;
}

static bool has_old_keys(const struct peer *peer, uint64_t now_ns)
{
	const struct keypair *current = atomic_load_explicit(&peer->current, memory_order_acquire);

	return current && keypair_is_old_for_receiving(current, now_ns) &&
	       !atomic_load_explicit(&peer->traffic.sent_last_minute, memory_order_relaxed);
}

/* What main has to do about an authentic message. */
static uint8_t work_for_main(struct keypair *keypair, uint64_t now_ns, const struct standing *s)
{
	struct peer *peer = keypair->peer;
	uint8_t work = 0;

	if (!is_settled(peer, now_ns, s))
		work |= s->may_move ? NOTE_PATH | NOTE_MOVE : NOTE_PATH;
	if (atomic_load_explicit(&keypair->unproven, memory_order_relaxed) &&
	    atomic_exchange(&keypair->unproven, false)) {
		keypair_show_ahead(keypair);
		work |= NOTE_FIRST;
	}
	if (atomic_load_explicit(&peer->traffic.rescuing, memory_order_relaxed))
		work |= NOTE_RESCUED;
	if (has_old_keys(peer, now_ns) && lane_may_ask(keypair, now_ns))
		work |= NOTE_OLD_KEYS_HEARD;
	return work;
}

static enum session_reason hand_to_main(struct lane *lane, struct peer *peer,
					struct keypair *keypair, const struct note *note,
					const uint8_t *frame, size_t len, struct received *out)
{
	if (lane_post(lane, note, frame, len))
		return SESSION_OK;
	out->unnoticed = note->work & NOTE_PATH;
	lane_not_posted(lane, peer, keypair, note);
	return note->work & NOTE_FRAME ? SESSION_QUEUE_FULL : SESSION_OK;
}

/* An authentic message: path, keypair, timers, in this order. A frame is main's, too. */
static enum session_reason note_authentic(struct lane *lane, uint64_t now_ns,
					  struct keypair *keypair, const struct path *from,
					  const struct standing *s, const uint8_t *frame,
					  size_t frame_len, struct received *out)
{
	struct peer *peer = keypair->peer;
	uint64_t deadline_ns = traffic_authentic_heard(peer, now_ns);
	uint8_t work = work_for_main(keypair, now_ns, s);
	struct note note;

	if (frame_len > 0)
		work |= NOTE_FRAME;
	if (lane_may_watch(peer, deadline_ns))
		work |= NOTE_TIMERS;
	if (work == 0)
		return SESSION_OK;
	note = (struct note){
		.peer_id = peer->id,
		.index = keypair->local_index,
		.work = work,
		.order = s->order,
		.now_ns = now_ns,
		.deadline_ns = deadline_ns,
		.from = *from,
	};
	return hand_to_main(lane, peer, keypair, &note, frame, frame_len, out);
}

static void note_data(struct lane *lane, uint64_t now_ns, struct peer *peer,
		      struct received *out)
{
	uint64_t deadline_ns = traffic_data_heard(peer, now_ns);
	struct note note;

	if (!lane_may_watch(peer, deadline_ns))
		return;
	note = (struct note){
		.peer_id = peer->id,
		.work = NOTE_TIMERS,
		.now_ns = now_ns,
		.deadline_ns = deadline_ns,
	};
	(void)hand_to_main(lane, peer, NULL, &note, NULL, 0, out);
}

static enum received_kind accept_message(struct lane *lane, uint64_t now_ns,
					 struct keypair *keypair, const struct path *from,
					 const struct standing *s, uint8_t *msg, size_t len,
					 struct received *out)
{
	struct peer *peer = keypair->peer;
	uint8_t *payload = msg + DATA_PAYLOAD;
	size_t n = len - DATA_OVERHEAD;
	bool is_frame = n > 0 && msg[2] & DATA_FLAG_CONTROL;

	out->peer = peer;
	/* Nobody sends a longer one, and main's room is not a peer's to fill. */
	if (is_frame && n > FRAME_MAX) {
		out->reason = SESSION_BAD_CONTROL;
		return RECEIVED_NOTHING;
	}
	out->reason = note_authentic(lane, now_ns, keypair, from, s, payload, is_frame ? n : 0,
				     out);
	if (n == 0 || is_frame)
		return RECEIVED_NOTHING;
	note_data(lane, now_ns, peer, out);
	out->reason = SESSION_OK;
	out->packet = payload;
	out->len = n;
	out->flags = msg[2];
	return RECEIVED_PACKET;
}

static enum received_kind receive_data(struct lane *lane, uint64_t now_ns, const struct path *from,
				       uint8_t *msg, size_t len, struct received *out)
{
	struct keypair *keypair = find(lane, get_le32(msg + DATA_RECEIVER));
	struct standing s;

	if (!keypair || keypair->suite != (enum suite)msg[1]) {
		out->reason = keypair ? SESSION_WRONG_SUITE : SESSION_UNKNOWN_INDEX;
		return RECEIVED_NOTHING;
	}
	out->reason = open_message(keypair, now_ns, msg, len);
	if (out->reason != SESSION_OK)
		return RECEIVED_NOTHING;
	s.on_active = shared_path_is(&keypair->peer->traffic.path, from, &s.version);
	if (!take_in(keypair, from, msg, len, &s)) {
		out->reason = SESSION_REPLAYED_COUNTER;
		return RECEIVED_NOTHING;
	}
	return accept_message(lane, now_ns, keypair, from, &s, msg, len, out);
}

/* A whole TSO packet fits a frame, not a datagram. */
static bool is_out_of_place(const struct lane *lane, int type, const struct path *from,
			    const uint8_t *msg)
{
	return type == MESSAGE_DATA && msg[2] & DATA_FLAG_GSO &&
	       !(lane->node->whole_tso >> from->transport & 1);
}

enum received_kind lane_receive(struct lane *lane, uint64_t now_ns, const struct path *from,
				uint8_t *msg, size_t len, struct received *out)
{
	enum received_kind kind = RECEIVED_NOTHING;
	int type = message_gate(msg, len);

	*out = (struct received){.reason = SESSION_OK};
	if (type < 0 || is_out_of_place(lane, type, from, msg))
		out->reason = SESSION_MALFORMED;
	else if (type == MESSAGE_DATA)
		kind = receive_data(lane, now_ns, from, msg, len, out);
	else if (!lane_post_stranger(lane, from, msg, len))
		out->reason = SESSION_QUEUE_FULL;
	lane_count(lane, out->reason);
	return kind;
}

bool lane_knows_index(const struct lane *lane, uint32_t index)
{
	return session_index_find(lane->node, index) != NULL;
}
