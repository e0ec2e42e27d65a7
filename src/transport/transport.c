/* SPDX-License-Identifier: ISC */
/* What all transports share: the table, handles, and the way to another worker. */
#include <tund/transport/transport.h>

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>

#define RECORD_HEAD_MAX 64

/* Asked before the sandbox closes. The lowest free number is what the kernel gives. */
static int descriptors_for_connections(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX)
		limit.rlim_cur = INT_MAX;
	return (int)limit.rlim_cur - TRANSPORT_SPARE_FDS;
}

int transports_init(struct transports *t, const struct transport_ops *const *table,
		    void (*tell)(void *, enum transport_event, const struct path *), void *owner)
{
	int err = 0;

	*t = (struct transports){.table = table, .tell = tell, .owner = owner};
	t->fd_limit = descriptors_for_connections();
	while (table[t->count])
		t->count++;
	for (unsigned i = 0; err == 0 && i < t->count; i++)
		err = table[i]->init ? table[i]->init(t) : 0;
	return err;
}

void transports_clear(struct transports *t)
{
	for (unsigned i = 0; i < t->count; i++) {
		if (t->table[i]->clear)
			t->table[i]->clear(t);
	}
}

int transports_add_worker(struct transports *t, struct transport_worker *tw, struct worker *worker,
			  const struct transport_events *events, void *owner)
{
	int err = 0;

	*tw = (struct transport_worker){.all = t,
					.worker = worker,
					.number = t->worker_count,
					.events = events,
					.owner = owner};
	t->workers[t->worker_count++] = tw;
	for (unsigned i = 0; err == 0 && i < t->count; i++)
		err = t->table[i]->worker_init ? t->table[i]->worker_init(tw) : 0;
	return err;
}

void transport_worker_clear(struct transport_worker *tw)
{
	for (unsigned i = 0; tw->all && i < tw->all->count; i++) {
		if (tw->all->table[i]->worker_clear)
			tw->all->table[i]->worker_clear(tw);
	}
}

int transport_by_type(const struct transports *t, int socket_type)
{
	for (unsigned i = 0; i < t->count; i++) {
		if (t->table[i]->socket_type == socket_type)
			return (int)i;
	}
	return -1;
}

bool transports_bound(const struct transports *t, struct path *path)
{
	for (unsigned i = 0; i < t->count; i++) {
		path->socket = t->table[i]->bound ? t->table[i]->bound(t) : 0;
		path->transport = (uint8_t)i;
		if (path->socket != 0)
			return true;
	}
	return false;
}

void transports_send(struct transports *t, const struct path *path, const uint8_t *msg, size_t len,
		     uint8_t tos)
{
	transport_of(t, path)->send(t, path, msg, len, tos);
}

uint32_t transports_whole_tso(const struct transports *t)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < t->count; i++)
		bits |= (uint32_t)t->table[i]->whole_tso << i;
	return bits;
}

void transport_watch(struct transport_worker *tw)
{
	tw->watching = true;
	for (unsigned i = 0; i < tw->all->count; i++)
		tw->all->table[i]->watch(tw);
}

void transport_flush(struct transport_worker *tw)
{
	for (unsigned i = 0; i < tw->all->count; i++) {
		if (tw->all->table[i]->flush)
			tw->all->table[i]->flush(tw);
	}
}

/* The first byte of a record says which row it is for. */
void transport_record(struct transport_worker *tw, const uint8_t *record, size_t len)
{
	tw->all->table[record[0]]->record(tw, record + 1, len - 1);
}

/* The low bits of a handle are the worker's number. */
uint32_t transport_next_handle(struct transports *t, unsigned worker)
{
	uint32_t handle;

	do
		handle = ++t->last_handle * TRANSPORT_WORKERS_MAX + worker;
	while (handle < TRANSPORT_WORKERS_MAX);
	return handle;
}

unsigned transport_owner(uint32_t handle)
{
	return handle % TRANSPORT_WORKERS_MAX;
}

uint8_t transport_number(const struct transports *t, const struct transport_ops *ops)
{
	uint8_t i = 0;

	while (t->table[i] != ops)
		i++;
	return i;
}

bool transport_post(struct transports *t, const struct transport_ops *ops, unsigned worker,
		    const void *record, size_t record_len, const uint8_t *msg, size_t len,
		    size_t reserve)
{
	uint8_t head[RECORD_HEAD_MAX];

	if (worker >= t->worker_count || record_len > sizeof head - 1)
		return false;
	head[0] = transport_number(t, ops);
	memcpy(head + 1, record, record_len);
	return worker_post(t->workers[worker]->worker, head, record_len + 1, msg, len, reserve);
}
