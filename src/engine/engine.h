/* SPDX-License-Identifier: ISC */
/*
 * The engine: the process that owns keys, sessions, policy and packets. It is the core wrapped in
 * libev loops: the main thread's, which this header is about, and one for each data worker
 * (worker.h). What differs between edge, connector, client and WireGuard interface is in one
 * `struct role_ops` for each (role.h); everything else is shared. Main thread, where a function
 * does not say otherwise.
 */
#ifndef TUND_ENGINE_ENGINE_H
#define TUND_ENGINE_ENGINE_H

#include <ev.h>

#include <tund/base/epoch.h>
#include <tund/base/time.h>
#include <tund/config/config.h>
#include <tund/ipc/engine.h>
#include <tund/policy/reason.h>
#include <tund/session/node.h>

#include "control_link.h"
#include "outer.h"
#include "parent_link.h"
#include "role.h"
#include "tun_port.h"
#include "uapi.h"
#include "uplink.h"
#include "worker.h"

#define WIREGUARD_MTU 1420 /* of a WireGuard interface, until told otherwise */

struct engine {
	struct ev_loop *loop;
	const struct role_ops *role;
	void *state;               /* of the role */
	struct config *config;     /* current; private key wiped once the host has it; NULL on a
				    * WireGuard interface */
	struct node *node;
	uint8_t last_tai64n[TAI64N_SIZE];
	struct parent_link parent;
	struct control_link control;
	struct outer outer;
	struct inbox inbox;        /* what the workers have to say */
	unsigned worker_count;
	struct worker *workers[CONFIG_WORKERS_MAX];
	void *_Atomic view;        /* the role's, as its workers see it: a struct view_head in front */
	_Atomic uint32_t frame_mtu; /* that a TSO packet in a frame must fit */
	unsigned tun_count;        /* queues that the parent has handed over */
	struct uplink uplink;      /* client and connector */
	struct uapi uapi;
	ev_timer deadline;         /* the host's next */
	ev_prepare before_wait;    /* queued handshakes, flushes, the deadline */
	ev_idle busy;              /* keeps the loop from waiting while handshakes are queued */
	ev_timer farewell;         /* after PARENT_STOP */
	uint64_t udp_send_errors;  /* of the main thread */
	_Alignas(8) uint8_t *message; /* CHANNEL_BODY_MAX bytes: one message from parent or control */
};

/* What the role publishes for its workers begins with this. */
struct view_head {
	void (*free)(void *view);
	struct retired retired;
};

/*
 * Puts a view of the role's state in the place of the one before, which is freed when no worker can
 * see it any more. Consumes `view`.
 */
void engine_publish(struct engine *engine, struct view_head *view);

/* The end: frees the view in force. */
void engine_unpublish(struct engine *engine);

/* The inbox of the main thread; the loop is there. -ENOMEM. */
int engine_init(struct engine *engine);

/* Host and role are made and the watchers started; called once, at PARENT_GO. 0 or -errno. */
int engine_start(struct engine *engine);

/* Takes a decoded configuration: the first, or a replacement. Consumes `config`. -errno: the one
 * before stays. */
int engine_configure(struct engine *engine, struct config *config);

/* Tells the peers goodbye has been said: leaves the loop after a short grace. */
void engine_farewell(struct engine *engine);

/* Removes a peer that is not wanted any more, and tells control. */
void engine_remove_peer(struct engine *engine, struct peer *peer);

/* What changed about a peer, or an answer to CONTROL_STATUS (`id`), to control. */
void engine_report_peer(struct engine *engine, struct peer *peer, uint32_t id);

#endif
