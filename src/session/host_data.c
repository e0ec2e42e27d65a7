/* SPDX-License-Identifier: ISC */
/* Sealing and opening of data messages, and the packets that wait for a session. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/control_frame.h>

#include "host_state.h"

struct staged_packet {
	STAILQ_ENTRY(staged_packet) next;
	size_t len;
	uint8_t data[];
};

/* To a multiple of 16, but not beyond the MTU: the outer packet would not fit its link. */
static size_t pad(const struct host *host, size_t len)
{
	size_t padded = (len + PADDING - 1) / PADDING * PADDING;

	if (padded <= host->mtu)
		return padded;
	return len < host->mtu ? host->mtu : len;
}

static const uint8_t *associated_data(enum suite suite, const uint8_t *msg, size_t *len)
{
	*len = suite_rules[suite].authenticates_header ? DATA_PAYLOAD : 0;
	return *len ? msg : NULL;
}

/* Seals one payload into host->out. Returns the message's length, or -EIO. */
static ssize_t seal(struct host *host, struct keypair *keypair, uint8_t flags,
		    const uint8_t *payload, size_t len)
{
	uint8_t *msg = host->out;
	size_t padded = pad(host, len), ad_len;
	uint64_t counter = keypair->send_counter++;
	const uint8_t *ad = associated_data(keypair->suite, msg, &ad_len);

	msg[0] = MESSAGE_DATA;
	msg[1] = (uint8_t)keypair->suite;
	msg[2] = flags;
	msg[3] = 0;
	put_le32(msg + DATA_RECEIVER, keypair->remote_index);
	put_le64(msg + DATA_COUNTER, counter);
	if (len > 0)
		memcpy(msg + DATA_PAYLOAD, payload, len);
	memset(msg + DATA_PAYLOAD + len, 0, padded - len);
	if (aead_seal(&keypair->send, counter, ad, ad_len, msg + DATA_PAYLOAD, padded,
		      msg + DATA_PAYLOAD) < 0)
		return -EIO;
	return (ssize_t)(padded + DATA_OVERHEAD);
}

/* WireGuard paper 6.2: the initiator begins a new handshake in time, anyone when the counter
 * demands it. */
void keep_key_fresh_on_send(struct peer *peer, uint64_t now_ns)
{
	const struct keypair *k = peer->current;

	if (k->send_counter > suite_rules[k->suite].rekey_after_messages ||
	    (k->is_initiator && now_ns - k->born_ns >= peer->host->rekey_after_ns))
		handshake_initiate(peer, now_ns, false);
}

static void keep_key_fresh_on_receive(struct peer *peer, uint64_t now_ns)
{
	const struct keypair *k = peer->current;

	if (peer->sent_last_minute || !k || !k->is_initiator)
		return;
	if (now_ns - k->born_ns < REJECT_AFTER_TIME_NS - KEEPALIVE_TIMEOUT_NS - REKEY_TIMEOUT_NS)
		return;
	peer->sent_last_minute = true;
	handshake_initiate(peer, now_ns, false);
}

int data_send(struct peer *peer, uint64_t now_ns, const struct path *path, uint8_t flags,
	      const uint8_t *payload, size_t len)
{
	struct host *host = peer->host;
	ssize_t n = seal(host, peer->current, flags, payload, len);

	if (n < 0)
		return (int)n;
	timers_authentic_sent(peer, now_ns);
	peer->stats.tx_bytes += (uint64_t)n;
	peer->stats.tx_packets++;
	host->ops.send(host->ops.ctx, path, host->out, (size_t)n);
	keep_key_fresh_on_send(peer, now_ns);
	return 0;
}

void data_send_keepalive(struct peer *peer, uint64_t now_ns)
{
	if (peer->has_path && keypair_may_send(peer->current, now_ns))
		data_send(peer, now_ns, &peer->path, 0, NULL, 0);
	else
		handshake_initiate(peer, now_ns, false);
}

int data_send_frame(struct peer *peer, uint64_t now_ns, const struct path *path,
		    const uint8_t *frame, size_t len, bool is_traffic)
{
	if (!keypair_may_send(peer->current, now_ns) || peer->current->suite == SUITE_WIREGUARD)
		return -ENOTCONN;
	if (is_traffic) {
		timers_data_sent(peer, now_ns);
		path_expect_answer(peer, now_ns);
	}
	return data_send(peer, now_ns, path, DATA_FLAG_CONTROL, frame, len);
}

static struct staged_packet *take_oldest(struct peer *peer)
{
	struct staged_packet *p = STAILQ_FIRST(&peer->staged);

	STAILQ_REMOVE_HEAD(&peer->staged, next);
	peer->staged_count--;
	peer->host->staged_total--;
	return p;
}

void data_drop_staged(struct peer *peer)
{
	while (peer->staged_count > 0)
		free(take_oldest(peer));
}

static void stage(struct peer *peer, const uint8_t *packet, size_t len)
{
	struct staged_packet *p;

	if (peer->staged_count == STAGED_MAX)
		free(take_oldest(peer));
	if (peer->host->staged_total >= STAGED_TOTAL_MAX)
		return;
	p = malloc(sizeof *p + len);
	if (!p)
		return;
	p->len = len;
	memcpy(p->data, packet, len);
	STAILQ_INSERT_TAIL(&peer->staged, p, next);
	peer->staged_count++;
	peer->host->staged_total++;
}

/* At most what is staged now: an initiation in between must not make it endless. */
void data_send_staged(struct peer *peer, uint64_t now_ns)
{
	for (unsigned n = peer->staged_count; n > 0; n--) {
		struct staged_packet *p = take_oldest(peer);

		peer_send(peer, now_ns, p->data, p->len);
		free(p);
	}
}

int peer_send(struct peer *peer, uint64_t now_ns, const uint8_t *packet, size_t len)
{
	if (!peer->has_path)
		return -EHOSTUNREACH;
	if (!keypair_may_send(peer->current, now_ns)) {
		stage(peer, packet, len);
		handshake_initiate(peer, now_ns, false);
		return -EAGAIN;
	}
	timers_data_sent(peer, now_ns);
	path_expect_answer(peer, now_ns);
	return data_send(peer, now_ns, &peer->path, 0, packet, len);
}

/* Length and index are the gate's and the table's; this is key age, tag and replay. */
static enum session_reason open_message(struct keypair *keypair, uint64_t now_ns, uint8_t *msg,
					size_t len)
{
	uint64_t counter = get_le64(msg + DATA_COUNTER);
	size_t ad_len;
	const uint8_t *ad = associated_data(keypair->suite, msg, &ad_len);

	if (now_ns - keypair->born_ns >= REJECT_AFTER_TIME_NS ||
	    counter >= REJECT_AFTER_MESSAGES)
		return SESSION_EXPIRED_KEY;
	if (aead_open(&keypair->receive, counter, ad, ad_len, msg + DATA_PAYLOAD,
		      len - DATA_PAYLOAD, msg + DATA_PAYLOAD) < 0)
		return SESSION_BAD_TAG;
	return replay_accept(&keypair->replay, counter) ? SESSION_OK : SESSION_REPLAYED_COUNTER;
}

static enum session_reason on_probe(struct peer *peer, uint64_t now_ns, const struct path *from,
				    const uint8_t *frame, size_t len)
{
	uint8_t answer[FRAME_PROBE_SIZE];

	/* What follows is padding. */
	if (len < sizeof answer)
		return SESSION_BAD_CONTROL;
	memcpy(answer, frame, sizeof answer);
	answer[0] = FRAME_PROBE_ANSWER;
	data_send_frame(peer, now_ns, from, answer, sizeof answer, false);
	return SESSION_OK;
}

/* Whether a frame says something that wants our attention, and so counts as data received. */
static bool is_data_frame(const uint8_t *frame)
{
	return frame[0] == FRAME_MESSAGE || frame[0] == FRAME_RESET;
}

static enum session_reason on_frame(struct peer *peer, uint64_t now_ns, const struct path *from,
				    const uint8_t *frame, size_t len)
{
	struct control_channel *channel;

	switch (frame[0]) {
	case FRAME_PROBE:
		return on_probe(peer, now_ns, from, frame, len);
	case FRAME_PROBE_ANSWER:
		return SESSION_OK;
	case FRAME_MESSAGE:
	case FRAME_ACK:
	case FRAME_RESET:
		channel = peer_control(peer);
		if (!channel || control_channel_receive(channel, now_ns, frame, len) < 0)
			return SESSION_BAD_CONTROL;
		timers_note_control(peer);
		return SESSION_OK;
	}
	return SESSION_BAD_CONTROL;
}

/* Only a packet newer than all before it moves the path; suite 0 moves as WireGuard does. */
static bool may_move(const struct keypair *keypair, uint64_t counter, const uint8_t *msg)
{
	if (keypair->suite == SUITE_WIREGUARD)
		return true;
	return counter >= keypair->replay.next && !(msg[2] & DATA_FLAG_NO_MOVE);
}

/* An authentic message: path, keypair, timers, in this order. */
static void note_authentic(struct peer *peer, uint64_t now_ns, struct keypair *keypair,
			   const struct path *from, bool moves, size_t len)
{
	/* A straggler under an old keypair says nothing about where the peer is now. */
	path_heard(peer, now_ns, from, moves && keypair != peer->previous);
	timers_authentic_received(peer, now_ns);
	peer->stats.rx_bytes += len;
	peer->stats.rx_packets++;
	if (keypair == peer->next) {
		keypair_confirm(peer, now_ns);
		data_send_staged(peer, now_ns);
	}
	keep_key_fresh_on_receive(peer, now_ns);
}

static enum received_kind hand_on(struct peer *peer, uint64_t now_ns, const struct path *from,
				  uint8_t *msg, size_t len, struct received *out)
{
	uint8_t *payload = msg + DATA_PAYLOAD;
	size_t n = len - DATA_OVERHEAD;

	out->peer = peer;
	if (n == 0)
		return RECEIVED_NOTHING;
	if (msg[2] & DATA_FLAG_CONTROL) {
		if (is_data_frame(payload))
			timers_data_received(peer, now_ns);
		out->reason = on_frame(peer, now_ns, from, payload, n);
		return RECEIVED_NOTHING;
	}
	timers_data_received(peer, now_ns);
	out->packet = payload;
	out->len = n;
	out->flags = msg[2];
	return RECEIVED_PACKET;
}

enum received_kind data_receive(struct host *host, uint64_t now_ns, const struct path *from,
				uint8_t *msg, size_t len, struct received *out)
{
	struct index_entry *entry = session_index_find(host, get_le32(msg + DATA_RECEIVER));
	struct keypair *keypair = entry ? entry->keypair : NULL;
	struct peer *peer;
	bool moves;

	if (!keypair || keypair->suite != (enum suite)msg[1]) {
		out->reason = keypair ? SESSION_WRONG_SUITE : SESSION_UNKNOWN_INDEX;
		return RECEIVED_NOTHING;
	}
	peer = entry->peer;
	moves = may_move(keypair, get_le64(msg + DATA_COUNTER), msg);
	out->reason = open_message(keypair, now_ns, msg, len);
	if (out->reason != SESSION_OK)
		return RECEIVED_NOTHING;
	note_authentic(peer, now_ns, keypair, from, moves, len);
	return hand_on(peer, now_ns, from, msg, len, out);
}
