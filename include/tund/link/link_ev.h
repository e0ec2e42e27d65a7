/* SPDX-License-Identifier: ISC */
/* A link on a libev loop. */
#ifndef TUND_LINK_LINK_EV_H
#define TUND_LINK_LINK_EV_H

#include <ev.h>

#include <tund/link/link.h>

struct link_ev {
	struct link link; /* for all but the start */
	struct ev_loop *loop;
	ev_io reader, writer;
};

/* As link_init(); while it is open, its messages are handled by the loop. It must not be moved. */
void link_ev_init(struct link_ev *on_loop, struct ev_loop *loop, const struct link_ops *ops,
		  const struct dispatch_table *table, void *ctx, uint8_t *buffer);

#endif
