/* SPDX-License-Identifier: ISC */
/* What the parent says to the engine. */
#include "from_parent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tund/link/link.h>
#include <tund/sys/clock.h>
#include <tund/sys/hook.h>
#include <tund/sys/log.h>
#include <tund/sys/memfd.h>
#include <tund/transport/udp.h>

#include "control_link.h"
#include "main_thread.h"
#include "role.h"
#include "uapi.h"

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

/* Says whether it can be that. Consumes `config`. */
static void prepare(struct engine *engine, struct config *config, uint32_t generation)
{
	char why[WHY_MAX] = "";
	int err = main_thread_prepare(engine, config, generation, why);

	if (hook_is("TUND_TEST_PREPARE", "die"))
		abort();
	if (hook_is("TUND_TEST_PREPARE", "refuse"))
		err = -ENOMEM;
	if (!hook_is("TUND_TEST_PREPARE", "ignore"))
		parent_link_prepared(&engine->parent, generation, err, why);
}

static int on_config(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct parent_config *body = (const void *)message->body;
	struct config *config;
	int err = read_config(message->fd, &config);

	if (err == 0 && engine->node)
		prepare(engine, config, body->generation);
	else if (err == 0)
		main_thread_configure(engine, config);
	else if (engine->node)
		parent_link_prepared(&engine->parent, body->generation, err, "");
	return engine->node ? 0 : err;
}

static int on_commit(void *ctx, struct channel_message *message)
{
	const struct parent_config *body = (const void *)message->body;

	return main_thread_commit(ctx, body->generation);
}

static int on_tun(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	const struct parent_tun *body = (const void *)message->body;
	struct tun_given given = {
		.fd = dispatch_take_fd(message), .vnet_hdr = body->vnet_hdr, .uso = body->uso};

	return dataplane_add_tun(&engine->plane, &given);
}

/* Takes over a bound or listening socket: the transport with sockets of this type. */
static int listen_on(struct engine *engine, int socket_type, int fd)
{
	struct transports *t = &engine->plane.transports;
	int number = transport_by_type(t, socket_type);

	if (number >= 0)
		return t->table[number]->listen(t, fd);
	close(fd);
	return -EBADMSG;
}

static int on_udp(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;
	int fd = dispatch_take_fd(message);

	/* A WireGuard interface gets the first one with an answer. */
	if (engine->role != &wireguard_role)
		return listen_on(engine, SOCK_DGRAM, fd);
	udp_port_keep(&engine->plane.transports, fd);
	return 0;
}

static int on_tcp(void *ctx, struct channel_message *message)
{
	return listen_on(ctx, SOCK_STREAM, dispatch_take_fd(message));
}

static int on_sibling(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;

	control_link_attach(&engine->control, dispatch_take_fd(message));
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
	return engine->node ? -EBADMSG : main_thread_start(engine);
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

	uapi_listen(&engine->uapi, dispatch_take_fd(message));
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

	if (!body->present)
		dataplane_drop_tun(&engine->plane);
	if (engine->role && engine->role->interface)
		engine->role->interface(engine, clock_now_ns(), body);
	return 0;
}

static int on_stop(void *ctx, struct channel_message *message)
{
	struct engine *engine = ctx;

	(void)message;
	main_thread_farewell(engine);
	return 0;
}

static const struct dispatch_row rows[] = {
	[PARENT_CONFIG] = {.handle = on_config,
			   .size = sizeof(struct parent_config),
			   .fd = DISPATCH_FD},
	[PARENT_TUN] = {.handle = on_tun, .size = sizeof(struct parent_tun), .fd = DISPATCH_FD},
	[PARENT_UDP] = {.handle = on_udp, .size = sizeof(struct parent_udp), .fd = DISPATCH_FD},
	[PARENT_TCP] = {.handle = on_tcp, .size = 0, .fd = DISPATCH_FD},
	[PARENT_SIBLING] = {.handle = on_sibling, .size = 0, .fd = DISPATCH_FD},
	[PARENT_STATE] = {.handle = on_state, .size = sizeof(struct parent_state)},
	[PARENT_GO] = {.handle = on_go, .size = 0},
	[PARENT_REPLY] = {.handle = on_reply,
			  .size = sizeof(struct parent_reply),
			  .fd = DISPATCH_MAY_FD},
	[PARENT_INTERFACE] = {.handle = on_interface, .size = sizeof(struct parent_interface)},
	[PARENT_STOP] = {.handle = on_stop, .size = 0},
	[PARENT_WIREGUARD] = {.handle = on_wireguard, .size = sizeof(struct parent_wireguard)},
	[PARENT_UAPI] = {.handle = on_uapi, .size = 0, .fd = DISPATCH_FD},
	[PARENT_COMMIT] = {.handle = on_commit, .size = sizeof(struct parent_config)},
	[PARENT_ROUTES] = {.handle = on_routes, .size = 0},
	[PARENT_LOG] = {.handle = on_log, .size = sizeof(struct parent_log)},
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

int from_parent_start(struct engine *engine, int fd)
{
	struct link *link = &engine->parent.on_loop.link;

	link_ev_init(&engine->parent.on_loop, engine->loop, &ops, &table, engine, engine->message);
	link_open(link, fd);
	while (engine->parent.error == 0 && !engine->node)
		link_wait(link);
	return engine->parent.error;
}
