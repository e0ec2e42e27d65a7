/* SPDX-License-Identifier: ISC */
/* The host as a whole: made, given messages and time, freed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/crypto/x25519.h>

#include "host_state.h"

static int choose_providers(struct host *host)
{
	for (int suite = 0; suite < SUITE_COUNT; suite++) {
		host->aead[suite] = aead_select(suite_rules[suite].kind, NULL);
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

	(void)now_ns;
	if (config->handshake_queue == 0)
		return -EINVAL;
	host = calloc(1, sizeof *host);
	if (!host)
		return -ENOMEM;
	host->ops = config->ops;
	host->rng = config->rng;
	host->prefer_aes = config->prefer_aes;
	host->mtu = config->mtu;
	host->rekey_after_ns =
		config->rekey_after_ns ? config->rekey_after_ns : REKEY_AFTER_TIME_NS;
	memcpy(host->last_tai64n, config->last_tai64n, TAI64N_SIZE);
	err = lanes_new(host, config->lanes);
	if (err == 0)
		err = choose_providers(host);
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
	lanes_free(host);
	free(host);
}

void host_public_key(const struct host *host, uint8_t key[KEY_SIZE])
{
	memcpy(key, host->public_key, KEY_SIZE);
}

enum received_kind host_receive(struct host *host, uint64_t now_ns, const struct path *from,
				uint8_t *msg, size_t len, struct received *out)
{
	enum received_kind kind = RECEIVED_NOTHING;
	int type = message_gate(msg, len);

	*out = (struct received){.reason = SESSION_OK};
	if (type == MESSAGE_DATA)
		kind = data_receive(host, now_ns, from, msg, len, out);
	else if (type == MESSAGE_COOKIE)
		out->reason = handshake_cookie(host, now_ns, msg);
	else if (type > 0)
		out->reason = handshake_queue(host, now_ns, from, msg, len);
	else
		out->reason = SESSION_MALFORMED;
	host->counters[out->reason]++;
	return kind;
}

size_t host_work(struct host *host, uint64_t now_ns, size_t budget)
{
	for (; budget > 0 && host->queue_count > 0; budget--) {
		struct queued_handshake *item = &host->queue[host->queue_head];
		enum session_reason reason = handshake_handle(host, now_ns, item);

		host->queue_head = (host->queue_head + 1) % host->queue_slots;
		host->queue_count--;
		host->counters[reason]++;
	}
	return host->queue_count;
}

void host_tick(struct host *host, uint64_t now_ns)
{
	timers_run(host, now_ns);
}

uint64_t host_next_deadline(const struct host *host)
{
	return host->heap_count > 0 ? host->heap[0]->deadline_ns : TIME_NEVER;
}

bool host_knows_index(const struct host *host, uint32_t index)
{
	return session_index_find(host, index) != NULL;
}

uint64_t host_counter(const struct host *host, enum session_reason reason)
{
	return host->counters[reason];
}
