/* SPDX-License-Identifier: ISC */
/* The control process: its start, its loop, and what its modules share. */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/sys/clock.h>
#include <tund/sys/log.h>

int control_start(struct control *c, const char *name, int channel)
{
	*c = (struct control){.name = name, .loop = ev_loop_new(EVFLAG_NOENV)};
	c->buffer = malloc(CHANNEL_BODY_MAX);
	if (!c->loop || !c->buffer)
		return -ENOMEM;
	control_parent_init(c);
	control_engine_init(c);
	peers_init(&c->peers);
	commands_init(&c->commands, c);
	edge_init(c);
	member_init(c);
	link_open(&c->parent.link, channel);
	while (!c->started && c->parent.link.fd >= 0)
		link_wait(&c->parent.link);
	if (!c->started)
		return -EPIPE;
	return c->config ? 0 : -EBADMSG;
}

void control_run(struct control *c)
{
	if (c->config->role != ROLE_EDGE)
		member_configured(c);
	control_greet_engine(c);
	ev_run(c->loop, 0);
}

void control_clear(struct control *c)
{
	if (!c->loop || !c->buffer)
		return;
	ask_clear(c);
	commands_close(&c->commands);
	edge_clear(c);
	member_clear(c);
	peers_clear(&c->peers);
	link_close(&c->engine.link);
	link_close(&c->parent.link);
	device_index_clear(&c->devices);
	config_free(c->config);
	ev_timer_stop(c->loop, &c->grace);
	free(c->buffer);
	ev_loop_destroy(c->loop);
}

uint32_t control_next_id(struct control *c)
{
	if (++c->last_id == 0)
		c->last_id = 1;
	return c->last_id;
}

/* A stock WireGuard peer takes no control frames; it is known by the configuration, with or
 * without a session. */
static bool takes_frames(const struct control *c, const struct known_peer *peer)
{
	if (c->config->role != ROLE_EDGE)
		return c->config->edge.suite != SUITE_WIREGUARD;
	return peer->device && !peer->device->wireguard;
}

void control_send_text(struct control *c, const struct known_peer *peer, const char *text)
{
	size_t len = strlen(text);
	const struct control_frame frame = {.peer = peer->id, .len = (uint32_t)len};

	if (peer->id == 0 || !takes_frames(c, peer) || len == 0 || len > CONTROL_FRAME_MAX)
		return;
	link_send_parts(&c->engine.link, CONTROL_FRAME, &frame, sizeof frame, text, len);
}

void control_send(struct control *c, const struct known_peer *peer,
		  const struct control_message *message)
{
	char *text;
	int r = control_message_encode(message, &text);

	if (r) {
		log_error("cannot encode a control message: %s", strerror(-r));
		return;
	}
	control_send_text(c, peer, text);
	free(text);
}

void control_set_works(struct control *c, bool works)
{
	if (works == c->works)
		return;
	c->works = works;
	if (!works)
		return;
	c->works_since_wall_ns = clock_wall_ns();
	link_send(&c->parent.link, REQUEST_UP, NULL, 0);
	commands_answer_waiting(&c->commands, EXIT_DONE, "");
}

void control_greet_engine(struct control *c)
{
	if (link_send(&c->engine.link, CONTROL_HELLO, NULL, 0))
		return;
	ask_restart(c);
	if (c->config->role == ROLE_EDGE)
		ask_probe(c);
}

bool control_knows(const struct control *c, const struct known_peer *peer)
{
	if (c->config->role == ROLE_EDGE)
		return peer->device != NULL;
	return memcmp(peer->key, c->config->edge.public_key, KEY_SIZE) == 0;
}

void control_malformed(struct control *c, const struct known_peer *peer, const char *what)
{
	char name[PEER_NAME_MAX];

	c->malformed++;
	/* the 1st, 2nd, 4th, 8th ...: a peer must not be able to fill the log */
	if ((c->malformed & (c->malformed - 1)) == 0)
		log_warning("%s sent a control message that is %s (%llu so far)",
			    control_peer_name(c, peer->key, name), what,
			    (unsigned long long)c->malformed);
}

const char *control_peer_name(const struct control *c, const uint8_t key[KEY_SIZE],
			      char buf[PEER_NAME_MAX])
{
	if (c->config->role != ROLE_EDGE)
		return "edge";
	return device_index_name(device_index_find(&c->devices, key), key, buf);
}
