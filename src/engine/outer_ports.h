/* SPDX-License-Identifier: ISC */
/* What outer.c, udp_ports.c and tcp_ports.c know of each other, and nobody else. */
#ifndef TUND_ENGINE_OUTER_PORTS_H
#define TUND_ENGINE_OUTER_PORTS_H

#include <tund/engine/outer.h>

uint32_t outer_next_handle(struct outer *outer);

void udp_ports_init(struct engine *engine);
void udp_ports_close(struct engine *engine);
void udp_ports_watch(struct engine *engine);
void udp_ports_send(struct engine *engine, const struct path *path, const uint8_t *msg,
		    size_t len);

void tcp_ports_init(struct engine *engine);
void tcp_ports_close(struct engine *engine);
void tcp_ports_watch(struct engine *engine);
void tcp_ports_send(struct engine *engine, const struct path *path, const uint8_t *msg,
		    size_t len);

#endif
