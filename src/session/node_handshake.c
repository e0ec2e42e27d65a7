/* SPDX-License-Identifier: ISC */
/*
 * Messages 1 and 2 and the cookies between them, as they come. Nothing that a message says changes
 * a peer before the whole message has proved authentic: results are computed into locals and
 * committed last.
 */
#include "node_handshake.h"

#include <errno.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/crypto/secret.h>
#include <tund/crypto/x25519.h>

#include "node_data.h"
#include "node_event.h"
#include "node_index.h"
#include "node_initiate.h"
#include "node_keypair.h"
#include "node_path.h"
#include "node_timers.h"

/* What an authentic initiation said. */
struct consumed {
	struct peer *peer;
	struct noise noise;
	uint8_t stamp[TAI64N_SIZE];
};

static enum session_reason read_initiation(struct node *node, const uint8_t *msg,
					   struct consumed *c)
{
	enum suite suite = (enum suite)msg[1];
	uint8_t claimed[KEY_SIZE];
	const uint8_t *private_key;
	int err;

	handshake_start(node, suite, node->public_key, &c->noise);
	handshake_mix_header(&c->noise, suite, msg);
	private_key = secret_open(node->private_key);
	if (!private_key)
		return SESSION_BAD_HANDSHAKE;
	err = noise_read_static(&c->noise, private_key, msg + INITIATION_EPHEMERAL, claimed);
	secret_close(node->private_key);
	if (err < 0)
		return SESSION_BAD_HANDSHAKE;
	c->peer = peer_find(node, claimed);
	if (!c->peer || !handshake_is_possible(c->peer))
		return SESSION_UNKNOWN_PEER;
	if (!handshake_accepts(c->peer, suite))
		return SESSION_WRONG_SUITE;
	err = noise_read_first(&c->noise, c->peer->secrets->static_static,
			       msg + INITIATION_EPHEMERAL, TAI64N_SIZE, c->stamp);
	return err < 0 ? SESSION_BAD_HANDSHAKE : SESSION_OK;
}

static enum session_reason check_initiation(const struct consumed *c, uint64_t now_ns,
					    uint64_t wall_ns)
{
	const struct peer *peer = c->peer;

	if (!tai64n_is_new(&peer->greatest_tai64n, wall_ns, c->stamp))
		return SESSION_REPLAYED_INITIATION;
	if (peer->last_initiation_consumed_ns != 0 &&
	    now_ns - peer->last_initiation_consumed_ns < INITIATION_INTERVAL_NS)
		return SESSION_RATE_LIMITED;
	return SESSION_OK;
}

static int create_response(struct consumed *c, uint64_t now_ns, const uint8_t *initiation,
			   uint8_t msg[RESPONSE_SIZE], struct keypair **keypair)
{
	enum suite suite = (enum suite)initiation[1];
	struct peer *peer = c->peer;
	uint8_t ephemeral[KEY_SIZE];
	int err;

	handshake_put_header(msg, MESSAGE_RESPONSE, suite);
	handshake_mix_header(&c->noise, suite, msg);
	x25519_generate(&peer->node->rng, ephemeral);
	err = noise_write_second(&c->noise, ephemeral, initiation + INITIATION_EPHEMERAL,
				 peer->public_key, peer->secrets->psk, NULL, 0,
				 msg + RESPONSE_EPHEMERAL);
	secret_wipe(ephemeral, sizeof ephemeral);
	if (err == 0)
		err = keypair_new(peer, &c->noise, suite, false, now_ns, keypair);
	if (err < 0)
		return err;
	(*keypair)->remote_index = get_le32(initiation + INITIATION_SENDER);
	put_le32(msg + RESPONSE_SENDER, (*keypair)->local_index);
	put_le32(msg + RESPONSE_RECEIVER, (*keypair)->remote_index);
	cookie_stamp(&peer->cookie, now_ns, msg, RESPONSE_SIZE);
	return 0;
}

static void answer_initiation(struct consumed *c, uint64_t now_ns, const struct path *from,
			      const uint8_t *response, struct keypair *keypair)
{
	struct peer *peer = c->peer;
	struct node *node = peer->node;

	keypair_install(peer, keypair);
	timers_session_derived(peer, now_ns);
	timers_note(peer, traffic_authentic_heard(peer, now_ns));
	timers_note(peer, traffic_authentic_sent(peer, now_ns));
	path_heard(peer, now_ns, from, true);
	peer->stats.rx_bytes += INITIATION_SIZE;
	peer->stats.tx_bytes += RESPONSE_SIZE;
	node->ops.send(node->ops.ctx, from, response, RESPONSE_SIZE);
}

static enum session_reason handle_initiation(struct node *node, uint64_t now_ns,
					     const struct path *from, const uint8_t *msg)
{
	uint64_t wall_ns = node->ops.wall_ns(node->ops.ctx);
	uint8_t response[RESPONSE_SIZE] = {0};
	struct consumed c = {0};
	struct keypair *keypair;
	enum session_reason reason = read_initiation(node, msg, &c);

	if (reason == SESSION_OK)
		reason = check_initiation(&c, now_ns, wall_ns);
	if (reason != SESSION_OK)
		goto out;
	tai64n_accept(&c.peer->greatest_tai64n, wall_ns, c.stamp);
	c.peer->last_initiation_consumed_ns = now_ns;
	if (create_response(&c, now_ns, msg, response, &keypair) < 0)
		reason = SESSION_BAD_HANDSHAKE;
	else
		answer_initiation(&c, now_ns, from, response, keypair);
out:
	noise_wipe(&c.noise);
	return reason;
}

/* The pending handshake that a response or cookie names, if its suite is the message's. */
static struct peer *find_pending(struct node *node, uint32_t index, const uint8_t *msg,
				 enum session_reason *reason)
{
	struct index_entry *entry = session_index_find(node, index);

	*reason = SESSION_UNKNOWN_INDEX;
	if (!entry || atomic_load(&entry->keypair) ||
	    entry->peer->secrets->state != HANDSHAKE_CREATED_INITIATION)
		return NULL;
	*reason = SESSION_WRONG_SUITE;
	if ((enum suite)msg[1] != entry->peer->secrets->suite)
		return NULL;
	*reason = SESSION_OK;
	return entry->peer;
}

/* Reads a response on a copy of the pending handshake, which stays as it is. */
static int read_response(struct peer *peer, const uint8_t *msg, struct noise *noise)
{
	const struct peer_secrets *s = peer->secrets;
	const uint8_t *private_key;
	uint8_t nothing[1];
	int err;

	*noise = s->noise;
	handshake_mix_header(noise, s->suite, msg);
	private_key = secret_open(peer->node->private_key);
	if (!private_key)
		return -ENOMEM;
	err = noise_read_second(noise, s->ephemeral, private_key, s->psk, msg + RESPONSE_EPHEMERAL,
				0, nothing);
	secret_close(peer->node->private_key);
	return err;
}

/* The session is there: say so at once with data or a keepalive, which confirms the key. */
static void begin_session(struct peer *peer, uint64_t now_ns, const struct path *from)
{
	timers_handshake_complete(peer, now_ns);
	timers_session_derived(peer, now_ns);
	timers_note(peer, traffic_authentic_heard(peer, now_ns));
	path_heard(peer, now_ns, from, true);
	/* Only the last initiation can be answered. */
	path_measured(peer, from, elapsed(now_ns, peer->last_initiation_sent_ns));
	if (peer->staged_count > 0)
		data_send_staged(peer, now_ns);
	else
		data_send_keepalive(peer, now_ns);
	peer_set_up(peer, now_ns, true);
}

static enum session_reason handle_response(struct node *node, uint64_t now_ns,
					   const struct path *from, const uint8_t *msg)
{
	enum session_reason reason;
	struct peer *peer = find_pending(node, get_le32(msg + RESPONSE_RECEIVER), msg, &reason);
	struct keypair *keypair;
	struct noise noise;

	if (!peer)
		return reason;
	reason = SESSION_BAD_HANDSHAKE;
	if (read_response(peer, msg, &noise) < 0)
		goto out;
	if (keypair_new(peer, &noise, peer->secrets->suite, true, now_ns, &keypair) < 0)
		goto out;
	keypair->remote_index = get_le32(msg + RESPONSE_SENDER);
	/* The index is the keypair's from now on. */
	noise_wipe(&peer->secrets->noise);
	secret_wipe(peer->secrets->ephemeral, KEY_SIZE);
	peer->secrets->state = HANDSHAKE_ZEROED;
	keypair_install(peer, keypair);
	peer->stats.rx_bytes += RESPONSE_SIZE;
	begin_session(peer, now_ns, from);
	reason = SESSION_OK;
out:
	noise_wipe(&noise);
	return reason;
}

/* The path works, and its other end wants a proof: it gets that at once. Only an initiation that had
 * none is repeated so, or whoever answers with cookies would make us send as fast as he does. */
static void try_again(struct peer *peer, uint64_t now_ns)
{
	peer->patient = true;
	atomic_store(&peer->traffic.unanswered_ns, 0);
	timers_fold(peer);
	handshake_initiate(peer, now_ns, true);
}

/* A cookie may answer our initiation or our response. */
enum session_reason handshake_cookie(struct node *node, uint64_t now_ns, const uint8_t *msg)
{
	struct index_entry *entry = session_index_find(node, get_le32(msg + COOKIE_RECEIVER));
	struct peer *peer;
	bool had_mac2;

	if (!entry)
		return SESSION_UNKNOWN_INDEX;
	peer = entry->peer;
	had_mac2 = peer->cookie.last_had_mac2;
	if (cookie_consume(&peer->cookie, now_ns, msg) < 0)
		return SESSION_BAD_COOKIE;
	peer->cookie_path = peer->path;
	if (!had_mac2 && !peer->wireguard && peer->secrets->state == HANDSHAKE_CREATED_INITIATION)
		try_again(peer, now_ns);
	return SESSION_OK;
}

/* The queue is at an eighth of its size, or was within the last second. */
static bool is_under_load(struct node *node, uint64_t now_ns)
{
	if (node->queue_count >= node->queue_slots / 8)
		node->under_load_until_ns = now_ns + UNDER_LOAD_NS;
	return now_ns < node->under_load_until_ns;
}

enum session_reason handshake_queue(struct node *node, uint64_t now_ns, const struct path *from,
				    const uint8_t *msg, size_t len)
{
	struct queued_handshake *item;

	if (!node->private_key || !cookie_mac1_is_valid(&node->checker, msg, len))
		return SESSION_BAD_MAC1;
	is_under_load(node, now_ns);
	if (node->queue_count == node->queue_slots)
		return SESSION_QUEUE_FULL;
	item = &node->queue[(node->queue_head + node->queue_count) % node->queue_slots];
	item->from = *from;
	item->len = len;
	memcpy(item->msg, msg, len);
	node->queue_count++;
	return SESSION_OK;
}

static enum session_reason demand_cookie(struct node *node, uint64_t now_ns,
					 const struct queued_handshake *item)
{
	uint8_t reply[COOKIE_SIZE];

	if (cookie_mac2_is_valid(&node->checker, now_ns, item->msg, item->len, &item->from.remote))
		return ratelimit_allow(node->limit, now_ns, &item->from.remote.addr)
			       ? SESSION_OK
			       : SESSION_RATE_LIMITED;
	cookie_reply(&node->checker, now_ns, item->msg, item->len, &item->from.remote, reply);
	node->ops.send(node->ops.ctx, &item->from, reply, sizeof reply);
	return SESSION_NEEDS_COOKIE;
}

enum session_reason handshake_handle(struct node *node, uint64_t now_ns,
				     struct queued_handshake *item)
{
	enum session_reason reason = SESSION_OK;

	if (is_under_load(node, now_ns))
		reason = demand_cookie(node, now_ns, item);
	if (reason != SESSION_OK)
		return reason;
	if (item->msg[0] == MESSAGE_INITIATION)
		return handle_initiation(node, now_ns, &item->from, item->msg);
	return handle_response(node, now_ns, &item->from, item->msg);
}
