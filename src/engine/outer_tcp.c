/* SPDX-License-Identifier: ISC */
/*
 * TCP connections of the engine. A stranger's connection costs a small buffer, has OUTER_STRANGER_S
 * to become authentic and may send nothing but an initiation or data of a live index; the oldest
 * stranger makes room for the newest. A full connection drops what it is given, as a link would.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A table that cannot grow leaves the new connection out, it never exits. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include <tund/base/bytes.h>
#include <tund/engine/engine.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>
#include <tund/sys/tcp.h>
#include <tund/wire/frame.h>

#include "outer_ports.h"

#define FRAME_MESSAGE_MAX 9216 /* inner MTU 9000 and what surrounds it; no GSO frames yet */
#define STRANGER_BUFFER (FRAME_HEADER + FRAME_MESSAGE_MAX)
#define IN_BUFFER (64 * 1024)
#define OUT_BUFFER (256 * 1024)
#define STRANGER_OUT_BUFFER 2048 /* a cookie or two, should it not read them */

struct tcp_connection {
	uint32_t handle;
	struct engine *engine;
	struct path path;
	int fd;
	bool connecting;
	bool stranger;  /* nothing authentic has come through it yet */
	bool inside;    /* its own frames are being handled: close after that */
	bool closed;
	ev_io readable, writable;
	ev_timer limit; /* to connect, or to stop being a stranger */
	uint8_t *in, *out;
	size_t in_len, in_cap, out_pos, out_len, out_cap;
	bool is_unflushed;
	UT_hash_handle hh;
	TAILQ_ENTRY(tcp_connection) older;
	LIST_ENTRY(tcp_connection) next_unflushed;
};

static struct tcp_connection *find_connection(struct outer *outer, uint32_t handle)
{
	struct tcp_connection *c;

	HASH_FIND(hh, outer->by_handle, &handle, sizeof handle, c);
	return c;
}

static void forget_stranger(struct tcp_connection *c)
{
	struct outer *outer = &c->engine->outer;

	if (!c->stranger)
		return;
	c->stranger = false;
	ev_timer_stop(c->engine->loop, &c->limit);
	TAILQ_REMOVE(&outer->strangers, c, older);
	outer->stranger_count--;
}

static void free_connection(struct tcp_connection *c)
{
	struct engine *engine = c->engine;

	forget_stranger(c);
	ev_timer_stop(engine->loop, &c->limit);
	ev_io_stop(engine->loop, &c->readable);
	ev_io_stop(engine->loop, &c->writable);
	if (c->is_unflushed)
		LIST_REMOVE(c, next_unflushed);
	HASH_DEL(engine->outer.by_handle, c);
	close(c->fd);
	free(c->in);
	free(c->out);
	free(c);
}

/* The connection ended: the session forgets the path, the uplink hears of it. */
static void end_connection(struct tcp_connection *c)
{
	struct engine *engine = c->engine;
	uint32_t handle = c->handle;
	bool was_stranger = c->stranger;

	if (c->inside) {
		c->closed = true;
		return;
	}
	free_connection(c);
	/* A stranger's connection is nobody's path. */
	if (!engine->host || was_stranger)
		return;
	host_path_closed(engine->host, clock_now_ns(), handle);
	uplink_broken(engine, clock_now_ns(), handle);
}

void outer_hang_up(struct engine *engine, uint32_t handle)
{
	struct tcp_connection *c = find_connection(&engine->outer, handle);

	/* Its reader sees the end; its peer's session, in which we are, is done by then. */
	if (c)
		shutdown(c->fd, SHUT_RDWR);
}

void outer_close_tcp(struct engine *engine, uint32_t handle)
{
	struct tcp_connection *c = find_connection(&engine->outer, handle);

	if (c)
		end_connection(c);
}

/* What a stranger may say: an initiation, or data of a live index. */
static bool is_admissible(const struct tcp_connection *c, const uint8_t *msg, size_t len)
{
	int type = message_gate(msg, len);

	if (type == MESSAGE_INITIATION)
		return true;
	return type == MESSAGE_DATA &&
	       host_knows_index(c->engine->host, get_le32(msg + DATA_RECEIVER));
}

/* A stranger gets room for one message, and only when it sends; a peer for a batch. */
static bool has_in_buffer(struct tcp_connection *c)
{
	size_t cap = c->stranger ? STRANGER_BUFFER : IN_BUFFER;
	uint8_t *grown;

	if (c->in_cap >= cap)
		return true;
	grown = realloc(c->in, cap);
	if (!grown)
		return false;
	c->in = grown;
	c->in_cap = cap;
	return true;
}

/* Handles the whole frames in the buffer; false when the connection is beyond repair. */
static bool handle_frames(struct tcp_connection *c, uint64_t now_ns)
{
	size_t pos = 0;
	long n;

	while ((n = frame_next(c->in + pos, c->in_len - pos, FRAME_MESSAGE_MAX)) > 0) {
		uint8_t *msg = c->in + pos + FRAME_HEADER;
		size_t len = (size_t)n - FRAME_HEADER;

		pos += (size_t)n;
		if (c->stranger && !is_admissible(c, msg, len))
			return false;
		if (engine_receive(c->engine, now_ns, &c->path, msg, len, false))
			forget_stranger(c);
	}
	memmove(c->in, c->in + pos, c->in_len - pos);
	c->in_len -= pos;
	return n == 0;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct tcp_connection *c = io->data;
	ssize_t n;
	bool ok;

	(void)loop;
	(void)events;
	n = -ENOMEM;
	if (has_in_buffer(c))
		n = tcp_read(c->fd, c->in + c->in_len, c->in_cap - c->in_len);
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		end_connection(c);
		return;
	}
	c->in_len += (size_t)n;
	c->inside = true;
	ok = handle_frames(c, clock_now_ns());
	c->inside = false;
	if (!ok || c->closed)
		end_connection(c);
}

static void note_unflushed(struct tcp_connection *c)
{
	if (c->is_unflushed)
		return;
	c->is_unflushed = true;
	LIST_INSERT_HEAD(&c->engine->outer.unflushed, c, next_unflushed);
}

/* Gives the kernel what it takes. False: the connection is broken. */
static bool flush_connection(struct tcp_connection *c)
{
	while (c->out_pos < c->out_len) {
		struct iovec piece = {c->out + c->out_pos, c->out_len - c->out_pos};
		ssize_t n = tcp_write(c->fd, &piece, 1);

		if (n == -EAGAIN) {
			ev_io_start(c->engine->loop, &c->writable);
			return true;
		}
		if (n < 0)
			return false;
		c->out_pos += (size_t)n;
	}
	c->out_pos = c->out_len = 0;
	ev_io_stop(c->engine->loop, &c->writable);
	return true;
}

static bool has_room(const struct tcp_connection *c, size_t len)
{
	return c->out_cap - c->out_len >= FRAME_HEADER + len;
}

static void make_room(struct tcp_connection *c)
{
	memmove(c->out, c->out + c->out_pos, c->out_len - c->out_pos);
	c->out_len -= c->out_pos;
	c->out_pos = 0;
}

/* What a stranger makes us say must not cost us more than what it says. */
static bool has_out_buffer(struct tcp_connection *c)
{
	size_t cap = c->stranger ? STRANGER_OUT_BUFFER : OUT_BUFFER;
	uint8_t *grown;

	if (c->out_cap >= cap)
		return true;
	grown = realloc(c->out, cap);
	if (!grown)
		return false;
	c->out = grown;
	c->out_cap = cap;
	return true;
}

void outer_tcp_send(struct engine *engine, const struct path *path, const uint8_t *msg, size_t len)
{
	struct tcp_connection *c = find_connection(&engine->outer, path->socket);

	if (!c || c->connecting || c->closed)
		return;
	/* Only who has authenticated is answered with a response. */
	if (msg[0] == MESSAGE_RESPONSE)
		forget_stranger(c);
	if (!has_out_buffer(c)) {
		engine->outer.tcp_full++;
		return;
	}
	if (!has_room(c, len))
		make_room(c);
	if (!has_room(c, len)) {
		engine->outer.tcp_full++;
		return;
	}
	frame_put_header(c->out + c->out_len, len);
	memcpy(c->out + c->out_len + FRAME_HEADER, msg, len);
	c->out_len += FRAME_HEADER + len;
	note_unflushed(c);
}

void outer_flush(struct engine *engine)
{
	struct tcp_connection *c;

	while ((c = LIST_FIRST(&engine->outer.unflushed))) {
		LIST_REMOVE(c, next_unflushed);
		c->is_unflushed = false;
		if (!ev_is_active(&c->writable) && !flush_connection(c))
			end_connection(c);
	}
}

static void finish_connect(struct tcp_connection *c)
{
	int err = socket_error(c->fd);

	ev_timer_stop(c->engine->loop, &c->limit);
	ev_io_stop(c->engine->loop, &c->writable);
	if (err < 0) {
		log_debug("TCP to the edge: %s", strerror(-err));
		end_connection(c);
		return;
	}
	c->connecting = false;
	ev_io_start(c->engine->loop, &c->readable);
	uplink_connected(c->engine, clock_now_ns(), &c->path);
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
	struct tcp_connection *c = io->data;

	(void)loop;
	(void)events;
	if (c->connecting)
		finish_connect(c);
	else if (!flush_connection(c))
		end_connection(c);
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct tcp_connection *c = timer->data;

	(void)loop;
	(void)events;
	if (c->stranger)
		c->engine->outer.strangers_dropped++;
	end_connection(c);
}

static struct tcp_connection *new_connection(struct engine *engine, int fd)
{
	struct outer *outer = &engine->outer;
	struct tcp_connection *c = calloc(1, sizeof *c);

	if (!c) {
		close(fd);
		return NULL;
	}
	c->engine = engine;
	c->fd = fd;
	c->handle = outer_next_handle(outer);
	c->path = (struct path){.transport = TRANSPORT_TCP, .socket = c->handle};
	ev_io_init(&c->readable, on_readable, fd, EV_READ);
	ev_io_init(&c->writable, on_writable, fd, EV_WRITE);
	c->readable.data = c;
	c->writable.data = c;
	HASH_ADD(hh, outer->by_handle, handle, sizeof c->handle, c);
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
	ev_timer_start(c->engine->loop, &c->limit);
}

uint32_t outer_add_connecting(struct engine *engine, int fd, const struct endpoint *remote)
{
	struct tcp_connection *c = new_connection(engine, fd);

	if (!c)
		return 0;
	c->connecting = true;
	c->path.remote = *remote;
	start_limit(c, UPLINK_CONNECT_S);
	ev_io_start(engine->loop, &c->writable);
	return c->handle;
}

static void drop_oldest_stranger(struct outer *outer)
{
	if (TAILQ_EMPTY(&outer->strangers))
		return;
	outer->strangers_dropped++;
	end_connection(TAILQ_FIRST(&outer->strangers));
}

static void add_stranger(struct engine *engine, int fd, const struct endpoint *remote,
			 const struct endpoint *local)
{
	struct outer *outer = &engine->outer;
	struct tcp_connection *c;

	if (outer->stranger_count >= OUTER_STRANGERS_MAX || fd >= outer->fd_limit)
		drop_oldest_stranger(outer);
	if (fd >= outer->fd_limit + OUTER_SPARE_FDS / 2) {
		close(fd);
		return;
	}
	c = new_connection(engine, fd);
	if (!c)
		return;
	c->path.remote = *remote;
	c->path.local = *local;
	c->stranger = true;
	TAILQ_INSERT_TAIL(&outer->strangers, c, older);
	outer->stranger_count++;
	start_limit(c, OUTER_STRANGER_S);
	ev_io_start(engine->loop, &c->readable);
}

static bool is_out_of_descriptors(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOBUFS || err == -ENOMEM;
}

static void pause_accepting(struct engine *engine)
{
	struct outer *outer = &engine->outer;

	/* The connection still waits: make room for it, and do not spin until there is. */
	ev_io_stop(engine->loop, &outer->accept);
	ev_timer_set(&outer->accept_pause, 0.1, 0);
	ev_timer_start(engine->loop, &outer->accept_pause);
	drop_oldest_stranger(outer);
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
	struct engine *engine = io->data;
	struct endpoint remote, local;

	(void)loop;
	(void)events;
	for (int i = 0; i < 16; i++) {
		int fd;
		int err = tcp_accept(engine->outer.listener, &fd, &remote, &local);

		if (is_out_of_descriptors(err))
			pause_accepting(engine);
		if (err == -ECONNABORTED)
			continue;
		if (err < 0)
			return;
		add_stranger(engine, fd, &remote, &local);
	}
}

static void on_accept_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct engine *engine = timer->data;

	(void)events;
	ev_io_start(loop, &engine->outer.accept);
}

void outer_set_listener(struct engine *engine, int fd)
{
	struct outer *outer = &engine->outer;

	outer->listener = fd;
	ev_io_init(&outer->accept, on_accept, fd, EV_READ);
	outer->accept.data = engine;
	ev_init(&outer->accept_pause, on_accept_again);
	outer->accept_pause.data = engine;
}

void outer_tcp_init(struct engine *engine)
{
	engine->outer.by_handle = NULL;
}

void outer_tcp_watch(struct engine *engine)
{
	if (engine->outer.listener >= 0)
		ev_io_start(engine->loop, &engine->outer.accept);
}

void outer_tcp_close(struct engine *engine)
{
	struct outer *outer = &engine->outer;
	struct tcp_connection *c, *next;

	HASH_ITER(hh, outer->by_handle, c, next)
		free_connection(c);
	if (outer->listener < 0)
		return;
	ev_io_stop(engine->loop, &outer->accept);
	ev_timer_stop(engine->loop, &outer->accept_pause);
	close(outer->listener);
	outer->listener = -1;
}
