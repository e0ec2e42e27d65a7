/* SPDX-License-Identifier: ISC */
/* The engine's end of the channel to control. */
#include "control_link.h"

#include <tund/session/node.h>

void control_link_attach(struct control_link *control, int fd)
{
	control_link_close(control);
	link_open(&control->on_loop.link, fd);
}

void control_link_say(struct control_link *control, uint32_t kind, const void *body, size_t len)
{
	link_send(&control->on_loop.link, kind, body, len);
}

void control_link_say_frame(struct control_link *control, const struct control_frame *frame,
			    const uint8_t *msg)
{
	link_send_parts(&control->on_loop.link, ENGINE_FRAME, frame, sizeof *frame, msg,
			frame->len);
}

void control_link_remove_peer(struct control_link *control, struct peer *peer)
{
	const struct control_peer gone = {.peer = peer_id(peer)};

	control_link_say(control, ENGINE_GONE, &gone, sizeof gone);
	peer_remove(peer);
}

bool control_link_is_open(const struct control_link *control)
{
	return control->on_loop.link.fd >= 0;
}

bool control_link_is_idle(const struct control_link *control)
{
	return link_is_idle(&control->on_loop.link);
}

void control_link_close(struct control_link *control)
{
	link_close(&control->on_loop.link);
	control->status_id = 0;
	control->is_greeting = false;
}
