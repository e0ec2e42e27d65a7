/* SPDX-License-Identifier: ISC */
/* The node as a whole: made, given messages and time, freed. */
#include <tund/session/node.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/crypto/secret.h>
#include <tund/crypto/x25519.h>

#include "lane_state.h"
#include "node_due.h"
#include "node_handshake.h"
#include "node_index.h"
#include "node_keypair.h"

static int choose_providers(struct node *node, const char *name)
{
	for (int suite = 0; suite < SUITE_COUNT; suite++) {
		node->aead[suite] = aead_select(suite_rules[suite].kind, name);
		if (!node->aead[suite])
			return -EOPNOTSUPP;
	}
	return 0;
}

static int allocate_tables(struct node *node, uint32_t queue_slots)
{
	struct siphash_key key;

	rng_fill(&node->rng, &key, sizeof key);
	node->queue_slots = queue_slots;
	node->queue = calloc(queue_slots, sizeof *node->queue);
	node->out = malloc(MESSAGE_MAX_SIZE + PADDING);
	node->limit = ratelimit_new(&key);
	node->keypairs = secret_slab_new(sizeof(struct keypair), 4);
	node->secrets = secret_slab_new(sizeof(struct peer_secrets), 4);
	if (!node->queue || !node->out || !node->limit || !node->keypairs || !node->secrets)
		return -ENOMEM;
	return 0;
}

static int take_identity(struct node *node, const uint8_t private_key[KEY_SIZE])
{
	if (secret_is_zero(private_key, KEY_SIZE))
		return 0;
	node->private_key = secret_new(private_key, KEY_SIZE);
	if (!node->private_key)
		return -ENOMEM;
	x25519_public(private_key, node->public_key);
	cookie_checker_init(&node->checker, node->public_key, &node->rng);
	return 0;
}

int node_new(const struct node_config *config, uint64_t now_ns, struct node **out)
{
	struct node *node;
	int err;

	if (config->handshake_queue == 0)
		return -EINVAL;
	node = calloc(1, sizeof *node);
	if (!node)
		return -ENOMEM;
	node->ops = config->ops;
	node->rng = config->rng;
	node->prefer_aes = config->prefer_aes;
	node->whole_tso = config->whole_tso;
	atomic_init(&node->mtu, config->mtu);
	node->collected_ns = now_ns;
	node->rekey_after_ns =
		config->rekey_after_ns ? config->rekey_after_ns : REKEY_AFTER_TIME_NS;
	memcpy(node->last_tai64n, config->last_tai64n, TAI64N_SIZE);
	err = lanes_new(node, config->lanes);
	if (err == 0)
		err = session_index_init(node);
	if (err == 0)
		err = choose_providers(node, config->aead);
	if (err == 0)
		err = allocate_tables(node, config->handshake_queue);
	if (err == 0)
		err = take_identity(node, config->private_key);
	if (err < 0) {
		node_free(node);
		return err;
	}
	*out = node;
	return 0;
}

void node_free(struct node *node)
{
	struct peer *peer, *next;

	if (!node)
		return;
	HASH_ITER(hh, node->peers, peer, next)
		peer_remove(peer);
	lanes_free(node); /* and what waits for them to leave, which is in the slabs */
	session_index_clear(node);
	cookie_checker_clear(&node->checker);
	secret_free(node->private_key);
	secret_slab_destroy(node->keypairs);
	secret_slab_destroy(node->secrets);
	ratelimit_free(node->limit);
	if (node->out)
		secret_wipe(node->out, MESSAGE_MAX_SIZE + PADDING);
	free(node->out);
	free(node->queue);
	timer_heap_clear(&node->due);
	free(node);
}

void node_public_key(const struct node *node, uint8_t key[KEY_SIZE])
{
	memcpy(key, node->public_key, KEY_SIZE);
}

size_t node_work(struct node *node, uint64_t now_ns, size_t budget)
{
	/* Open for all of them, if it can be: each that needs the key opens it again. */
	struct secret *key =
		node->queue_count > 0 && secret_open(node->private_key) ? node->private_key : NULL;

	for (; budget > 0 && node->queue_count > 0; budget--) {
		struct queued_handshake *item = &node->queue[node->queue_head];
		enum session_reason reason = handshake_handle(node, now_ns, item);

		node->queue_head = (node->queue_head + 1) % node->queue_slots;
		node->queue_count--;
		node->counters[reason]++;
	}
	if (key)
		secret_close(key);
	return node->queue_count;
}

void node_tick(struct node *node, uint64_t now_ns)
{
	due_run(node, now_ns);
	lanes_collect(node, now_ns);
}

uint64_t node_next_deadline(const struct node *node)
{
	const struct timer_element *first = timer_heap_first(&node->due);
	uint64_t at = first ? first->at_ns : TIME_NEVER;

	/* Keys that a lane may still have are wiped when it has left. */
	if (epoch_is_waiting(node->epoch) && node->collected_ns + COLLECT_INTERVAL_NS < at)
		at = node->collected_ns + COLLECT_INTERVAL_NS;
	return at;
}

uint64_t node_counter(const struct node *node, enum session_reason reason)
{
	return lanes_counter(node, reason);
}
