/* SPDX-License-Identifier: ISC */
/* What main sends: inner packets, those that wait for a session, control frames. */
#include "node_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lane_state.h"
#include "node_initiate.h"
#include "node_keypair.h"
#include "node_state.h"
#include "node_timers.h"

struct staged_packet {
	STAILQ_ENTRY(staged_packet) next;
	size_t len;
	uint8_t data[];
};

void keep_key_fresh_on_send(struct peer *peer, uint64_t now_ns)
{
	const struct keypair *k = peer->current;

	if (k && keypair_is_old_for_sending(peer->node, k, now_ns))
		handshake_initiate(peer, now_ns, false);
}

void keep_key_fresh_on_receive(struct peer *peer, uint64_t now_ns)
{
	const struct keypair *k = peer->current;

	if (!k || !keypair_is_old_for_receiving(k, now_ns) ||
	    atomic_exchange(&peer->traffic.sent_last_minute, true))
		return;
	handshake_initiate(peer, now_ns, false);
}

int data_send(struct peer *peer, uint64_t now_ns, const struct path *path, uint8_t flags,
	      const uint8_t *payload, size_t len)
{
	struct node *node = peer->node;
	struct keypair *keypair = peer->current;
	ssize_t n;

	if (len + PADDING + DATA_OVERHEAD > MESSAGE_MAX_SIZE)
		return -EMSGSIZE;
	if (len > 0)
		memcpy(node->out + DATA_PAYLOAD, payload, len);
	n = message_seal(keypair, atomic_fetch_add(&keypair->send_counter, 1), node->mtu, flags,
			 node->out + DATA_PAYLOAD, len, node->out);
	if (n < 0)
		return (int)n;
	timers_note(peer, traffic_authentic_sent(peer, now_ns));
	peer->stats.tx_bytes += (uint64_t)n;
	peer->stats.tx_packets++;
	node->ops.send(node->ops.ctx, path, node->out, (size_t)n);
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
	const struct keypair *keypair = peer->current;

	if (!keypair_may_send(keypair, now_ns) || keypair->suite == SUITE_WIREGUARD)
		return -ENOTCONN;
	if (is_traffic) {
		timers_note(peer, traffic_data_sent(peer, now_ns));
		timers_note(peer, traffic_expects_answer(peer, now_ns));
	}
	return data_send(peer, now_ns, path, DATA_FLAG_CONTROL, frame, len);
}

static struct staged_packet *take_oldest(struct peer *peer)
{
	struct staged_packet *p = STAILQ_FIRST(&peer->staged);

	STAILQ_REMOVE_HEAD(&peer->staged, next);
	peer->staged_count--;
	peer->node->staged_total--;
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
	if (peer->node->staged_total >= STAGED_TOTAL_MAX)
		return;
	p = malloc(sizeof *p + len);
	if (!p)
		return;
	p->len = len;
	memcpy(p->data, packet, len);
	STAILQ_INSERT_TAIL(&peer->staged, p, next);
	peer->staged_count++;
	peer->node->staged_total++;
}

/* At most what is staged now: an initiation in between must not make it endless. */
void data_send_staged(struct peer *peer, uint64_t now_ns)
{
	for (unsigned n = peer->staged_count; n > 0; n--) {
		struct staged_packet *p = take_oldest(peer);

		data_send_packet(peer, now_ns, p->data, p->len);
		free(p);
	}
}

int data_send_packet(struct peer *peer, uint64_t now_ns, const uint8_t *packet, size_t len)
{
	if (!peer->has_path)
		return -EHOSTUNREACH;
	if (!keypair_may_send(peer->current, now_ns)) {
		stage(peer, packet, len);
		handshake_initiate(peer, now_ns, false);
		return -EAGAIN;
	}
	timers_note(peer, traffic_data_sent(peer, now_ns));
	timers_note(peer, traffic_expects_answer(peer, now_ns));
	return data_send(peer, now_ns, &peer->path, 0, packet, len);
}
