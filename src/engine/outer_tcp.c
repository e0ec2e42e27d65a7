/* SPDX-License-Identifier: ISC */
/*
 * What passes through the TCP connections of a worker. A stranger's connection costs a small buffer
 * and may send nothing but an initiation or data of a live index. A full connection drops what it
 * is given, as a link would.
 */
#include "outer_tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tund/base/bytes.h>
#include <tund/session/lane.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>
#include <tund/sys/tcp.h>
#include <tund/wire/frame.h>

#include "outer_ports.h"

#define STRANGER_MESSAGE_MAX 9216 /* inner MTU 9000 and what surrounds it */
#define STRANGER_BUFFER (FRAME_HEADER + STRANGER_MESSAGE_MAX)
#define IN_BUFFER (256 * 1024)
#define OUT_BUFFER (1024 * 1024)
#define INBOX_RESERVE (64 * 1024)
#define STRANGER_OUT_BUFFER 2048 /* a cookie or two, should it not read them */

/* What another thread wants of a connection; a message to send follows the record. */
enum wanted { WANTED_SEND, WANTED_HANG_UP, WANTED_CLOSE };

struct tcp_record {
	enum wanted wanted;
	uint32_t handle;
};

struct tcp_connection *tcp_find(struct tcp_table *table, uint32_t handle)
{
	struct tcp_connection *c;

	HASH_FIND(hh, table->by_handle, &handle, sizeof handle, c);
	return c;
}

void tcp_forget_stranger(struct tcp_connection *c)
{
	struct tcp_table *table = &c->worker->tcp;

	if (!c->stranger)
		return;
	c->stranger = false;
	ev_timer_stop(c->worker->loop, &c->limit);
	TAILQ_REMOVE(&table->strangers, c, older);
	table->stranger_count--;
}

/* Nothing of it is left but its number, should the main thread still have to be told that. */
void tcp_shut(struct tcp_connection *c)
{
	struct worker *worker = c->worker;

	tcp_forget_stranger(c);
	ev_timer_stop(worker->loop, &c->limit);
	ev_io_stop(worker->loop, &c->readable);
	ev_io_stop(worker->loop, &c->writable);
	if (c->is_unflushed)
		LIST_REMOVE(c, next_unflushed);
	HASH_DEL(worker->tcp.by_handle, c);
	close(c->fd);
	free(c->in);
	free(c->out);
}

bool tcp_tell(struct tcp_connection *c, enum worker_says says)
{
	struct worker_record record = {.says = says, .path = c->path};

	return worker_tell(c->worker, &record);
}

/* The connection ended: the session forgets the path, the uplink hears of it. */
void tcp_end(struct tcp_connection *c)
{
	struct worker *worker = c->worker;
	bool was_stranger = c->stranger;

	if (c->inside) {
		c->closed = true;
		return;
	}
	tcp_shut(c);
	/* A stranger's connection is nobody's path. */
	if (was_stranger || tcp_tell(c, WORKER_TCP_ENDED))
		free(c);
	else
		LIST_INSERT_HEAD(&worker->tcp.ended, c, next_ended);
}

/* Whose end the main thread had no room to hear of. */
static void tell_ended(struct worker *worker)
{
	struct tcp_connection *c;

	while ((c = LIST_FIRST(&worker->tcp.ended)) && tcp_tell(c, WORKER_TCP_ENDED)) {
		LIST_REMOVE(c, next_ended);
		free(c);
	}
}

/* What a stranger may say: an initiation, or data of a live index. */
static bool is_admissible(const struct tcp_connection *c, const uint8_t *msg, size_t len)
{
	int type = message_gate(msg, len);

	if (type == MESSAGE_INITIATION)
		return true;
	return type == MESSAGE_DATA &&
	       lane_knows_index(c->worker->lane, get_le32(msg + DATA_RECEIVER));
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

static size_t message_max(const struct tcp_connection *c)
{
	return c->stranger ? STRANGER_MESSAGE_MAX : MESSAGE_MAX_SIZE;
}

/* Handles the whole frames in the buffer, of which *done bytes are; false when the connection is
 * beyond repair. */
static bool handle_frames(struct tcp_connection *c, uint64_t now_ns, size_t *done)
{
	long n;

	*done = 0;
	while ((n = frame_next(c->in + *done, c->in_len - *done, message_max(c))) > 0) {
		uint8_t *msg = c->in + *done + FRAME_HEADER;
		size_t len = (size_t)n - FRAME_HEADER;

		*done += (size_t)n;
		if (c->stranger && !is_admissible(c, msg, len))
			return false;
		if (worker_receive(c->worker, now_ns, &c->path, msg, len, false))
			tcp_forget_stranger(c);
	}
	return n == 0;
}

/* One batch. What it delivers lies in the buffer until the batch ends. */
static bool handle_batch(struct tcp_connection *c)
{
	uint64_t now_ns = worker_begin(c->worker);
	size_t done;
	bool ok;

	c->inside = true;
	ok = handle_frames(c, now_ns, &done);
	worker_end(c->worker);
	c->inside = false;
	memmove(c->in, c->in + done, c->in_len - done);
	c->in_len -= done;
	return ok && !c->closed;
}

void tcp_on_readable(struct tcp_connection *c)
{
	ssize_t n = -ENOMEM;

	if (has_in_buffer(c))
		n = tcp_read(c->fd, c->in + c->in_len, c->in_cap - c->in_len);
	if (n == -EAGAIN)
		return;
	if (n > 0)
		c->in_len += (size_t)n;
	if (n <= 0 || !handle_batch(c))
		tcp_end(c);
}

static void note_unflushed(struct tcp_connection *c)
{
	if (c->is_unflushed)
		return;
	c->is_unflushed = true;
	LIST_INSERT_HEAD(&c->worker->tcp.unflushed, c, next_unflushed);
}

/* Gives the kernel what it takes. False: the connection is broken. */
static bool flush_connection(struct tcp_connection *c)
{
	while (c->out_pos < c->out_len) {
		struct iovec piece = {c->out + c->out_pos, c->out_len - c->out_pos};
		ssize_t n = tcp_write(c->fd, &piece, 1);

		if (n == -EAGAIN) {
			ev_io_start(c->worker->loop, &c->writable);
			return true;
		}
		if (n < 0)
			return false;
		c->out_pos += (size_t)n;
	}
	c->out_pos = c->out_len = 0;
	ev_io_stop(c->worker->loop, &c->writable);
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

/* Room for one message in the connection's own buffer. */
static uint8_t *reserve(struct tcp_connection *c, size_t len)
{
	if (!has_out_buffer(c))
		return NULL;
	if (!has_room(c, len))
		make_room(c);
	return has_room(c, len) ? c->out + c->out_len + FRAME_HEADER : NULL;
}

static void commit(struct tcp_connection *c, size_t len)
{
	frame_put_header(c->out + c->out_len, len);
	c->out_len += FRAME_HEADER + len;
	note_unflushed(c);
}

static struct tcp_connection *sendable(struct worker *worker, uint32_t handle)
{
	struct tcp_connection *c = tcp_find(&worker->tcp, handle);

	return !c || c->connecting || c->closed ? NULL : c;
}

uint8_t *outer_tcp_reserve(struct worker *worker, uint32_t handle, size_t len)
{
	struct tcp_connection *c;
	uint8_t *out = NULL;

	if (len > MESSAGE_MAX_SIZE) {
		worker_count(worker, REASON_TOO_BIG);
		return NULL;
	}
	if (outer_owner(handle) != worker->number)
		return worker->tcp.scratch;
	c = sendable(worker, handle);
	if (c)
		out = reserve(c, len);
	if (!out)
		worker->tcp.full++;
	return out;
}

/* Data leaves room for what must not be lost behind it. */
static bool post(struct engine *engine, enum wanted wanted, uint32_t handle, const uint8_t *msg,
		 size_t len, size_t reserve)
{
	struct tcp_record record = {.wanted = wanted, .handle = handle};
	unsigned owner = outer_owner(handle);

	return owner < engine->worker_count &&
	       inbox_post(&engine->workers[owner]->inbox, &record, sizeof record, msg, len,
			  reserve);
}

void outer_tcp_commit(struct worker *worker, uint32_t handle, size_t len)
{
	if (len == 0)
		return;
	if (outer_owner(handle) == worker->number)
		commit(sendable(worker, handle), len);
	else if (!post(worker->engine, WANTED_SEND, handle, worker->tcp.scratch, len,
		       INBOX_RESERVE))
		worker->tcp.full++;
}

void outer_tcp_send(struct engine *engine, const struct path *path, const uint8_t *msg, size_t len)
{
	post(engine, WANTED_SEND, path->socket, msg, len, 0);
}

/* A message of another thread's. */
static void send_for(struct tcp_connection *c, const uint8_t *msg, size_t len)
{
	uint8_t *out;

	/* Only who has authenticated is answered with a response. */
	if (msg[0] == MESSAGE_RESPONSE)
		tcp_forget_stranger(c);
	out = reserve(c, len);
	if (!out) {
		c->worker->tcp.full++;
		return;
	}
	memcpy(out, msg, len);
	commit(c, len);
}

/* Somebody takes a connection that has ended for a path. */
static void tell_gone(struct worker *worker, uint32_t handle)
{
	struct worker_record record = {
		.says = WORKER_TCP_ENDED,
		.path = {.transport = TRANSPORT_TCP, .socket = handle},
	};

	worker_tell(worker, &record);
}

void outer_tcp_record(struct worker *worker, const uint8_t *record, size_t len)
{
	struct tcp_connection *c;
	struct tcp_record r;

	memcpy(&r, record, sizeof r);
	c = tcp_find(&worker->tcp, r.handle);
	if (!c) {
		tell_gone(worker, r.handle);
		return;
	}
	switch (r.wanted) {
	case WANTED_SEND:
		if (!c->connecting && !c->closed)
			send_for(c, record + sizeof r, len - sizeof r);
		break;
	case WANTED_HANG_UP: /* its reader sees the end */
		shutdown(c->fd, SHUT_RDWR);
		break;
	case WANTED_CLOSE:
		tcp_end(c);
		break;
	}
}

void outer_hang_up(struct engine *engine, uint32_t handle)
{
	post(engine, WANTED_HANG_UP, handle, NULL, 0, 0);
}

void outer_close_tcp(struct engine *engine, uint32_t handle)
{
	post(engine, WANTED_CLOSE, handle, NULL, 0, 0);
}

void outer_tcp_flush(struct worker *worker)
{
	struct tcp_connection *c;

	while ((c = LIST_FIRST(&worker->tcp.unflushed))) {
		LIST_REMOVE(c, next_unflushed);
		c->is_unflushed = false;
		if (!ev_is_active(&c->writable) && !flush_connection(c))
			tcp_end(c);
	}
	tell_ended(worker);
}

void tcp_on_writable(struct tcp_connection *c)
{
	if (!flush_connection(c))
		tcp_end(c);
}
