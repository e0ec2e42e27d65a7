/* SPDX-License-Identifier: ISC */
/*
 * How TCP connections come to be: accepted by a worker of an edge, or connected by the first worker
 * of a client. A stranger's has OUTER_STRANGER_S to become authentic, and the oldest makes room for
 * the newest.
 */
#include "outer_tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tund/sys/log.h>
#include <tund/sys/tcp.h>

#include "outer_ports.h"

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	tcp_on_readable(io->data);
}

static void finish_connect(struct tcp_connection *c)
{
	int err = socket_error(c->fd);

	ev_timer_stop(c->worker->loop, &c->limit);
	ev_io_stop(c->worker->loop, &c->writable);
	if (err < 0) {
		log_debug("TCP to the edge: %s", strerror(-err));
		tcp_end(c);
		return;
	}
	c->connecting = false;
	ev_io_start(c->worker->loop, &c->readable);
	if (!tcp_tell(c, WORKER_TCP_CONNECTED))
		tcp_end(c);
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
	struct tcp_connection *c = io->data;

	(void)loop;
	(void)events;
	if (c->connecting)
		finish_connect(c);
	else
		tcp_on_writable(c);
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct tcp_connection *c = timer->data;

	(void)loop;
	(void)events;
	if (c->stranger)
		c->worker->tcp.strangers_dropped++;
	tcp_end(c);
}

static struct tcp_connection *new_connection(struct worker *worker, int fd, uint32_t handle)
{
	struct tcp_connection *c = calloc(1, sizeof *c);

	if (!c) {
		close(fd);
		return NULL;
	}
	c->worker = worker;
	c->fd = fd;
	c->handle = handle;
	c->path = (struct path){.transport = TRANSPORT_TCP, .socket = c->handle};
	ev_io_init(&c->readable, on_readable, fd, EV_READ);
	ev_io_init(&c->writable, on_writable, fd, EV_WRITE);
	c->readable.data = c;
	c->writable.data = c;
	HASH_ADD(hh, worker->tcp.by_handle, handle, sizeof c->handle, c);
	if (c->hh.tbl)
		return c;
	close(fd);
	free(c);
	return NULL;
}

static void start_limit(struct tcp_connection *c, double seconds)
{
	ev_timer_init(&c->limit, on_limit, seconds, 0);
	c->limit.data = c;
	ev_now_update(c->worker->loop);
	ev_timer_start(c->worker->loop, &c->limit);
}

/* What worker_call() hands over. */
struct connecting {
	int fd;
	const struct endpoint *remote;
	uint32_t handle; /* 0: out of memory */
};

static void add_connecting(struct worker *worker, void *arg)
{
	struct connecting *new = arg;
	struct tcp_connection *c = new_connection(worker, new->fd, new->handle);

	if (!c) {
		new->handle = 0;
		return;
	}
	c->connecting = true;
	c->path.remote = *new->remote;
	start_limit(c, UPLINK_CONNECT_S);
	ev_io_start(worker->loop, &c->writable);
}

uint32_t outer_add_connecting(struct engine *engine, int fd, const struct endpoint *remote)
{
	struct connecting new = {
		.fd = fd, .remote = remote, .handle = outer_next_handle(&engine->outer, 0)};

	worker_call(engine->workers[0], add_connecting, &new);
	return new.handle;
}

static void drop_oldest_stranger(struct tcp_table *table)
{
	if (TAILQ_EMPTY(&table->strangers))
		return;
	table->strangers_dropped++;
	tcp_end(TAILQ_FIRST(&table->strangers));
}

/* A handle may come again after 2^26 connections, but not while the old one lives. */
static uint32_t free_handle(struct worker *worker)
{
	uint32_t handle;

	do
		handle = outer_next_handle(&worker->engine->outer, worker->number);
	while (tcp_find(&worker->tcp, handle));
	return handle;
}

static void add_stranger(struct worker *worker, int fd, const struct endpoint *remote,
			 const struct endpoint *local)
{
	struct tcp_table *table = &worker->tcp;
	int fd_limit = worker->engine->outer.fd_limit;
	struct tcp_connection *c;

	if (table->stranger_count >= OUTER_STRANGERS_MAX || fd >= fd_limit)
		drop_oldest_stranger(table);
	if (fd >= fd_limit + OUTER_SPARE_FDS / 2) {
		close(fd);
		return;
	}
	c = new_connection(worker, fd, free_handle(worker));
	if (!c)
		return;
	c->path.remote = *remote;
	c->path.local = *local;
	c->stranger = true;
	TAILQ_INSERT_TAIL(&table->strangers, c, older);
	table->stranger_count++;
	start_limit(c, OUTER_STRANGER_S);
	ev_io_start(worker->loop, &c->readable);
}

static bool is_out_of_descriptors(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOBUFS || err == -ENOMEM;
}

static void pause_accepting(struct worker *worker)
{
	struct tcp_table *table = &worker->tcp;

	/* The connection still waits: make room for it, and do not spin until there is. */
	ev_io_stop(worker->loop, &table->accept);
	ev_timer_set(&table->accept_pause, 0.1, 0);
	ev_timer_start(worker->loop, &table->accept_pause);
	drop_oldest_stranger(table);
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
	struct worker *worker = io->data;
	struct endpoint remote, local;

	(void)loop;
	(void)events;
	for (int i = 0; i < 16; i++) {
		int fd;
		int err = tcp_accept(worker->tcp.listener, &fd, &remote, &local);

		if (is_out_of_descriptors(err))
			pause_accepting(worker);
		if (err == -ECONNABORTED)
			continue;
		if (err < 0)
			return;
		add_stranger(worker, fd, &remote, &local);
	}
}

static void on_accept_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct worker *worker = timer->data;

	(void)events;
	ev_io_start(loop, &worker->tcp.accept);
}

static void take_listener(struct worker *worker, void *fd)
{
	if (worker->tcp.listener < 0)
		worker->tcp.listener = *(const int *)fd;
	else
		close(*(const int *)fd);
}

void outer_set_listener(struct engine *engine, int fd)
{
	worker_call(engine->workers[0], take_listener, &fd);
}

void outer_tcp_watch(struct worker *worker)
{
	struct tcp_table *table = &worker->tcp;

	if (table->listener < 0)
		return;
	ev_io_init(&table->accept, on_accept, table->listener, EV_READ);
	table->accept.data = worker;
	ev_init(&table->accept_pause, on_accept_again);
	table->accept_pause.data = worker;
	ev_io_start(worker->loop, &table->accept);
}

void outer_tcp_close(struct worker *worker)
{
	struct tcp_table *table = &worker->tcp;
	struct tcp_connection *c, *next;

	HASH_ITER(hh, table->by_handle, c, next) {
		tcp_shut(c);
		free(c);
	}
	while ((c = LIST_FIRST(&table->ended))) {
		LIST_REMOVE(c, next_ended);
		free(c);
	}
	if (table->listener < 0)
		return;
	ev_io_stop(worker->loop, &table->accept);
	ev_timer_stop(worker->loop, &table->accept_pause);
	close(table->listener);
	table->listener = -1;
}
