/* SPDX-License-Identifier: ISC */
/*
 * Deadlines. Every peer has a handful of timers and one place in a heap. The place is corrected
 * only when a timer gets earlier, or when the deadline comes and proves too early: moving a timer
 * later, as every packet does, costs nothing.
 */
#include "node_timers.h"

#include <stddef.h>

#include "node_state.h"

static uint64_t earliest(const struct peer *peer)
{
	uint64_t at = TIME_NEVER;

	for (int i = 0; i < TIMER_COUNT; i++) {
		if (peer->timers[i] < at)
			at = peer->timers[i];
	}
	if (peer->control && control_channel_deadline(peer->control) < at)
		at = control_channel_deadline(peer->control);
	return at;
}

static void set_deadline(struct peer *peer, uint64_t at_ns)
{
	atomic_store(&peer->traffic.deadline_ns, at_ns);
	timer_heap_set(&peer->node->due, &peer->due, at_ns);
}

int timers_add_peer(struct node *node, struct peer *peer)
{
	atomic_store(&peer->traffic.deadline_ns, TIME_NEVER);
	return timer_heap_add(&node->due, &peer->due);
}

void timers_remove_peer(struct node *node, struct peer *peer)
{
	timer_heap_remove(&node->due, &peer->due);
}

static void note_earlier(struct peer *peer, uint64_t at_ns)
{
	if (at_ns < peer->due.at_ns)
		set_deadline(peer, at_ns);
}

void timer_set(struct peer *peer, enum peer_timer timer, uint64_t at_ns)
{
	peer->timers[timer] = at_ns;
	note_earlier(peer, at_ns);
}

void timer_stop(struct peer *peer, enum peer_timer timer)
{
	peer->timers[timer] = TIME_NEVER;
}

void timers_note_control(struct peer *peer)
{
	note_earlier(peer, control_channel_deadline(peer->control));
}

uint64_t timers_jitter(struct node *node)
{
	return rng_u32(&node->rng) % REKEY_JITTER_NS;
}

/* A deadline that was made of an instant is off while there is none. */
static uint64_t behind(uint64_t at_ns, uint64_t delay_ns)
{
	return at_ns != 0 ? at_ns + delay_ns : TIME_NEVER;
}

/* Whether an instant is another than the one that was folded, which it becomes. */
static bool is_new(const _Atomic uint64_t *at_ns, uint64_t *folded_ns)
{
	uint64_t before_ns = *folded_ns;

	*folded_ns = atomic_load(at_ns);
	return *folded_ns != before_ns;
}

static void fold(struct peer *peer)
{
	const struct traffic *t = &peer->traffic;
	struct folded *f = &peer->folded;
	uint64_t *timers = peer->timers, keepalive_ns = atomic_load(&t->keepalive_ns);

	if (is_new(&t->data_sent_ns, &f->data_sent_ns))
		timers[TIMER_NEW_HANDSHAKE] =
			behind(f->data_sent_ns,
			       KEEPALIVE_TIMEOUT_NS + REKEY_TIMEOUT_NS + timers_jitter(peer->node));
	if (is_new(&t->data_heard_ns, &f->data_heard_ns))
		timers[TIMER_KEEPALIVE] = behind(f->data_heard_ns, KEEPALIVE_TIMEOUT_NS);
	if (is_new(&t->unanswered_ns, &f->unanswered_ns)) {
		timers[TIMER_PROBE] =
			peer->wireguard ? TIME_NEVER : behind(f->unanswered_ns, PROBE_AFTER_NS);
		timers[TIMER_SILENT] = behind(f->unanswered_ns,
					      peer_silence_ns(peer));
	}
	if (is_new(&t->exchanged_ns, &f->exchanged_ns) && keepalive_ns != 0)
		timers[TIMER_PERSISTENT] = f->exchanged_ns + keepalive_ns;
}

void timers_fold(struct peer *peer)
{
	fold(peer);
	note_earlier(peer, earliest(peer));
}

/* Perhaps it is off again by now. It stays as a time to look, or the lane would ask for one with
 * every packet as long as packets go both ways. */
void timers_watch(struct peer *peer, uint64_t deadline_ns)
{
	timers_fold(peer);
	note_earlier(peer, deadline_ns);
}

void timers_note(struct peer *peer, uint64_t deadline_ns)
{
	if (traffic_wants_watch(peer, deadline_ns))
		timers_fold(peer);
}

void timers_reset(struct peer *peer)
{
	atomic_store(&peer->traffic.data_sent_ns, 0);
	atomic_store(&peer->traffic.data_heard_ns, 0);
	atomic_store(&peer->traffic.unanswered_ns, 0);
	fold(peer);
	for (int i = 0; i < TIMER_COUNT; i++)
		timer_stop(peer, (enum peer_timer)i);
}

void timers_handshake_complete(struct peer *peer, uint64_t now_ns)
{
	(void)now_ns;
	timer_stop(peer, TIMER_RETRANSMIT);
	peer->attempts = 0;
	peer->patient = false;
	atomic_store(&peer->traffic.sent_last_minute, false);
	peer->stats.last_handshake_wall_ns = peer->node->ops.wall_ns(peer->node->ops.ctx);
}

void timers_session_derived(struct peer *peer, uint64_t now_ns)
{
	timer_set(peer, TIMER_ERASE, now_ns + ERASE_AFTER_NS);
	timer_set(peer, TIMER_EXPIRE, now_ns + REJECT_AFTER_TIME_NS);
}

/* The instant that a timer was made of has served, unless a lane has just noted another. */
static bool take(_Atomic uint64_t *at_ns, uint64_t *folded_ns)
{
	uint64_t expected = *folded_ns;

	*folded_ns = 0;
	return atomic_compare_exchange_strong(at_ns, &expected, 0);
}

/* Whether a timer that was due still is. */
static bool is_current(struct peer *peer, enum peer_timer timer)
{
	struct traffic *t = &peer->traffic;
	struct folded *f = &peer->folded;

	switch (timer) {
	case TIMER_KEEPALIVE:
		return take(&t->data_heard_ns, &f->data_heard_ns);
	case TIMER_NEW_HANDSHAKE:
		return take(&t->data_sent_ns, &f->data_sent_ns);
	case TIMER_PROBE:
	case TIMER_SILENT:
		return atomic_load(&t->unanswered_ns) == f->unanswered_ns;
	case TIMER_RETRANSMIT:
	case TIMER_ERASE:
	case TIMER_PERSISTENT:
	case TIMER_EXPIRE:
	case TIMER_COUNT:
		break;
	}
	return true;
}

struct peer *timers_next(const struct node *node, uint64_t now_ns)
{
	struct timer_element *first = timer_heap_first(&node->due);

	if (!first || first->at_ns > now_ns)
		return NULL;
	return (struct peer *)((char *)first - offsetof(struct peer, due));
}

bool timers_take(struct peer *peer, enum peer_timer timer, uint64_t now_ns)
{
	fold(peer);
	if (peer->timers[timer] > now_ns)
		return false;
	peer->timers[timer] = TIME_NEVER;
	return is_current(peer, timer);
}

void timers_settle(struct peer *peer)
{
	fold(peer);
	set_deadline(peer, earliest(peer));
	timers_fold(peer); /* a lane may just have compared with the deadline before */
}
