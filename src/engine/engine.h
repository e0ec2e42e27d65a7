/* SPDX-License-Identifier: ISC */
/*
 * The engine: the process that owns keys, sessions, policy and packets. It is the core wrapped in
 * libev loops: the main thread's, and one for each data worker (data_worker.h). What differs between
 * edge, connector, client and WireGuard interface is in one `struct role_ops` for each (role.h). This
 * is what its main thread has, as roles and the two links' messages see it; main_thread.h runs it.
 */
#ifndef TUND_ENGINE_ENGINE_H
#define TUND_ENGINE_ENGINE_H

#include <ev.h>

#include "control_link.h"
#include "dataplane.h"
#include "parent_link.h"
#include "uapi.h"
#include "uplink.h"

struct role_ops;

struct engine {
	struct ev_loop *loop;
	const struct role_ops *role;
	void *state;               /* of the role */
	struct config *config;     /* current; private key wiped once the node has it; NULL on a
				    * WireGuard interface */
	struct config *next;       /* prepared to be that; NULL: none */
	uint32_t next_generation;  /* of `next`, as the parent numbers it */
	struct node *node;
	uint8_t last_tai64n[TAI64N_SIZE];
	struct parent_link parent;
	struct control_link control;
	struct dataplane plane;
	struct uplink uplink;      /* client and connector */
	struct uapi uapi;
	ev_timer deadline;         /* the node's next */
	ev_prepare before_wait;    /* queued handshakes, flushes, the deadline */
	ev_idle busy;              /* keeps the loop from waiting while handshakes are queued */
	ev_timer farewell;         /* after PARENT_STOP */
	_Alignas(8) uint8_t *message; /* CHANNEL_BODY_MAX bytes: one message from parent or control */
};

#endif
