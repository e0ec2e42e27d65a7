/* SPDX-License-Identifier: ISC */
/* A channel with a queue, on the event loop. */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BURST_MAX 32 /* messages of one link before the loop looks at the others */

struct link_item {
	STAILQ_ENTRY(link_item) next;
	uint32_t kind;
	size_t len;
	uint8_t body[] __attribute__((aligned(8)));
};

static void link_lost(struct link *link)
{
	link_close(link);
	link->ops->closed(link->ctx);
}

static void receive(struct link *link)
{
	struct channel_message message;

	for (unsigned i = 0; i < BURST_MAX && link->fd >= 0; i++) {
		int r = channel_receive(link->fd, link->buffer, CHANNEL_BODY_MAX, &message);

		if (r == 1)
			link->ops->message(link->ctx, &message);
		else if (r == -EAGAIN || r == -EINTR)
			return;
		else if (r != -EBADMSG) /* a broken message is skipped */
			link_lost(link);
	}
}

static void readable(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop, (void)events;
	receive(w->data);
}

static void writable(struct ev_loop *loop, ev_io *w, int events)
{
	struct link *link = w->data;
	struct link_item *item;

	(void)events;
	while ((item = STAILQ_FIRST(&link->queue))) {
		int r = channel_send(link->fd, item->kind, item->body, item->len, -1);

		if (r == -EAGAIN)
			return;
		if (r) {
			link_lost(link);
			return;
		}
		STAILQ_REMOVE_HEAD(&link->queue, next);
		link->queued_bytes -= item->len;
		free(item);
	}
	ev_io_stop(loop, w);
	link->ops->drained(link->ctx);
}

void link_init(struct link *link, struct ev_loop *loop, const struct link_ops *ops, void *ctx,
	       uint8_t *buffer)
{
	*link = (struct link){.loop = loop, .fd = -1, .ops = ops, .ctx = ctx, .buffer = buffer};
	STAILQ_INIT(&link->queue);
}

void link_open(struct link *link, int fd)
{
	link_close(link);
	link->fd = fd;
	ev_io_init(&link->reader, readable, fd, EV_READ);
	ev_io_init(&link->writer, writable, fd, EV_WRITE);
	link->reader.data = link;
	link->writer.data = link;
	ev_io_start(link->loop, &link->reader);
}

void link_receive(struct link *link)
{
	struct pollfd p = {.fd = link->fd, .events = POLLIN};

	if (poll(&p, 1, -1) > 0)
		receive(link);
}

void link_close(struct link *link)
{
	struct link_item *item;

	if (link->fd < 0)
		return;
	ev_io_stop(link->loop, &link->reader);
	ev_io_stop(link->loop, &link->writer);
	close(link->fd);
	link->fd = -1;
	while ((item = STAILQ_FIRST(&link->queue))) {
		STAILQ_REMOVE_HEAD(&link->queue, next);
		free(item);
	}
	link->queued_bytes = 0;
}

static int enqueue(struct link *link, uint32_t kind, const void *body, size_t len)
{
	struct link_item *item = malloc(sizeof *item + len);

	if (!item)
		return -ENOMEM;
	item->kind = kind;
	item->len = len;
	if (len)
		memcpy(item->body, body, len);
	STAILQ_INSERT_TAIL(&link->queue, item, next);
	link->queued_bytes += len;
	ev_io_start(link->loop, &link->writer);
	return 0;
}

int link_send(struct link *link, uint32_t kind, const void *body, size_t len)
{
	int r;

	if (link->fd < 0)
		return -ENOTCONN;
	if (!STAILQ_EMPTY(&link->queue))
		return enqueue(link, kind, body, len);
	r = channel_send(link->fd, kind, body, len, -1);
	if (r == -EAGAIN)
		return enqueue(link, kind, body, len);
	/* a broken channel is noticed, and told, by its reader: not inside of a caller */
	return r ? -ENOTCONN : 0;
}
