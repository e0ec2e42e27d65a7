/* SPDX-License-Identifier: ISC */
/* What the parent says to the engine: descriptors, configurations, and when to begin and end. */
#ifndef TUND_ENGINE_FROM_PARENT_H
#define TUND_ENGINE_FROM_PARENT_H

struct engine;

/*
 * Opens the channel `fd` and handles the start-up messages until PARENT_GO, blocking; from then on
 * messages are handled in the loop. -EPIPE: the parent is gone; -EBADMSG: something it must not
 * say; -errno of what it asked for.
 */
int from_parent_start(struct engine *engine, int fd);

#endif
