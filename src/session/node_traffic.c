/* SPDX-License-Identifier: ISC */
/*
 * What data messages say to the timers, as instants that any thread may note: a busy peer touches
 * a timer with every message, and only main has timers. Nothing is written that is so already, so
 * that lanes that serve one peer do not take its memory from each other all the time.
 *
 * A lane notes an instant and then looks at the deadline that main has; main puts a later deadline
 * and then looks at the instants. Whichever comes second sees the other, so no timer is missed.
 */
#include "node_traffic.h"

#include "node_peer.h"

static uint64_t look(const _Atomic uint64_t *at_ns)
{
	return atomic_load_explicit(at_ns, memory_order_relaxed);
}

/* Notes the first of its kind. */
static bool begin(_Atomic uint64_t *at_ns, uint64_t now_ns)
{
	uint64_t none = 0;

	return look(at_ns) == 0 && atomic_compare_exchange_strong(at_ns, &none, now_ns);
}

static void end(_Atomic uint64_t *at_ns)
{
	if (look(at_ns) != 0)
		atomic_store(at_ns, 0);
}

void traffic_advance(_Atomic uint64_t *at_ns, uint64_t now_ns)
{
	uint64_t before = look(at_ns);

	while (before < now_ns && !atomic_compare_exchange_weak(at_ns, &before, now_ns))
		;
}

/* Any authentic message, in either direction, puts the persistent keepalive off. */
static uint64_t exchanged(struct traffic *t, uint64_t now_ns)
{
	uint64_t keepalive_ns = look(&t->keepalive_ns);

	if (keepalive_ns == 0)
		return TIME_NEVER;
	traffic_advance(&t->exchanged_ns, now_ns);
	return now_ns + keepalive_ns;
}

uint64_t traffic_data_sent(struct peer *peer, uint64_t now_ns)
{
	if (!begin(&peer->traffic.data_sent_ns, now_ns))
		return TIME_NEVER;
	return now_ns + KEEPALIVE_TIMEOUT_NS + REKEY_TIMEOUT_NS;
}

uint64_t traffic_data_heard(struct peer *peer, uint64_t now_ns)
{
	struct traffic *t = &peer->traffic;

	if (begin(&t->data_heard_ns, now_ns))
		return now_ns + KEEPALIVE_TIMEOUT_NS;
	if (!atomic_load_explicit(&t->need_another_keepalive, memory_order_relaxed))
		atomic_store(&t->need_another_keepalive, true);
	return TIME_NEVER;
}

uint64_t traffic_authentic_sent(struct peer *peer, uint64_t now_ns)
{
	end(&peer->traffic.data_heard_ns);
	return exchanged(&peer->traffic, now_ns);
}

uint64_t traffic_authentic_heard(struct peer *peer, uint64_t now_ns)
{
	struct traffic *t = &peer->traffic;

	traffic_advance(&t->heard_ns, now_ns);
	end(&t->data_sent_ns);
	end(&t->unanswered_ns);
	return exchanged(t, now_ns);
}

uint64_t traffic_expects_answer(struct peer *peer, uint64_t now_ns)
{
	if (!peer->connect || peer->wireguard || !begin(&peer->traffic.unanswered_ns, now_ns))
		return TIME_NEVER;
	return now_ns + PROBE_AFTER_NS;
}

/* Suite 0 has no probes, and an empty packet needs no answer: only a handshake tells. */
uint64_t traffic_expects_response(struct peer *peer, uint64_t now_ns)
{
	if (!peer->connect || !peer->wireguard || !begin(&peer->traffic.unanswered_ns, now_ns))
		return TIME_NEVER;
	return now_ns + HANDSHAKE_FAIL_NS;
}

bool traffic_wants_watch(const struct peer *peer, uint64_t deadline_ns)
{
	return deadline_ns != TIME_NEVER && deadline_ns < atomic_load(&peer->traffic.deadline_ns);
}
