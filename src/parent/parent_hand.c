/* SPDX-License-Identifier: ISC */
/* Configuration, descriptors and state for a child that was just started. */
#include "parent_hand.h"

#include <tund/sys/log.h>

#include "parent_state.h"

static void hand_config(const struct parent *parent, struct child *child, int fd)
{
	struct parent_config generation = {.generation = parent->generation};

	child_send(child, PARENT_CONFIG, &generation, sizeof generation, fd);
}

static void hand_full(void *owner, struct child *engine)
{
	const struct parent *parent = owner;

	hand_config(parent, engine, parent->loaded.full_fd);
}

/* Without secrets. */
static void hand_public(void *owner, struct child *control)
{
	const struct parent *parent = owner;

	hand_config(parent, control, parent->loaded.public_fd);
}

static void hand_tun(void *owner, struct child *engine)
{
	const struct parent *parent = owner;

	queues_hand_tun(&parent->system.queues, engine, parent->loaded.config->interface,
			parent->system.link.mtu);
}

static void hand_uapi(void *owner, struct child *engine)
{
	const struct parent *parent = owner;

	if (parent->system.uapi.fd >= 0)
		child_send(engine, PARENT_UAPI, NULL, 0, parent->system.uapi.fd);
}

static void hand_port(void *owner, struct child *engine)
{
	const struct parent *parent = owner;

	queues_hand_udp(&parent->system.queues, engine, 0);
	if (parent->system.tcp >= 0)
		child_send(engine, PARENT_TCP, NULL, 0, parent->system.tcp);
}

static void hand_state(void *owner, struct child *engine)
{
	const struct parent *parent = owner;

	child_send(engine, PARENT_STATE, &parent->store.state, sizeof parent->store.state, -1);
}

static void hand_command(void *owner, struct child *control)
{
	const struct parent *parent = owner;

	child_send(control, PARENT_COMMAND, NULL, 0, parent->system.command);
}

static void hand_log(void *owner, struct child *child)
{
	const struct parent_log body = {.level = log_level()};

	(void)owner;
	child_send(child, PARENT_LOG, &body, sizeof body, -1);
}

/* Whoever asked for a network, or for a reload, is gone. */
static void forget_requests(void *owner, struct child *control)
{
	struct parent *parent = owner;

	(void)control;
	pace_forget(&parent->pace);
	parent->control_awaits_reload = false;
}

supervisor_hand *const parent_hand_engine[] = {hand_log,  hand_full, hand_tun, hand_uapi,
					       hand_port, hand_state, NULL};
supervisor_hand *const parent_hand_control[] = {forget_requests, hand_log, hand_public,
						hand_command, NULL};
