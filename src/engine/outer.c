/* SPDX-License-Identifier: ISC */
/* The outer sockets: what UDP and TCP share. */
#include "outer.h"

#include <limits.h>
#include <sys/resource.h>

#include "engine.h"
#include "outer_ports.h"

/* The low bits of a handle are the worker's number. */
uint32_t outer_next_handle(struct outer *outer, unsigned worker)
{
	uint32_t handle;

	do
		handle = ++outer->last_handle * CONFIG_WORKERS_MAX + worker;
	while (handle < CONFIG_WORKERS_MAX);
	return handle;
}

unsigned outer_owner(uint32_t handle)
{
	return handle % CONFIG_WORKERS_MAX;
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
	engine->outer.fd_limit = descriptors_for_connections();
}

static void watch(struct worker *worker, void *arg)
{
	(void)arg;
	outer_udp_watch(worker);
	outer_tcp_watch(worker);
}

void outer_watch(struct engine *engine)
{
	workers_call(engine, watch, NULL);
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
