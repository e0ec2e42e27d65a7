/* SPDX-License-Identifier: ISC */
/*
 * TCP as a transport: the same messages, 16-bit length first. A connection belongs to one worker; what
 * others want of it they leave in that worker's inbox.
 */
#include "tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tund/wire/message.h>

#define INBOX_RESERVE (64 * 1024)

/* What another thread wants of a connection; a message to send follows the record. */
enum wanted { WANTED_SEND, WANTED_HANG_UP, WANTED_CLOSE };

struct tcp_record {
	enum wanted wanted;
	uint32_t handle;
};

static struct tcp_table *table_of(const struct transport_worker *tw)
{
	return tw->state[transport_number(tw->all, &tcp_transport)];
}

static struct tcp_connection *sendable(struct tcp_table *table, uint32_t handle)
{
	struct tcp_connection *c = tcp_find(table, handle);

	return !c || c->connecting || c->closed ? NULL : c;
}

static uint8_t *reserve_for(struct transport_worker *tw, uint32_t handle, size_t len)
{
	struct tcp_table *table = table_of(tw);
	struct tcp_connection *c;
	uint8_t *out = NULL;

	if (transport_owner(handle) != tw->number)
		return table->scratch;
	c = sendable(table, handle);
	if (c)
		out = tcp_reserve(c, len);
	if (!out)
		table->full++;
	return out;
}

/* Data leaves room for what must not be lost behind it. */
static bool post(struct transports *t, enum wanted wanted, uint32_t handle, const uint8_t *msg,
		 size_t len, size_t spare)
{
	struct tcp_record record = {.wanted = wanted, .handle = handle};

	return transport_post(t, &tcp_transport, transport_owner(handle), &record, sizeof record,
			      msg, len, spare);
}

static void commit_for(struct transport_worker *tw, uint32_t handle, size_t len)
{
	struct tcp_table *table = table_of(tw);

	if (len == 0)
		return;
	if (transport_owner(handle) == tw->number)
		tcp_commit(sendable(table, handle), len);
	else if (!post(tw->all, WANTED_SEND, handle, table->scratch, len, INBOX_RESERVE))
		table->full++;
}

static void send_one(struct transports *t, const struct path *path, const uint8_t *msg, size_t len,
		     uint8_t tos)
{
	(void)tos;
	post(t, WANTED_SEND, path->socket, msg, len, 0);
}

/* Somebody takes a connection that has ended for a path. */
static void tell_gone(struct transport_worker *tw, uint32_t handle)
{
	struct path path = {.transport = transport_number(tw->all, &tcp_transport),
			    .socket = handle};

	tw->events->tell(tw->owner, TRANSPORT_ENDED, &path);
}

static void take_record(struct transport_worker *tw, const uint8_t *record, size_t len)
{
	struct tcp_connection *c;
	struct tcp_record r;

	memcpy(&r, record, sizeof r);
	c = tcp_find(table_of(tw), r.handle);
	if (!c) {
		tell_gone(tw, r.handle);
		return;
	}
	switch (r.wanted) {
	case WANTED_SEND:
		if (!c->connecting && !c->closed)
			tcp_send(c, record + sizeof r, len - sizeof r);
		break;
	case WANTED_HANG_UP: /* its reader sees the end */
		shutdown(c->fd, SHUT_RDWR);
		break;
	case WANTED_CLOSE:
		tcp_end(c);
		break;
	}
}

static void hang_up(struct transports *t, uint32_t handle)
{
	post(t, WANTED_HANG_UP, handle, NULL, 0, 0);
}

static void close_one(struct transports *t, uint32_t handle)
{
	post(t, WANTED_CLOSE, handle, NULL, 0, 0);
}

static void flush(struct transport_worker *tw)
{
	tcp_flush(table_of(tw));
}

/* What worker_call() hands over. */
struct connecting {
	struct tcp_table *table;
	int fd;
	const struct endpoint *remote;
	uint32_t handle; /* 0: out of memory */
};

static void add_connecting(void *owner, void *arg)
{
	struct connecting *new = arg;

	(void)owner;
	if (!tcp_open_connecting(new->table, new->fd, new->handle, new->remote))
		new->handle = 0;
}

static uint32_t connect_to(struct transports *t, int fd, const struct endpoint *remote, bool *ready)
{
	struct connecting new = {.table = table_of(t->workers[0]),
				 .fd = fd,
				 .remote = remote,
				 .handle = transport_next_handle(t, 0)};

	*ready = false;
	worker_call(t->workers[0]->worker, add_connecting, &new);
	return new.handle;
}

struct listening {
	struct tcp_table *table;
	int fd;
};

static void take_listener(void *owner, void *arg)
{
	struct listening *new = arg;

	(void)owner;
	if (new->table->listener < 0)
		new->table->listener = new->fd;
	else
		close(new->fd);
}

/* The listener is the first worker's. */
static int listen_on(struct transports *t, int fd)
{
	struct listening new = {.table = table_of(t->workers[0]), .fd = fd};

	worker_call(t->workers[0]->worker, take_listener, &new);
	return 0;
}

static void watch(struct transport_worker *tw)
{
	tcp_open_watch(table_of(tw));
}

static int add_worker(struct transport_worker *tw)
{
	struct tcp_table *table = calloc(1, sizeof *table);

	tw->state[transport_number(tw->all, &tcp_transport)] = table;
	if (!table)
		return -ENOMEM;
	table->tw = tw;
	table->number = transport_number(tw->all, &tcp_transport);
	table->scratch = malloc(MESSAGE_MAX_SIZE);
	table->listener = -1;
	TAILQ_INIT(&table->strangers);
	LIST_INIT(&table->unflushed);
	LIST_INIT(&table->ended);
	return table->scratch ? 0 : -ENOMEM;
}

static void remove_worker(struct transport_worker *tw)
{
	struct tcp_table *table = table_of(tw);
	struct tcp_connection *c, *next;

	if (!table)
		return;
	HASH_ITER(hh, table->by_handle, c, next) {
		tcp_shut(c);
		free(c);
	}
	while ((c = LIST_FIRST(&table->ended))) {
		LIST_REMOVE(c, next_ended);
		free(c);
	}
	if (table->listener >= 0)
		close(table->listener);
	free(table->scratch);
	free(table);
}

static const char *const counters[] = {"tcp_full", "tcp_strangers_dropped", NULL};

static uint64_t count(const struct transports *t, unsigned counter)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < t->worker_count; i++) {
		const struct tcp_table *table = table_of(t->workers[i]);

		sum += counter == 0 ? table->full : table->strangers_dropped;
	}
	return sum;
}

const struct transport_ops tcp_transport = {
	.name = "tcp",
	.title = "TCP",
	.socket_type = SOCK_STREAM,
	.is_stream = true,
	.whole_tso = true,
	.counters = counters,
	.count = count,
	.worker_init = add_worker,
	.worker_clear = remove_worker,
	.listen = listen_on,
	.connect = connect_to,
	.close = close_one,
	.hang_up = hang_up,
	.send = send_one,
	.watch = watch,
	.reserve = reserve_for,
	.commit = commit_for,
	.flush = flush,
	.record = take_record,
};
