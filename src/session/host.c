/* SPDX-License-Identifier: ISC */
/* The host as a whole: made, given messages and time, freed. */
#include <tund/session/host.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/crypto/x25519.h>
#include <tund/session/lane.h>

#include "host_state.h"
#include "lane_state.h"

static int choose_providers(struct host *host, const char *name)
{
	for (int suite = 0; suite < SUITE_COUNT; suite++) {
		host->aead[suite] = aead_select(suite_rules[suite].kind, name);
		if (!host->aead[suite])
			return -EOPNOTSUPP;
	}
	return 0;
}

static int allocate_tables(struct host *host, uint32_t queue_slots)
{
	struct siphash_key key;

	rng_fill(&host->rng, &key, sizeof key);
	host->queue_slots = queue_slots;
	host->queue = calloc(queue_slots, sizeof *host->queue);
	host->out = malloc(MESSAGE_MAX_SIZE + PADDING);
	host->limit = ratelimit_new(&key);
	host->keypairs = secret_slab_new(sizeof(struct keypair), 4);
	host->secrets = secret_slab_new(sizeof(struct peer_secrets), 4);
	if (!host->queue || !host->out || !host->limit || !host->keypairs || !host->secrets)
		return -ENOMEM;
	return 0;
}

static int take_identity(struct host *host, const uint8_t private_key[KEY_SIZE])
{
	if (secret_is_zero(private_key, KEY_SIZE))
		return 0;
	host->private_key = secret_new(private_key, KEY_SIZE);
	if (!host->private_key)
		return -ENOMEM;
	x25519_public(private_key, host->public_key);
	cookie_checker_init(&host->checker, host->public_key, &host->rng);
	return 0;
}

int host_new(const struct host_config *config, uint64_t now_ns, struct host **out)
{
	struct host *host;
	int err;

	if (config->handshake_queue == 0)
		return -EINVAL;
	host = calloc(1, sizeof *host);
	if (!host)
		return -ENOMEM;
	host->ops = config->ops;
	host->rng = config->rng;
	host->prefer_aes = config->prefer_aes;
	atomic_init(&host->mtu, config->mtu);
	host->collected_ns = now_ns;
	host->rekey_after_ns =
		config->rekey_after_ns ? config->rekey_after_ns : REKEY_AFTER_TIME_NS;
	memcpy(host->last_tai64n, config->last_tai64n, TAI64N_SIZE);
	err = lanes_new(host, config->lanes);
	if (err == 0)
		err = session_index_init(host);
	if (err == 0)
		err = choose_providers(host, config->aead);
	if (err == 0)
		err = allocate_tables(host, config->handshake_queue);
	if (err == 0)
		err = take_identity(host, config->private_key);
	if (err < 0) {
		host_free(host);
		return err;
	}
	*out = host;
	return 0;
}

void host_free(struct host *host)
{
	struct peer *peer, *next;

	if (!host)
		return;
	HASH_ITER(hh, host->peers, peer, next)
		peer_remove(peer);
	lanes_free(host); /* and what waits for them to leave, which is in the slabs */
	session_index_clear(host);
	cookie_checker_clear(&host->checker);
	secret_free(host->private_key);
	secret_slab_destroy(host->keypairs);
	secret_slab_destroy(host->secrets);
	ratelimit_free(host->limit);
	if (host->out)
		secret_wipe(host->out, MESSAGE_MAX_SIZE + PADDING);
	free(host->out);
	free(host->queue);
	free(host->heap);
	free(host);
}

void host_public_key(const struct host *host, uint8_t key[KEY_SIZE])
{
	memcpy(key, host->public_key, KEY_SIZE);
}

enum received_kind host_receive(struct host *host, uint64_t now_ns, const struct path *from,
				uint8_t *msg, size_t len, struct received *out)
{
	/* What its lane has to post, main takes up at once. */
	return lane_receive(lane_of_main(host), now_ns, from, msg, len, out);
}

size_t host_work(struct host *host, uint64_t now_ns, size_t budget)
{
	/* Open for all of them, if it can be: each that needs the key opens it again. */
	struct secret *key = host->queue_count > 0 && secret_open(host->private_key)
				     ? host->private_key : NULL;

	for (; budget > 0 && host->queue_count > 0; budget--) {
		struct queued_handshake *item = &host->queue[host->queue_head];
		enum session_reason reason = handshake_handle(host, now_ns, item);

		host->queue_head = (host->queue_head + 1) % host->queue_slots;
		host->queue_count--;
		lanes_count(host, reason);
	}
	if (key)
		secret_close(key);
	return host->queue_count;
}

void host_tick(struct host *host, uint64_t now_ns)
{
	timers_run(host, now_ns);
	lanes_collect(host, now_ns);
}

uint64_t host_next_deadline(const struct host *host)
{
	uint64_t at = host->heap_count > 0 ? atomic_load(&host->heap[0]->traffic.deadline_ns)
					   : TIME_NEVER;

	/* Keys that a lane may still have are wiped when it has left. */
	if (epoch_is_waiting(host->epoch) && host->collected_ns + COLLECT_INTERVAL_NS < at)
		at = host->collected_ns + COLLECT_INTERVAL_NS;
	return at;
}

bool host_knows_index(const struct host *host, uint32_t index)
{
	return session_index_find(host, index) != NULL;
}

uint64_t host_counter(const struct host *host, enum session_reason reason)
{
	return lanes_counter(host, reason);
}
