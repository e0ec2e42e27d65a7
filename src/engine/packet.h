/* SPDX-License-Identifier: ISC */
/* An inner packet inside the data plane, and what a role does with it. */
#ifndef TUND_ENGINE_PACKET_H
#define TUND_ENGINE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/wire/gso.h>

struct data_worker;
struct peer;

/*
 * An inner packet that came out of a session, or out of the TUN device. In front of it 2 bytes are
 * writable, behind it 16.
 */
struct inner_bytes {
	uint8_t *data;
	size_t len;            /* bytes, padding included */
	bool partial_checksum; /* the TCP or UDP checksum is still to be completed */
	struct gso gso;        /* kind other than GSO_NONE: still to be cut */
};

/* A role's part of the data path: in a worker's thread, within a batch. */
struct packet_ops {
	void (*from_session)(struct data_worker *dw, uint64_t now_ns, struct peer *peer,
			     const struct inner_bytes *packet);
	void (*from_tun)(struct data_worker *dw, uint64_t now_ns, const struct inner_bytes *packet);
};

#endif
