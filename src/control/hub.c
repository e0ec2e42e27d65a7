/* SPDX-License-Identifier: ISC */
/* What all parts of the control process share. */
#include "hub.h"

#include <stdlib.h>
#include <string.h>

#include <tund/sys/clock.h>
#include <tund/sys/log.h>

uint32_t hub_next_id(struct hub *hub)
{
	if (++hub->last_id == 0)
		hub->last_id = 1;
	return hub->last_id;
}

/* A stock WireGuard peer takes no control frames; it is known by the configuration, with or
 * without a session. */
static bool takes_frames(const struct hub *hub, const struct known_peer *peer)
{
	if (hub->config->role != ROLE_EDGE)
		return hub->config->edge.suite != SUITE_WIREGUARD;
	return peer->device && !peer->device->wireguard;
}

void hub_send_text(struct hub *hub, const struct known_peer *peer, const char *text)
{
	size_t len = strlen(text);
	const struct control_frame frame = {.peer = peer->id, .len = (uint32_t)len};

	if (peer->id == 0 || !takes_frames(hub, peer) || len == 0 || len > CONTROL_FRAME_MAX)
		return;
	link_send_parts(&hub->engine.link, CONTROL_FRAME, &frame, sizeof frame, text, len);
}

void hub_send(struct hub *hub, const struct known_peer *peer, const struct control_message *message)
{
	char *text;
	int r = control_message_encode(message, &text);

	if (r) {
		log_error("cannot encode a control message: %s", strerror(-r));
		return;
	}
	hub_send_text(hub, peer, text);
	free(text);
}

void hub_set_works(struct hub *hub, bool works)
{
	const struct request_works body = {.works = works};

	if (works == hub->works)
		return;
	hub->works = works;
	link_send(&hub->parent.link, REQUEST_WORKS, &body, sizeof body);
	if (!works)
		return;
	hub->works_since_wall_ns = clock_wall_ns();
	commands_answer(&hub->commands, CLIENT_WAITS, EXIT_DONE, "");
}

bool hub_knows(const struct hub *hub, const struct known_peer *peer)
{
	if (hub->config->role == ROLE_EDGE)
		return peer->device != NULL;
	return memcmp(peer->key, hub->config->edge.public_key, KEY_SIZE) == 0;
}

void hub_malformed(struct hub *hub, const struct known_peer *peer, const char *what)
{
	char name[PEER_NAME_MAX];

	hub->malformed++;
	/* the 1st, 2nd, 4th, 8th ...: a peer must not be able to fill the log */
	if ((hub->malformed & (hub->malformed - 1)) == 0)
		log_warning("%s sent a control message that is %s (%llu so far)",
			    hub_peer_name(hub, peer->key, name), what,
			    (unsigned long long)hub->malformed);
}

const char *hub_peer_name(const struct hub *hub, const uint8_t key[KEY_SIZE],
			  char buf[PEER_NAME_MAX])
{
	if (hub->config->role != ROLE_EDGE)
		return "edge";
	return device_index_name(device_index_find(&hub->devices, key), key, buf);
}
