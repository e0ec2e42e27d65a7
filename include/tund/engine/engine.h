/* SPDX-License-Identifier: ISC */
/*
 * The engine: the process that owns keys, sessions, policy and packets. It is the core wrapped in
 * one libev loop. What differs between edge, connector, client and WireGuard interface is in one
 * `struct role_ops` for each (role.h); everything else is shared. One thread.
 */
#ifndef TUND_ENGINE_ENGINE_H
#define TUND_ENGINE_ENGINE_H

#include <ev.h>

#include <tund/base/time.h>
#include <tund/config/config.h>
#include <tund/engine/control_link.h>
#include <tund/engine/outer.h>
#include <tund/engine/parent_link.h>
#include <tund/engine/role.h>
#include <tund/engine/tun_port.h>
#include <tund/engine/uapi.h>
#include <tund/engine/uplink.h>
#include <tund/ipc/engine.h>
#include <tund/policy/reason.h>
#include <tund/session/host.h>

#define WIREGUARD_MTU 1420 /* of a WireGuard interface, until told otherwise */

struct engine {
	struct ev_loop *loop;
	const struct role_ops *role;
	void *state;               /* of the role */
	struct config *config;     /* current; private key wiped once the host has it; NULL on a
				    * WireGuard interface */
	uint32_t generation;       /* of the configuration, as the parent numbers it */
	struct host *host;
	uint8_t last_tai64n[TAI64N_SIZE];
	struct parent_link parent;
	struct control_link control;
	struct outer outer;
	struct tun_port tun;
	struct uplink uplink;      /* client and connector */
	struct uapi uapi;
	ev_timer deadline;         /* the host's next */
	ev_prepare before_wait;    /* queued handshakes, flushes, the deadline */
	ev_idle busy;              /* keeps the loop from waiting while handshakes are queued */
	ev_timer farewell;         /* after PARENT_STOP */
	uint8_t ecn;               /* of the outer header of the packet being sent */
	uint64_t next_denied_ns;   /* when the next ENGINE_DENIED may go out */
	uint64_t counters[REASON_COUNT];
	_Alignas(8) uint8_t *message; /* CHANNEL_BODY_MAX bytes: one message from parent or control */
};

/* One message from outside, decrypted in place and handed on. `congested`: its IP header said so
 * (ECN). True if it was authentic. */
bool engine_receive(struct engine *engine, uint64_t now_ns, const struct path *from, uint8_t *msg,
		    size_t len, bool congested);

/* Sends an inner packet to a peer; whatever happens to it, it is the caller's no longer. The
 * checksum is completed first where it is partial. */
void engine_send(struct engine *engine, uint64_t now_ns, struct peer *peer,
		 const struct inner_bytes *packet);

/* Host and role are made and the watchers started; called once, at PARENT_GO. 0 or -errno. */
int engine_start(struct engine *engine);

/* Takes a decoded configuration: the first, or a replacement. Consumes `config`. */
void engine_configure(struct engine *engine, struct config *config, uint32_t generation);

/* Tells the peers goodbye has been said: leaves the loop after a short grace. */
void engine_farewell(struct engine *engine);

/* What changed about a peer, or an answer to CONTROL_STATUS (`id`), to control. */
void engine_report_peer(struct engine *engine, struct peer *peer, uint32_t id);

/* Reports a refusal to control, at most ten a second. */
void engine_report_denied(struct engine *engine, uint64_t now_ns, struct peer *peer,
			  const struct inner_bytes *packet, enum reason reason);

#endif
