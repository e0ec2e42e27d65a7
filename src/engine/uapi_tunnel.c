/* SPDX-License-Identifier: ISC */
/* What wg(8) shows of a tunnel. Keys that are secret are not handed out. */
#include "uapi_tunnel.h"

#include "engine.h"
#include "role.h"

static void get(void *owner, struct uapi_text *text)
{
	struct engine *engine = owner;
	const struct config *config = engine->config;
	const struct role_ops *role = engine->role;
	struct peer *peer;

	if (config->role == ROLE_EDGE)
		uapi_put_number(text, UAPI_LISTEN_PORT, config->listen_port);
	if (config->fwmark != 0)
		uapi_put_number(text, UAPI_FWMARK, config->fwmark);
	for (peer = peer_after(engine->node, 0); peer;
	     peer = peer_after(engine->node, peer_id(peer))) {
		uapi_put_peer(text, peer);
		uapi_put_number(text, UAPI_PERSISTENT_KEEPALIVE, config->keepalive_s);
		role->uapi_allowed(engine, peer, text);
	}
}

const struct uapi_ops uapi_of_tunnel = {.get = get};
