/* SPDX-License-Identifier: ISC */
/* Lanes, for one thread so far: everything is done at once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/base/epoch.h>
#include <tund/session/lane.h>
#include <tund/session/setting.h>

#include "host_state.h"

struct lane {
	struct host *host;
	unsigned number;
	bool posted;
};

int lanes_new(struct host *host, unsigned count)
{
	if (count > LANES_MAX)
		return -EINVAL;
	host->epoch = epoch_new(count);
	host->lanes = calloc(count ? count : 1, sizeof(struct lane));
	if (!host->epoch || !host->lanes)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		host->lanes[i] = (struct lane){.host = host, .number = i};
	return 0;
}

void lanes_free(struct host *host)
{
	epoch_free(host->epoch);
	free(host->lanes);
}

struct lane *host_lane(struct host *host, unsigned i)
{
	return &host->lanes[i];
}

struct epoch *host_epoch(struct host *host)
{
	return host->epoch;
}

void lane_enter(struct lane *lane)
{
	epoch_enter(lane->host->epoch, lane->number);
}

void lane_leave(struct lane *lane)
{
	epoch_leave(lane->host->epoch, lane->number);
}

bool lane_posted(struct lane *lane)
{
	bool posted = lane->posted;

	lane->posted = false;
	return posted;
}

enum received_kind lane_receive(struct lane *lane, uint64_t now_ns, const struct path *from,
				uint8_t *msg, size_t len, struct received *out)
{
	lane->posted = true;
	return host_receive(lane->host, now_ns, from, msg, len, out);
}

int lane_send_begin(struct lane *lane, uint64_t now_ns, struct peer *peer, uint32_t messages,
		    struct sealing *out)
{
	struct keypair *keypair = peer->current;

	if (!peer->has_path)
		return -EHOSTUNREACH;
	if (!keypair_may_send(keypair, now_ns))
		return -EAGAIN;
	*out = (struct sealing){
		.path = peer->path,
		.suite = keypair->suite,
		.lane = lane,
		.peer = peer,
		.keypair = keypair,
		.now_ns = now_ns,
		.next = keypair->send_counter,
		.end = keypair->send_counter + messages,
		.mtu = lane->host->mtu,
	};
	keypair->send_counter += messages;
	return 0;
}

static size_t pad(size_t mtu, size_t len)
{
	size_t padded = (len + PADDING - 1) / PADDING * PADDING;

	if (padded <= mtu)
		return padded;
	return len < mtu ? mtu : len;
}

ssize_t lane_seal(struct sealing *s, uint8_t flags, uint8_t *payload, size_t len, uint8_t *out)
{
	const struct keypair *keypair = s->keypair;
	bool authenticates_header = suite_rules[keypair->suite].authenticates_header;
	size_t padded = pad(s->mtu, len), rest = padded - len;
	uint8_t saved[PADDING];
	uint64_t counter;
	int err;

	if (s->next == s->end)
		return -ENOBUFS;
	counter = s->next++;
	out[0] = MESSAGE_DATA;
	out[1] = (uint8_t)keypair->suite;
	out[2] = flags;
	out[3] = 0;
	put_le32(out + DATA_RECEIVER, keypair->remote_index);
	put_le64(out + DATA_COUNTER, counter);
	memcpy(saved, payload + len, rest);
	memset(payload + len, 0, rest);
	err = aead_seal(&keypair->send, counter, authenticates_header ? out : NULL,
			authenticates_header ? DATA_PAYLOAD : 0, payload, padded,
			out + DATA_PAYLOAD);
	if (payload != out + DATA_PAYLOAD)
		memcpy(payload + len, saved, rest);
	if (err < 0)
		return -EIO;
	s->sealed++;
	s->bytes += padded + DATA_OVERHEAD;
	return (ssize_t)(padded + DATA_OVERHEAD);
}

void lane_send_end(struct sealing *s)
{
	struct peer *peer = s->peer;

	s->lane->posted = true;
	if (s->sealed == 0)
		return;
	peer->stats.tx_bytes += s->bytes;
	peer->stats.tx_packets += s->sealed;
	timers_data_sent(peer, s->now_ns);
	path_expect_answer(peer, s->now_ns);
	timers_authentic_sent(peer, s->now_ns);
	if (peer->current == s->keypair)
		keep_key_fresh_on_send(peer, s->now_ns);
}

void lane_stage(struct lane *lane, uint64_t now_ns, struct peer *peer, const uint8_t *packet,
		size_t len)
{
	lane->posted = true;
	peer_send(peer, now_ns, packet, len);
}

void lane_source_lost(struct lane *lane, uint32_t socket, const struct endpoint *local)
{
	host_source_lost(lane->host, socket, local);
}

bool host_drain(struct host *host, uint64_t now_ns)
{
	(void)now_ns;
	return epoch_collect(host->epoch);
}
