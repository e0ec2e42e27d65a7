/* SPDX-License-Identifier: ISC */
/*
 * A worker's TUN queue: inner packets of this host. What is read may be a whole TSO packet; what is
 * written is joined, packet by packet of a flow, into one as far as a batch reaches. Its thread,
 * where nothing else is said.
 */
#ifndef TUND_ENGINE_TUN_PORT_H
#define TUND_ENGINE_TUN_PORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include <tund/sys/tun.h>

#include "packet.h"

struct coalescer;

#define TUN_BURST 16 /* reads before the other side has its turn */

/* Upward. */
struct tun_port_ops {
	uint64_t (*begin)(void *owner); /* around a batch; returns the time that all of it uses */
	void (*packet)(void *owner, uint64_t now_ns, const struct inner_bytes *packet);
	void (*end)(void *owner);
	void (*gone)(void *owner); /* the device was deleted; the queue is closed already */
};

struct tun_port {
	int fd;        /* -1: none */
	bool vnet_hdr; /* packets have a virtio header in front */
	bool reading;
	const struct tun_ops *kernel;
	const struct tun_port_ops *ops;
	void *owner;
	struct ev_loop *loop;
	ev_io io;
	uint8_t *buffer;
	struct coalescer *joined;
	_Atomic uint64_t write_errors;
};

/* Buffers; before the thread begins. 0 or -ENOMEM, to be cleared, too. */
int tun_port_init(struct tun_port *tun, struct ev_loop *loop, const struct tun_ops *kernel,
		  const struct tun_port_ops *ops, void *owner);
void tun_port_clear(struct tun_port *tun);

/* A queue, and what the kernel does on it. */
struct tun_given {
	int fd; /* -1: none */
	bool vnet_hdr, uso;
};

/* Takes over the descriptor, in the place of the one before. */
void tun_port_attach(struct tun_port *tun, const struct tun_given *given);

/* Reads packets from now on, also of a queue that comes later; or leaves them in the queue. */
void tun_port_read(struct tun_port *tun, bool reading);

/* Gives one inner packet to this host when the batch ends; its bytes stay where they are until
 * then, unless it is one that cannot be joined with others (a fragment, no TCP or UDP payload):
 * that is written at once. A failure is a lost packet, counted. */
void tun_port_write(struct tun_port *tun, const struct inner_bytes *packet);

void tun_port_flush(struct tun_port *tun);

#endif
