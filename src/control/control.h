/* SPDX-License-Identifier: ISC */
/*
 * The control process as a whole. One thread, one event loop; the only
 * other thread ever is the resolver's (resolve.h), which touches nothing of this.
 */
#ifndef TUND_CONTROL_CONTROL_H
#define TUND_CONTROL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include "ask.h"
#include "edge.h"
#include "hub.h"
#include "member.h"
#include "role.h"

struct control {
	struct hub hub;
	struct asks asks;
	struct edge edge;
	struct member member;
	const struct role_ops *role; /* NULL until there is a configuration */
	void *part;                  /* of the role: one of the two above */
	bool started;                /* PARENT_GO was received: events have effects from then on */
	bool stopping;
	ev_timer grace;  /* from PARENT_STOP to the end */
	uint8_t *buffer; /* both links receive into it */
};

/*
 * Receives what the parent says at the start, up to PARENT_GO: the configuration at least. Blocks.
 * -EPIPE: the parent is gone; -EBADMSG: no configuration came, or it cannot be used; -ENOMEM.
 */
int control_start(struct control *c, const char *name, int channel);

/* Works until told to stop, or until the parent is gone. */
void control_run(struct control *c);

void control_clear(struct control *c);

/* Has the engine say again what it knows, and begin all control messages anew. */
void control_greet_engine(struct control *c);

/* What the two others may say, and what becomes of the links to them. */
void control_parent_init(struct control *c);
void control_engine_init(struct control *c);

/* What the clients of the command socket may ask for. */
void control_command_init(struct control *c);

/* The parent's answer to REQUEST_RELOAD or REQUEST_DOWN, for those who asked for it. */
void control_command_replied(struct control *c, const struct parent_reply *reply);

#endif
