/* SPDX-License-Identifier: ISC */
/* Inner packets cut, sealed and sent. */
#include "egress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/crypto/secret.h>
#include <tund/sys/udp.h>
#include <tund/wire/peek.h>
#include <tund/wire/segment.h>

#define TRAIN_BYTES 65536

/* What a payload becomes at most. */
#define SEALED_MAX(len) ((len) + PADDING + DATA_OVERHEAD)

int egress_init(struct egress *egress)
{
	for (unsigned i = 0; i < EGRESS_TRAINS; i++) {
		egress->train[i].buffer = malloc(TRAIN_BYTES);
		if (!egress->train[i].buffer)
			return -ENOMEM;
	}
	return 0;
}

void egress_clear(struct egress *egress)
{
	for (unsigned i = 0; i < EGRESS_TRAINS; i++)
		free(egress->train[i].buffer);
}

static void send_train(struct egress *egress, struct train *train)
{
	if (train->count > 0)
		transport_of(egress->out->all, &train->path)->send_train(egress->out, train);
	train->count = 0;
	train->len = 0;
	train->closed = false;
}

/* The train on this path, or one that is free, or the one that has waited longest. */
static struct train *train_on(struct egress *egress, const struct path *path, uint8_t tos)
{
	struct train *oldest = &egress->train[0];

	for (unsigned i = 0; i < EGRESS_TRAINS; i++) {
		struct train *train = &egress->train[i];

		if (train->count > 0 && train->tos == tos && path_equal(&train->path, path))
			return train;
		if (train->count == 0 || train->last_used < oldest->last_used)
			oldest = train;
	}
	send_train(egress, oldest);
	oldest->path = *path;
	oldest->tos = tos;
	return oldest;
}

/* Whether another message may be sealed behind those that are there. */
static bool has_room(const struct train *train, size_t len)
{
	return !train->closed && train->count < UDP_TRAIN_MAX &&
	       train->len + SEALED_MAX(len) <= UDP_TRAIN_BYTES_MAX;
}

/* A message of `len` bytes lies behind the others: it goes with them, or begins a train. */
static void append(struct egress *egress, struct train *train, size_t len)
{
	if (train->count > 0 && len > train->segment) {
		uint8_t *message = train->buffer + train->len;

		send_train(egress, train);
		memmove(train->buffer, message, len);
	}
	if (train->count == 0)
		train->segment = (uint16_t)len;
	train->closed = len < train->segment;
	train->count++;
	train->len += (uint32_t)len;
}

static void end_run(struct egress *egress)
{
	if (egress->run.peer)
		lane_send_end(&egress->run);
	egress->run.peer = NULL;
}

/* A run to this peer, with counters for so many messages if a run can have them. */
static int ready_run(struct egress *egress, uint64_t now_ns, struct peer *peer, size_t messages)
{
	struct sealing *run = &egress->run;
	uint32_t enough = messages < SEALING_MAX ? (uint32_t)messages : SEALING_MAX;

	if (lane_send_goes_on(run, peer, enough))
		return 0;
	end_run(egress);
	return lane_send_begin(egress->lane, now_ns, peer, SEALING_MAX, run);
}

/* A packet may become more messages than a run has counters for. The next run must be where this one
 * was, for the room for the message is there: else it is ended, and so is the packet. */
static bool renew_run(struct egress *egress)
{
	struct sealing *run = &egress->run, used = *run;

	if (ready_run(egress, used.now_ns, used.peer, SEALING_MAX) < 0)
		return false;
	if (path_equal(&run->path, &used.path) && run->suite == used.suite)
		return true;
	end_run(egress);
	return false;
}

/* The message's bytes; 0: counted, and dropped. */
static size_t seal(struct egress *egress, uint8_t flags, uint8_t *payload, size_t len, uint8_t *out)
{
	struct sealing *run = &egress->run;
	ssize_t n = lane_seal(run, flags, payload, len, out);

	if (n == -ENOBUFS && renew_run(egress))
		n = lane_seal(run, flags, payload, len, out);
	if (n > 0)
		return (size_t)n;
	counters_add(egress->counters, REASON_NOT_SEALED);
	return 0;
}

static void seal_into_train(struct egress *egress, struct train *train, uint8_t flags,
			    uint8_t *packet, size_t len)
{
	size_t n;

	if (SEALED_MAX(len) > UDP_TRAIN_BYTES_MAX) { /* no datagram carries it */
		counters_add(egress->counters, REASON_TOO_BIG);
		return;
	}
	if (!has_room(train, len))
		send_train(egress, train);
	n = seal(egress, flags, packet, len, train->buffer + train->len);
	if (n > 0)
		append(egress, train, n);
}

static size_t piece_count(const struct inner_bytes *packet)
{
	const struct gso *gso = &packet->gso;

	return gso->kind == GSO_NONE
		       ? 1
		       : (packet->len - gso->header_len + gso->size - 1) / gso->size;
}

/* Whether all pieces of a packet go behind what is there. A train that ended within a packet would be
 * joined to two packets by the other side, and so would all that follow. */
static bool takes_whole(const struct train *train, const struct inner_bytes *packet)
{
	size_t pieces = piece_count(packet);
	size_t len = pieces == 1 ? packet->len : packet->gso.header_len + packet->gso.size;

	return !train->closed && train->count + pieces <= UDP_TRAIN_MAX &&
	       train->len + pieces * SEALED_MAX(len) <= UDP_TRAIN_BYTES_MAX;
}

static const struct transport_ops *transport_in_use(const struct egress *egress)
{
	return transport_of(egress->out->all, &egress->run.path);
}

/* Seals one message into the connection's own buffer. */
static void seal_in_place(struct egress *egress, uint8_t flags, uint8_t *payload, size_t len)
{
	const struct transport_ops *transport = transport_in_use(egress);
	uint32_t connection = egress->run.path.socket;
	uint8_t *out;

	if (SEALED_MAX(len) > MESSAGE_MAX_SIZE) {
		counters_add(egress->counters, REASON_TOO_BIG);
		return;
	}
	out = transport->reserve(egress->out, connection, SEALED_MAX(len));
	if (out)
		transport->commit(egress->out, connection, seal(egress, flags, payload, len, out));
}

/* A whole TSO packet, the segment size in front of it. */
static void send_whole(struct egress *egress, const struct inner_bytes *packet)
{
	uint8_t flags = DATA_FLAG_GSO | (packet->partial_checksum ? DATA_FLAG_CSUM : 0);
	uint8_t *payload = packet->data - GSO_PREFIX;

	put_be16(payload, packet->gso.size);
	seal_in_place(egress, flags, payload, packet->len + GSO_PREFIX);
}

static void send_pieces(struct egress *egress, const struct inner_bytes *packet, uint8_t tos)
{
	const struct sealing *run = &egress->run;
	bool in_place = transport_in_use(egress)->is_stream;
	bool partial = packet->partial_checksum && run->suite != SUITE_WIREGUARD;
	uint8_t flags = partial ? DATA_FLAG_CSUM : 0, *piece;
	struct train *train = in_place ? NULL : train_on(egress, &run->path, tos);
	struct segmenter cut;
	size_t len;

	if (segment_begin(&cut, packet->data, packet->len, &packet->gso,
			  packet->partial_checksum, !partial) < 0) {
		counters_add(egress->counters, REASON_BAD_OFFLOAD);
		return;
	}
	if (train && !takes_whole(train, packet))
		send_train(egress, train);
	while (run->peer && segment_next(&cut, &piece, &len)) {
		if (in_place)
			seal_in_place(egress, flags, piece, len);
		else
			seal_into_train(egress, train, flags, piece, len);
	}
	if (train)
		train->last_used = ++egress->clock;
}

/* What waits for a session waits in pieces: the main thread sends them one by one. */
static void stage(struct egress *egress, uint64_t now_ns, struct peer *peer,
		  const struct inner_bytes *packet)
{
	struct segmenter cut;
	uint8_t *piece;
	size_t len;

	if (segment_begin(&cut, packet->data, packet->len, &packet->gso,
			  packet->partial_checksum, true) < 0) {
		counters_add(egress->counters, REASON_BAD_OFFLOAD);
		return;
	}
	while (segment_next(&cut, &piece, &len))
		lane_stage(egress->lane, now_ns, peer, piece, len);
}

/* Whether the other side takes it whole: gso_of_frame() is its side of this. */
static bool goes_whole(const struct egress *egress, const struct inner_bytes *packet)
{
	const struct sealing *run = &egress->run;
	const struct gso *gso = &packet->gso;

	return gso->kind == GSO_TCP && transport_in_use(egress)->whole_tso &&
	       run->suite != SUITE_WIREGUARD && gso->size >= GSO_SIZE_MIN &&
	       gso->header_len + gso->size <= *egress->frame_mtu &&
	       piece_count(packet) <= GSO_PIECES_MAX &&
	       SEALED_MAX(packet->len + GSO_PREFIX) <= MESSAGE_MAX_SIZE;
}

void egress_send(struct egress *egress, uint64_t now_ns, struct peer *peer,
		 const struct inner_bytes *packet)
{
	uint8_t tos = peek_outer_ecn(peek_ecn(packet->data));
	int err = ready_run(egress, now_ns, peer, piece_count(packet));

	if (err == -EAGAIN)
		stage(egress, now_ns, peer, packet);
	if (err < 0)
		return;
	if (goes_whole(egress, packet))
		send_whole(egress, packet);
	else
		send_pieces(egress, packet, tos);
}

void egress_flush(struct egress *egress)
{
	end_run(egress);
	for (unsigned i = 0; i < EGRESS_TRAINS; i++)
		send_train(egress, &egress->train[i]);
}
