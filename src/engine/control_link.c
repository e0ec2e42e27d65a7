/* SPDX-License-Identifier: ISC */
/* The engine's end of the channel to control. */
#include "control_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tund/sys/channel.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>

#include "engine.h"

struct queued_message {
	STAILQ_ENTRY(queued_message) next;
	uint32_t kind;
	size_t len;
	uint8_t body[];
};

static void drop_backlog(struct control_link *link)
{
	struct queued_message *m;

	while ((m = STAILQ_FIRST(&link->backlog))) {
		STAILQ_REMOVE_HEAD(&link->backlog, next);
		free(m);
	}
	link->backlog_bytes = 0;
}

void control_link_close(struct engine *engine)
{
	struct control_link *link = &engine->control;

	if (link->fd < 0)
		return;
	ev_io_stop(engine->loop, &link->readable);
	ev_io_stop(engine->loop, &link->writable);
	close(link->fd);
	link->fd = -1;
	link->status_id = 0;
	drop_backlog(link);
}

/* Only a new control can have a new channel. */
static void cut_off(struct engine *engine, const char *why)
{
	log_warning("control %s: cutting it off", why);
	control_link_close(engine);
	parent_link_ask_control(engine);
}

static void keep(struct engine *engine, uint32_t kind, const uint8_t *body, size_t len)
{
	struct control_link *link = &engine->control;
	struct queued_message *m = NULL;

	if (link->backlog_bytes + len <= CONTROL_BACKLOG_MAX)
		m = malloc(sizeof *m + len);
	if (!m) {
		cut_off(engine, "does not read its messages");
		return;
	}
	m->kind = kind;
	m->len = len;
	memcpy(m->body, body, len);
	STAILQ_INSERT_TAIL(&link->backlog, m, next);
	link->backlog_bytes += len;
	ev_io_start(engine->loop, &link->writable);
}

static void say_bytes(struct engine *engine, uint32_t kind, const uint8_t *body, size_t len)
{
	struct control_link *link = &engine->control;
	int err = -EAGAIN;

	if (STAILQ_EMPTY(&link->backlog))
		err = channel_send(link->fd, kind, body, len, -1);
	if (err == -EAGAIN)
		keep(engine, kind, body, len);
	else if (err < 0)
		control_link_close(engine);
}

void control_link_say(struct engine *engine, uint32_t kind, const void *body, size_t len,
		      const void *tail, size_t tail_len)
{
	uint8_t *joined;

	if (engine->control.fd < 0)
		return;
	if (tail_len == 0) {
		say_bytes(engine, kind, body, len);
		return;
	}
	joined = malloc(len + tail_len);
	if (!joined) {
		control_link_close(engine);
		return;
	}
	memcpy(joined, body, len);
	memcpy(joined + len, tail, tail_len);
	say_bytes(engine, kind, joined, len + tail_len);
	free(joined);
}

/* Status: a few peers at a time, as long as control keeps up. */

static void say_counter(struct engine *engine, const char *name, uint64_t count)
{
	struct engine_counters body = {.id = engine->control.status_id, .count = count};

	if (count == 0)
		return;
	strncpy(body.name, name, sizeof body.name - 1);
	control_link_say(engine, ENGINE_COUNTERS, &body, sizeof body, NULL, 0);
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
	control_link_say(engine, ENGINE_END, &end, sizeof end, NULL, 0);
	engine->control.status_id = 0;
}

static void continue_status(struct engine *engine)
{
	struct control_link *link = &engine->control;
	uint32_t count = engine->role->slot_count(engine);

	while (link->status_id != 0 && STAILQ_EMPTY(&link->backlog)) {
		struct peer *peer;

		if (link->status_slot >= count) {
			say_counters(engine);
			return;
		}
		peer = engine->role->peer_at(engine, link->status_slot++);
		if (peer)
			engine_report_peer(engine, peer, link->status_id);
	}
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
	struct engine *engine = io->data;
	struct control_link *link = &engine->control;
	struct queued_message *m;

	(void)events;
	while ((m = STAILQ_FIRST(&link->backlog))) {
		int err = channel_send(link->fd, m->kind, m->body, m->len, -1);

		if (err == -EAGAIN)
			return;
		if (err < 0) {
			control_link_close(engine);
			return;
		}
		STAILQ_REMOVE_HEAD(&link->backlog, next);
		link->backlog_bytes -= m->len;
		free(m);
	}
	ev_io_stop(loop, io);
	continue_status(engine);
}

/* What control says: a table of handlers, each with the exact size of its body. */

typedef void control_handler(struct engine *engine, uint64_t now_ns, const uint8_t *body);

static struct peer *peer_of(struct engine *engine, uint32_t generation, uint32_t slot)
{
	if (generation != engine->generation)
		return NULL;
	return engine->role->peer_at(engine, slot);
}

static void on_hello(struct engine *engine, uint64_t now_ns, const uint8_t *body)
{
	(void)body;
	for (uint32_t slot = 0; slot < engine->role->slot_count(engine); slot++) {
		struct peer *peer = engine->role->peer_at(engine, slot);
		struct peer_stats stats;

		if (!peer)
			continue;
		peer_get_stats(peer, &stats);
		if (!stats.up)
			continue;
		peer_control_restart(peer, now_ns);
		engine_report_peer(engine, peer, 0);
	}
}

static void on_endpoints(struct engine *engine, uint64_t now_ns, const uint8_t *body)
{
	(void)now_ns;
	uplink_set_endpoints(engine, (const void *)body);
}

static void on_consumed(struct engine *engine, uint64_t now_ns, const uint8_t *body)
{
	const struct control_consumed *m = (const void *)body;
	struct peer *peer = peer_of(engine, m->generation, m->slot);

	if (peer)
		peer_control_consumed(peer, now_ns);
}

static void on_network(struct engine *engine, uint64_t now_ns, const uint8_t *body)
{
	const struct control_network *m = (const void *)body;

	(void)now_ns;
	if (engine->role->network && m->address_count <= ENGINE_ADDRESSES_MAX &&
	    m->route_count <= ENGINE_ROUTES_MAX)
		engine->role->network(engine, m);
}

static void on_routes(struct engine *engine, uint64_t now_ns, const uint8_t *body)
{
	const struct control_routes *m = (const void *)body;

	(void)now_ns;
	if (engine->role->routes && m->generation == engine->generation &&
	    m->route_count <= ENGINE_ROUTES_MAX)
		engine->role->routes(engine, m);
}

static void on_identities(struct engine *engine, uint64_t now_ns, const uint8_t *body)
{
	(void)now_ns;
	if (engine->role->identity)
		engine->role->identity(engine, (const void *)body);
}

static void on_status(struct engine *engine, uint64_t now_ns, const uint8_t *body)
{
	const struct control_ask *m = (const void *)body;

	(void)now_ns;
	engine->control.status_id = m->id;
	engine->control.status_slot = 0;
	continue_status(engine);
}

static void on_explain(struct engine *engine, uint64_t now_ns, const uint8_t *body)
{
	const struct control_explain *m = (const void *)body;
	struct engine_explained answer = {.id = m->id, .error = EOPNOTSUPP};

	(void)now_ns;
	if (engine->role->explain && memchr(m->principal, '\0', sizeof m->principal))
		engine->role->explain(engine, m, &answer);
	control_link_say(engine, ENGINE_EXPLAINED, &answer, sizeof answer, NULL, 0);
}

static void on_close(struct engine *engine, uint64_t now_ns, const uint8_t *body)
{
	const struct control_consumed *m = (const void *)body;
	struct peer *peer = peer_of(engine, m->generation, m->slot);

	if (peer)
		peer_close(peer, now_ns);
}

static void on_last_seen(struct engine *engine, uint64_t now_ns, const uint8_t *body)
{
	const struct control_last_seen *m = (const void *)body;

	if (engine->role->last_seen)
		engine->role->last_seen(engine, now_ns, m);
}

static void on_confirm(struct engine *engine, uint64_t now_ns, const uint8_t *body)
{
	(void)body;
	uplink_confirm(engine, now_ns);
}

static const struct {
	control_handler *handle;
	size_t size; /* of the body, exactly */
} control_table[] = {
	[CONTROL_HELLO] = {on_hello, sizeof(struct control_hello)},
	[CONTROL_ENDPOINTS] = {on_endpoints, sizeof(struct control_endpoints)},
	[CONTROL_CONSUMED] = {on_consumed, sizeof(struct control_consumed)},
	[CONTROL_NETWORK] = {on_network, sizeof(struct control_network)},
	[CONTROL_ROUTES] = {on_routes, sizeof(struct control_routes)},
	[CONTROL_IDENTITY] = {on_identities, sizeof(struct control_identity)},
	[CONTROL_STATUS] = {on_status, sizeof(struct control_ask)},
	[CONTROL_EXPLAIN] = {on_explain, sizeof(struct control_explain)},
	[CONTROL_CLOSE] = {on_close, sizeof(struct control_consumed)},
	[CONTROL_LAST_SEEN] = {on_last_seen, sizeof(struct control_last_seen)},
	[CONTROL_CONFIRM] = {on_confirm, 0},
};

/* A frame for a peer is the one message of variable length. */
static bool handle_frame(struct engine *engine, uint64_t now_ns, const struct channel_message *m)
{
	const struct control_frame *frame = (const void *)m->body;
	struct peer *peer;
	int err;

	if (m->len < sizeof *frame || m->len - sizeof *frame != frame->len)
		return false;
	peer = peer_of(engine, frame->generation, frame->slot);
	if (!peer)
		return true;
	err = peer_control_send(peer, now_ns, m->body + sizeof *frame, frame->len);
	/* The peer has not answered for long. What waits is out of date by now: both sides begin
	 * anew and send their full state. */
	if (err == -ENOBUFS)
		peer_control_restart(peer, now_ns);
	else if (err < 0)
		log_warning("a control message of %u bytes was not sent: %s", frame->len,
			    strerror(-err));
	return true;
}

static bool handle_message(struct engine *engine, uint64_t now_ns, const struct channel_message *m)
{
	if (m->kind == CONTROL_FRAME)
		return handle_frame(engine, now_ns, m);
	if (m->kind >= sizeof control_table / sizeof *control_table)
		return false;
	if (!control_table[m->kind].handle || control_table[m->kind].size != m->len)
		return false;
	control_table[m->kind].handle(engine, now_ns, m->body);
	return true;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct engine *engine = io->data;
	struct channel_message message;
	int n;

	(void)loop;
	(void)events;
	while (engine->control.fd >= 0) {
		bool understood;

		n = channel_receive(engine->control.fd, engine->message, CHANNEL_BODY_MAX,
				    &message);
		if (n == -EAGAIN)
			return;
		if (n <= 0) {
			control_link_close(engine);
			return;
		}
		if (message.fd >= 0)
			close(message.fd);
		understood = message.fd < 0 && handle_message(engine, clock_now_ns(), &message);
		if (!understood)
			cut_off(engine, "said something it must not");
	}
}

void control_link_init(struct engine *engine)
{
	engine->control.fd = -1;
	STAILQ_INIT(&engine->control.backlog);
}

void control_link_attach(struct engine *engine, int fd)
{
	struct control_link *link = &engine->control;

	control_link_close(engine);
	link->fd = fd;
	ev_io_init(&link->readable, on_readable, fd, EV_READ);
	ev_io_init(&link->writable, on_writable, fd, EV_WRITE);
	link->readable.data = engine;
	link->writable.data = engine;
	if (engine->node)
		ev_io_start(engine->loop, &link->readable);
}
