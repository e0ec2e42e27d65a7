/* SPDX-License-Identifier: ISC */
/* The engine's end of the channel to its parent. */
#include "parent_link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tund/sys/channel.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>
#include <tund/sys/memfd.h>

#include "engine.h"

/* Handles one message; owns message->fd. Returns 0, or -EBADMSG. */
typedef int parent_handler(struct engine *engine, const struct channel_message *message);

static int on_config(struct engine *engine, const struct channel_message *message)
{
	const struct parent_config *body = (const void *)message->body;
	struct config *config;
	struct reader reader;
	const void *image;
	size_t size;
	int err = memfd_map(message->fd, CONFIG_IMAGE_MAX, &image, &size);

	close(message->fd);
	if (err < 0)
		return err;
	reader = reader_init(image, size);
	err = config_decode(&reader, &config);
	memfd_unmap(image, size);
	if (err == 0)
		engine_configure(engine, config, body->generation);
	return err;
}

static int on_tun(struct engine *engine, const struct channel_message *message)
{
	const struct parent_tun *body = (const void *)message->body;
	struct tun_given given = {.fd = message->fd, .vnet_hdr = body->vnet_hdr, .uso = body->uso};

	/* One queue for each worker. */
	if (engine->tun_count == engine->worker_count)
		return -EBADMSG;
	worker_call(engine->workers[engine->tun_count++], tun_port_attach, &given);
	return 0;
}

static int on_udp(struct engine *engine, const struct channel_message *message)
{
	/* A WireGuard interface gets the first one with an answer. */
	if (engine->role != &wireguard_role)
		return outer_add_bound(engine, message->fd);
	outer_keep_udp(engine, message->fd);
	return 0;
}

static int on_tcp(struct engine *engine, const struct channel_message *message)
{
	outer_set_listener(engine, message->fd);
	return 0;
}

static int on_sibling(struct engine *engine, const struct channel_message *message)
{
	control_link_attach(engine, message->fd);
	return 0;
}

static int on_state(struct engine *engine, const struct channel_message *message)
{
	memcpy(engine->last_tai64n, message->body, sizeof engine->last_tai64n);
	return 0;
}

static int on_go(struct engine *engine, const struct channel_message *message)
{
	(void)message;
	return engine->node ? -EBADMSG : engine_start(engine);
}

static int on_reply(struct engine *engine, const struct channel_message *message)
{
	const struct parent_reply *reply = (const void *)message->body;

	if (engine->role && engine->role->opened)
		engine->role->opened(engine, reply, message->fd);
	else if (message->fd >= 0)
		close(message->fd);
	return 0;
}

static int on_wireguard(struct engine *engine, const struct channel_message *message)
{
	const struct parent_wireguard *body = (const void *)message->body;

	if (engine->role)
		return -EBADMSG;
	log_set_level((enum log_level)body->log_level);
	engine->role = &wireguard_role;
	return 0;
}

static int on_uapi(struct engine *engine, const struct channel_message *message)
{
	uapi_listen(engine, message->fd);
	return 0;
}

static int on_routes(struct engine *engine, const struct channel_message *message)
{
	(void)message;
	if (engine->role && engine->role->routes_changed)
		engine->role->routes_changed(engine);
	return 0;
}

static int on_interface(struct engine *engine, const struct channel_message *message)
{
	const struct parent_interface *body = (const void *)message->body;

	struct tun_given none = {.fd = -1};

	if (!body->present)
		workers_call(engine, tun_port_attach, &none);
	if (engine->role && engine->role->interface)
		engine->role->interface(engine, clock_now_ns(), body);
	return 0;
}

static int on_stop(struct engine *engine, const struct channel_message *message)
{
	(void)message;
	engine_farewell(engine);
	return 0;
}

enum descriptor { NO_FD, WITH_FD, MAYBE_FD };

static const struct {
	parent_handler *handle;
	size_t size; /* of the body, exactly */
	enum descriptor descriptor;
} parent_table[] = {
	[PARENT_CONFIG] = {on_config, sizeof(struct parent_config), WITH_FD},
	[PARENT_TUN] = {on_tun, sizeof(struct parent_tun), WITH_FD},
	[PARENT_UDP] = {on_udp, sizeof(struct parent_udp), WITH_FD},
	[PARENT_TCP] = {on_tcp, 0, WITH_FD},
	[PARENT_SIBLING] = {on_sibling, 0, WITH_FD},
	[PARENT_STATE] = {on_state, sizeof(struct parent_state), NO_FD},
	[PARENT_GO] = {on_go, 0, NO_FD},
	[PARENT_REPLY] = {on_reply, sizeof(struct parent_reply), MAYBE_FD},
	[PARENT_INTERFACE] = {on_interface, sizeof(struct parent_interface), NO_FD},
	[PARENT_STOP] = {on_stop, 0, NO_FD},
	[PARENT_WIREGUARD] = {on_wireguard, sizeof(struct parent_wireguard), NO_FD},
	[PARENT_UAPI] = {on_uapi, 0, WITH_FD},
	[PARENT_ROUTES] = {on_routes, 0, NO_FD},
};

static bool is_known(const struct channel_message *m)
{
	bool with_fd = m->fd >= 0;

	if (m->kind >= sizeof parent_table / sizeof *parent_table)
		return false;
	if (!parent_table[m->kind].handle || parent_table[m->kind].size != m->len)
		return false;
	return parent_table[m->kind].descriptor == MAYBE_FD ||
	       with_fd == (parent_table[m->kind].descriptor == WITH_FD);
}

/* Receives and handles one message: 1, or channel_receive()'s and the handlers' results. */
static int handle_one(struct engine *engine, uint32_t *kind)
{
	struct channel_message message;
	int n = channel_receive(engine->parent.fd, engine->message, CHANNEL_BODY_MAX, &message);
	int err;

	if (n <= 0)
		return n;
	if (!is_known(&message)) {
		if (message.fd >= 0)
			close(message.fd);
		return -EBADMSG;
	}
	*kind = message.kind;
	err = parent_table[message.kind].handle(engine, &message);
	return err < 0 ? err : 1;
}

int parent_link_start(struct engine *engine)
{
	struct pollfd wait = {.fd = engine->parent.fd, .events = POLLIN};
	uint32_t kind = 0;
	int n;

	while (kind != PARENT_GO) {
		n = handle_one(engine, &kind);
		if (n == -EAGAIN)
			poll(&wait, 1, -1);
		else if (n <= 0)
			return n == 0 ? -EPIPE : n;
	}
	return 0;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct engine *engine = io->data;
	uint32_t kind;
	int n;

	(void)events;
	do {
		n = handle_one(engine, &kind);
	} while (n > 0);
	if (n == -EAGAIN)
		return;
	if (n == 0)
		log_info("the parent is gone: ending");
	else
		log_error("the parent's message cannot be understood (%s): ending", strerror(-n));
	ev_break(loop, EVBREAK_ALL);
}

void parent_link_watch(struct engine *engine)
{
	ev_io_init(&engine->parent.io, on_readable, engine->parent.fd, EV_READ);
	engine->parent.io.data = engine;
	ev_io_start(engine->loop, &engine->parent.io);
}

uint32_t parent_link_ask_socket(struct engine *engine, enum socket_kind kind,
				const struct endpoint *remote)
{
	struct request_socket request = {.kind = kind, .remote = *remote};
	int err;

	request.id = ++engine->parent.last_id;
	err = channel_send(engine->parent.fd, REQUEST_SOCKET, &request, sizeof request, -1);
	if (err < 0)
		log_error("asking the parent for a socket: %s", strerror(-err));
	return err < 0 ? 0 : request.id;
}

uint32_t parent_link_ask_listen(struct engine *engine, enum parent_request kind,
				const struct request_listen *wanted)
{
	struct request_listen request = *wanted;
	int err;

	request.id = ++engine->parent.last_id;
	err = channel_send(engine->parent.fd, kind, &request, sizeof request, -1);
	if (err < 0)
		log_error("asking the parent for a socket: %s", strerror(-err));
	return err < 0 ? 0 : request.id;
}

uint32_t parent_link_ask_zone(struct engine *engine, const char *name)
{
	struct request_zone request = {.id = ++engine->parent.last_id};
	int err;

	snprintf(request.name, sizeof request.name, "%s", name);
	err = channel_send(engine->parent.fd, REQUEST_ZONE, &request, sizeof request, -1);
	if (err < 0)
		log_error("asking the parent for an interface's number: %s", strerror(-err));
	return err < 0 ? 0 : request.id;
}

void parent_link_ready(struct engine *engine)
{
	int err = channel_send(engine->parent.fd, REQUEST_READY, NULL, 0, -1);

	if (err < 0)
		log_error("telling the parent that all is ready: %s", strerror(-err));
}

void parent_link_ask_control(struct engine *engine)
{
	int err = channel_send(engine->parent.fd, REQUEST_CONTROL, NULL, 0, -1);

	if (err < 0)
		log_error("asking the parent for a new control: %s", strerror(-err));
}

void parent_link_store(struct engine *engine, const uint8_t tai64n[TAI64N_SIZE])
{
	struct parent_state state;
	int err;

	memcpy(state.tai64n, tai64n, TAI64N_SIZE);
	err = channel_send(engine->parent.fd, REQUEST_STORE, &state, sizeof state, -1);
	if (err < 0)
		log_error("asking the parent to store the last timestamp: %s", strerror(-err));
}
