/* SPDX-License-Identifier: ISC */
/* The outer sockets: what UDP and TCP share. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tund/engine/engine.h>

#include "outer_ports.h"

uint32_t outer_next_handle(struct outer *outer)
{
	if (++outer->last_handle == 0)
		outer->last_handle = 1;
	return outer->last_handle;
}

void outer_init(struct engine *engine)
{
	struct outer *outer = &engine->outer;

	outer->listener = -1;
	LIST_INIT(&outer->unflushed);
	TAILQ_INIT(&outer->strangers);
	udp_ports_init(engine);
	tcp_ports_init(engine);
}

void outer_close(struct engine *engine)
{
	udp_ports_close(engine);
	tcp_ports_close(engine);
}

void outer_watch(struct engine *engine)
{
	udp_ports_watch(engine);
	tcp_ports_watch(engine);
}

void outer_send(struct engine *engine, const struct path *path, const uint8_t *msg, size_t len)
{
	switch (path->transport) {
	case TRANSPORT_UDP:
		udp_ports_send(engine, path, msg, len);
		break;
	case TRANSPORT_TCP:
		tcp_ports_send(engine, path, msg, len);
		break;
	}
}
