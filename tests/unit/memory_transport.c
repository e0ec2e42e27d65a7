/* SPDX-License-Identifier: ISC */
/* Messages in memory. */
#include "memory_transport.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct memory {
	pthread_mutex_t lock;
	struct memory_message sent[MEMORY_MESSAGES];
	unsigned count;
	bool full;
	_Atomic uint64_t refused;
	void (*flushed)(void *ctx);
	void *ctx;
};

static struct memory *memory_of(const struct transports *t)
{
	return t->state[transport_number(t, &memory_transport)];
}

static int init(struct transports *t)
{
	struct memory *memory = calloc(1, sizeof *memory);

	t->state[transport_number(t, &memory_transport)] = memory;
	if (!memory)
		return -ENOMEM;
	pthread_mutex_init(&memory->lock, NULL);
	return 0;
}

static void clear(struct transports *t)
{
	struct memory *memory = memory_of(t);

	if (memory)
		pthread_mutex_destroy(&memory->lock);
	free(memory);
}

static int worker_init_room(struct transport_worker *tw)
{
	void *room = malloc(sizeof(struct memory_message));

	tw->state[transport_number(tw->all, &memory_transport)] = room;
	return room ? 0 : -ENOMEM;
}

static void worker_free_room(struct transport_worker *tw)
{
	free(tw->state[transport_number(tw->all, &memory_transport)]);
}

static void keep(struct transports *t, const struct path *path, const uint8_t *msg, size_t len)
{
	struct memory *memory = memory_of(t);

	pthread_mutex_lock(&memory->lock);
	if (memory->count < MEMORY_MESSAGES && len <= MEMORY_MESSAGE_MAX) {
		struct memory_message *m = &memory->sent[memory->count++];

		m->path = *path;
		m->len = len;
		memcpy(m->bytes, msg, len);
	}
	pthread_mutex_unlock(&memory->lock);
}

static uint32_t connect_to(struct transports *t, int fd, const struct endpoint *remote, bool *ready)
{
	(void)remote;
	*ready = true;
	close(fd);
	return transport_next_handle(t, 0);
}

static void close_one(struct transports *t, uint32_t handle)
{
	(void)t;
	(void)handle;
}

static void send_one(struct transports *t, const struct path *path, const uint8_t *msg, size_t len,
		     uint8_t tos)
{
	(void)tos;
	keep(t, path, msg, len);
}

static void watch(struct transport_worker *tw)
{
	(void)tw;
}

static uint8_t *reserve(struct transport_worker *tw, uint32_t handle, size_t len)
{
	struct memory *memory = memory_of(tw->all);
	struct memory_message *room = tw->state[transport_number(tw->all, &memory_transport)];
	bool full;

	(void)handle;
	pthread_mutex_lock(&memory->lock);
	full = memory->full || len > MEMORY_MESSAGE_MAX;
	memory->refused += full;
	pthread_mutex_unlock(&memory->lock);
	return full ? NULL : room->bytes;
}

static void commit(struct transport_worker *tw, uint32_t handle, size_t len)
{
	const struct memory_message *room =
		tw->state[transport_number(tw->all, &memory_transport)];
	struct path path = {.transport = transport_number(tw->all, &memory_transport),
			    .socket = handle};

	if (len > 0)
		keep(tw->all, &path, room->bytes, len);
}

static void flush(struct transport_worker *tw)
{
	struct memory *memory = memory_of(tw->all);

	pthread_mutex_lock(&memory->lock);
	if (memory->flushed)
		memory->flushed(memory->ctx);
	pthread_mutex_unlock(&memory->lock);
}

static void take_record(struct transport_worker *tw, const uint8_t *record, size_t len)
{
	(void)tw;
	(void)record;
	(void)len;
}

static const char *const counters[] = {"memory_full", NULL};

static uint64_t count(const struct transports *t, unsigned counter)
{
	(void)counter;
	return memory_of(t)->refused;
}

const struct transport_ops memory_transport = {
	.name = "memory",
	.title = "memory",
	.socket_type = SOCK_SEQPACKET,
	.is_stream = true,
	.counters = counters,
	.count = count,
	.init = init,
	.clear = clear,
	.worker_init = worker_init_room,
	.worker_clear = worker_free_room,
	.connect = connect_to,
	.close = close_one,
	.send = send_one,
	.watch = watch,
	.reserve = reserve,
	.commit = commit,
	.flush = flush,
	.record = take_record,
};

bool memory_take(struct transports *t, struct memory_message *out)
{
	struct memory *memory = memory_of(t);
	bool any;

	pthread_mutex_lock(&memory->lock);
	any = memory->count > 0;
	if (any) {
		*out = memory->sent[0];
		memory->count--;
		memmove(memory->sent, memory->sent + 1, memory->count * sizeof *memory->sent);
	}
	pthread_mutex_unlock(&memory->lock);
	return any;
}

void memory_set_full(struct transports *t, bool full)
{
	struct memory *memory = memory_of(t);

	pthread_mutex_lock(&memory->lock);
	memory->full = full;
	pthread_mutex_unlock(&memory->lock);
}

struct given {
	struct transport_worker *tw;
	const struct path *from;
	const uint8_t *msg;
	size_t len;
	bool authentic;
};

static void receive(void *owner, void *arg)
{
	struct given *given = arg;
	const struct transport_events *events = given->tw->events;
	static _Thread_local uint8_t copy[MEMORY_MESSAGE_MAX + 64];
	uint64_t now_ns = events->begin(owner);

	memcpy(copy, given->msg, given->len);
	given->authentic =
		events->received(owner, now_ns, given->from, copy, given->len, false);
	events->end(owner);
}

bool memory_receive(struct transports *t, unsigned worker, const struct path *from,
		    const uint8_t *msg, size_t len)
{
	struct given given = {
		.tw = t->workers[worker], .from = from, .msg = msg, .len = len};

	worker_call(t->workers[worker]->worker, receive, &given);
	return given.authentic;
}

void memory_on_flush(struct transports *t, void (*flushed)(void *ctx), void *ctx)
{
	struct memory *memory = memory_of(t);

	pthread_mutex_lock(&memory->lock);
	memory->flushed = flushed;
	memory->ctx = ctx;
	pthread_mutex_unlock(&memory->lock);
}
