/* SPDX-License-Identifier: ISC */
/*
 * Keypairs in a snapshot: suite 1 byte, flags 1, born 8, indices 4 each, sending and receiving key,
 * send counter 8, asked 8, arrivals 8, stayed 8, moved 8, shown 8, replay window: next 8, words.
 */
#include "snapshot.h"

#include <errno.h>

#include "node_index.h"
#include "node_state.h"
#include "snapshot_part.h"

#define FLAG_INITIATOR 0x01
#define FLAG_UNPROVEN 0x02

/* All counters below what is returned may have been used, and none of the others ever will be: a
 * lane that comes now finds them at their end, and cannot give back what it has reserved. */
static uint64_t take_counters(struct keypair *keypair)
{
	uint64_t next = atomic_exchange(&keypair->send_counter, REJECT_AFTER_MESSAGES);

	return next < REJECT_AFTER_MESSAGES ? next : REJECT_AFTER_MESSAGES;
}

static void write_window(struct writer *w, const struct replay *replay)
{
	write_u64(w, replay->next);
	for (int i = 0; i < REPLAY_WORDS; i++)
		write_u64(w, replay->words[i]);
}

/* Every counter is behind the window that is left here. */
static void take_window(struct writer *w, struct keypair *keypair)
{
	lock_take(&keypair->lock);
	write_u64(w, keypair->arrivals);
	write_u64(w, keypair->stayed);
	write_u64(w, keypair->moved);
	write_u64(w, keypair->shown);
	write_window(w, &keypair->replay);
	keypair->replay.next = UINT64_MAX;
	lock_release(&keypair->lock);
}

_Static_assert(UINT64_MAX - REJECT_AFTER_MESSAGES >= REPLAY_WINDOW, "none is inside");

void snapshot_write_keypair(struct writer *w, struct keypair *keypair, bool is_next)
{
	/* What a lane has shown of the next one, main does not know: it is shown again. */
	bool unproven = is_next || atomic_load(&keypair->unproven);

	write_u8(w, (uint8_t)keypair->suite);
	write_u8(w, (uint8_t)((keypair->is_initiator ? FLAG_INITIATOR : 0) |
			      (unproven ? FLAG_UNPROVEN : 0)));
	write_u64(w, keypair->born_ns);
	write_u32(w, keypair->local_index);
	write_u32(w, keypair->remote_index);
	write_bytes(w, keypair->send_secret, KEY_SIZE);
	write_bytes(w, keypair->receive_secret, KEY_SIZE);
	write_u64(w, take_counters(keypair));
	write_u64(w, atomic_load(&keypair->asked_ns));
	take_window(w, keypair);
}

static void read_window(struct reader *r, struct replay *replay)
{
	replay->next = read_u64(r);
	for (int i = 0; i < REPLAY_WORDS; i++)
		replay->words[i] = read_u64(r);
}

static void read_fields(struct reader *r, uint64_t now_ns, struct keypair *k)
{
	uint8_t suite = read_u8(r), flags = read_u8(r);

	k->suite = (enum suite)(suite < SUITE_COUNT ? suite : 0);
	k->is_initiator = flags & FLAG_INITIATOR;
	atomic_init(&k->unproven, flags & FLAG_UNPROVEN);
	if (suite >= SUITE_COUNT || flags & ~(FLAG_INITIATOR | FLAG_UNPROVEN))
		r->failed = true;
	k->born_ns = snapshot_read_instant(r, now_ns);
	k->local_index = read_u32(r);
	k->remote_index = read_u32(r);
	read_copy(r, k->send_secret, KEY_SIZE);
	read_copy(r, k->receive_secret, KEY_SIZE);
	atomic_init(&k->send_counter, read_u64(r));
	atomic_init(&k->asked_ns, snapshot_read_instant(r, now_ns));
	k->arrivals = read_u64(r);
	k->stayed = read_u64(r);
	k->moved = read_u64(r);
	k->shown = read_u64(r);
	read_window(r, &k->replay);
}

/* What can come of sending, opening and moving (lane_receive.c). */
static bool is_possible(const struct keypair *k)
{
	uint64_t orders = k->suite == SUITE_WIREGUARD ? k->arrivals : k->replay.next;

	return !(k->is_initiator && atomic_load(&k->unproven)) &&
	       atomic_load(&k->send_counter) <= REJECT_AFTER_MESSAGES &&
	       k->replay.next <= REJECT_AFTER_MESSAGES && replay_is_possible(&k->replay) &&
	       k->arrivals <= k->replay.next && k->stayed <= orders && k->moved <= orders &&
	       k->shown <= orders;
}

int snapshot_read_keypair(struct reader *r, struct peer *peer, uint64_t now_ns,
			  struct keypair **out)
{
	struct keypair *keypair = keypair_alloc(peer);
	int err = -EBADMSG;

	if (!keypair)
		return -ENOMEM;
	read_fields(r, now_ns, keypair);
	if (!r->failed && is_possible(keypair))
		err = keypair_expand(keypair);
	if (err == 0)
		err = session_index_insert_as(peer->node, peer, keypair, keypair->local_index);
	if (err < 0) {
		keypair_discard(keypair);
		return err == -EEXIST ? -EBADMSG : err;
	}
	*out = keypair;
	return 0;
}
