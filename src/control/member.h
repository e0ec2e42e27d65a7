/* SPDX-License-Identifier: ISC */
/*
 * The part of a client or connector: it finds the edge's addresses, says hello (a connector also
 * what it reaches), has what the edge pushes applied by the parent, and tells the engine the
 * outcome.
 */
#ifndef TUND_CONTROL_MEMBER_H
#define TUND_CONTROL_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/ipc/engine.h>
#include <tund/ipc/parent.h>

#include "control_message.h"
#include "hub.h"
#include "resolve.h"
#include "role.h"
#include "status.h"

struct member {
	struct hub *hub;
	struct resolver resolver;
	struct control_endpoints endpoints; /* last found; count 0: none yet */
	bool edge_up;
	uint32_t request_id;               /* the REQUEST_NETWORK not yet answered; 0: none */
	uint32_t said_mtu;                 /* to the edge, last; 0: none */
	bool request_again;                /* what is wanted has changed since */
	struct network *pushed;            /* as the edge said it; owned; NULL: nothing yet */
	struct network *network;           /* what is applied; owned; NULL: nothing yet */
	struct control_message_routes *refused;              /* by the parent; owned; NULL: none */
	char error[sizeof ((struct parent_reply *)0)->text]; /* why nothing is applied; "": it is */
	struct status_denied denied[STATUS_DENIED_MAX];      /* kept for the status */
	uint32_t denied_count; /* ever; the newest is at (count - 1) % STATUS_DENIED_MAX */
};

void member_init(struct member *m, struct hub *hub);
void member_clear(struct member *m);

/* Whose `part` is a struct member. */
extern const struct role_ops member_ops;

#endif
