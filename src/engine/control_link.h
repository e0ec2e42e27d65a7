/* SPDX-License-Identifier: ISC */
/*
 * The engine's end of the channel to control. Control may be slow, dead or new: what it has not
 * read waits here, bounded; a control that falls too far behind is cut off, and
 * ended and started again by the parent.
 */
#ifndef TUND_ENGINE_CONTROL_LINK_H
#define TUND_ENGINE_CONTROL_LINK_H

#include <stdint.h>
#include <sys/queue.h>

#include <ev.h>

struct engine;
struct queued_message;

#define CONTROL_BACKLOG_MAX (4 * 1024 * 1024) /* bytes waiting for control */

struct control_link {
	int fd; /* -1: no control at present */
	ev_io readable, writable;
	STAILQ_HEAD(, queued_message) backlog;
	size_t backlog_bytes;
	uint32_t status_id;   /* of the CONTROL_STATUS being answered; 0: none */
	uint32_t status_slot; /* next peer to report */
};

void control_link_init(struct engine *engine);

/* A new control is at the other end of `fd`, which the link owns from now on. */
void control_link_attach(struct engine *engine, int fd);

/* Sends, or keeps for later. `tail` is appended to `body`; NULL for none. */
void control_link_say(struct engine *engine, uint32_t kind, const void *body, size_t len,
		      const void *tail, size_t tail_len);

void control_link_close(struct engine *engine);

#endif
