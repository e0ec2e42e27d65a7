/* SPDX-License-Identifier: ISC */
/*
 * Deadlines. Every peer has a handful of timers and one place in a heap. The place is corrected
 * only when a timer gets earlier, or when the deadline comes and proves too early: moving a timer
 * later, as every packet does, costs nothing.
 */
#include <tund/session/node.h>

#include <errno.h>
#include <stdlib.h>

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

static uint64_t deadline_of(const struct peer *peer)
{
	return atomic_load_explicit(&peer->traffic.deadline_ns, memory_order_relaxed);
}

static void place(struct node *node, size_t i, struct peer *peer)
{
	node->heap[i] = peer;
	peer->heap_index = i;
}

static void sift_up(struct node *node, size_t i)
{
	struct peer *peer = node->heap[i];

	while (i > 0 && deadline_of(node->heap[(i - 1) / 2]) > deadline_of(peer)) {
		place(node, i, node->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(node, i, peer);
}

static void sift_down(struct node *node, size_t i)
{
	struct peer *peer = node->heap[i];
	size_t child;

	while ((child = 2 * i + 1) < node->heap_count) {
		if (child + 1 < node->heap_count &&
		    deadline_of(node->heap[child + 1]) < deadline_of(node->heap[child]))
			child++;
		if (deadline_of(node->heap[child]) >= deadline_of(peer))
			break;
		place(node, i, node->heap[child]);
		i = child;
	}
	place(node, i, peer);
}

static int grow_heap(struct node *node)
{
	size_t cap = node->heap_cap ? node->heap_cap * 2 : 4;
	struct peer **grown;

	if (node->heap_count < node->heap_cap)
		return 0;
	grown = realloc(node->heap, cap * sizeof(struct peer *));
	if (!grown)
		return -ENOMEM;
	node->heap = grown;
	node->heap_cap = cap;
	return 0;
}

int timers_add_peer(struct node *node, struct peer *peer)
{
	int err = grow_heap(node);

	if (err < 0)
		return err;
	atomic_store(&peer->traffic.deadline_ns, TIME_NEVER);
	place(node, node->heap_count, peer);
	node->heap_count++;
	return 0;
}

void timers_remove_peer(struct node *node, struct peer *peer)
{
	size_t i = peer->heap_index;
	struct peer *last = node->heap[--node->heap_count];

	if (last == peer)
		return;
	place(node, i, last);
	sift_up(node, i);
	sift_down(node, last->heap_index);
}

static void note_earlier(struct peer *peer, uint64_t at_ns)
{
	if (at_ns >= deadline_of(peer))
		return;
	atomic_store(&peer->traffic.deadline_ns, at_ns);
	sift_up(peer->node, peer->heap_index);
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
					      peer->wireguard ? HANDSHAKE_FAIL_NS : PATH_FAIL_NS);
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
	atomic_store(&peer->traffic.sent_last_minute, false);
	peer->stats.last_handshake_wall_ns = peer->node->ops.wall_ns(peer->node->ops.ctx);
}

void timers_session_derived(struct peer *peer, uint64_t now_ns)
{
	timer_set(peer, TIMER_ERASE, now_ns + ERASE_AFTER_NS);
	timer_set(peer, TIMER_EXPIRE, now_ns + REJECT_AFTER_TIME_NS);
}

static void on_retransmit(struct peer *peer, uint64_t now_ns)
{
	if (peer->attempts > REKEY_ATTEMPTS_MAX && !peer->connect) {
		peer->attempts = 0;                            /* the next packet begins anew */
		atomic_store(&peer->traffic.data_heard_ns, 0); /* no keepalive */
		data_drop_staged(peer);
		handshake_forget(peer);
		if (peer->timers[TIMER_ERASE] == TIME_NEVER)
			timer_set(peer, TIMER_ERASE, now_ns + ERASE_AFTER_NS);
		return;
	}
	peer->attempts++;
	handshake_initiate(peer, now_ns, true);
}

static void on_keepalive(struct peer *peer, uint64_t now_ns)
{
	data_send_keepalive(peer, now_ns);
	if (atomic_exchange(&peer->traffic.need_another_keepalive, false))
		timers_note(peer, traffic_data_heard(peer, now_ns));
}

static void on_erase(struct peer *peer)
{
	keypairs_erase(peer);
	timer_stop(peer, TIMER_PROBE);
	if (peer->connect)
		return;
	handshake_forget(peer);
	peer->attempts = 0;
	timer_stop(peer, TIMER_RETRANSMIT);
}

/* Suite 0 sends WireGuard's empty packet, a connecting tund a probe. Without a session there is
 * nothing to keep alive, and a handshake begins. */
static void on_persistent(struct peer *peer, uint64_t now_ns)
{
	timer_set(peer, TIMER_PERSISTENT, now_ns + atomic_load(&peer->traffic.keepalive_ns));
	if (!keypair_may_send(peer->current, now_ns))
		handshake_initiate(peer, now_ns, false);
	else if (peer->connect && peer->current->suite != SUITE_WIREGUARD)
		path_probe(peer, now_ns);
	else
		data_send_keepalive(peer, now_ns);
}

static void on_expire(struct peer *peer, uint64_t now_ns)
{
	if (keypair_may_send(peer->current, now_ns)) {
		timer_set(peer, TIMER_EXPIRE, peer->current->born_ns + REJECT_AFTER_TIME_NS);
		return;
	}
	timer_stop(peer, TIMER_PROBE);
	peer_set_up(peer, now_ns, false);
	if (peer->connect)
		handshake_initiate(peer, now_ns, false);
}

static void fire(struct peer *peer, enum peer_timer timer, uint64_t now_ns)
{
	switch (timer) {
	case TIMER_RETRANSMIT:
		on_retransmit(peer, now_ns);
		break;
	case TIMER_KEEPALIVE:
		on_keepalive(peer, now_ns);
		break;
	case TIMER_NEW_HANDSHAKE:
		handshake_initiate(peer, now_ns, false);
		break;
	case TIMER_ERASE:
		on_erase(peer);
		break;
	case TIMER_PERSISTENT:
		on_persistent(peer, now_ns);
		break;
	case TIMER_EXPIRE:
		on_expire(peer, now_ns);
		break;
	case TIMER_PROBE:
		path_timer_probe(peer, now_ns);
		break;
	case TIMER_SILENT:
		path_timer_silent(peer, now_ns);
		break;
	case TIMER_COUNT:
		break;
	}
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

static void run_peer(struct peer *peer, uint64_t now_ns)
{
	for (int i = 0; i < TIMER_COUNT; i++) {
		fold(peer);
		if (peer->timers[i] > now_ns)
			continue;
		peer->timers[i] = TIME_NEVER;
		if (is_current(peer, (enum peer_timer)i))
			fire(peer, (enum peer_timer)i, now_ns);
	}
	if (peer->control && control_channel_deadline(peer->control) <= now_ns)
		control_channel_tick(peer->control, now_ns);
}

void timers_run(struct node *node, uint64_t now_ns)
{
	while (node->heap_count > 0 && deadline_of(node->heap[0]) <= now_ns) {
		struct peer *peer = node->heap[0];

		run_peer(peer, now_ns);
		fold(peer);
		atomic_store(&peer->traffic.deadline_ns, earliest(peer));
		sift_down(node, peer->heap_index);
		timers_fold(peer); /* a lane may just have compared with the deadline before */
	}
}
