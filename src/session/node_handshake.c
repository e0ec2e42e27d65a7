/* SPDX-License-Identifier: ISC */
/*
 * Messages 1 and 2 and the cookies between them. Nothing that a message says changes a peer before
 * the whole message has proved authentic: results are computed into locals and committed last.
 */
#include <tund/session/node.h>

#include <errno.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/crypto/x25519.h>

#include "node_state.h"

const struct suite_rules suite_rules[SUITE_COUNT] = {
	[SUITE_WIREGUARD] = {"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s",
			     "WireGuard v1 zx2c4 Jason@zx2c4.com", AEAD_CHACHA20POLY1305, false,
			     UINT64_C(1) << 60},
	[SUITE_AESGCM] = {"Noise_IKpsk2_25519_AESGCM_BLAKE2s", "tund v1", AEAD_AES256GCM, true,
			  UINT64_C(1) << 32},
	[SUITE_CHACHAPOLY] = {"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s", "tund v1",
			      AEAD_CHACHA20POLY1305, true, UINT64_C(1) << 60},
};

static void put_header(uint8_t *msg, enum message_type type, enum suite suite)
{
	msg[0] = (uint8_t)type;
	msg[1] = (uint8_t)suite;
	msg[2] = msg[3] = 0;
}

static void start_noise(const struct node *node, enum suite suite,
			const uint8_t responder_public[KEY_SIZE], struct noise *noise)
{
	const struct suite_rules *rules = &suite_rules[suite];

	noise_start(noise, node->aead[suite], rules->construction, rules->identifier,
		    strlen(rules->identifier), responder_public);
}

/* Suites 1 and 2 authenticate the type word of each handshake message. */
static void mix_header(struct noise *noise, enum suite suite, const uint8_t *msg)
{
	if (suite_rules[suite].authenticates_header)
		noise_mix_hash(noise, msg, HEADER_SIZE);
}

static enum suite choose_suite(const struct peer *peer)
{
	if (peer->wireguard)
		return SUITE_WIREGUARD;
	if (peer->pinned_suite >= 0)
		return (enum suite)peer->pinned_suite;
	return peer->node->prefer_aes ? SUITE_AESGCM : SUITE_CHACHAPOLY;
}

static bool accepts_suite(const struct peer *peer, enum suite suite)
{
	if (peer->wireguard || suite == SUITE_WIREGUARD)
		return peer->wireguard && suite == SUITE_WIREGUARD;
	return peer->pinned_suite < 0 || peer->pinned_suite == (int)suite;
}

void handshake_forget(struct peer *peer)
{
	struct peer_secrets *s = peer->secrets;

	if (s->state != HANDSHAKE_CREATED_INITIATION)
		return;
	session_index_remove(peer->node, s->local_index);
	noise_wipe(&s->noise);
	secret_wipe(s->ephemeral, sizeof s->ephemeral);
	s->local_index = 0;
	s->state = HANDSHAKE_ZEROED;
}

/* Both identities are there and go together: not without ours, not with a key of low order. */
static bool is_usable(const struct peer *peer)
{
	return !secret_is_zero(peer->secrets->static_static, KEY_SIZE);
}

/* The initiation's Noise part, into `msg`; the peer's pending handshake is written. */
static int create_initiation(struct peer *peer, uint8_t msg[INITIATION_SIZE])
{
	struct peer_secrets *s = peer->secrets;
	struct node *node = peer->node;
	int err;

	if (!is_usable(peer))
		return -ENOKEY;
	err = session_index_insert(node, peer, NULL, &s->local_index);
	if (err < 0)
		return err;
	s->suite = choose_suite(peer);
	s->state = HANDSHAKE_CREATED_INITIATION;
	put_header(msg, MESSAGE_INITIATION, s->suite);
	put_le32(msg + INITIATION_SENDER, s->local_index);
	start_noise(node, s->suite, peer->public_key, &s->noise);
	mix_header(&s->noise, s->suite, msg);
	x25519_generate(&node->rng, s->ephemeral);
	tai64n_next(node->ops.wall_ns(node->ops.ctx), node->last_tai64n, node->last_tai64n);
	node->ops.store_tai64n(node->ops.ctx, node->last_tai64n);
	err = noise_write_first(&s->noise, s->ephemeral, node->public_key, peer->public_key,
				s->static_static, node->last_tai64n, TAI64N_SIZE,
				msg + INITIATION_EPHEMERAL);
	if (err < 0)
		handshake_forget(peer);
	return err;
}

int handshake_initiate(struct peer *peer, uint64_t now_ns, bool forced)
{
	uint8_t msg[INITIATION_SIZE] = {0};
	struct node *node = peer->node;
	int err;

	if (!peer->has_path)
		return -EHOSTUNREACH;
	if (!forced && peer->last_initiation_sent_ns != 0 &&
	    now_ns - peer->last_initiation_sent_ns < REKEY_TIMEOUT_NS)
		return 0;
	handshake_forget(peer);
	err = create_initiation(peer, msg);
	if (err < 0)
		return err;
	cookie_stamp(&peer->cookie, now_ns, msg, sizeof msg);
	peer->last_initiation_sent_ns = now_ns;
	timers_note(peer, traffic_authentic_sent(peer, now_ns));
	timer_set(peer, TIMER_RETRANSMIT, now_ns + REKEY_TIMEOUT_NS + timers_jitter(node));
	timers_note(peer, traffic_expects_answer(peer, now_ns));
	timers_note(peer, traffic_expects_response(peer, now_ns));
	peer->stats.tx_bytes += sizeof msg;
	node->ops.send(node->ops.ctx, &peer->path, msg, sizeof msg);
	return 0;
}

int peer_handshake(struct peer *peer, uint64_t now_ns)
{
	return handshake_initiate(peer, now_ns, false);
}

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

	start_noise(node, suite, node->public_key, &c->noise);
	mix_header(&c->noise, suite, msg);
	private_key = secret_open(node->private_key);
	if (!private_key)
		return SESSION_BAD_HANDSHAKE;
	err = noise_read_static(&c->noise, private_key, msg + INITIATION_EPHEMERAL, claimed);
	secret_close(node->private_key);
	if (err < 0)
		return SESSION_BAD_HANDSHAKE;
	c->peer = peer_find(node, claimed);
	if (!c->peer || !is_usable(c->peer))
		return SESSION_UNKNOWN_PEER;
	if (!accepts_suite(c->peer, suite))
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

	put_header(msg, MESSAGE_RESPONSE, suite);
	mix_header(&c->noise, suite, msg);
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
	mix_header(noise, s->suite, msg);
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

/* A cookie may answer our initiation or our response. */
enum session_reason handshake_cookie(struct node *node, uint64_t now_ns, const uint8_t *msg)
{
	struct index_entry *entry = session_index_find(node, get_le32(msg + COOKIE_RECEIVER));

	if (!entry)
		return SESSION_UNKNOWN_INDEX;
	if (cookie_consume(&entry->peer->cookie, now_ns, msg) < 0)
		return SESSION_BAD_COOKIE;
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
