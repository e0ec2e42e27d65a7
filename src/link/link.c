/* SPDX-License-Identifier: ISC */
/* A channel with a queue. */
#include <tund/link/link.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct link_item {
	STAILQ_ENTRY(link_item) next;
	uint32_t kind;
	size_t len;
	uint8_t body[];
};

void link_init(struct link *link, const struct link_ops *ops, const struct dispatch_table *table,
	       void *ctx, uint8_t *buffer)
{
	*link = (struct link){.fd = -1, .ops = ops, .table = table, .ctx = ctx, .buffer = buffer};
	STAILQ_INIT(&link->queue);
}

void link_open(struct link *link, int fd)
{
	link_close(link);
	link->fd = fd;
	if (link->loop)
		link->loop->opened(link);
}

static void drop_first(struct link *link)
{
	struct link_item *item = STAILQ_FIRST(&link->queue);

	STAILQ_REMOVE_HEAD(&link->queue, next);
	link->queued_bytes -= sizeof *item + item->len;
	free(item);
}

void link_close(struct link *link)
{
	if (link->fd < 0)
		return;
	if (link->loop)
		link->loop->closing(link);
	close(link->fd);
	link->fd = -1;
	while (!link_is_idle(link))
		drop_first(link);
}

bool link_is_idle(const struct link *link)
{
	return STAILQ_EMPTY(&link->queue);
}

static int keep(struct link *link, uint32_t kind, const struct iovec part[2])
{
	size_t len = part[0].iov_len + part[1].iov_len;
	bool was_idle = link_is_idle(link);
	struct link_item *item;

	if (link->queued_bytes + sizeof *item + len > link->ops->limit)
		return -ENOBUFS;
	item = malloc(sizeof *item + len);
	if (!item)
		return -ENOMEM;
	item->kind = kind;
	item->len = len;
	if (part[0].iov_len)
		memcpy(item->body, part[0].iov_base, part[0].iov_len);
	if (part[1].iov_len)
		memcpy(item->body + part[0].iov_len, part[1].iov_base, part[1].iov_len);
	STAILQ_INSERT_TAIL(&link->queue, item, next);
	link->queued_bytes += sizeof *item + len;
	if (was_idle && link->loop)
		link->loop->waits(link);
	return 0;
}

static int send_or_keep(struct link *link, uint32_t kind, const struct iovec part[2], int fd)
{
	int err = -EAGAIN;

	if (link->fd < 0)
		return -ENOTCONN;
	if (link_is_idle(link))
		err = channel_send_parts(link->fd, kind, part, 2, fd);
	if (err == -EAGAIN)
		err = fd < 0 ? keep(link, kind, part) : -ENOBUFS;
	if (err == -EPIPE)
		return -ENOTCONN;
	if (err < 0)
		link->ops->lost(link->ctx, err);
	return err;
}

/* What is sent is only read. */
static struct iovec part_of(const void *bytes, size_t len)
{
	return (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
}

int link_send_parts(struct link *link, uint32_t kind, const void *head, size_t head_len,
		    const void *tail, size_t tail_len)
{
	const struct iovec part[2] = {part_of(head, head_len), part_of(tail, tail_len)};

	return send_or_keep(link, kind, part, -1);
}

int link_send_fd(struct link *link, uint32_t kind, const void *body, size_t len, int fd)
{
	const struct iovec part[2] = {part_of(body, len)};

	return send_or_keep(link, kind, part, fd);
}

int link_send(struct link *link, uint32_t kind, const void *body, size_t len)
{
	return link_send_fd(link, kind, body, len, -1);
}

static void end(struct link *link)
{
	link_close(link);
	link->ops->closed(link->ctx);
}

void link_flush(struct link *link)
{
	struct link_item *item;

	while ((item = STAILQ_FIRST(&link->queue))) {
		int err = channel_send(link->fd, item->kind, item->body, item->len, -1);

		if (err == -EAGAIN)
			return;
		if (err < 0) {
			end(link);
			return;
		}
		drop_first(link);
	}
	if (link->fd >= 0 && link->ops->drained)
		link->ops->drained(link->ctx);
}

/* False: there is nothing more. */
static bool handle_one(struct link *link)
{
	struct channel_message message = {.fd = -1};
	int err = channel_receive(link->fd, link->buffer, CHANNEL_BODY_MAX, &message);

	if (err == -EAGAIN)
		return false;
	if (err <= 0 && err != -EBADMSG) {
		end(link);
		return false;
	}
	if (err > 0)
		err = dispatch(link->table, link->ctx, &message);
	if (err < 0)
		link->ops->refused(link->ctx, &message, err);
	return true;
}

void link_receive(struct link *link, unsigned max)
{
	while (max-- > 0 && link->fd >= 0 && handle_one(link))
		continue;
}

void link_wait(struct link *link)
{
	struct pollfd p = {.fd = link->fd, .events = POLLIN};

	if (link->fd >= 0 && poll(&p, 1, -1) > 0)
		link_receive(link, 1);
}
