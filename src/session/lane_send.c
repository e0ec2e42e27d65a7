/* SPDX-License-Identifier: ISC */
/* Sealing data messages. */
#include <tund/session/lane.h>

#include <errno.h>
#include <string.h>

#include <tund/base/bytes.h>

#include "lane_state.h"
#include "node_keypair.h"

/* To a multiple of 16, but not beyond the MTU: the outer packet would not fit its link. */
static size_t pad(size_t mtu, size_t len)
{
	size_t padded = (len + PADDING - 1) / PADDING * PADDING;

	if (padded <= mtu)
		return padded;
	return len < mtu ? mtu : len;
}

static void put_header(uint8_t *out, const struct keypair *keypair, uint8_t flags, uint64_t counter)
{
	out[0] = MESSAGE_DATA;
	out[1] = (uint8_t)keypair->suite;
	out[2] = flags;
	out[3] = 0;
	put_le32(out + DATA_RECEIVER, keypair->remote_index);
	put_le64(out + DATA_COUNTER, counter);
}

ssize_t message_seal(const struct keypair *keypair, uint64_t counter, uint16_t mtu, uint8_t flags,
		     uint8_t *payload, size_t len, uint8_t *out)
{
	size_t padded = pad(mtu, len), padding = padded - len;
	size_t ad_len = suite_rules[keypair->suite].authenticates_header ? DATA_PAYLOAD : 0;
	uint8_t behind[PADDING];
	int err;

	put_header(out, keypair, flags, counter);
	if (padding > 0) {
		memcpy(behind, payload + len, padding);
		memset(payload + len, 0, padding);
	}
	err = aead_seal(&keypair->send, counter, ad_len ? out : NULL, ad_len, payload, padded,
			out + DATA_PAYLOAD);
	if (padding > 0 && payload != out + DATA_PAYLOAD)
		memcpy(payload + len, behind, padding);
	return err < 0 ? -EIO : (ssize_t)(padded + DATA_OVERHEAD);
}

/*
 * The counters from *first on are this lane's. What lanes that come together reserve beyond the end
 * is never used, and is far less than what is left there (REJECT_AFTER_MESSAGES).
 */
static bool reserve(struct keypair *keypair, uint64_t now_ns, uint32_t messages, uint64_t *first)
{
	if (!keypair_may_send(keypair, now_ns))
		return false;
	*first = atomic_fetch_add_explicit(&keypair->send_counter, messages, memory_order_relaxed);
	return *first + messages <= REJECT_AFTER_MESSAGES;
}

int lane_send_begin(struct lane *lane, uint64_t now_ns, struct peer *peer, uint32_t messages,
		    struct sealing *out)
{
	struct keypair *keypair = atomic_load_explicit(&peer->ahead, memory_order_acquire);
	uint32_t path_version;
	struct path path;
	uint64_t first;

	if (!keypair)
		keypair = atomic_load_explicit(&peer->current, memory_order_acquire);
	if (!shared_path_get(&peer->traffic.path, &path, &path_version))
		return -EHOSTUNREACH;
	if (!reserve(keypair, now_ns, messages, &first))
		return -EAGAIN;
	*out = (struct sealing){
		.path = path,
		.path_version = path_version,
		.suite = keypair->suite,
		.lane = lane,
		.peer = peer,
		.keypair = keypair,
		.now_ns = now_ns,
		.next = first,
		.end = first + messages,
		.mtu = atomic_load_explicit(&lane->node->mtu, memory_order_relaxed),
	};
	return 0;
}

bool lane_send_goes_on(const struct sealing *s, const struct peer *peer, uint32_t messages)
{
	return s->peer == peer && s->end - s->next >= messages &&
	       shared_path_is_version(&peer->traffic.path, s->path_version);
}

ssize_t lane_seal(struct sealing *s, uint8_t flags, uint8_t *payload, size_t len, uint8_t *out)
{
	ssize_t n;

	if (s->next == s->end)
		return -ENOBUFS;
	n = message_seal(s->keypair, s->next++, s->mtu, flags, payload, len, out);
	if (n < 0)
		return n;
	s->sealed++;
	s->bytes += (uint64_t)n;
	return n;
}

static uint64_t earlier(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

/* The earliest deadline that inner packets just sent set. */
static uint64_t note_traffic(struct peer *peer, uint64_t now_ns)
{
	uint64_t at = traffic_data_sent(peer, now_ns);

	at = earlier(at, traffic_expects_answer(peer, now_ns));
	return earlier(at, traffic_authentic_sent(peer, now_ns));
}

void lane_send_end(struct sealing *s)
{
	struct traffic *t = &s->peer->traffic;
	struct note note = {.peer_id = s->peer->id, .index = s->keypair->local_index};
	uint64_t end = s->end;

	if (s->next < end)
		atomic_compare_exchange_strong(&s->keypair->send_counter, &end, s->next);
	if (s->sealed == 0)
		return;
	atomic_fetch_add_explicit(&t->tx_bytes, s->bytes, memory_order_relaxed);
	atomic_fetch_add_explicit(&t->tx_packets, s->sealed, memory_order_relaxed);
	note.deadline_ns = note_traffic(s->peer, s->now_ns);
	if (lane_may_watch(s->peer, note.deadline_ns))
		note.work |= NOTE_TIMERS;
	if (keypair_is_old_for_sending(s->lane->node, s->keypair, s->now_ns) &&
	    lane_may_ask(s->keypair, s->now_ns))
		note.work |= NOTE_OLD_KEYS_SENT;
	if (note.work != 0 && !lane_post(s->lane, &note, NULL, 0))
		lane_not_posted(s->lane, s->peer, s->keypair, &note);
}
