/* SPDX-License-Identifier: ISC */
/* What client and connector share. */
#include "role_member.h"

int member_start(struct engine *engine, uint64_t now_ns)
{
	return uplink_start(&engine->uplink, now_ns, engine->config);
}

int member_reload(struct engine *engine, uint64_t now_ns, struct config *fresh)
{
	return uplink_reload(&engine->uplink, now_ns, engine->config, fresh);
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
