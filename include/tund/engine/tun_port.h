/* SPDX-License-Identifier: ISC */
/* The engine's TUN queue: inner packets of this host. */
#ifndef TUND_ENGINE_TUN_PORT_H
#define TUND_ENGINE_TUN_PORT_H

#include <stdint.h>

#include <ev.h>

struct engine;
struct inner_bytes;

#define TUN_BURST 32 /* packets read before the other side has its turn */

struct tun_port {
	int fd; /* -1: none */
	ev_io io;
	uint8_t *buffer;
	uint64_t rx_packets, tx_packets, write_errors;
};

/* Takes over the descriptor. */
void tun_port_attach(struct engine *engine, int fd);

/* Reads packets, or leaves them in the queue. */
void tun_port_watch(struct engine *engine);
void tun_port_pause(struct engine *engine);

/* Gives one inner packet to this host; a failure is a lost packet, counted. The checksum is
 * completed first where it is partial. */
void tun_port_write(struct engine *engine, const struct inner_bytes *packet);

/* The device was deleted: nothing more to watch. */
void tun_port_close(struct engine *engine);

#endif
