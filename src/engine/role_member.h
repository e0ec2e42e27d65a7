/* SPDX-License-Identifier: ISC */
/* What the two kinds of member, client and connector, share: one peer, the edge, and the way to it. The
 * first ones are for role_ops. */
#ifndef TUND_ENGINE_ROLE_MEMBER_H
#define TUND_ENGINE_ROLE_MEMBER_H

#include "engine.h"
#include "role.h"

int member_start(struct engine *engine);
int member_prepare(struct engine *engine, struct config *fresh, char why[WHY_MAX]);
void member_commit(struct engine *engine, uint64_t now_ns, struct config *fresh);
void member_discard(struct engine *engine);
void member_opened(struct engine *engine, const struct parent_reply *reply, int fd);
void member_peer_event(struct engine *engine, uint64_t now_ns, struct peer *peer,
		       enum peer_event event);

/* Sends an inner packet to the edge. A worker's thread, within a batch. */
void member_send(struct data_worker *dw, uint64_t now_ns, const struct inner_bytes *packet);

#endif
