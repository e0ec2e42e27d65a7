/* SPDX-License-Identifier: ISC */
/* Keypairs, and the three slots of a peer. */
#include "node_keypair.h"

#include <errno.h>
#include <stdlib.h>

#include <tund/crypto/secret.h>

#include "node_event.h"
#include "node_index.h"
#include "node_state.h"
#include "node_timers.h"

struct keypair *keypair_alloc(struct peer *peer)
{
	struct keypair *keypair = secret_slab_alloc(peer->node->keypairs);

	if (keypair)
		keypair->peer = peer;
	return keypair;
}

int keypair_expand(struct keypair *keypair)
{
	const struct aead *aead = keypair->peer->node->aead[keypair->suite];
	int err = aead_key_init(aead, keypair->send_secret, &keypair->send);

	if (err == 0)
		err = aead_key_init(aead, keypair->receive_secret, &keypair->receive);
	return err;
}

void keypair_count(struct keypair *keypair)
{
	struct peer_stats *stats = &keypair->peer->stats;

	lock_take(&keypair->lock);
	stats->rx_bytes += keypair->rx_bytes;
	stats->rx_packets += keypair->rx_packets;
	keypair->rx_bytes = keypair->rx_packets = 0;
	lock_release(&keypair->lock);
}

void keypair_discard(struct keypair *keypair)
{
	keypair_count(keypair);
	aead_key_clear(&keypair->send);
	aead_key_clear(&keypair->receive);
	secret_slab_free(keypair->peer->node->keypairs, keypair);
}

/* Nobody can find it any more, and nobody has it. */
static void discard(void *object)
{
	keypair_discard(object);
}

/* The initiator's index was given out with its initiation: the entry changes its meaning. */
static int take_index(struct peer *peer, struct keypair *keypair)
{
	struct index_entry *entry;
	uint32_t index;

	if (!keypair->is_initiator)
		return session_index_insert(peer->node, peer, keypair, &index);
	keypair->local_index = peer->secrets->local_index;
	entry = session_index_find(peer->node, keypair->local_index);
	if (!entry)
		return -ENOENT;
	atomic_store_explicit(&entry->keypair, keypair, memory_order_release);
	return 0;
}

int keypair_new(struct peer *peer, const struct noise *noise, enum suite suite, bool is_initiator,
		uint64_t now_ns, struct keypair **out)
{
	struct keypair *keypair = keypair_alloc(peer);
	int err;

	if (!keypair)
		return -ENOMEM;
	keypair->suite = suite;
	keypair->is_initiator = is_initiator;
	keypair->born_ns = now_ns;
	atomic_init(&keypair->unproven, !is_initiator);
	if (is_initiator)
		noise_split(noise, keypair->send_secret, keypair->receive_secret);
	else
		noise_split(noise, keypair->receive_secret, keypair->send_secret);
	err = keypair_expand(keypair);
	if (err == 0)
		err = take_index(peer, keypair);
	if (err < 0) {
		keypair_discard(keypair);
		return err;
	}
	*out = keypair;
	return 0;
}

void keypair_show_ahead(struct keypair *keypair)
{
	lock_take(&keypair->lock);
	if (!keypair->ended)
		atomic_store_explicit(&keypair->peer->ahead, keypair, memory_order_release);
	lock_release(&keypair->lock);
}

void keypair_not_ahead(struct keypair *keypair)
{
	struct keypair *expected = keypair;

	atomic_compare_exchange_strong(&keypair->peer->ahead, &expected, NULL);
}

/* What leaves its slots ends: to be called when it is in none of them any more. */
static void end(struct keypair *keypair)
{
	struct node *node;

	if (!keypair)
		return;
	node = keypair->peer->node;
	session_index_remove(node, keypair->local_index);
	lock_take(&keypair->lock);
	keypair->ended = true;
	lock_release(&keypair->lock);
	keypair_not_ahead(keypair);
	keypair_count(keypair);
	epoch_retire(node->epoch, &keypair->retired, discard, keypair);
}

static void replace(struct keypair **slot, struct keypair *by)
{
	struct keypair *old = *slot;

	*slot = by;
	end(old);
}

static void set_current(struct peer *peer, struct keypair *keypair)
{
	atomic_store_explicit(&peer->current, keypair, memory_order_release);
}

void keypair_install(struct peer *peer, struct keypair *keypair)
{
	struct keypair *before = peer->current;

	if (!keypair->is_initiator) {
		/* The other side has not proved that it has the keys: data will. */
		replace(&peer->next, keypair);
		replace(&peer->previous, NULL);
		return;
	}
	set_current(peer, keypair);
	if (peer->next) {
		/* Both began at once: what we made as responder may still be in use over there. */
		replace(&peer->previous, peer->next);
		peer->next = NULL;
		end(before);
	} else {
		replace(&peer->previous, before);
	}
}

void keypair_confirm(struct peer *peer, uint64_t now_ns)
{
	struct keypair *before = peer->current;

	set_current(peer, peer->next);
	peer->next = NULL;
	replace(&peer->previous, before);
	timers_handshake_complete(peer, now_ns);
	peer_set_up(peer, now_ns, true);
}

bool keypair_may_send(const struct keypair *keypair, uint64_t now_ns)
{
	return keypair && elapsed(now_ns, keypair->born_ns) < REJECT_AFTER_TIME_NS &&
	       atomic_load_explicit(&keypair->send_counter, memory_order_relaxed) <
		       REJECT_AFTER_MESSAGES;
}

bool keypair_is_old_for_sending(const struct node *node, const struct keypair *keypair,
				uint64_t now_ns)
{
	return atomic_load_explicit(&keypair->send_counter, memory_order_relaxed) >
		       suite_rules[keypair->suite].rekey_after_messages ||
	       (keypair->is_initiator && elapsed(now_ns, keypair->born_ns) >= node->rekey_after_ns);
}

/* WireGuard paper 6.5: before its keys end, an initiator that only receives. */
bool keypair_is_old_for_receiving(const struct keypair *keypair, uint64_t now_ns)
{
	return keypair->is_initiator &&
	       elapsed(now_ns, keypair->born_ns) >=
		       REJECT_AFTER_TIME_NS - KEEPALIVE_TIMEOUT_NS - REKEY_TIMEOUT_NS;
}

void keypairs_erase(struct peer *peer)
{
	struct keypair *current = peer->current;

	set_current(peer, NULL);
	end(current);
	replace(&peer->previous, NULL);
	replace(&peer->next, NULL);
}
