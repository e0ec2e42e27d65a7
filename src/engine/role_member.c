/* SPDX-License-Identifier: ISC */
/* What client and connector share. */
#include "role_member.h"

#include <errno.h>

int member_start(struct engine *engine)
{
	return uplink_start(&engine->uplink, engine->config);
}

int member_prepare(struct engine *engine, struct config *fresh, char why[WHY_MAX])
{
	int err = uplink_prepare(&engine->uplink, engine->config, fresh);

	if (err == -EINVAL)
		why_set(why, err, "the public key of `edge` is our own, or of low order");
	return err;
}

void member_commit(struct engine *engine, uint64_t now_ns, struct config *fresh)
{
	uplink_commit(&engine->uplink, now_ns, fresh);
}

void member_discard(struct engine *engine)
{
	uplink_discard(&engine->uplink);
}

void member_opened(struct engine *engine, const struct parent_reply *reply, int fd)
{
	uplink_opened(&engine->uplink, reply, fd);
}

void member_peer_event(struct engine *engine, uint64_t now_ns, struct peer *peer,
		       enum peer_event event)
{
	(void)now_ns;
	(void)peer;
	uplink_peer_event(&engine->uplink, event);
}

void member_send(struct data_worker *dw, uint64_t now_ns, const struct inner_bytes *packet)
{
	const struct engine *engine = dw->shared->role;
	struct peer *edge = engine->uplink.peer;

	if (edge)
		egress_send(&dw->egress, now_ns, edge, packet);
}
