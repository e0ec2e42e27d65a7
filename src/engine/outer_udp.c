/* SPDX-License-Identifier: ISC */
/* UDP sockets of the engine: batches in, trains out. */
#include "outer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tund/session/setting.h>
#include <tund/sys/clock.h>
#include <tund/sys/hook.h>
#include <tund/sys/log.h>
#include <tund/wire/peek.h>

#include "engine.h"
#include "outer_ports.h"

/* Each message may be a whole train of the sender's, and any datagram fits. */
#define DATAGRAM_ROOM UDP_GRO_ROOM
#define RECEIVE_BATCH 8 /* before the TUN has its turn */

static void receive_datagrams(struct udp_slot *slot, uint64_t now_ns, const struct udp_datagram *d)
{
	struct path from = {
		.transport = TRANSPORT_UDP, .socket = slot->handle, .remote = d->remote};
	bool congested = (d->tos & ECN_MASK) == ECN_CE;
	size_t segment = d->segment > 0 ? d->segment : d->len;

	/* A connected socket has one source, chosen by the kernel: not part of the path. */
	if (!slot->socket.connected)
		from.local = d->local;
	else
		from.remote = slot->remote;
	for (size_t at = 0; at < d->len; at += segment) {
		size_t len = d->len - at < segment ? d->len - at : segment;

		worker_receive(slot->worker, now_ns, &from, d->data + at, len, congested);
	}
}

/* One receive and all that follows from it. */
static void receive_batch(struct udp_slot *slot)
{
	struct worker *worker = slot->worker;
	struct udp_datagram batch[RECEIVE_BATCH];
	uint64_t now_ns = worker_begin(worker);
	int n = udp_receive(&slot->socket, worker->udp.datagrams, DATAGRAM_ROOM, batch,
			    RECEIVE_BATCH);

	for (int i = 0; i < n; i++)
		receive_datagrams(slot, now_ns, &batch[i]);
	worker_end(worker);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	receive_batch(io->data);
}

int outer_worker_init(struct worker *worker)
{
	worker->udp.datagrams = malloc((size_t)RECEIVE_BATCH * DATAGRAM_ROOM + PADDING);
	worker->tcp.scratch = malloc(MESSAGE_MAX_SIZE);
	worker->tcp.listener = -1;
	TAILQ_INIT(&worker->tcp.strangers);
	LIST_INIT(&worker->tcp.unflushed);
	LIST_INIT(&worker->tcp.ended);
	return worker->udp.datagrams && worker->tcp.scratch ? 0 : -ENOMEM;
}

void outer_worker_clear(struct worker *worker)
{
	outer_tcp_close(worker);
	free(worker->udp.datagrams);
	free(worker->tcp.scratch);
}

static struct udp_port *find_port(struct outer *outer, uint32_t handle)
{
	for (unsigned i = 0; handle != 0 && i < OUTER_UDP_MAX; i++) {
		if (outer->udp[i].handle == handle)
			return &outer->udp[i];
	}
	return NULL;
}

/* What worker_call() hands over: the port, and which it is. */
struct port_change {
	const struct udp_port *port;
	unsigned index;
};

/* Only one worker reads a socket. */
static bool reads(const struct worker *worker, const struct udp_port *port)
{
	return worker->number < port->count;
}

static void take_port(struct worker *worker, void *arg)
{
	const struct port_change *change = arg;
	const struct udp_port *port = change->port;
	struct udp_slot *slot = &worker->udp.slot[change->index];

	if (slot->handle != 0)
		ev_io_stop(worker->loop, &slot->io);
	slot->handle = port->handle;
	slot->remote = port->remote;
	slot->worker = worker;
	slot->socket = (struct udp_socket){.fd = -1};
	if (port->count > 0)
		slot->socket = port->socket[reads(worker, port) ? worker->number : 0];
	ev_io_init(&slot->io, on_readable, slot->socket.fd, EV_READ);
	slot->io.data = slot;
	if (worker->lane && reads(worker, port))
		ev_io_start(worker->loop, &slot->io);
}

static void tell_workers(struct engine *engine, const struct udp_port *port)
{
	struct port_change change = {.port = port, .index = (unsigned)(port - engine->outer.udp)};

	workers_call(engine, take_port, &change);
}

static void close_sockets(struct udp_socket *sockets, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		close(sockets[i].fd);
}

void outer_close(struct engine *engine)
{
	for (unsigned i = 0; i < OUTER_UDP_MAX; i++) {
		struct udp_port *port = &engine->outer.udp[i];

		close_sockets(port->socket, port->count);
		*port = (struct udp_port){0};
	}
}

uint32_t outer_reserve_udp(struct engine *engine)
{
	struct outer *outer = &engine->outer;

	for (unsigned i = 0; i < OUTER_UDP_MAX; i++) {
		if (outer->udp[i].handle != 0)
			continue;
		outer->udp[i] = (struct udp_port){.handle = outer_next_handle(outer, 0)};
		tell_workers(engine, &outer->udp[i]);
		return outer->udp[i].handle;
	}
	return 0;
}

static void put_socket(struct udp_port *port, int fd, int *err)
{
	struct udp_socket *socket = &port->socket[port->count];

	if (*err == 0)
		*err = udp_socket_init(socket, fd, &udp_kernel);
	if (*err < 0) {
		close(fd);
		return;
	}
	if (!hook_without("gro"))
		udp_set_gro(socket);
	socket->gso = socket->gso && !hook_without("gso");
	port->count++;
}

void outer_keep_udp(struct engine *engine, int fd)
{
	struct outer *outer = &engine->outer;

	if (outer->more_udp_count < engine->worker_count - 1)
		outer->more_udp[outer->more_udp_count++] = fd;
	else
		close(fd);
}

int outer_replace_udp(struct engine *engine, uint32_t handle, int fd)
{
	struct outer *outer = &engine->outer;
	struct udp_port *port = find_port(outer, handle);
	struct udp_port fresh = {.handle = handle}, before;
	int err = port ? 0 : -ENOENT;

	if (port)
		fresh.remote = port->remote;
	if (fd >= 0)
		put_socket(&fresh, fd, &err);
	for (unsigned i = 0; i < outer->more_udp_count; i++) {
		if (fd >= 0)
			put_socket(&fresh, outer->more_udp[i], &err);
		else
			close(outer->more_udp[i]); /* of a port that is not wanted any more */
	}
	outer->more_udp_count = 0;
	if (err < 0) {
		close_sockets(fresh.socket, fresh.count);
		return err;
	}
	before = *port;
	*port = fresh;
	tell_workers(engine, port);
	close_sockets(before.socket, before.count);
	return 0;
}

uint32_t outer_add_connected(struct engine *engine, int fd, const struct endpoint *remote)
{
	uint32_t handle = outer_reserve_udp(engine);

	if (handle != 0)
		find_port(&engine->outer, handle)->remote = *remote;
	if (outer_replace_udp(engine, handle, fd) < 0) {
		outer_remove_udp(engine, handle);
		return 0;
	}
	return handle;
}

int outer_add_bound(struct engine *engine, int fd)
{
	struct udp_port *port = &engine->outer.udp[0];
	int err = port->handle != 0 || outer_reserve_udp(engine) ? 0 : -ENOSPC;

	if (err == 0 && port->count == engine->worker_count)
		err = -EBADMSG;
	put_socket(port, fd, &err);
	if (err == 0)
		tell_workers(engine, port);
	return err;
}

uint32_t outer_first_udp(const struct engine *engine)
{
	return engine->outer.udp[0].handle;
}

void outer_remove_udp(struct engine *engine, uint32_t handle)
{
	struct udp_port *port = find_port(&engine->outer, handle), before;

	if (!port)
		return;
	before = *port;
	*port = (struct udp_port){0};
	tell_workers(engine, port);
	close_sockets(before.socket, before.count);
}

void outer_udp_watch(struct worker *worker)
{
	for (unsigned i = 0; i < OUTER_UDP_MAX; i++) {
		struct udp_slot *slot = &worker->udp.slot[i];

		if (slot->handle != 0 && reads(worker, &worker->engine->outer.udp[i]))
			ev_io_start(worker->loop, &slot->io);
	}
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

	if (!port || port->count == 0)
		return;
	err = udp_send(&port->socket[0], &path->local, &path->remote, msg, len, tos);
	if (err == 1) /* from another address than asked for */
		node_source_lost(engine->node, path->socket, &local);
	if (err >= 0)
		return;
	engine->udp_send_errors++;
	if (port->socket[0].connected && is_broken(err))
		uplink_broken(engine, clock_now_ns(), port->handle);
}

static struct udp_slot *find_slot(struct worker *worker, uint32_t handle)
{
	for (unsigned i = 0; i < OUTER_UDP_MAX; i++) {
		if (worker->udp.slot[i].handle == handle)
			return &worker->udp.slot[i];
	}
	return NULL;
}

static void report(struct worker *worker, const struct path *path, enum worker_says says)
{
	struct worker_record record = {.says = says, .path = *path};

	worker_tell(worker, &record);
}

void outer_udp_send_train(struct worker *worker, const struct train *train)
{
	struct udp_slot *slot = find_slot(worker, train->path.socket);
	int err;

	if (!slot || slot->socket.fd < 0)
		return;
	err = udp_send_train(&slot->socket, &train->path.local, &train->path.remote, train->buffer,
			     train->len, train->segment, train->tos);
	if (err == 1)
		report(worker, &train->path, WORKER_SOURCE_LOST);
	if (err >= 0)
		return;
	worker->udp.send_errors++;
	if (slot->socket.connected && is_broken(err))
		report(worker, &train->path, WORKER_UDP_BROKEN);
}
