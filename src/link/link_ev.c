/* SPDX-License-Identifier: ISC */
/* Reads while the link is open, writes while something waits. */
#include <tund/link/link_ev.h>

#define BURST_MAX 32 /* messages of one link before the loop looks at the others */

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop, (void)events;
	link_receive(io->data, BURST_MAX);
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
	struct link *link = io->data;

	(void)events;
	/* Before flushing: whoever is told that all was sent may say more. */
	ev_io_stop(loop, io);
	link_flush(link);
	if (!link_is_idle(link))
		ev_io_start(loop, io);
}

static void opened(struct link *link)
{
	struct link_ev *on_loop = (struct link_ev *)link;

	ev_io_init(&on_loop->reader, on_readable, link->fd, EV_READ);
	ev_io_init(&on_loop->writer, on_writable, link->fd, EV_WRITE);
	on_loop->reader.data = link;
	on_loop->writer.data = link;
	ev_io_start(on_loop->loop, &on_loop->reader);
}

static void waits(struct link *link)
{
	struct link_ev *on_loop = (struct link_ev *)link;

	ev_io_start(on_loop->loop, &on_loop->writer);
}

static void closing(struct link *link)
{
	struct link_ev *on_loop = (struct link_ev *)link;

	ev_io_stop(on_loop->loop, &on_loop->reader);
	ev_io_stop(on_loop->loop, &on_loop->writer);
}

static const struct link_loop callbacks = {.opened = opened, .waits = waits, .closing = closing};

void link_ev_init(struct link_ev *on_loop, struct ev_loop *loop, const struct link_ops *ops,
		  const struct dispatch_table *table, void *ctx, uint8_t *buffer)
{
	link_init(&on_loop->link, ops, table, ctx, buffer);
	on_loop->loop = loop;
	on_loop->link.loop = &callbacks;
}
