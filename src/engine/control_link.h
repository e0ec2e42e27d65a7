/* SPDX-License-Identifier: ISC */
/*
 * The engine's end of the channel to control. Control may be slow, dead or new: what it has not
 * read waits here, bounded; a control that falls too far behind is cut off, and
 * ended and started again by the parent.
 */
#ifndef TUND_ENGINE_CONTROL_LINK_H
#define TUND_ENGINE_CONTROL_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/ipc/engine.h>
#include <tund/link/link_ev.h>

#define CONTROL_BACKLOG_MAX (4 * 1024 * 1024) /* bytes waiting for control */

struct peer;

struct control_link {
	struct link_ev on_loop; /* closed: no control at present */
	uint32_t status_id;     /* of the CONTROL_STATUS being answered; 0: none */
	uint64_t status_after;  /* id of the peer that was reported last */
	bool is_greeting;       /* CONTROL_HELLO is being answered */
	uint64_t greeted;       /* id of the peer that was looked at last */
};

/* A new control is at the other end of `fd`, which the link owns from now on. */
void control_link_attach(struct control_link *control, int fd);

/* Sends, or keeps for later. */
void control_link_say(struct control_link *control, uint32_t kind, const void *body, size_t len);

/* The same with ENGINE_FRAME: `msg` are frame->len bytes. */
void control_link_say_frame(struct control_link *control, const struct control_frame *frame,
			    const uint8_t *msg);

/* Tells control that the peer is gone, and removes it (peer_remove()). */
void control_link_remove_peer(struct control_link *control, struct peer *peer);

/* False: there is no control at present. */
bool control_link_is_open(const struct control_link *control);

/* True if control keeps up: nothing waits for it. */
bool control_link_is_idle(const struct control_link *control);

void control_link_close(struct control_link *control);

#endif
