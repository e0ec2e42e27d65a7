/* SPDX-License-Identifier: ISC */
/*
 * Peers in a snapshot: id 8 bytes, public key, preshared key, flags 1, suite 1, keepalive 2
 * (seconds), timestamps received 3 x 12, initiations: sent 8, consumed 8, attempts 4; traffic
 * 6 x 8, timers, statistics 5 x 8; the active path, if there is one; the known ones; the pending
 * handshake, if there is one; which keypairs there are 1, those.
 */
#include "snapshot.h"

#include <errno.h>
#include <string.h>

#include <tund/crypto/secret.h>

#include "node_index.h"
#include "node_initiate.h"
#include "node_path.h"
#include "node_state.h"
#include "node_timers.h"
#include "snapshot_part.h"

#define FLAG_WIREGUARD 0x01
#define FLAG_CONNECT 0x02
#define FLAG_UP 0x04
#define FLAG_PATH 0x08
#define FLAG_PENDING 0x10 /* an initiation waits for its response */
#define FLAG_ANOTHER_KEEPALIVE 0x20
#define FLAG_RESCUING 0x40
#define FLAG_SENT_LAST_MINUTE 0x80

#define NOT_PINNED 0xff

#define SLOT_PREVIOUS 0x01
#define SLOT_CURRENT 0x02
#define SLOT_NEXT 0x04

/* How far ahead of now a timer can be; 0: it is off. */
static uint64_t farthest(const struct peer *peer, enum peer_timer timer)
{
	switch (timer) {
	case TIMER_RETRANSMIT:
		return REKEY_TIMEOUT_NS + REKEY_JITTER_NS;
	case TIMER_KEEPALIVE:
		return KEEPALIVE_TIMEOUT_NS;
	case TIMER_NEW_HANDSHAKE:
		return KEEPALIVE_TIMEOUT_NS + REKEY_TIMEOUT_NS + REKEY_JITTER_NS;
	case TIMER_ERASE:
		return ERASE_AFTER_NS;
	case TIMER_PERSISTENT: /* what is configured may have been more */
		return atomic_load(&peer->traffic.keepalive_ns) ? UINT16_MAX * NS_PER_SEC : 0;
	case TIMER_EXPIRE:
		return REJECT_AFTER_TIME_NS;
	case TIMER_PROBE:
		return PROBE_AFTER_NS;
	case TIMER_SILENT:
		return HANDSHAKE_FAIL_NS;
	case TIMER_COUNT:
		break;
	}
	return 0;
}

unsigned snapshot_count_keypairs(const struct peer *peer)
{
	return (peer->previous != NULL) + (peer->current != NULL) + (peer->next != NULL);
}

static uint8_t flags_of(const struct peer *peer)
{
	const struct traffic *t = &peer->traffic;

	return (uint8_t)((peer->wireguard ? FLAG_WIREGUARD : 0) |
			 (peer->connect ? FLAG_CONNECT : 0) | (peer->up ? FLAG_UP : 0) |
			 (peer->has_path ? FLAG_PATH : 0) |
			 (peer->secrets->state != HANDSHAKE_ZEROED ? FLAG_PENDING : 0) |
			 (atomic_load(&t->need_another_keepalive) ? FLAG_ANOTHER_KEEPALIVE : 0) |
			 (atomic_load(&t->rescuing) ? FLAG_RESCUING : 0) |
			 (atomic_load(&t->sent_last_minute) ? FLAG_SENT_LAST_MINUTE : 0));
}

static void write_timers(struct writer *w, struct peer *peer)
{
	const struct traffic *t = &peer->traffic;

	timers_fold(peer);
	write_u64(w, atomic_load(&t->heard_ns));
	write_u64(w, atomic_load(&t->path_heard_ns));
	write_u64(w, atomic_load(&t->data_sent_ns));
	write_u64(w, atomic_load(&t->data_heard_ns));
	write_u64(w, atomic_load(&t->unanswered_ns));
	write_u64(w, atomic_load(&t->exchanged_ns));
	for (int i = 0; i < TIMER_COUNT; i++)
		write_u64(w, peer->timers[i]);
}

static void write_stats(struct writer *w, const struct peer *peer)
{
	struct peer_stats stats;

	peer_get_stats(peer, &stats);
	write_u64(w, stats.last_handshake_wall_ns);
	write_u64(w, stats.rx_bytes);
	write_u64(w, stats.tx_bytes);
	write_u64(w, stats.rx_packets);
	write_u64(w, stats.tx_packets);
}

static void write_pending(struct writer *w, const struct peer_secrets *s)
{
	write_u8(w, (uint8_t)s->suite);
	write_u32(w, s->local_index);
	write_bytes(w, s->ephemeral, KEY_SIZE);
	write_bytes(w, s->noise.ck, sizeof s->noise.ck);
	write_bytes(w, s->noise.h, sizeof s->noise.h);
	write_bytes(w, s->noise.k, sizeof s->noise.k);
}

static void write_keypairs(struct writer *w, struct peer *peer)
{
	write_u8(w, (uint8_t)((peer->previous ? SLOT_PREVIOUS : 0) |
			      (peer->current ? SLOT_CURRENT : 0) | (peer->next ? SLOT_NEXT : 0)));
	if (peer->previous)
		snapshot_write_keypair(w, peer->previous, false);
	if (peer->current)
		snapshot_write_keypair(w, peer->current, false);
	if (peer->next)
		snapshot_write_keypair(w, peer->next, true);
}

void snapshot_write_peer(struct writer *w, struct peer *peer)
{
	write_u64(w, peer->id);
	write_bytes(w, peer->public_key, KEY_SIZE);
	write_bytes(w, peer->secrets->psk, KEY_SIZE);
	write_u8(w, flags_of(peer));
	write_u8(w, peer->pinned_suite < 0 ? NOT_PINNED : (uint8_t)peer->pinned_suite);
	write_u16(w, (uint16_t)(atomic_load(&peer->traffic.keepalive_ns) / NS_PER_SEC));
	write_bytes(w, peer->greatest_tai64n.usual, TAI64N_SIZE);
	write_bytes(w, peer->greatest_tai64n.ahead_first, TAI64N_SIZE);
	write_bytes(w, peer->greatest_tai64n.ahead, TAI64N_SIZE);
	write_u64(w, peer->last_initiation_sent_ns);
	write_u64(w, peer->last_initiation_consumed_ns);
	write_u32(w, peer->attempts);
	write_timers(w, peer);
	write_stats(w, peer);
	if (peer->has_path)
		snapshot_write_path(w, &peer->path);
	snapshot_write_known(w, peer->known);
	if (peer->secrets->state != HANDSHAKE_ZEROED)
		write_pending(w, peer->secrets);
	write_keypairs(w, peer);
}

/* Adds the peer that the snapshot configures, with the id that it had. */
static int read_config(struct reader *r, struct node *node, uint64_t now_ns, uint8_t *flags,
		       struct peer **out)
{
	struct peer_config config = {0};
	uint64_t id = read_u64(r);
	uint8_t pinned;
	int err = -EBADMSG;

	read_copy(r, config.public_key, KEY_SIZE);
	read_copy(r, config.preshared_key, KEY_SIZE);
	*flags = read_u8(r);
	pinned = read_u8(r);
	config.keepalive_s = read_u16(r);
	config.wireguard = *flags & FLAG_WIREGUARD;
	config.connect = *flags & FLAG_CONNECT;
	config.pinned_suite = pinned == NOT_PINNED ? -1 : pinned;
	if (!r->failed && id > node->last_id && config.pinned_suite < SUITE_COUNT &&
	    (config.wireguard || config.pinned_suite != SUITE_WIREGUARD)) {
		node->last_id = id - 1;
		err = peer_add(node, now_ns, &config, out);
	}
	secret_wipe(config.preshared_key, KEY_SIZE);
	return err == -EEXIST || err == -EINVAL ? -EBADMSG : err;
}

static void read_handshakes(struct reader *r, uint64_t now_ns, struct peer *peer)
{
	read_copy(r, peer->greatest_tai64n.usual, TAI64N_SIZE);
	read_copy(r, peer->greatest_tai64n.ahead_first, TAI64N_SIZE);
	read_copy(r, peer->greatest_tai64n.ahead, TAI64N_SIZE);
	peer->last_initiation_sent_ns = snapshot_read_instant(r, now_ns);
	peer->last_initiation_consumed_ns = snapshot_read_instant(r, now_ns);
	peer->attempts = read_u32(r);
}

static int read_timers(struct reader *r, uint64_t now_ns, struct peer *peer)
{
	struct traffic *t = &peer->traffic;
	struct folded *f = &peer->folded;

	atomic_store(&t->heard_ns, snapshot_read_instant(r, now_ns));
	atomic_store(&t->path_heard_ns, snapshot_read_instant(r, now_ns));
	atomic_store(&t->data_sent_ns, f->data_sent_ns = snapshot_read_instant(r, now_ns));
	atomic_store(&t->data_heard_ns, f->data_heard_ns = snapshot_read_instant(r, now_ns));
	atomic_store(&t->unanswered_ns, f->unanswered_ns = snapshot_read_instant(r, now_ns));
	atomic_store(&t->exchanged_ns, f->exchanged_ns = snapshot_read_instant(r, now_ns));
	for (int i = 0; i < TIMER_COUNT; i++) {
		uint64_t at_ns = read_u64(r), limit_ns = farthest(peer, (enum peer_timer)i);

		if (at_ns != TIME_NEVER && (limit_ns == 0 || at_ns > now_ns + limit_ns))
			return -EBADMSG;
		peer->timers[i] = at_ns;
	}
	return r->failed ? -EBADMSG : 0;
}

static void read_stats(struct reader *r, struct peer_stats *stats)
{
	stats->last_handshake_wall_ns = read_u64(r);
	stats->rx_bytes = read_u64(r);
	stats->tx_bytes = read_u64(r);
	stats->rx_packets = read_u64(r);
	stats->tx_packets = read_u64(r);
}

static int read_pending(struct reader *r, struct peer *peer)
{
	struct peer_secrets *s = peer->secrets;
	uint8_t suite = read_u8(r);
	uint32_t index = read_u32(r);
	int err;

	if (suite >= SUITE_COUNT || !handshake_accepts(peer, (enum suite)suite))
		return -EBADMSG;
	read_copy(r, s->ephemeral, KEY_SIZE);
	read_copy(r, s->noise.ck, sizeof s->noise.ck);
	read_copy(r, s->noise.h, sizeof s->noise.h);
	read_copy(r, s->noise.k, sizeof s->noise.k);
	s->noise.aead = peer->node->aead[suite];
	s->suite = (enum suite)suite;
	if (r->failed)
		return -EBADMSG;
	err = session_index_insert_as(peer->node, peer, NULL, index);
	if (err < 0)
		return err == -EEXIST ? -EBADMSG : err;
	s->local_index = index;
	s->state = HANDSHAKE_CREATED_INITIATION;
	return 0;
}

static int read_slot(struct reader *r, uint64_t now_ns, struct peer *peer, uint8_t slot)
{
	struct keypair *keypair;
	int err = snapshot_read_keypair(r, peer, now_ns, &keypair);
	bool unproven;

	if (err < 0)
		return err;
	unproven = atomic_load(&keypair->unproven);
	if (slot == SLOT_PREVIOUS)
		peer->previous = keypair;
	else if (slot == SLOT_CURRENT)
		atomic_store(&peer->current, keypair);
	else
		peer->next = keypair;
	if (!handshake_accepts(peer, keypair->suite) || (slot == SLOT_CURRENT && unproven) ||
	    (slot == SLOT_NEXT && !unproven))
		return -EBADMSG;
	return 0;
}

static int read_keypairs(struct reader *r, uint64_t now_ns, struct peer *peer)
{
	uint8_t slots = read_u8(r);
	int err = 0;

	if (slots & ~(SLOT_PREVIOUS | SLOT_CURRENT | SLOT_NEXT))
		return -EBADMSG;
	/* What makes a keypair sets the time when it is erased. */
	if (slots != 0 && peer->timers[TIMER_ERASE] == TIME_NEVER)
		return -EBADMSG;
	for (uint8_t slot = SLOT_PREVIOUS; slot <= SLOT_NEXT && err == 0;
	     slot = (uint8_t)(slot << 1)) {
		if (slots & slot)
			err = read_slot(r, now_ns, peer, slot);
	}
	return err;
}

static int read_state(struct reader *r, uint64_t now_ns, struct peer *peer, uint8_t flags)
{
	int err;

	peer->up = flags & FLAG_UP;
	atomic_store(&peer->traffic.need_another_keepalive, flags & FLAG_ANOTHER_KEEPALIVE);
	atomic_store(&peer->traffic.rescuing, flags & FLAG_RESCUING);
	atomic_store(&peer->traffic.sent_last_minute, flags & FLAG_SENT_LAST_MINUTE);
	read_handshakes(r, now_ns, peer);
	err = read_timers(r, now_ns, peer);
	read_stats(r, &peer->stats);
	peer->has_path = flags & FLAG_PATH;
	if (err == 0 && peer->has_path)
		err = snapshot_read_path(r, &peer->path);
	if (err == 0)
		err = snapshot_read_known(r, now_ns, peer->known);
	if (err == 0 && flags & FLAG_PENDING)
		err = read_pending(r, peer);
	if (err == 0)
		err = read_keypairs(r, now_ns, peer);
	return err;
}

int snapshot_read_peer(struct reader *r, struct node *node, uint64_t now_ns)
{
	struct peer *peer;
	uint8_t flags;
	int err = read_config(r, node, now_ns, &flags, &peer);

	if (err == 0)
		err = read_state(r, now_ns, peer, flags);
	if (err < 0)
		return err;
	path_publish(peer);
	timers_settle(peer);
	return 0;
}
