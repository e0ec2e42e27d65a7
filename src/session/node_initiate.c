/* SPDX-License-Identifier: ISC */
/* Message 1: whoever wants a session begins it here. */
#include "node_initiate.h"

#include <errno.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/crypto/secret.h>
#include <tund/crypto/x25519.h>

#include "node_index.h"
#include "node_state.h"
#include "node_timers.h"

void handshake_put_header(uint8_t *msg, enum message_type type, enum suite suite)
{
	msg[0] = (uint8_t)type;
	msg[1] = (uint8_t)suite;
	msg[2] = msg[3] = 0;
}

void handshake_start(const struct node *node, enum suite suite,
		     const uint8_t responder_public[KEY_SIZE], struct noise *noise)
{
	const struct suite_rules *rules = &suite_rules[suite];

	noise_start(noise, node->aead[suite], rules->construction, rules->identifier,
		    strlen(rules->identifier), responder_public);
}

void handshake_mix_header(struct noise *noise, enum suite suite, const uint8_t *msg)
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

bool handshake_accepts(const struct peer *peer, enum suite suite)
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

bool handshake_is_possible(const struct peer *peer)
{
	return !secret_is_zero(peer->secrets->static_static, KEY_SIZE);
}

/* The initiation's Noise part, into `msg`; the peer's pending handshake is written. */
static int create_initiation(struct peer *peer, uint8_t msg[INITIATION_SIZE])
{
	struct peer_secrets *s = peer->secrets;
	struct node *node = peer->node;
	int err;

	if (!handshake_is_possible(peer))
		return -ENOKEY;
	err = session_index_insert(node, peer, NULL, &s->local_index);
	if (err < 0)
		return err;
	s->suite = choose_suite(peer);
	s->state = HANDSHAKE_CREATED_INITIATION;
	handshake_put_header(msg, MESSAGE_INITIATION, s->suite);
	put_le32(msg + INITIATION_SENDER, s->local_index);
	handshake_start(node, s->suite, peer->public_key, &s->noise);
	handshake_mix_header(&s->noise, s->suite, msg);
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
	if (!path_equal(&peer->cookie_path, &peer->path))
		cookie_forget(&peer->cookie);
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
