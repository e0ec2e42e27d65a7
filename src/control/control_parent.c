/* SPDX-License-Identifier: ISC */
/* What the parent says. */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tund/sys/log.h>
#include <tund/sys/memfd.h>

#define GRACE_S 0.15 /* for goodbye to leave the engine; the parent gives 500 ms */

static int read_config(int fd, struct config **out)
{
	const void *data;
	struct reader r;
	size_t len;
	int error = memfd_map(fd, CONFIG_IMAGE_MAX, &data, &len);

	if (error)
		return error;
	r = reader_init(data, len);
	error = config_decode(&r, out);
	memfd_unmap(data, len);
	return error;
}

/* Everything that names peers by slots, or borrows from the old one, is made anew. */
static void use_config(struct control *c, struct config *config, struct device_index *devices,
		       uint32_t generation)
{
	struct config *old = c->config;

	c->config = config;
	c->generation = generation;
	device_index_clear(&c->devices);
	c->devices = *devices;
	peers_forget_slots(&c->peers);
	if (c->started && config->role != ROLE_EDGE)
		member_configured(c);
	config_free(old);
	if (c->started)
		control_greet_engine(c);
}

static void take_config(struct control *c, struct channel_message *m)
{
	const struct parent_config *body = (const void *)m->body;
	struct device_index devices;
	struct config *config;
	int r = m->fd < 0 ? -EBADF : read_config(m->fd, &config);

	if (!r && c->config && config->role != c->config->role) {
		config_free(config);
		r = -EINVAL;
	}
	if (!r && (r = device_index_make(config->policy, &devices)))
		config_free(config);
	if (r)
		log_error("cannot use the configuration: %s", strerror(-r));
	else
		use_config(c, config, &devices, body->generation);
}

/* The descriptor, from now on the caller's. */
static int take_fd(struct channel_message *m)
{
	int fd = m->fd;

	m->fd = -1;
	return fd;
}

static void take_sibling(struct control *c, struct channel_message *m)
{
	int fd = take_fd(m);

	if (fd < 0)
		return;
	link_open(&c->engine, fd);
	peers_forget_sessions(&c->peers);
	if (!c->started)
		return;
	if (c->config->role == ROLE_EDGE)
		edge_restart(c);
	control_greet_engine(c);
	if (c->config->role != ROLE_EDGE)
		member_restart(c);
}

static void take_command(struct control *c, struct channel_message *m)
{
	int fd = take_fd(m);

	if (fd >= 0)
		commands_open(&c->commands, fd);
}

static void take_go(struct control *c, struct channel_message *m)
{
	(void)m;
	c->started = true;
}

static void take_reply(struct control *c, struct channel_message *m)
{
	struct parent_reply reply;

	memcpy(&reply, m->body, sizeof reply);
	reply.text[sizeof reply.text - 1] = '\0';
	if (reply.id == 0)
		commands_parent_replied(&c->commands, &reply);
	else
		member_replied(c, &reply);
}

static void take_interface(struct control *c, struct channel_message *m)
{
	/* the parent restores what it applied; the engine is told by itself */
	(void)c, (void)m;
}

static void grace_over(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)w, (void)events;
	ev_break(loop, EVBREAK_ALL);
}

static void take_stop(struct control *c, struct channel_message *m)
{
	(void)m;
	if (c->stopping)
		return;
	c->stopping = true;
	if (!c->started || c->config->role == ROLE_EDGE || !c->member.edge_up) {
		ev_break(c->loop, EVBREAK_ALL);
		return;
	}
	member_goodbye(c);
	ev_timer_init(&c->grace, grace_over, GRACE_S, 0.);
	ev_timer_start(c->loop, &c->grace);
}

struct parent_handler {
	size_t size; /* of the body, exactly */
	void (*take)(struct control *c, struct channel_message *m);
};

static const struct parent_handler handlers[] = {
	[PARENT_CONFIG] = {sizeof(struct parent_config), take_config},
	[PARENT_COMMAND] = {0, take_command},
	[PARENT_SIBLING] = {0, take_sibling},
	[PARENT_GO] = {0, take_go},
	[PARENT_REPLY] = {sizeof(struct parent_reply), take_reply},
	[PARENT_INTERFACE] = {sizeof(struct parent_interface), take_interface},
	[PARENT_STOP] = {0, take_stop},
};

static void message(void *ctx, struct channel_message *m)
{
	const struct parent_handler *h =
		m->kind < sizeof handlers / sizeof *handlers ? &handlers[m->kind] : NULL;

	if (h && h->take && m->len == h->size)
		h->take(ctx, m);
	else
		log_error("unexpected message %u of %zu bytes from the parent", m->kind, m->len);
	if (m->fd >= 0)
		close(m->fd);
}

static void closed(void *ctx)
{
	struct control *c = ctx;

	/* without the parent nothing may go on */
	ev_break(c->loop, EVBREAK_ALL);
}

static void drained(void *ctx)
{
	(void)ctx;
}

const struct link_ops control_parent_ops = {
	.message = message, .closed = closed, .drained = drained};
