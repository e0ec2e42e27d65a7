/* SPDX-License-Identifier: ISC */
/* Keypairs, the three slots of a peer, and the index that finds them. */
#include <errno.h>
#include <stdlib.h>

#include "host_state.h"

struct index_entry *session_index_find(const struct host *host, uint32_t index)
{
	struct index_entry *entry;

	HASH_FIND(hh, host->indices, &index, sizeof index, entry);
	return entry;
}

int session_index_insert(struct host *host, struct peer *peer, struct keypair *keypair, uint32_t *index)
{
	struct index_entry *entry = calloc(1, sizeof *entry);

	if (!entry)
		return -ENOMEM;
	do {
		entry->index = rng_u32(&host->rng);
	} while (session_index_find(host, entry->index));
	entry->peer = peer;
	entry->keypair = keypair;
	HASH_ADD(hh, host->indices, index, sizeof entry->index, entry);
	if (!entry->hh.tbl) {
		free(entry);
		return -ENOMEM;
	}
	*index = entry->index;
	return 0;
}

void session_index_remove(struct host *host, uint32_t index)
{
	struct index_entry *entry = session_index_find(host, index);

	if (!entry)
		return;
	HASH_DEL(host->indices, entry);
	free(entry);
}

static int derive_keys(struct keypair *keypair, const struct noise *noise)
{
	uint8_t initiator_sends[KEY_SIZE], responder_sends[KEY_SIZE];
	const uint8_t *send = keypair->is_initiator ? initiator_sends : responder_sends;
	const uint8_t *receive = keypair->is_initiator ? responder_sends : initiator_sends;
	int err;

	noise_split(noise, initiator_sends, responder_sends);
	err = aead_key_init(noise->aead, send, &keypair->send);
	if (err == 0)
		err = aead_key_init(noise->aead, receive, &keypair->receive);
	secret_wipe(initiator_sends, sizeof initiator_sends);
	secret_wipe(responder_sends, sizeof responder_sends);
	return err;
}

static void discard(struct host *host, struct keypair *keypair)
{
	aead_key_clear(&keypair->send);
	aead_key_clear(&keypair->receive);
	secret_slab_free(host->keypairs, keypair);
}

/* The initiator's index was given out with its initiation: the entry changes its meaning. */
static int take_index(struct peer *peer, struct keypair *keypair)
{
	struct index_entry *entry;

	if (!keypair->is_initiator)
		return session_index_insert(peer->host, peer, keypair, &keypair->local_index);
	keypair->local_index = peer->secrets->local_index;
	entry = session_index_find(peer->host, keypair->local_index);
	if (!entry)
		return -ENOENT;
	entry->keypair = keypair;
	return 0;
}

int keypair_new(struct peer *peer, const struct noise *noise, enum suite suite, bool is_initiator,
		uint64_t now_ns, struct keypair **out)
{
	struct host *host = peer->host;
	struct keypair *keypair = secret_slab_alloc(host->keypairs);
	int err;

	if (!keypair)
		return -ENOMEM;
	keypair->suite = suite;
	keypair->is_initiator = is_initiator;
	keypair->born_ns = now_ns;
	err = derive_keys(keypair, noise);
	if (err == 0)
		err = take_index(peer, keypair);
	if (err < 0) {
		discard(host, keypair);
		return err;
	}
	*out = keypair;
	return 0;
}

void keypair_free(struct peer *peer, struct keypair **keypair)
{
	if (!*keypair)
		return;
	session_index_remove(peer->host, (*keypair)->local_index);
	discard(peer->host, *keypair);
	*keypair = NULL;
}

void keypair_install(struct peer *peer, struct keypair *keypair)
{
	if (!keypair->is_initiator) {
		/* The other side has not proved that it has the keys: data will. */
		keypair_free(peer, &peer->next);
		peer->next = keypair;
		keypair_free(peer, &peer->previous);
		return;
	}
	keypair_free(peer, &peer->previous);
	if (peer->next) {
		/* Both began at once: what we made as responder may still be in use over there. */
		peer->previous = peer->next;
		peer->next = NULL;
		keypair_free(peer, &peer->current);
	} else {
		peer->previous = peer->current;
	}
	peer->current = keypair;
}

void keypair_confirm(struct peer *peer, uint64_t now_ns)
{
	keypair_free(peer, &peer->previous);
	peer->previous = peer->current;
	peer->current = peer->next;
	peer->next = NULL;
	timers_handshake_complete(peer, now_ns);
	peer_set_up(peer, now_ns, true);
}

bool keypair_may_send(const struct keypair *keypair, uint64_t now_ns)
{
	return keypair && now_ns - keypair->born_ns < REJECT_AFTER_TIME_NS &&
	       keypair->send_counter < REJECT_AFTER_MESSAGES;
}

void keypairs_erase(struct peer *peer)
{
	keypair_free(peer, &peer->previous);
	keypair_free(peer, &peer->current);
	keypair_free(peer, &peer->next);
}
