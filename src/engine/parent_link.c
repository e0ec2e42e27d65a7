/* SPDX-License-Identifier: ISC */
/* The engine's end of the channel to its parent. */
#include "parent_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/link/link.h>
#include <tund/sys/clock.h>
#include <tund/sys/hook.h>
#include <tund/sys/log.h>
#include <tund/sys/memfd.h>

#include "engine.h"

static int say(struct engine *engine, enum parent_request kind, const void *body, size_t len)
{
	return link_send(&engine->parent.on_loop.link, kind, body, len);
}

static int read_config(int fd, struct config **out)
{
	struct reader reader;
	const void *image;
	size_t size;
	int err = memfd_map(fd, CONFIG_IMAGE_MAX, &image, &size);

	if (err < 0)
		return err;
	reader = reader_init(image, size);
	err = config_decode(&reader, out);
	memfd_unmap(image, size);
	return err;
}

static void say_prepared(struct engine *engine, uint32_t generation, int error)
{
	struct request_prepared body = {.generation = generation, .error = -error};

	if (error < 0)
		snprintf(body.text, sizeof body.text,
			 "the engine cannot take the new configuration: %s", strerror(-error));
	say(engine, REQUEST_PREPARED, &body, sizeof body);
}

static int on_config(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct parent_config *body = (const void *)message->body;
	bool is_first = !engine->node;
	struct config *config;
	int err = read_config(message->fd, &config);

	if (is_first)
		return err < 0 ? err : engine_configure(engine, config);
	if (hook_is("TUND_TEST_PREPARE", "die"))
		abort();
	if (hook_is("TUND_TEST_PREPARE", "refuse") && err == 0) {
		config_free(config);
		err = -ENOMEM;
	}
	if (err == 0)
		err = engine_configure(engine, config);
	if (!hook_is("TUND_TEST_PREPARE", "ignore"))
		say_prepared(engine, body->generation, err);
	return 0;
}

static int on_commit(void *ctx, struct channel_message *message)
{
	(void)ctx, (void)message; /* on_config() has */
	return 0;
}

static int on_tun(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct parent_tun *body = (const void *)message->body;
	struct tun_given given = {.vnet_hdr = body->vnet_hdr, .uso = body->uso};

	/* One queue for each worker. */
	if (engine->tun_count == engine->worker_count)
		return -EBADMSG;
	given.fd = dispatch_take_fd(message);
	worker_call(engine->workers[engine->tun_count++], tun_port_attach, &given);
	return 0;
}

static int on_udp(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;

	/* A WireGuard interface gets the first one with an answer. */
	if (engine->role != &wireguard_role)
		return outer_add_bound(engine, dispatch_take_fd(message));
	outer_keep_udp(engine, dispatch_take_fd(message));
	return 0;
}

static int on_tcp(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;

	outer_set_listener(engine, dispatch_take_fd(message));
	return 0;
}

static int on_sibling(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;

	control_link_attach(engine, dispatch_take_fd(message));
	return 0;
}

static int on_state(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;

	memcpy(engine->last_tai64n, message->body, sizeof engine->last_tai64n);
	return 0;
}

static int on_go(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;

	(void)message;
	return engine->node ? -EBADMSG : engine_start(engine);
}

static int on_reply(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct parent_reply *reply = (const void *)message->body;

	if (engine->role && engine->role->opened)
		engine->role->opened(engine, reply, dispatch_take_fd(message));
	return 0;
}

static int on_wireguard(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct parent_wireguard *body = (const void *)message->body;

	if (engine->role)
		return -EBADMSG;
	log_set_level((enum log_level)body->log_level);
	engine->role = &wireguard_role;
	return 0;
}

static int on_uapi(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;

	uapi_listen(engine, dispatch_take_fd(message));
	return 0;
}

static int on_log(void *ctx, struct channel_message *message)
{
	const struct parent_log *body = (const void *)message->body;

	(void)ctx;
	log_set_level((enum log_level)body->level);
	return 0;
}

static int on_routes(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;

	(void)message;
	if (engine->role && engine->role->routes_changed)
		engine->role->routes_changed(engine);
	return 0;
}

static int on_interface(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct parent_interface *body = (const void *)message->body;
	struct tun_given none = {.fd = -1};

	if (!body->present)
		workers_call(engine, tun_port_attach, &none);
	if (engine->role && engine->role->interface)
		engine->role->interface(engine, clock_now_ns(), body);
	return 0;
}

static int on_stop(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;

	(void)message;
	engine_farewell(engine);
	return 0;
}

static const struct dispatch_row rows[] = {
	[PARENT_CONFIG] = {on_config, sizeof(struct parent_config), .fd = DISPATCH_FD},
	[PARENT_TUN] = {on_tun, sizeof(struct parent_tun), .fd = DISPATCH_FD},
	[PARENT_UDP] = {on_udp, sizeof(struct parent_udp), .fd = DISPATCH_FD},
	[PARENT_TCP] = {on_tcp, 0, .fd = DISPATCH_FD},
	[PARENT_SIBLING] = {on_sibling, 0, .fd = DISPATCH_FD},
	[PARENT_STATE] = {on_state, sizeof(struct parent_state)},
	[PARENT_GO] = {on_go, 0},
	[PARENT_REPLY] = {on_reply, sizeof(struct parent_reply), .fd = DISPATCH_MAY_FD},
	[PARENT_INTERFACE] = {on_interface, sizeof(struct parent_interface)},
	[PARENT_STOP] = {on_stop, 0},
	[PARENT_WIREGUARD] = {on_wireguard, sizeof(struct parent_wireguard)},
	[PARENT_UAPI] = {on_uapi, 0, .fd = DISPATCH_FD},
	[PARENT_COMMIT] = {on_commit, sizeof(struct parent_config)},
	[PARENT_ROUTES] = {on_routes, 0},
	[PARENT_LOG] = {on_log, sizeof(struct parent_log)},
};

static const struct dispatch_table table = {.rows = rows, .count = DISPATCH_COUNT(rows)};

static void on_closed(void *ctx)
{
	struct engine *engine = ctx;

	if (engine->node)
		log_info("the parent is gone: ending");
	engine->parent.error = -EPIPE;
	ev_break(engine->loop, EVBREAK_ALL);
}

static void on_refused(void *ctx, const struct channel_message *message, int err)
{
	struct engine *engine = ctx;

	log_error("the parent's message %u cannot be taken (%s): ending", message->kind,
		  strerror(-err));
	engine->parent.error = err;
	link_close(&engine->parent.on_loop.link);
	ev_break(engine->loop, EVBREAK_ALL);
}

static void on_lost(void *ctx, int err)
{
	(void)ctx;
	log_error("telling the parent something: %s", strerror(-err));
}

static const struct link_ops ops = {.closed = on_closed, .refused = on_refused, .lost = on_lost};

int parent_link_start(struct engine *engine, int fd)
{
	struct link *link = &engine->parent.on_loop.link;

	link_ev_init(&engine->parent.on_loop, engine->loop, &ops, &table, engine, engine->message);
	link_open(link, fd);
	while (engine->parent.error == 0 && !engine->node)
		link_wait(link);
	return engine->parent.error;
}

uint32_t parent_link_ask_socket(struct engine *engine, enum socket_kind kind,
				const struct endpoint *remote)
{
	struct request_socket request = {
		.id = ++engine->parent.last_id, .kind = kind, .remote = *remote};

	return say(engine, REQUEST_SOCKET, &request, sizeof request) < 0 ? 0 : request.id;
}

uint32_t parent_link_ask_listen(struct engine *engine, enum parent_request kind,
				const struct request_listen *wanted)
{
	struct request_listen request = *wanted;

	request.id = ++engine->parent.last_id;
	return say(engine, kind, &request, sizeof request) < 0 ? 0 : request.id;
}

uint32_t parent_link_ask_zone(struct engine *engine, const char *name)
{
	struct request_zone request = {.id = ++engine->parent.last_id};

	snprintf(request.name, sizeof request.name, "%s", name);
	return say(engine, REQUEST_ZONE, &request, sizeof request) < 0 ? 0 : request.id;
}

void parent_link_ready(struct engine *engine)
{
	say(engine, REQUEST_READY, NULL, 0);
}

void parent_link_ask_control(struct engine *engine)
{
	say(engine, REQUEST_CONTROL, NULL, 0);
}

void parent_link_store(struct engine *engine, const uint8_t tai64n[TAI64N_SIZE])
{
	struct parent_state state;

	memcpy(state.tai64n, tai64n, TAI64N_SIZE);
	say(engine, REQUEST_STORE, &state, sizeof state);
}
