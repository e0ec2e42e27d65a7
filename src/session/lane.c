/* SPDX-License-Identifier: ISC */
/* Lanes, and what is posted in them. */
#include <tund/session/lane.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lane_state.h"

static int lane_init(struct lane *lane)
{
	lane->notes = ring_new(NOTES_BYTES);
	lane->strangers = ring_new(STRANGERS_BYTES);
	lane->staged = ring_new(STAGED_BYTES);
	return lane->notes && lane->strangers && lane->staged ? 0 : -ENOMEM;
}

int lanes_new(struct node *node, unsigned count)
{
	size_t size = count * sizeof(struct lane);
	int err = 0;

	if (count > LANES_MAX)
		return -EINVAL;
	node->epoch = epoch_new(count);
	node->lanes = aligned_alloc(CACHE_LINE, size > 0 ? size : CACHE_LINE);
	if (!node->epoch || !node->lanes)
		return -ENOMEM;
	memset(node->lanes, 0, size);
	node->lane_count = count;
	for (unsigned i = 0; i < count && err == 0; i++) {
		node->lanes[i].node = node;
		node->lanes[i].number = i;
		err = lane_init(&node->lanes[i]);
	}
	return err;
}

void lanes_free(struct node *node)
{
	epoch_free(node->epoch);
	for (unsigned i = 0; node->lanes && i < node->lane_count; i++) {
		ring_free(node->lanes[i].notes);
		ring_free(node->lanes[i].strangers);
		ring_free(node->lanes[i].staged);
	}
	free(node->lanes);
}

struct lane *node_lane(struct node *node, unsigned i)
{
	return &node->lanes[i];
}

struct epoch *node_epoch(struct node *node)
{
	return node->epoch;
}

void lane_enter(struct lane *lane)
{
	lane->last = NULL;
	epoch_enter(lane->node->epoch, lane->number);
}

void lane_leave(struct lane *lane)
{
	epoch_leave(lane->node->epoch, lane->number);
}

bool lane_posted(struct lane *lane)
{
	bool posted = lane->posted;

	lane->posted = false;
	return posted;
}

void lane_count(struct lane *lane, enum session_reason reason)
{
	_Atomic uint64_t *counter = &lane->counters[reason];
	uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, before + 1, memory_order_relaxed);
}

uint64_t lanes_counter(const struct node *node, enum session_reason reason)
{
	uint64_t sum = node->counters[reason];

	for (unsigned i = 0; i < node->lane_count; i++)
		sum += atomic_load_explicit(&node->lanes[i].counters[reason], memory_order_relaxed);
	return sum;
}

/* A head and what follows it, as one record. */
static bool post(struct lane *lane, struct ring *ring, const void *head, size_t head_len,
		 const uint8_t *rest, size_t rest_len)
{
	uint8_t *record = ring_reserve(ring, head_len + rest_len);

	if (!record)
		return false;
	memcpy(record, head, head_len);
	if (rest_len > 0)
		memcpy(record + head_len, rest, rest_len);
	ring_commit(ring);
	lane->posted = true;
	return true;
}

bool lane_post(struct lane *lane, const struct note *note, const uint8_t *frame, size_t len)
{
	return post(lane, lane->notes, note, sizeof *note, frame, len);
}

bool lane_post_stranger(struct lane *lane, const struct path *from, const uint8_t *msg, size_t len)
{
	struct stranger stranger = {.from = *from};

	return post(lane, lane->strangers, &stranger, sizeof stranger, msg, len);
}

void lane_stage(struct lane *lane, uint64_t now_ns, struct peer *peer, const uint8_t *packet,
		size_t len)
{
	struct staged staged = {.peer_id = peer->id};

	(void)now_ns;
	(void)post(lane, lane->staged, &staged, sizeof staged, packet, len);
}

void lane_not_posted(struct lane *lane, struct peer *peer, struct keypair *keypair,
		     const struct note *note)
{
	if (note->work & NOTE_FIRST)
		atomic_store(&keypair->unproven, true);
	if (note->work & (NOTE_OLD_KEYS_HEARD | NOTE_OLD_KEYS_SENT))
		atomic_store(&keypair->asked_ns, 0);
	if (note->work & NOTE_TIMERS) {
		/* The next message need not set a deadline. */
		atomic_store(&peer->traffic.watched, false);
		atomic_store(&lane->node->watch_all, true);
		lane->posted = true;
	}
}

bool lane_may_ask(struct keypair *keypair, uint64_t now_ns)
{
	uint64_t asked_ns = atomic_load_explicit(&keypair->asked_ns, memory_order_relaxed);

	return (asked_ns == 0 || elapsed(now_ns, asked_ns) >= ASK_INTERVAL_NS) &&
	       atomic_compare_exchange_strong(&keypair->asked_ns, &asked_ns, now_ns);
}

bool lane_may_watch(struct peer *peer, uint64_t deadline_ns)
{
	return traffic_wants_watch(peer, deadline_ns) &&
	       !atomic_exchange(&peer->traffic.watched, true);
}
