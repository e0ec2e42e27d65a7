/* SPDX-License-Identifier: ISC */
/* The engine's end of the channel to control. */
#include "control_link.h"

#include <errno.h>
#include <string.h>

#include <tund/link/link.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>

#include "engine.h"

void control_link_close(struct engine *engine)
{
	link_close(&engine->control.on_loop.link);
	engine->control.status_id = 0;
	engine->control.is_greeting = false;
}

/* Only a new control can have a new channel. */
static void cut_off(struct engine *engine, const char *why)
{
	log_warning("control %s: cutting it off", why);
	control_link_close(engine);
	parent_link_ask_control(engine);
}

void control_link_say(struct engine *engine, uint32_t kind, const void *body, size_t len)
{
	link_send(&engine->control.on_loop.link, kind, body, len);
}

void control_link_say_frame(struct engine *engine, const struct control_frame *frame,
			    const uint8_t *msg)
{
	link_send_parts(&engine->control.on_loop.link, ENGINE_FRAME, frame, sizeof *frame, msg,
			frame->len);
}

bool control_link_is_open(const struct engine *engine)
{
	return engine->control.on_loop.link.fd >= 0;
}

bool control_link_is_idle(const struct engine *engine)
{
	return link_is_idle(&engine->control.on_loop.link);
}

/* A status, a few peers at a time, as long as control keeps up. */

static void say_counter(struct engine *engine, const char *name, uint64_t count)
{
	struct engine_counters body = {.id = engine->control.status_id, .count = count};

	if (count == 0)
		return;
	strncpy(body.name, name, sizeof body.name - 1);
	control_link_say(engine, ENGINE_COUNTERS, &body, sizeof body);
}

/* What the workers count each for themselves. */
static void say_worker_counters(struct engine *engine)
{
	uint64_t udp = engine->udp_send_errors, full = 0, strangers = 0, tun = 0;

	for (unsigned i = 0; i < engine->worker_count; i++) {
		const struct worker *worker = engine->workers[i];

		udp += worker->udp.send_errors;
		full += worker->tcp.full;
		strangers += worker->tcp.strangers_dropped;
		tun += worker->tun.write_errors;
	}
	say_counter(engine, "udp_send_errors", udp);
	say_counter(engine, "tcp_full", full);
	say_counter(engine, "tcp_strangers_dropped", strangers);
	say_counter(engine, "tun_write_errors", tun);
}

static void say_counters(struct engine *engine)
{
	struct control_ask end = {.id = engine->control.status_id};

	for (int r = SESSION_OK + 1; r < SESSION_REASON_COUNT; r++)
		say_counter(engine, session_reason_name((enum session_reason)r),
			    node_counter(engine->node, (enum session_reason)r));
	for (int r = REASON_ACCEPTED + 1; r < REASON_COUNT; r++)
		say_counter(engine, reason_name((enum reason)r), workers_counter(engine, (enum reason)r));
	say_worker_counters(engine);
	control_link_say(engine, ENGINE_END, &end, sizeof end);
	engine->control.status_id = 0;
}

static void continue_status(struct engine *engine)
{
	struct control_link *link = &engine->control;

	while (link->status_id != 0 && control_link_is_idle(engine)) {
		struct peer *peer = peer_after(engine->node, link->status_after);

		if (!peer) {
			say_counters(engine);
			return;
		}
		link->status_after = peer_id(peer);
		engine_report_peer(engine, peer, link->status_id);
	}
}

/* The same for who is up: each one's control frames begin anew, and then control is told of it. */
static void continue_greeting(struct engine *engine)
{
	struct control_link *link = &engine->control;

	while (link->is_greeting && control_link_is_idle(engine)) {
		struct peer *peer = peer_after(engine->node, link->greeted);
		struct peer_stats stats;

		if (!peer) {
			link->is_greeting = false;
			return;
		}
		link->greeted = peer_id(peer);
		peer_get_stats(peer, &stats);
		if (!stats.up)
			continue;
		peer_control_restart(peer, clock_now_ns());
		engine_report_peer(engine, peer, 0);
	}
}

static void continue_answers(struct engine *engine)
{
	continue_greeting(engine);
	if (!engine->control.is_greeting)
		continue_status(engine);
}

/* What control says. */

static int on_hello(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;

	(void)message;
	engine->control.is_greeting = true;
	engine->control.greeted = 0;
	continue_answers(engine);
	return 0;
}

static int on_endpoints(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;

	uplink_set_endpoints(engine, (const void *)message->body);
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
	struct engine *engine = ctx;
	const struct control_ask *m = (const void *)message->body;

	engine->control.status_id = m->id;
	engine->control.status_after = 0;
	continue_answers(engine);
	return 0;
}

static int on_explain(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct control_explain *m = (const void *)message->body;
	struct engine_explained answer = {.id = m->id, .error = EOPNOTSUPP};

	if (engine->role->explain && memchr(m->principal, '\0', sizeof m->principal))
		engine->role->explain(engine, m, &answer);
	control_link_say(engine, ENGINE_EXPLAINED, &answer, sizeof answer);
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
	uplink_confirm(engine, clock_now_ns());
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
	[CONTROL_HELLO] = {on_hello, 0},
	[CONTROL_ENDPOINTS] = {on_endpoints, sizeof(struct control_endpoints)},
	[CONTROL_FRAME] = {on_frame, sizeof(struct control_frame), .more = true},
	[CONTROL_CONSUMED] = {on_consumed, sizeof(struct control_peer)},
	[CONTROL_NETWORK] = {on_network, sizeof(struct network)},
	[CONTROL_ROUTES] = {on_routes, sizeof(struct control_routes)},
	[CONTROL_IDENTITY] = {on_identities, sizeof(struct control_identity)},
	[CONTROL_STATUS] = {on_status, sizeof(struct control_ask)},
	[CONTROL_EXPLAIN] = {on_explain, sizeof(struct control_explain)},
	[CONTROL_CLOSE] = {on_close, sizeof(struct control_peer)},
	[CONTROL_LAST_SEEN] = {on_last_seen, sizeof(struct control_last_seen)},
	[CONTROL_CONFIRM] = {on_confirm, 0},
	[CONTROL_PEER_MTU] = {on_peer_mtu, sizeof(struct control_peer_mtu)},
};

static const struct dispatch_table table = {.rows = rows, .count = DISPATCH_COUNT(rows)};

static void on_closed(void *ctx)
{
	control_link_close(ctx);
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
	continue_answers(ctx);
}

static const struct link_ops ops = {
	.limit = CONTROL_BACKLOG_MAX,
	.closed = on_closed,
	.refused = on_refused,
	.lost = on_lost,
	.drained = on_drained,
};

void control_link_init(struct engine *engine)
{
	link_ev_init(&engine->control.on_loop, engine->loop, &ops, &table, engine, engine->message);
}

void control_link_attach(struct engine *engine, int fd)
{
	control_link_close(engine);
	link_open(&engine->control.on_loop.link, fd);
}
