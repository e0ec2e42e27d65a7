/* SPDX-License-Identifier: ISC */
/* The outer sockets: what UDP and TCP share. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <tund/engine/engine.h>

#include "outer_ports.h"

uint32_t outer_next_handle(struct outer *outer)
{
	if (++outer->last_handle == 0)
		outer->last_handle = 1;
	return outer->last_handle;
}

/* Asked before the sandbox closes. The lowest free number is what the kernel gives. */
static int descriptors_for_connections(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX)
		limit.rlim_cur = INT_MAX;
	return (int)limit.rlim_cur - OUTER_SPARE_FDS;
}

void outer_init(struct engine *engine)
{
	struct outer *outer = &engine->outer;

	outer->listener = -1;
	outer->fd_limit = descriptors_for_connections();
	LIST_INIT(&outer->unflushed);
	TAILQ_INIT(&outer->strangers);
	outer_udp_init(engine);
	outer_tcp_init(engine);
}

void outer_close(struct engine *engine)
{
	outer_udp_close(engine);
	outer_tcp_close(engine);
}

void outer_watch(struct engine *engine)
{
	outer_udp_watch(engine);
	outer_tcp_watch(engine);
}

void outer_send(struct engine *engine, const struct path *path, const uint8_t *msg, size_t len,
		uint8_t tos)
{
	switch (path->transport) {
	case TRANSPORT_UDP:
		outer_udp_send(engine, path, msg, len, tos);
		break;
	case TRANSPORT_TCP:
		outer_tcp_send(engine, path, msg, len);
		break;
	}
}
