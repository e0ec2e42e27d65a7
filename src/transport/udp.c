/* SPDX-License-Identifier: ISC */
/*
 * UDP: batches in, trains out. A port is one handle for all workers: bound, it has a socket for each
 * of them (SO_REUSEPORT); else the first worker reads its only socket and all may send on it.
 */
#include <tund/transport/udp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tund/base/time.h>
#include <tund/session/setting.h>
#include <tund/sys/hook.h>
#include <tund/sys/udp.h>
#include <tund/wire/message.h>
#include <tund/wire/peek.h>

#define PORTS_MAX 4

/* Each message may be a whole train of the sender's, and any datagram fits. */
#define DATAGRAM_ROOM UDP_GRO_ROOM
#define RECEIVE_BATCH 8 /* before the TUN has its turn */

/* A port as the main thread has it. */
struct udp_port {
	uint32_t handle;        /* 0: free */
	struct endpoint remote; /* of a connected one */
	unsigned count;         /* sockets: 0, 1, or one for each worker */
	struct udp_socket socket[TRANSPORT_WORKERS_MAX];
};

struct udp_ports {
	struct udp_port port[PORTS_MAX];
	int more[TRANSPORT_WORKERS_MAX]; /* the other workers' sockets of a port that is to come */
	unsigned more_count;
	uint64_t send_errors; /* of the main thread */
};

/* The same port as a worker has it, in the same place. */
struct udp_slot {
	uint32_t handle;          /* 0: free */
	struct udp_socket socket; /* to send on; fd -1: none for now */
	ev_io io;                 /* active where this worker reads it */
	struct transport_worker *tw;
	struct path from; /* what its messages have in common */
};

struct udp_slots {
	struct udp_slot slot[PORTS_MAX];
	uint8_t *datagrams; /* receive buffers */
	_Atomic uint64_t send_errors;
};

static struct udp_ports *ports_of(const struct transports *t)
{
	return t->state[transport_number(t, &udp_transport)];
}

static struct udp_slots *slots_of(const struct transport_worker *tw)
{
	return tw->state[transport_number(tw->all, &udp_transport)];
}

static void receive_datagrams(struct udp_slot *slot, uint64_t now_ns, const struct udp_datagram *d)
{
	const struct transport_events *events = slot->tw->events;
	struct path from = slot->from;
	bool congested = (d->tos & ECN_MASK) == ECN_CE;
	size_t segment = d->segment > 0 ? d->segment : d->len;

	/* A connected socket has one source, chosen by the kernel: not part of the path. */
	if (!slot->socket.connected) {
		from.local = d->local;
		from.remote = d->remote;
	}
	for (size_t at = 0; at < d->len; at += segment) {
		size_t len = d->len - at < segment ? d->len - at : segment;

		events->received(slot->tw->owner, now_ns, &from, d->data + at, len, congested);
	}
}

/* One receive and all that follows from it. */
static void receive_batch(struct udp_slot *slot)
{
	struct transport_worker *tw = slot->tw;
	struct udp_datagram batch[RECEIVE_BATCH];
	uint64_t now_ns = tw->events->begin(tw->owner);
	int n = udp_receive(&slot->socket, slots_of(tw)->datagrams, DATAGRAM_ROOM, batch,
			    RECEIVE_BATCH);

	for (int i = 0; i < n; i++)
		receive_datagrams(slot, now_ns, &batch[i]);
	tw->events->end(tw->owner);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	receive_batch(io->data);
}

static int init(struct transports *t)
{
	struct udp_ports *ports = calloc(1, sizeof *ports);

	t->state[transport_number(t, &udp_transport)] = ports;
	return ports ? 0 : -ENOMEM;
}

static int add_worker(struct transport_worker *tw)
{
	struct udp_slots *slots = calloc(1, sizeof *slots);

	tw->state[transport_number(tw->all, &udp_transport)] = slots;
	if (slots)
		slots->datagrams = malloc((size_t)RECEIVE_BATCH * DATAGRAM_ROOM + PADDING);
	return slots && slots->datagrams ? 0 : -ENOMEM;
}

static void remove_worker(struct transport_worker *tw)
{
	struct udp_slots *slots = slots_of(tw);

	if (slots)
		free(slots->datagrams);
	free(slots);
}

static struct udp_port *find_port(struct udp_ports *ports, uint32_t handle)
{
	for (unsigned i = 0; handle != 0 && i < PORTS_MAX; i++) {
		if (ports->port[i].handle == handle)
			return &ports->port[i];
	}
	return NULL;
}

/* What worker_call() hands over: the port, and which it is. */
struct port_change {
	const struct udp_port *port;
	unsigned index;
	struct transport_worker *tw;
};

/* Only one worker reads a socket. */
static bool reads(const struct transport_worker *tw, const struct udp_port *port)
{
	return tw->number < port->count;
}

/* A task: the worker's part of it is in its own thread. */
static void take_port(void *owner, void *arg)
{
	const struct port_change *change = arg;
	const struct udp_port *port = change->port;
	struct transport_worker *tw = change->tw;
	struct udp_slot *slot = &slots_of(tw)->slot[change->index];

	(void)owner;
	if (slot->handle != 0)
		ev_io_stop(tw->worker->loop, &slot->io);
	slot->handle = port->handle;
	slot->tw = tw;
	slot->from = (struct path){.transport = transport_number(tw->all, &udp_transport),
				   .socket = port->handle,
				   .remote = port->remote};
	slot->socket = (struct udp_socket){.fd = -1};
	if (port->count > 0)
		slot->socket = port->socket[reads(tw, port) ? tw->number : 0];
	ev_io_init(&slot->io, on_readable, slot->socket.fd, EV_READ);
	slot->io.data = slot;
	if (tw->watching && reads(tw, port))
		ev_io_start(tw->worker->loop, &slot->io);
}

static void tell_workers(struct transports *t, const struct udp_port *port)
{
	struct port_change change = {.port = port, .index = (unsigned)(port - ports_of(t)->port)};

	for (unsigned i = 0; i < t->worker_count; i++) {
		change.tw = t->workers[i];
		worker_call(t->workers[i]->worker, take_port, &change);
	}
}

static void close_sockets(struct udp_socket *sockets, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		close(sockets[i].fd);
}

static void clear(struct transports *t)
{
	struct udp_ports *ports = ports_of(t);

	for (unsigned i = 0; ports && i < PORTS_MAX; i++)
		close_sockets(ports->port[i].socket, ports->port[i].count);
	free(ports);
}

uint32_t udp_port_reserve(struct transports *t)
{
	struct udp_ports *ports = ports_of(t);

	for (unsigned i = 0; i < PORTS_MAX; i++) {
		if (ports->port[i].handle != 0)
			continue;
		ports->port[i] = (struct udp_port){.handle = transport_next_handle(t, 0)};
		tell_workers(t, &ports->port[i]);
		return ports->port[i].handle;
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

void udp_port_keep(struct transports *t, int fd)
{
	struct udp_ports *ports = ports_of(t);

	if (ports->more_count < t->worker_count - 1)
		ports->more[ports->more_count++] = fd;
	else
		close(fd);
}

int udp_port_replace(struct transports *t, uint32_t handle, int fd)
{
	struct udp_ports *ports = ports_of(t);
	struct udp_port *port = find_port(ports, handle);
	struct udp_port fresh = {.handle = handle}, before;
	int err = port ? 0 : -ENOENT;

	if (port)
		fresh.remote = port->remote;
	if (fd >= 0)
		put_socket(&fresh, fd, &err);
	for (unsigned i = 0; i < ports->more_count; i++) {
		if (fd >= 0)
			put_socket(&fresh, ports->more[i], &err);
		else
			close(ports->more[i]); /* of a port that is not wanted any more */
	}
	ports->more_count = 0;
	if (err < 0) {
		close_sockets(fresh.socket, fresh.count);
		return err;
	}
	before = *port;
	*port = fresh;
	tell_workers(t, port);
	close_sockets(before.socket, before.count);
	return 0;
}

static void close_port(struct transports *t, uint32_t handle)
{
	struct udp_port *port = find_port(ports_of(t), handle), before;

	if (!port)
		return;
	before = *port;
	*port = (struct udp_port){0};
	tell_workers(t, port);
	close_sockets(before.socket, before.count);
}

static uint32_t connect_to(struct transports *t, int fd, const struct endpoint *remote, bool *ready)
{
	uint32_t handle = udp_port_reserve(t);

	*ready = true;
	if (handle != 0)
		find_port(ports_of(t), handle)->remote = *remote;
	if (udp_port_replace(t, handle, fd) < 0) {
		close_port(t, handle);
		return 0;
	}
	return handle;
}

/* All of them are one port. */
static int listen_on(struct transports *t, int fd)
{
	struct udp_port *port = &ports_of(t)->port[0];
	int err = port->handle != 0 || udp_port_reserve(t) ? 0 : -ENOSPC;

	if (err == 0 && port->count == t->worker_count)
		err = -EBADMSG;
	put_socket(port, fd, &err);
	if (err == 0)
		tell_workers(t, port);
	return err;
}

static uint32_t bound(const struct transports *t)
{
	return ports_of(t)->port[0].handle;
}

static void watch(struct transport_worker *tw)
{
	for (unsigned i = 0; i < PORTS_MAX; i++) {
		struct udp_slot *slot = &slots_of(tw)->slot[i];

		if (slot->handle != 0 && reads(tw, &ports_of(tw->all)->port[i]))
			ev_io_start(tw->worker->loop, &slot->io);
	}
}

/* Errors that say this socket's own address or route is gone, not that the network is busy. */
static bool is_broken(int err)
{
	return err == -ENETUNREACH || err == -EADDRNOTAVAIL || err == -EINVAL || err == -ENETDOWN ||
	       err == -ENODEV;
}

static void send_one(struct transports *t, const struct path *path, const uint8_t *msg, size_t len,
		     uint8_t tos)
{
	struct udp_port *port = find_port(ports_of(t), path->socket);
	const struct path used = *path; /* `path` may be the peer's own, which telling changes */
	int err;

	if (!port || port->count == 0)
		return;
	err = udp_send(&port->socket[0], &path->local, &path->remote, msg, len, tos);
	if (err == 1) /* from another address than asked for */
		t->tell(t->owner, TRANSPORT_SOURCE_LOST, &used);
	if (err >= 0)
		return;
	ports_of(t)->send_errors++;
	if (port->socket[0].connected && is_broken(err))
		t->tell(t->owner, TRANSPORT_BROKEN, &used);
}

static struct udp_slot *find_slot(struct udp_slots *slots, uint32_t handle)
{
	for (unsigned i = 0; i < PORTS_MAX; i++) {
		if (slots->slot[i].handle == handle)
			return &slots->slot[i];
	}
	return NULL;
}

static void send_train(struct transport_worker *tw, const struct train *train)
{
	struct udp_slots *slots = slots_of(tw);
	struct udp_slot *slot = find_slot(slots, train->path.socket);
	struct udp_socket plain, *socket;
	int err;

	if (!slot || slot->socket.fd < 0)
		return;
	socket = &slot->socket;
	if (atomic_load_explicit(&tw->all->one_by_one, memory_order_relaxed)) {
		plain = *socket;
		plain.gso = false;
		socket = &plain;
	}
	err = udp_send_train(socket, &train->path.local, &train->path.remote, train->buffer,
			     train->len, train->segment, train->tos);
	if (err == 1)
		tw->events->tell(tw->owner, TRANSPORT_SOURCE_LOST, &train->path);
	if (err >= 0)
		return;
	slots->send_errors++;
	if (slot->socket.connected && is_broken(err))
		tw->events->tell(tw->owner, TRANSPORT_BROKEN, &train->path);
}

static uint64_t count(const struct transports *t, unsigned counter)
{
	uint64_t sum = ports_of(t)->send_errors;

	(void)counter;
	for (unsigned i = 0; i < t->worker_count; i++)
		sum += slots_of(t->workers[i])->send_errors;
	return sum;
}

static const char *const counters[] = {"udp_send_errors", NULL};

const struct transport_ops udp_transport = {
	.name = "udp",
	.title = "UDP",
	.socket_type = SOCK_DGRAM,
	.counters = counters,
	.count = count,
	.init = init,
	.clear = clear,
	.worker_init = add_worker,
	.worker_clear = remove_worker,
	.listen = listen_on,
	.connect = connect_to,
	.close = close_port,
	.bound = bound,
	.send = send_one,
	.watch = watch,
	.send_train = send_train,
};
