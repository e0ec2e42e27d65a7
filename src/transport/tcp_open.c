/* SPDX-License-Identifier: ISC */
/*
 * How TCP connections come to be: accepted by a worker of an edge, or connected by the first worker
 * of a client. A stranger's has STRANGER_S to become authentic, and the oldest makes room for
 * the newest.
 */
#include "tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tund/sys/log.h>
#include <tund/sys/tcp.h>
#include <tund/wire/message.h>

#define STRANGERS_MAX 1024 /* connections of a worker that have not been authenticated */
#define STRANGER_S 10.0    /* and how long each may take: what is silent or slow ends then */
#define CONNECT_S 5.0      /* a connection that is not established by then has failed */

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	tcp_on_readable(io->data);
}

static void finish_connect(struct tcp_connection *c)
{
	int err = socket_error(c->fd);

	ev_timer_stop(c->table->tw->worker->loop, &c->limit);
	ev_io_stop(c->table->tw->worker->loop, &c->writable);
	if (err < 0) {
		log_debug("TCP to the edge: %s", strerror(-err));
		tcp_end(c);
		return;
	}
	c->connecting = false;
	ev_io_start(c->table->tw->worker->loop, &c->readable);
	if (!tcp_tell(c, TRANSPORT_CONNECTED))
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
		c->table->strangers_dropped++;
	tcp_end(c);
}

static struct tcp_connection *new_connection(struct tcp_table *table, int fd, uint32_t handle)
{
	struct tcp_connection *c = calloc(1, sizeof *c);

	if (!c) {
		close(fd);
		return NULL;
	}
	c->table = table;
	c->fd = fd;
	c->handle = handle;
	c->path.transport = table->number;
	c->path.socket = handle;
	ev_io_init(&c->readable, on_readable, fd, EV_READ);
	ev_io_init(&c->writable, on_writable, fd, EV_WRITE);
	c->readable.data = c;
	c->writable.data = c;
	HASH_ADD(hh, table->by_handle, handle, sizeof c->handle, c);
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
	ev_now_update(c->table->tw->worker->loop);
	ev_timer_start(c->table->tw->worker->loop, &c->limit);
}

bool tcp_open_connecting(struct tcp_table *table, int fd, uint32_t handle,
			 const struct endpoint *remote)
{
	struct tcp_connection *c = new_connection(table, fd, handle);

	if (!c)
		return false;
	c->connecting = true;
	c->path.remote = *remote;
	start_limit(c, CONNECT_S);
	ev_io_start(table->tw->worker->loop, &c->writable);
	return true;
}

static void drop_oldest_stranger(struct tcp_table *table)
{
	if (TAILQ_EMPTY(&table->strangers))
		return;
	table->strangers_dropped++;
	tcp_end(TAILQ_FIRST(&table->strangers));
}

/* A handle may come again after 2^26 connections, but not while the old one lives. */
static uint32_t free_handle(struct tcp_table *table)
{
	uint32_t handle;

	do
		handle = transport_next_handle(table->tw->all, table->tw->number);
	while (tcp_find(table, handle));
	return handle;
}

static void add_stranger(struct tcp_table *table, int fd, const struct endpoint *remote,
			 const struct endpoint *local)
{
	int fd_limit = table->tw->all->fd_limit;
	struct tcp_connection *c;

	if (table->stranger_count >= STRANGERS_MAX || fd >= fd_limit)
		drop_oldest_stranger(table);
	if (fd >= fd_limit + TRANSPORT_SPARE_FDS / 2) {
		close(fd);
		return;
	}
	c = new_connection(table, fd, free_handle(table));
	if (!c)
		return;
	c->path.remote = *remote;
	c->path.local = *local;
	c->stranger = true;
	TAILQ_INSERT_TAIL(&table->strangers, c, older);
	table->stranger_count++;
	start_limit(c, STRANGER_S);
	ev_io_start(table->tw->worker->loop, &c->readable);
}

static bool is_out_of_descriptors(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOBUFS || err == -ENOMEM;
}

static void pause_accepting(struct tcp_table *table)
{
	struct ev_loop *loop = table->tw->worker->loop;

	/* The connection still waits: make room for it, and do not spin until there is. */
	ev_io_stop(loop, &table->accept);
	ev_timer_set(&table->accept_pause, 0.1, 0);
	ev_timer_start(loop, &table->accept_pause);
	drop_oldest_stranger(table);
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
	struct tcp_table *table = io->data;
	struct endpoint remote, local;

	(void)loop;
	(void)events;
	for (int i = 0; i < 16; i++) {
		int fd;
		int err = tcp_accept(table->listener, &fd, &remote, &local);

		if (is_out_of_descriptors(err))
			pause_accepting(table);
		if (err == -ECONNABORTED)
			continue;
		if (err < 0)
			return;
		add_stranger(table, fd, &remote, &local);
	}
}

static void on_accept_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct tcp_table *table = timer->data;

	(void)events;
	ev_io_start(loop, &table->accept);
}

void tcp_open_watch(struct tcp_table *table)
{
	if (table->listener < 0)
		return;
	ev_io_init(&table->accept, on_accept, table->listener, EV_READ);
	table->accept.data = table;
	ev_init(&table->accept_pause, on_accept_again);
	table->accept_pause.data = table;
	ev_io_start(table->tw->worker->loop, &table->accept);
}
