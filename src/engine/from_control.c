/* SPDX-License-Identifier: ISC */
/* What control says to the engine. */
#include "from_control.h"

#include <errno.h>
#include <string.h>

#include <tund/link/link.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>

#include "engine.h"
#include "report.h"
#include "role.h"

static int on_hello(void *ctx, struct channel_message *message)
{
	(void)message;
	report_greet(ctx);
	return 0;
}

static int on_endpoints(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;

	uplink_set_endpoints(&engine->uplink, (const void *)message->body);
	return 0;
}

static int on_consumed(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct control_peer *m = (const void *)message->body;
	struct peer *peer = peer_by_id(engine->node, m->peer);

	if (peer)
		peer_control_consumed(peer, clock_now_ns());
	return 0;
}

static int on_network(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct network *m = (const void *)message->body;

	if (engine->role->network && network_is_valid(m))
		engine->role->network(engine, m);
	return 0;
}

static int on_peer_mtu(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct control_peer_mtu *m = (const void *)message->body;
	struct peer *peer = peer_by_id(engine->node, m->peer);

	if (m->mtu < NETWORK_MTU_MIN || m->mtu > NETWORK_MTU_MAX)
		return -EBADMSG;
	if (peer && engine->role->peer_mtu)
		engine->role->peer_mtu(engine, peer, (uint16_t)m->mtu);
	return 0;
}

static int on_routes(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct control_routes *m = (const void *)message->body;
	struct peer *peer = peer_by_id(engine->node, m->peer);

	if (engine->role->routes && peer && m->route_count <= NETWORK_ROUTES_MAX)
		engine->role->routes(engine, peer, m);
	return 0;
}

static int on_identities(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;

	if (engine->role->identity)
		engine->role->identity(engine, (const void *)message->body);
	return 0;
}

static int on_status(void *ctx, struct channel_message *message)
{
	const struct control_ask *m = (const void *)message->body;

	report_status(ctx, m->id);
	return 0;
}

static int on_explain(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct control_explain *m = (const void *)message->body;
	struct engine_explained answer = {.id = m->id, .error = EOPNOTSUPP};

	if (engine->role->explain && memchr(m->principal, '\0', sizeof m->principal))
		engine->role->explain(engine, m, &answer);
	control_link_say(&engine->control, ENGINE_EXPLAINED, &answer, sizeof answer);
	return 0;
}

static int on_close(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct control_peer *m = (const void *)message->body;
	struct peer *peer = peer_by_id(engine->node, m->peer);

	if (peer)
		peer_close(peer, clock_now_ns());
	return 0;
}

static int on_last_seen(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct control_last_seen *m = (const void *)message->body;

	if (engine->role->last_seen)
		engine->role->last_seen(engine, clock_now_ns(), m);
	return 0;
}

static int on_confirm(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;

	(void)message;
	uplink_confirm(&engine->uplink, clock_now_ns());
	return 0;
}

static int on_frame(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct control_frame *frame = (const void *)message->body;
	uint64_t now_ns = clock_now_ns();
	struct peer *peer;
	int err;

	if (message->len - sizeof *frame != frame->len)
		return -EBADMSG;
	peer = peer_by_id(engine->node, frame->peer);
	if (!peer)
		return 0;
	err = peer_control_send(peer, now_ns, message->body + sizeof *frame, frame->len);
	/* The peer has not answered for long. What waits is out of date by now: both sides begin
	 * anew and send their full state. */
	if (err == -ENOBUFS)
		peer_control_restart(peer, now_ns);
	else if (err < 0)
		log_warning("a control message of %u bytes was not sent: %s", frame->len,
			    strerror(-err));
	return 0;
}

static const struct dispatch_row rows[] = {
	[CONTROL_HELLO] = {.handle = on_hello, .size = 0},
	[CONTROL_ENDPOINTS] = {.handle = on_endpoints, .size = sizeof(struct control_endpoints)},
	[CONTROL_FRAME] = {.handle = on_frame, .size = sizeof(struct control_frame), .more = true},
	[CONTROL_CONSUMED] = {.handle = on_consumed, .size = sizeof(struct control_peer)},
	[CONTROL_NETWORK] = {.handle = on_network, .size = sizeof(struct network)},
	[CONTROL_ROUTES] = {.handle = on_routes, .size = sizeof(struct control_routes)},
	[CONTROL_IDENTITY] = {.handle = on_identities, .size = sizeof(struct control_identity)},
	[CONTROL_STATUS] = {.handle = on_status, .size = sizeof(struct control_ask)},
	[CONTROL_EXPLAIN] = {.handle = on_explain, .size = sizeof(struct control_explain)},
	[CONTROL_CLOSE] = {.handle = on_close, .size = sizeof(struct control_peer)},
	[CONTROL_LAST_SEEN] = {.handle = on_last_seen, .size = sizeof(struct control_last_seen)},
	[CONTROL_CONFIRM] = {.handle = on_confirm, .size = 0},
	[CONTROL_PEER_MTU] = {.handle = on_peer_mtu, .size = sizeof(struct control_peer_mtu)},
};

static const struct dispatch_table table = {.rows = rows, .count = DISPATCH_COUNT(rows)};

static void on_closed(void *ctx)
{
	struct engine *engine = ctx;

	control_link_close(&engine->control);
}

/* Only a new control can have a new channel. */
static void cut_off(struct engine *engine, const char *why)
{
	log_warning("control %s: cutting it off", why);
	control_link_close(&engine->control);
	parent_link_ask_control(&engine->parent);
}

static void on_refused(void *ctx, const struct channel_message *message, int err)
{
	(void)message, (void)err;
	cut_off(ctx, "said something it must not");
}

static void on_lost(void *ctx, int err)
{
	(void)err;
	cut_off(ctx, "does not read its messages");
}

static void on_drained(void *ctx)
{
	report_continue(ctx);
}

static const struct link_ops ops = {
	.limit = CONTROL_BACKLOG_MAX,
	.closed = on_closed,
	.refused = on_refused,
	.lost = on_lost,
	.drained = on_drained,
};

void from_control_init(struct engine *engine)
{
	link_ev_init(&engine->control.on_loop, engine->loop, &ops, &table, engine, engine->message);
}
