/* SPDX-License-Identifier: ISC */
/* Settings of a running node and its peers. */
#include <tund/session/setting.h>

#include <errno.h>
#include <string.h>

#include <tund/crypto/secret.h>
#include <tund/crypto/x25519.h>

#include "node_data.h"
#include "node_keypair.h"
#include "node_path.h"
#include "node_state.h"
#include "node_timers.h"

/* What was agreed on with the old identity says nothing about the new one. */
static void forget_session(struct peer *peer, uint64_t now_ns)
{
	secret_wipe(peer->secrets->static_static, KEY_SIZE);
	peer_close(peer, now_ns);
}

static void adopt(struct node *node, uint64_t now_ns, struct secret *secret,
		  const uint8_t public_key[KEY_SIZE], const uint8_t key[KEY_SIZE])
{
	struct peer *peer, *next;

	secret_free(node->private_key);
	node->private_key = secret;
	memcpy(node->public_key, public_key, KEY_SIZE);
	cookie_checker_init(&node->checker, node->public_key, &node->rng);
	node->queue_count = 0; /* their mac1 was checked for the old one */
	HASH_ITER(hh, node->peers, peer, next) {
		forget_session(peer, now_ns);
		/* A failure leaves zeros: not usable. */
		if (secret)
			(void)x25519_dh(key, peer->public_key, peer->secrets->static_static);
	}
}

int node_set_private_key(struct node *node, uint64_t now_ns, const uint8_t key[KEY_SIZE])
{
	uint8_t public_key[KEY_SIZE] = {0};
	struct secret *secret = NULL;

	if (!secret_is_zero(key, KEY_SIZE)) {
		x25519_public(key, public_key);
		if (peer_find(node, public_key))
			return -EEXIST;
		secret = secret_new(key, KEY_SIZE);
		if (!secret)
			return -ENOMEM;
	}
	adopt(node, now_ns, secret, public_key, key);
	return 0;
}

void node_private_key(const struct node *node, uint8_t key[KEY_SIZE])
{
	const uint8_t *private_key = node->private_key ? secret_open(node->private_key) : NULL;

	memset(key, 0, KEY_SIZE);
	if (!private_key)
		return;
	memcpy(key, private_key, KEY_SIZE);
	secret_close(node->private_key);
}

void node_set_mtu(struct node *node, uint16_t mtu)
{
	struct peer *peer, *next;

	atomic_store(&node->mtu, mtu);
	HASH_ITER(hh, node->peers, peer, next) {
		for (int i = 0; i < PATHS_MAX; i++)
			peer->known[i].mtu = mtu;
	}
}

/* Whether that changed the path. */
static bool let_kernel_choose(struct path *path, uint32_t socket, const struct endpoint *local)
{
	if (path->local.addr.family == 0 || path->socket != socket ||
	    (local && !endpoint_equal(&path->local, local)))
		return false;
	path->local = (struct endpoint){0};
	return true;
}

/* Paths that only their source told apart are one now: of each there is one slot. */
static void merge_slots(struct peer *peer)
{
	for (int i = 1; i < PATHS_MAX; i++) {
		struct known_path *slot = &peer->known[i];

		for (int k = 0; k < i && slot->heard_ns != 0; k++) {
			struct known_path *other = &peer->known[k];

			if (other->heard_ns == 0 || !path_equal(&other->path, &slot->path))
				continue;
			if (other->heard_ns < slot->heard_ns)
				*other = *slot;
			*slot = (struct known_path){0};
		}
	}
}

void node_source_lost(struct node *node, uint32_t socket, const struct endpoint *local)
{
	struct peer *peer, *next;

	HASH_ITER(hh, node->peers, peer, next) {
		if (let_kernel_choose(&peer->path, socket, local))
			path_publish(peer);
		for (int i = 0; i < PATHS_MAX; i++)
			let_kernel_choose(&peer->known[i].path, socket, local);
		merge_slots(peer);
	}
}

void peer_set_preshared_key(struct peer *peer, const uint8_t key[KEY_SIZE])
{
	memcpy(peer->secrets->psk, key, KEY_SIZE);
}

void peer_preshared_key(const struct peer *peer, uint8_t key[KEY_SIZE])
{
	memcpy(key, peer->secrets->psk, KEY_SIZE);
}

void peer_set_keepalive(struct peer *peer, uint64_t now_ns, uint16_t keepalive_s)
{
	uint64_t keepalive_ns = keepalive_s * NS_PER_SEC;

	timers_fold(peer);
	atomic_store(&peer->traffic.keepalive_ns, keepalive_ns);
	if (keepalive_ns == 0)
		timer_stop(peer, TIMER_PERSISTENT);
	else if (keypair_may_send(peer->current, now_ns))
		timer_set(peer, TIMER_PERSISTENT, now_ns + keepalive_ns);
}

void peer_send_keepalive(struct peer *peer, uint64_t now_ns)
{
	if (peer->has_path)
		data_send_keepalive(peer, now_ns);
}

void peer_set_path(struct peer *peer, const struct path *path)
{
	path_set(peer, path);
}
