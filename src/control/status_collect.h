/* SPDX-License-Identifier: ISC */
/* Gathers what is known of the tunnel: by control itself, and of peers and drops by the engine. */
#ifndef TUND_CONTROL_STATUS_COLLECT_H
#define TUND_CONTROL_STATUS_COLLECT_H

#include "status.h"

struct ask;
struct hub;
struct member;

/*
 * Fills *out with what control knows now and what the engine answered; `member` is NULL on an edge. It borrows from both, and
 * owns its lists: status_release(). -ENOMEM; nothing is owned then.
 */
int status_collect(const struct hub *hub, const struct member *member, const struct ask *ask,
		   struct status *out);

void status_release(struct status *s);

#endif
