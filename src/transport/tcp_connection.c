/* SPDX-License-Identifier: ISC */
/*
 * What passes through the TCP connections of a worker. A stranger's connection costs a small buffer
 * and may send nothing but an initiation or data of a live index. A full connection drops what it
 * is given, as a link would.
 */
#include "tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tund/base/bytes.h>
#include <tund/sys/tcp.h>
#include <tund/wire/frame.h>
#include <tund/wire/message.h>

#define STRANGER_MESSAGE_MAX 9216 /* inner MTU 9000 and what surrounds it */
#define STRANGER_BUFFER (FRAME_HEADER + STRANGER_MESSAGE_MAX)
#define IN_BUFFER (256 * 1024)
#define OUT_BUFFER (1024 * 1024)
#define STRANGER_OUT_BUFFER 2048 /* a cookie or two, should it not read them */

struct tcp_connection *tcp_find(struct tcp_table *table, uint32_t handle)
{
	struct tcp_connection *c;

	HASH_FIND(hh, table->by_handle, &handle, sizeof handle, c);
	return c;
}

static void forget_stranger(struct tcp_connection *c)
{
	struct tcp_table *table = c->table;

	if (!c->stranger)
		return;
	c->stranger = false;
	ev_timer_stop(c->table->tw->worker->loop, &c->limit);
	TAILQ_REMOVE(&table->strangers, c, older);
	table->stranger_count--;
}

/* Nothing of it is left but its number, should the main thread still have to be told that. */
void tcp_shut(struct tcp_connection *c)
{
	struct ev_loop *loop = c->table->tw->worker->loop;

	forget_stranger(c);
	ev_timer_stop(loop, &c->limit);
	ev_io_stop(loop, &c->readable);
	ev_io_stop(loop, &c->writable);
	if (c->is_unflushed)
		LIST_REMOVE(c, next_unflushed);
	HASH_DEL(c->table->by_handle, c);
	close(c->fd);
	free(c->in);
	free(c->out);
}

bool tcp_tell(struct tcp_connection *c, enum transport_event event)
{
	return c->table->tw->events->tell(c->table->tw->owner, event, &c->path);
}

void tcp_end(struct tcp_connection *c)
{
	struct tcp_table *table = c->table;
	bool was_stranger = c->stranger;

	if (c->inside) {
		c->closed = true;
		return;
	}
	tcp_shut(c);
	/* A stranger's connection is nobody's path. */
	if (was_stranger || tcp_tell(c, TRANSPORT_ENDED))
		free(c);
	else
		LIST_INSERT_HEAD(&table->ended, c, next_ended);
}

/* Whose end the main thread had no room to hear of. */
static void tell_ended(struct tcp_table *table)
{
	struct tcp_connection *c;

	while ((c = LIST_FIRST(&table->ended)) && tcp_tell(c, TRANSPORT_ENDED)) {
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
	return type == MESSAGE_DATA && c->table->tw->events->knows_index(
					       c->table->tw->owner, get_le32(msg + DATA_RECEIVER));
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
		if (c->table->tw->events->received(c->table->tw->owner, now_ns, &c->path, msg, len,
						   false))
			forget_stranger(c);
	}
	return n == 0;
}

/* One batch. What it delivers lies in the buffer until the batch ends. */
static bool handle_batch(struct tcp_connection *c)
{
	struct transport_worker *tw = c->table->tw;
	uint64_t now_ns = tw->events->begin(tw->owner);
	size_t done;
	bool ok;

	c->inside = true;
	ok = handle_frames(c, now_ns, &done);
	tw->events->end(tw->owner);
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
	LIST_INSERT_HEAD(&c->table->unflushed, c, next_unflushed);
}

/* Gives the kernel what it takes. False: the connection is broken. */
static bool flush_connection(struct tcp_connection *c)
{
	while (c->out_pos < c->out_len) {
		struct iovec piece = {c->out + c->out_pos, c->out_len - c->out_pos};
		ssize_t n = tcp_write(c->fd, &piece, 1);

		if (n == -EAGAIN) {
			ev_io_start(c->table->tw->worker->loop, &c->writable);
			return true;
		}
		if (n < 0)
			return false;
		c->out_pos += (size_t)n;
	}
	c->out_pos = c->out_len = 0;
	ev_io_stop(c->table->tw->worker->loop, &c->writable);
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
uint8_t *tcp_reserve(struct tcp_connection *c, size_t len)
{
	if (!has_out_buffer(c))
		return NULL;
	if (!has_room(c, len))
		make_room(c);
	return has_room(c, len) ? c->out + c->out_len + FRAME_HEADER : NULL;
}

void tcp_commit(struct tcp_connection *c, size_t len)
{
	frame_put_header(c->out + c->out_len, len);
	c->out_len += FRAME_HEADER + len;
	note_unflushed(c);
}

/* A message of another thread's. */
void tcp_send(struct tcp_connection *c, const uint8_t *msg, size_t len)
{
	uint8_t *out;

	/* Only who has authenticated is answered with a response. */
	if (msg[0] == MESSAGE_RESPONSE)
		forget_stranger(c);
	out = tcp_reserve(c, len);
	if (!out) {
		c->table->full++;
		return;
	}
	memcpy(out, msg, len);
	tcp_commit(c, len);
}

void tcp_flush(struct tcp_table *table)
{
	struct tcp_connection *c;

	while ((c = LIST_FIRST(&table->unflushed))) {
		LIST_REMOVE(c, next_unflushed);
		c->is_unflushed = false;
		if (!ev_is_active(&c->writable) && !flush_connection(c))
			tcp_end(c);
	}
	tell_ended(table);
}

void tcp_on_writable(struct tcp_connection *c)
{
	if (!flush_connection(c))
		tcp_end(c);
}
