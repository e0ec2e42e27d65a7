/* SPDX-License-Identifier: ISC */
/*
 * What all parts of the control process share: the configuration, the links to the engine and the
 * parent, the peers, and the clients of the command socket. It calls none of the parts.
 */
#ifndef TUND_CONTROL_HUB_H
#define TUND_CONTROL_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include <tund/config/config.h>
#include <tund/ipc/engine.h>
#include <tund/ipc/parent.h>
#include <tund/link/link_ev.h>

#include "command.h"
#include "control_message.h"
#include "device_index.h"
#include "peers.h"

struct hub {
	struct ev_loop *loop;
	const char *name;      /* of the tunnel, for people; "" when not told */
	struct config *config; /* the public view; owned */
	struct link_ev parent, engine;
	struct device_index devices;
	struct peers peers;
	struct commands commands;
	uint32_t last_id;   /* of requests to engine and parent */
	uint64_t malformed; /* control messages that could not be decoded */
	bool works;
	uint64_t works_since_wall_ns;
};

/* A number for a request, never 0 and never used for another one that is still open. */
uint32_t hub_next_id(struct hub *hub);

/* Sends a control message to a peer that the engine has, reliably; logs what goes wrong. */
void hub_send(struct hub *hub, const struct known_peer *peer,
	      const struct control_message *message);

/* The same for a control message that is already text. */
void hub_send_text(struct hub *hub, const struct known_peer *peer, const char *text);

/* The tunnel works from now on, or no longer: answers those who wait, tells the parent. */
void hub_set_works(struct hub *hub, bool works);

/* False: our configuration says nothing of this peer; the engine may have another one still, or
 * already. */
bool hub_knows(const struct hub *hub, const struct known_peer *peer);

/* A control message of this peer could not be understood: counts it, logs some. */
void hub_malformed(struct hub *hub, const struct known_peer *peer, const char *what);

/* Who a peer is, for people: "edge", or as device_index_name(). Returns buf or a constant. */
const char *hub_peer_name(const struct hub *hub, const uint8_t key[KEY_SIZE],
			  char buf[PEER_NAME_MAX]);

#endif
