/* SPDX-License-Identifier: ISC */
/* What the engine asks of its parent. */
#include "parent_link.h"

#include <stdio.h>
#include <string.h>

static int say(struct parent_link *parent, enum parent_request kind, const void *body, size_t len)
{
	return link_send(&parent->on_loop.link, kind, body, len);
}

uint32_t parent_link_ask_socket(struct parent_link *parent, enum socket_kind kind,
				const struct endpoint *remote)
{
	struct request_socket request = {.id = ++parent->last_id, .kind = kind, .remote = *remote};

	return say(parent, REQUEST_SOCKET, &request, sizeof request) < 0 ? 0 : request.id;
}

uint32_t parent_link_ask_listen(struct parent_link *parent, enum parent_request kind,
				const struct request_listen *wanted)
{
	struct request_listen request = *wanted;

	request.id = ++parent->last_id;
	return say(parent, kind, &request, sizeof request) < 0 ? 0 : request.id;
}

uint32_t parent_link_ask_zone(struct parent_link *parent, const char *name)
{
	struct request_zone request = {.id = ++parent->last_id};

	snprintf(request.name, sizeof request.name, "%s", name);
	return say(parent, REQUEST_ZONE, &request, sizeof request) < 0 ? 0 : request.id;
}

void parent_link_prepared(struct parent_link *parent, uint32_t generation, int error,
			  const char *why)
{
	struct request_prepared body = {.generation = generation, .error = -error};

	if (error < 0)
		snprintf(body.text, sizeof body.text,
			 "the engine cannot take the new configuration: %s",
			 why[0] ? why : strerror(-error));
	say(parent, REQUEST_PREPARED, &body, sizeof body);
}

void parent_link_ready(struct parent_link *parent)
{
	say(parent, REQUEST_READY, NULL, 0);
}

void parent_link_ask_control(struct parent_link *parent)
{
	say(parent, REQUEST_CONTROL, NULL, 0);
}

void parent_link_store(struct parent_link *parent, const uint8_t tai64n[TAI64N_SIZE])
{
	struct parent_state state;

	memcpy(state.tai64n, tai64n, TAI64N_SIZE);
	say(parent, REQUEST_STORE, &state, sizeof state);
}
