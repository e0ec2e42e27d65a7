/* SPDX-License-Identifier: ISC */
/* UDP sockets of the engine: batches in, datagrams out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tund/engine/engine.h>
#include <tund/session/setting.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>
#include <tund/sys/udp.h>
#include <tund/wire/outline.h>

#include "outer_ports.h"

/* The largest datagram that there is: a WireGuard interface may have any MTU. */
#define DATAGRAM_ROOM 65536

struct udp_port {
	uint32_t handle;
	struct udp_socket socket;
	struct endpoint remote; /* of a connected one */
	ev_io io;
	struct engine *engine;
};

static struct udp_port *find_port(const struct outer *outer, uint32_t handle)
{
	for (uint32_t i = 0; i < outer->udp_count; i++) {
		if (outer->udp[i]->handle == handle)
			return outer->udp[i];
	}
	return NULL;
}

static void receive_one(struct udp_port *port, uint64_t now_ns, const struct udp_datagram *d)
{
	struct path from = {
		.transport = TRANSPORT_UDP, .socket = port->handle, .remote = d->remote};

	/* A connected socket has one source, chosen by the kernel: not part of the path. */
	if (!port->socket.connected)
		from.local = d->local;
	else
		from.remote = port->remote;
	if (d->len > 0)
		engine_receive(port->engine, now_ns, &from, d->data, d->len,
			       (d->tos & ECN_MASK) == ECN_CE);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct udp_port *port = io->data;
	struct udp_datagram batch[UDP_BATCH_MAX];
	uint64_t now_ns = clock_now_ns();
	int n = udp_receive(&port->socket, port->engine->outer.datagrams, DATAGRAM_ROOM, batch,
			    UDP_BATCH_MAX);

	(void)loop;
	(void)events;
	for (int i = 0; i < n; i++)
		receive_one(port, now_ns, &batch[i]);
}

void outer_udp_init(struct engine *engine)
{
	engine->outer.udp_count = 0;
}

static void free_port(struct engine *engine, struct udp_port *port)
{
	ev_io_stop(engine->loop, &port->io);
	if (port->socket.fd >= 0)
		close(port->socket.fd);
	free(port);
}

void outer_udp_close(struct engine *engine)
{
	struct outer *outer = &engine->outer;

	for (uint32_t i = 0; i < outer->udp_count; i++)
		free_port(engine, outer->udp[i]);
	outer->udp_count = 0;
	free(outer->datagrams);
	outer->datagrams = NULL;
}

uint32_t outer_reserve_udp(struct engine *engine)
{
	struct outer *outer = &engine->outer;
	struct udp_port *port = calloc(1, sizeof *port);

	if (!outer->datagrams)
		outer->datagrams = malloc((size_t)UDP_BATCH_MAX * DATAGRAM_ROOM);
	if (!port || !outer->datagrams || outer->udp_count == OUTER_UDP_MAX) {
		free(port);
		return 0;
	}
	port->handle = outer_next_handle(outer);
	port->engine = engine;
	port->socket.fd = -1;
	port->io.data = port;
	outer->udp[outer->udp_count++] = port;
	return port->handle;
}

int outer_replace_udp(struct engine *engine, uint32_t handle, int fd)
{
	struct udp_port *port = find_port(&engine->outer, handle);
	struct udp_socket socket = {.fd = -1};
	int err = 0;

	if (!port)
		err = -ENOENT;
	else if (fd >= 0)
		err = udp_socket_init(&socket, fd, &udp_kernel);
	if (err < 0) {
		if (fd >= 0)
			close(fd);
		return err;
	}
	if (port->socket.fd >= 0) {
		ev_io_stop(engine->loop, &port->io);
		close(port->socket.fd);
	}
	port->socket = socket;
	ev_io_init(&port->io, on_readable, fd, EV_READ);
	if (fd >= 0 && engine->host)
		ev_io_start(engine->loop, &port->io);
	return 0;
}

uint32_t outer_add_udp(struct engine *engine, int fd, const struct endpoint *remote)
{
	uint32_t handle = outer_reserve_udp(engine);

	if (outer_replace_udp(engine, handle, fd) < 0) {
		outer_remove_udp(engine, handle);
		return 0;
	}
	if (remote)
		find_port(&engine->outer, handle)->remote = *remote;
	return handle;
}

uint32_t outer_first_udp(const struct engine *engine)
{
	return engine->outer.udp_count > 0 ? engine->outer.udp[0]->handle : 0;
}

void outer_remove_udp(struct engine *engine, uint32_t handle)
{
	struct outer *outer = &engine->outer;

	for (uint32_t i = 0; i < outer->udp_count; i++) {
		if (outer->udp[i]->handle != handle)
			continue;
		free_port(engine, outer->udp[i]);
		outer->udp[i] = outer->udp[--outer->udp_count];
		return;
	}
}

void outer_udp_watch(struct engine *engine)
{
	for (uint32_t i = 0; i < engine->outer.udp_count; i++)
		if (engine->outer.udp[i]->socket.fd >= 0)
			ev_io_start(engine->loop, &engine->outer.udp[i]->io);
}

/* Errors that say this socket's own address or route is gone, not that the network is busy. */
static bool is_broken(int err)
{
	return err == -ENETUNREACH || err == -EADDRNOTAVAIL || err == -EINVAL ||
	       err == -ENETDOWN || err == -ENODEV;
}

void outer_udp_send(struct engine *engine, const struct path *path, const uint8_t *msg, size_t len,
		    uint8_t tos)
{
	struct udp_port *port = find_port(&engine->outer, path->socket);
	const struct endpoint local = path->local; /* `path` may be the peer's own */
	int err;

	if (!port || port->socket.fd < 0)
		return;
	err = udp_send(&port->socket, &path->local, &path->remote, msg, len, tos);
	if (err == 1) /* from another address than asked for */
		host_source_lost(engine->host, path->socket, &local);
	if (err >= 0)
		return;
	engine->outer.udp_send_errors++;
	if (port->socket.connected && is_broken(err))
		uplink_broken(engine, clock_now_ns(), port->handle);
}
