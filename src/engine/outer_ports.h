/* SPDX-License-Identifier: ISC */
/* What outer.c, outer_udp.c and outer_tcp.c know of each other, and nobody else. */
#ifndef TUND_ENGINE_OUTER_PORTS_H
#define TUND_ENGINE_OUTER_PORTS_H

#include "outer.h"

/* A new handle; a TCP connection's says which worker it belongs to. */
uint32_t outer_next_handle(struct outer *outer, unsigned worker);
unsigned outer_owner(uint32_t handle);

void outer_udp_watch(struct worker *worker);
void outer_udp_send(struct engine *engine, const struct path *path, const uint8_t *msg,
		    size_t len, uint8_t tos);

void outer_tcp_close(struct worker *worker);
void outer_tcp_watch(struct worker *worker);
void outer_tcp_send(struct engine *engine, const struct path *path, const uint8_t *msg,
		    size_t len);

#endif
