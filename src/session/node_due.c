/* SPDX-License-Identifier: ISC */
/* What fires: here every timer does what the protocol wants of it (WireGuard paper section 6). */
#include "node_due.h"

#include "node_data.h"
#include "node_event.h"
#include "node_initiate.h"
#include "node_keypair.h"
#include "node_path.h"
#include "node_state.h"
#include "node_timers.h"

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

static void run_peer(struct peer *peer, uint64_t now_ns)
{
	for (int i = 0; i < TIMER_COUNT; i++) {
		if (timers_take(peer, (enum peer_timer)i, now_ns))
			fire(peer, (enum peer_timer)i, now_ns);
	}
	if (peer->control && control_channel_deadline(peer->control) <= now_ns)
		control_channel_tick(peer->control, now_ns);
}

void due_run(struct node *node, uint64_t now_ns)
{
	struct peer *peer;

	while ((peer = timers_next(node, now_ns)) != NULL) {
		run_peer(peer, now_ns);
		timers_settle(peer);
	}
}
