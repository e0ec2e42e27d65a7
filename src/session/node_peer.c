/* SPDX-License-Identifier: ISC */
/* Peers as the caller sees them. */
#include "node_peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/crypto/secret.h>
#include <tund/crypto/x25519.h>

#include "node_data.h"
#include "node_event.h"
#include "node_initiate.h"
#include "node_keypair.h"
#include "node_path.h"
#include "node_state.h"
#include "node_timers.h"

/* DH(static, static), which also refuses low-order keys. */
static int compute_static_static(struct node *node, const uint8_t public_key[KEY_SIZE],
				 uint8_t shared[KEY_SIZE])
{
	const uint8_t *private_key = secret_open(node->private_key);
	int err;

	if (!private_key)
		return -ENOMEM;
	err = x25519_dh(private_key, public_key, shared);
	secret_close(node->private_key);
	return err;
}

static struct peer *allocate(struct node *node)
{
	struct peer *peer = aligned_alloc(CACHE_LINE, sizeof *peer);
	struct peer_secrets *secrets = secret_slab_alloc(node->secrets);

	if (!peer || !secrets) {
		free(peer);
		secret_slab_free(node->secrets, secrets);
		return NULL;
	}
	memset(peer, 0, sizeof *peer);
	peer->node = node;
	peer->secrets = secrets;
	STAILQ_INIT(&peer->staged);
	for (int i = 0; i < TIMER_COUNT; i++)
		peer->timers[i] = TIME_NEVER;
	return peer;
}

void peer_discard(struct peer *peer)
{
	if (!peer)
		return;
	cookie_maker_clear(&peer->cookie);
	secret_slab_free(peer->node->secrets, peer->secrets);
	free(peer);
}

/* Into both tables, or neither. */
static int enlist(struct node *node, struct peer *peer)
{
	HASH_ADD(hh, node->peers, public_key, KEY_SIZE, peer);
	if (!peer->hh.tbl)
		return -ENOMEM;
	HASH_ADD(hh_id, node->peers_by_id, id, sizeof peer->id, peer);
	if (!peer->hh_id.tbl) {
		HASH_DEL(node->peers, peer);
		return -ENOMEM;
	}
	return 0;
}

static void delist(struct node *node, struct peer *peer)
{
	HASH_DEL(node->peers, peer);
	HASH_DELETE(hh_id, node->peers_by_id, peer);
}

static void configure(struct peer *peer, const struct peer_config *config)
{
	memcpy(peer->public_key, config->public_key, KEY_SIZE);
	memcpy(peer->secrets->psk, config->preshared_key, KEY_SIZE);
	peer->wireguard = config->wireguard;
	peer->connect = config->connect;
	peer->pinned_suite = config->pinned_suite;
	atomic_init(&peer->traffic.keepalive_ns, config->keepalive_s * NS_PER_SEC);
	peer->user = config->user;
	cookie_maker_init(&peer->cookie, peer->public_key);
}

int peer_new(struct node *node, const struct peer_config *config, struct peer **out)
{
	struct peer *peer;
	int err = 0;

	if (memcmp(config->public_key, node->public_key, KEY_SIZE) == 0)
		return -EINVAL;
	peer = allocate(node);
	if (!peer)
		return -ENOMEM;
	if (node->private_key)
		err = compute_static_static(node, config->public_key, peer->secrets->static_static);
	if (err < 0 && !(err == -EINVAL && config->wireguard)) {
		peer_discard(peer);
		return err;
	}
	configure(peer, config);
	*out = peer;
	return 0;
}

int peer_join(struct peer *peer)
{
	struct node *node = peer->node;
	int err;

	if (peer_find(node, peer->public_key))
		return -EEXIST;
	peer->id = node->last_id + 1;
	err = enlist(node, peer);
	if (err < 0)
		return err;
	if (timers_add_peer(node, peer) < 0) {
		delist(node, peer);
		return -ENOMEM;
	}
	node->last_id = peer->id;
	return 0;
}

int peer_add(struct node *node, uint64_t now_ns, const struct peer_config *config,
	     struct peer **out)
{
	struct peer *peer;
	int err = peer_new(node, config, &peer);

	(void)now_ns;
	if (err < 0)
		return err;
	err = peer_join(peer);
	if (err < 0)
		peer_discard(peer);
	else
		*out = peer;
	return err;
}

void peer_remove(struct peer *peer)
{
	struct node *node = peer->node;

	keypairs_erase(peer);
	handshake_forget(peer);
	data_drop_staged(peer);
	control_channel_free(peer->control);
	peer->control = NULL;
	cookie_maker_clear(&peer->cookie);
	path_forget_all(peer);
	timers_remove_peer(node, peer);
	delist(node, peer);
	secret_slab_free(node->secrets, peer->secrets);
	peer->secrets = NULL;
	epoch_retire(node->epoch, &peer->retired, free, peer);
}

struct peer *peer_find(struct node *node, const uint8_t public_key[KEY_SIZE])
{
	struct peer *peer;

	HASH_FIND(hh, node->peers, public_key, KEY_SIZE, peer);
	return peer;
}

uint64_t peer_id(const struct peer *peer)
{
	return peer->id;
}

struct peer *peer_by_id(struct node *node, uint64_t id)
{
	struct peer *peer;

	HASH_FIND(hh_id, node->peers_by_id, &id, sizeof id, peer);
	return peer;
}

/* The table's own order is that of the ids. */
struct peer *peer_after(struct node *node, uint64_t id)
{
	struct peer *peer = peer_by_id(node, id);

	if (peer)
		return peer->hh_id.next;
	for (peer = node->peers_by_id; peer && peer->id <= id; peer = peer->hh_id.next)
		continue;
	return peer;
}

void *peer_user(const struct peer *peer)
{
	return peer->user;
}

void peer_public_key(const struct peer *peer, uint8_t key[KEY_SIZE])
{
	memcpy(key, peer->public_key, KEY_SIZE);
}

void peer_close(struct peer *peer, uint64_t now_ns)
{
	keypairs_erase(peer);
	handshake_forget(peer);
	data_drop_staged(peer);
	peer->attempts = 0;
	timers_reset(peer);
	peer->last_initiation_sent_ns = 0; /* what comes next begins at once */
	peer_set_up(peer, now_ns, false);
}

void peer_get_stats(const struct peer *peer, struct peer_stats *out)
{
	struct keypair *keypairs[] = {peer->previous, peer->current, peer->next};

	for (int i = 0; i < 3; i++) {
		if (keypairs[i])
			keypair_count(keypairs[i]);
	}
	*out = peer->stats;
	out->up = peer->up;
	out->suite = keypairs[1] ? (int)keypairs[1]->suite : -1;
	out->last_heard_ns = atomic_load(&peer->traffic.heard_ns);
	out->tx_bytes += atomic_load(&peer->traffic.tx_bytes);
	out->tx_packets += atomic_load(&peer->traffic.tx_packets);
}
