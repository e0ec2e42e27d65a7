/* SPDX-License-Identifier: ISC */
/* Inner packets cut, sealed and sent. */
#include "egress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/crypto/secret.h>
#include <tund/session/lane.h>
#include <tund/wire/peek.h>
#include <tund/wire/segment.h>

#include "engine.h"

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

static void send_train(struct worker *worker, struct train *train)
{
	if (train->count > 0)
		outer_udp_send_train(worker, train);
	train->count = 0;
	train->len = 0;
	train->closed = false;
}

/* The train on this path, or one that is free, or the one that has waited longest. */
static struct train *train_on(struct worker *worker, const struct path *path, uint8_t tos)
{
	struct egress *egress = &worker->egress;
	struct train *oldest = &egress->train[0];

	for (unsigned i = 0; i < EGRESS_TRAINS; i++) {
		struct train *train = &egress->train[i];

		if (train->count > 0 && train->tos == tos && path_equal(&train->path, path))
			return train;
		if (train->count == 0 || train->last_used < oldest->last_used)
			oldest = train;
	}
	send_train(worker, oldest);
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
static void append(struct worker *worker, struct train *train, size_t len)
{
	if (train->count > 0 && len > train->segment) {
		uint8_t *message = train->buffer + train->len;

		send_train(worker, train);
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
static int ready_run(struct worker *worker, uint64_t now_ns, struct peer *peer, size_t messages)
{
	struct sealing *run = &worker->egress.run;
	uint32_t enough = messages < SEALING_MAX ? (uint32_t)messages : SEALING_MAX;

	if (lane_send_goes_on(run, peer, enough))
		return 0;
	end_run(&worker->egress);
	return lane_send_begin(worker->lane, now_ns, peer, SEALING_MAX, run);
}

/* A packet may become more messages than a run has counters for. The next run must be where this one
 * was, for the room for the message is there: else it is ended, and so is the packet. */
static bool renew_run(struct worker *worker)
{
	struct sealing *run = &worker->egress.run, used = *run;

	if (ready_run(worker, used.now_ns, used.peer, SEALING_MAX) < 0)
		return false;
	if (path_equal(&run->path, &used.path) && run->suite == used.suite)
		return true;
	end_run(&worker->egress);
	return false;
}

/* The message's bytes; 0: counted, and dropped. */
static size_t seal(struct worker *worker, uint8_t flags, uint8_t *payload, size_t len, uint8_t *out)
{
	struct sealing *run = &worker->egress.run;
	ssize_t n = lane_seal(run, flags, payload, len, out);

	if (n == -ENOBUFS && renew_run(worker))
		n = lane_seal(run, flags, payload, len, out);
	if (n > 0)
		return (size_t)n;
	worker_count(worker, REASON_NOT_SEALED);
	return 0;
}

static void seal_into_train(struct worker *worker, struct train *train, uint8_t flags,
			    uint8_t *packet, size_t len)
{
	size_t n;

	if (SEALED_MAX(len) > UDP_TRAIN_BYTES_MAX) { /* no datagram carries it */
		worker_count(worker, REASON_TOO_BIG);
		return;
	}
	if (!has_room(train, len))
		send_train(worker, train);
	n = seal(worker, flags, packet, len, train->buffer + train->len);
	if (n > 0)
		append(worker, train, n);
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

/* Seals one message into the TCP connection's own buffer. */
static void seal_into_frame(struct worker *worker, uint8_t flags, uint8_t *payload, size_t len)
{
	uint32_t connection = worker->egress.run.path.socket;
	uint8_t *out = outer_tcp_reserve(worker, connection, SEALED_MAX(len));

	if (out)
		outer_tcp_commit(worker, connection, seal(worker, flags, payload, len, out));
}

/* A whole TSO packet, the segment size in front of it. */
static void send_whole(struct worker *worker, const struct inner_bytes *packet)
{
	uint8_t flags = DATA_FLAG_GSO | (packet->partial_checksum ? DATA_FLAG_CSUM : 0);
	uint8_t *payload = packet->data - GSO_PREFIX;

	put_be16(payload, packet->gso.size);
	seal_into_frame(worker, flags, payload, packet->len + GSO_PREFIX);
}

static void send_pieces(struct worker *worker, const struct inner_bytes *packet, uint8_t tos)
{
	const struct sealing *run = &worker->egress.run;
	bool over_tcp = run->path.transport == TRANSPORT_TCP;
	bool partial = packet->partial_checksum && run->suite != SUITE_WIREGUARD;
	uint8_t flags = partial ? DATA_FLAG_CSUM : 0, *piece;
	struct train *train = over_tcp ? NULL : train_on(worker, &run->path, tos);
	struct segmenter cut;
	size_t len;

	if (segment_begin(&cut, packet->data, packet->len, &packet->gso,
			  packet->partial_checksum, !partial) < 0) {
		worker_count(worker, REASON_BAD_OFFLOAD);
		return;
	}
	if (train && !takes_whole(train, packet))
		send_train(worker, train);
	while (run->peer && segment_next(&cut, &piece, &len)) {
		if (over_tcp)
			seal_into_frame(worker, flags, piece, len);
		else
			seal_into_train(worker, train, flags, piece, len);
	}
	if (train)
		train->last_used = ++worker->egress.clock;
}

/* What waits for a session waits in pieces: the main thread sends them one by one. */
static void stage(struct worker *worker, uint64_t now_ns, struct peer *peer,
		  const struct inner_bytes *packet)
{
	struct segmenter cut;
	uint8_t *piece;
	size_t len;

	if (segment_begin(&cut, packet->data, packet->len, &packet->gso,
			  packet->partial_checksum, true) < 0) {
		worker_count(worker, REASON_BAD_OFFLOAD);
		return;
	}
	while (segment_next(&cut, &piece, &len))
		lane_stage(worker->lane, now_ns, peer, piece, len);
}

/* Whether the other side takes it whole: gso_of_frame() is its side of this. */
static bool goes_whole(const struct worker *worker, const struct inner_bytes *packet)
{
	const struct sealing *run = &worker->egress.run;
	const struct gso *gso = &packet->gso;

	return gso->kind == GSO_TCP && run->path.transport == TRANSPORT_TCP &&
	       run->suite != SUITE_WIREGUARD && gso->size >= GSO_SIZE_MIN &&
	       gso->header_len + gso->size <= worker->engine->frame_mtu &&
	       piece_count(packet) <= GSO_PIECES_MAX &&
	       SEALED_MAX(packet->len + GSO_PREFIX) <= MESSAGE_MAX_SIZE;
}

void egress_send(struct worker *worker, uint64_t now_ns, struct peer *peer,
		 const struct inner_bytes *packet)
{
	uint8_t tos = peek_outer_ecn(peek_ecn(packet->data));
	int err = ready_run(worker, now_ns, peer, piece_count(packet));

	if (err == -EAGAIN)
		stage(worker, now_ns, peer, packet);
	if (err < 0)
		return;
	if (goes_whole(worker, packet))
		send_whole(worker, packet);
	else
		send_pieces(worker, packet, tos);
}

void egress_flush(struct worker *worker)
{
	end_run(&worker->egress);
	for (unsigned i = 0; i < EGRESS_TRAINS; i++)
		send_train(worker, &worker->egress.train[i]);
}
