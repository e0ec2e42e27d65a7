/* SPDX-License-Identifier: ISC */
/* The control process: its start, its loop, its end. */
#include "control.h"

#include <errno.h>
#include <stdlib.h>

int control_start(struct control *c, const char *name, int channel)
{
	struct hub *hub = &c->hub;

	*c = (struct control){.hub = {.name = name, .loop = ev_loop_new(EVFLAG_NOENV)}};
	c->buffer = malloc(CHANNEL_BODY_MAX);
	if (!hub->loop || !c->buffer)
		return -ENOMEM;
	control_parent_init(c);
	control_engine_init(c);
	peers_init(&hub->peers);
	control_command_init(c);
	edge_init(&c->edge, hub);
	member_init(&c->member, hub);
	link_open(&hub->parent.link, channel);
	while (!c->started && hub->parent.link.fd >= 0)
		link_wait(&hub->parent.link);
	if (!c->started)
		return -EPIPE;
	return hub->config ? 0 : -EBADMSG;
}

void control_run(struct control *c)
{
	link_send(&c->hub.parent.link, REQUEST_SERVES, NULL, 0);
	if (c->role->configured)
		c->role->configured(c->part);
	control_greet_engine(c);
	ev_run(c->hub.loop, 0);
}

void control_clear(struct control *c)
{
	struct hub *hub = &c->hub;

	if (!hub->loop || !c->buffer)
		return;
	ask_clear(&c->asks);
	commands_close(&hub->commands);
	edge_clear(&c->edge);
	member_clear(&c->member);
	peers_clear(&hub->peers);
	link_close(&hub->engine.link);
	link_close(&hub->parent.link);
	device_index_clear(&hub->devices);
	config_free(hub->config);
	ev_timer_stop(hub->loop, &c->grace);
	free(c->buffer);
	ev_loop_destroy(hub->loop);
}
