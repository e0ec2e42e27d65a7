/* SPDX-License-Identifier: ISC */
/* All data workers, as the main thread sees them. */
#include "dataplane.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <tund/session/lane.h>
#include <tund/session/node.h>
#include <tund/sys/log.h>

#define INBOX_BYTES (64 * 1024)

static void on_record(void *ctx, const uint8_t *bytes, size_t len)
{
	struct dataplane *plane = ctx;
	struct data_record record;

	memcpy(&record, bytes, len);
	switch (record.says) {
	case DATA_TRANSPORT:
		plane->ops->transport(plane->owner, record.event, &record.path);
		break;
	case DATA_TUN_GONE:
		log_debug("a queue is gone: the TUN device was deleted");
		break;
	case DATA_DENIED:
		plane->ops->denied(plane->owner, &record.denied);
		break;
	}
}

static void on_wake(struct ev_loop *loop, ev_async *wake, int events)
{
	struct dataplane *plane = wake->data;

	(void)events;
	if (plane->ops->drain(plane->owner))
		ev_async_send(loop, wake); /* the rest when others have had their turn */
	inbox_take(&plane->shared.inbox, on_record, plane);
}

static void on_transport(void *owner, enum transport_event event, const struct path *path)
{
	struct dataplane *plane = owner;

	plane->ops->transport(plane->owner, event, path);
}

int dataplane_init(struct dataplane *plane, struct ev_loop *loop,
		   const struct transport_ops *const *table, const struct dataplane_ops *ops,
		   void *owner)
{
	int err = inbox_init(&plane->shared.inbox, loop, INBOX_BYTES, on_wake);

	plane->shared.inbox.wake.data = plane;
	plane->ops = ops;
	plane->owner = owner;
	if (err == 0)
		err = transports_init(&plane->transports, table, on_transport, plane);
	return err;
}

int dataplane_start(struct dataplane *plane, unsigned count, const struct tun_ops *tun)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < count; i++)
		err = data_worker_new(plane->count++, &plane->shared, &plane->transports, tun,
				      &plane->workers[i]);
	return err;
}

void dataplane_stop(struct dataplane *plane)
{
	for (unsigned i = 0; i < plane->count; i++) {
		if (plane->workers[i])
			worker_stop(&plane->workers[i]->worker);
	}
}

void dataplane_clear(struct dataplane *plane)
{
	for (unsigned i = 0; i < plane->count; i++)
		data_worker_free(plane->workers[i]);
	plane->count = 0;
	transports_clear(&plane->transports);
	inbox_clear(&plane->shared.inbox);
}

void dataplane_set_role(struct dataplane *plane, const struct packet_ops *packets, void *role)
{
	plane->shared.packets = packets;
	plane->shared.role = role;
}

void dataplane_call(struct dataplane *plane, worker_task *task, void *arg)
{
	for (unsigned i = 0; i < plane->count; i++)
		worker_call(&plane->workers[i]->worker, task, arg);
}

static void give_lane(void *owner, void *arg)
{
	struct data_worker *dw = owner;
	struct node *node = arg;

	dw->lane = node_lane(node, dw->number);
	dw->egress.lane = dw->lane;
	transport_watch(&dw->transports);
}

void dataplane_go(struct dataplane *plane, struct node *node, bool tun_waits)
{
	dataplane_call(plane, give_lane, node);
	if (!tun_waits)
		dataplane_read_tun(plane, true);
}

static void attach_tun(void *owner, void *arg)
{
	struct data_worker *dw = owner;

	tun_port_attach(&dw->tun, arg);
}

int dataplane_add_tun(struct dataplane *plane, const struct tun_given *given)
{
	struct tun_given own = *given;

	if (plane->tun_count == plane->count) {
		close(own.fd);
		return -EBADMSG;
	}
	worker_call(&plane->workers[plane->tun_count++]->worker, attach_tun, &own);
	return 0;
}

void dataplane_drop_tun(struct dataplane *plane)
{
	struct tun_given none = {.fd = -1};

	dataplane_call(plane, attach_tun, &none);
}

static void read_tun(void *owner, void *arg)
{
	struct data_worker *dw = owner;

	tun_port_read(&dw->tun, *(bool *)arg);
}

void dataplane_read_tun(struct dataplane *plane, bool reading)
{
	dataplane_call(plane, read_tun, &reading);
}

void dataplane_publish(struct dataplane *plane, struct epoch *epoch, struct view_head *view)
{
	struct view_head *before = atomic_exchange(&plane->shared.view, (void *)view);

	if (before)
		epoch_retire(epoch, &before->retired, before->free, before);
}

void *dataplane_view(const struct dataplane *plane)
{
	return atomic_load_explicit(&plane->shared.view, memory_order_relaxed);
}

void dataplane_unpublish(struct dataplane *plane)
{
	struct view_head *view = atomic_exchange(&plane->shared.view, NULL);

	if (view)
		view->free(view);
}

uint64_t dataplane_count(const struct dataplane *plane, enum reason reason)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < plane->count; i++)
		sum += counters_get(&plane->workers[i]->counters, reason);
	return sum;
}

uint64_t dataplane_tun_errors(const struct dataplane *plane)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < plane->count; i++)
		sum += plane->workers[i]->tun.write_errors;
	return sum;
}
