/* SPDX-License-Identifier: ISC */
/*
 * A worker's TUN queue: inner packets of this host. What is read may be a whole TSO packet; what is
 * written is joined, packet by packet of a flow, into one as far as a batch reaches.
 */
#ifndef TUND_ENGINE_TUN_PORT_H
#define TUND_ENGINE_TUN_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

struct coalescer;
struct inner_bytes;
struct worker;

#define TUN_BURST 16 /* reads before the other side has its turn */

struct tun_port {
	int fd; /* -1: none */
	bool vnet_hdr; /* packets have a virtio header in front */
	ev_io io;
	uint8_t *buffer;
	struct coalescer *joined;
	_Atomic uint64_t write_errors;
};

/* Buffers. 0 or -ENOMEM. */
int tun_port_init(struct worker *worker);
void tun_port_clear(struct worker *worker);

/* A queue, and what the kernel does on it. */
struct tun_given {
	int fd; /* -1: none */
	bool vnet_hdr, uso;
};

/* Takes over the descriptor, in the place of the one before. A task: `arg` is a struct tun_given. */
void tun_port_attach(struct worker *worker, void *arg);

/* Reads packets, or leaves them in the queue. Tasks. */
void tun_port_watch(struct worker *worker, void *arg);
void tun_port_pause(struct worker *worker, void *arg);

/* Gives one inner packet to this host when the batch ends; its bytes stay where they are until
 * then, unless it is one that cannot be joined with others (a fragment, no TCP or UDP payload):
 * that is written at once. A failure is a lost packet, counted. */
void tun_port_write(struct worker *worker, const struct inner_bytes *packet);

void tun_port_flush(struct worker *worker);

#endif
