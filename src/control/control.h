/* SPDX-License-Identifier: ISC */
/*
 * The control process as a whole: what its modules share. One thread, one event loop; the only
 * other thread ever is the resolver's (resolve.h), which touches nothing of this.
 */
#ifndef TUND_CONTROL_CONTROL_H
#define TUND_CONTROL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include <tund/config/config.h>
#include <tund/ipc/engine.h>
#include <tund/ipc/parent.h>
#include <tund/link/link_ev.h>

#include "ask.h"
#include "command.h"
#include "control_message.h"
#include "device_index.h"
#include "edge.h"
#include "member.h"
#include "peers.h"

struct control {
	struct ev_loop *loop;
	const char *name;      /* of the tunnel, for people; "" when not told */
	struct config *config; /* the public view; owned */
	bool started;          /* PARENT_GO was received: events have effects from then on */
	bool stopping;
	ev_timer grace;        /* from PARENT_STOP to the end */
	uint8_t *buffer;       /* both links receive into it */
	struct link_ev parent, engine;
	struct device_index devices;
	struct peers peers;
	struct commands commands;
	struct asks asks;
	struct edge edge;      /* its part when the role is edge ... */
	struct member member;  /* ... and when it is client or connector */
	uint32_t last_id;      /* of requests to engine and parent */
	uint64_t malformed;    /* control messages that could not be decoded */
	bool works;
	uint64_t works_since_wall_ns;
};

/*
 * Receives what the parent says at the start, up to PARENT_GO: the configuration at least. Blocks.
 * -EPIPE: the parent is gone; -EBADMSG: no configuration came, or it cannot be used; -ENOMEM.
 */
int control_start(struct control *c, const char *name, int channel);

/* Works until told to stop, or until the parent is gone. */
void control_run(struct control *c);

void control_clear(struct control *c);

/* A number for a request, never 0 and never used for another one that is still open. */
uint32_t control_next_id(struct control *c);

/* Sends a control message to a peer that the engine has, reliably; logs what goes wrong. */
void control_send(struct control *c, const struct known_peer *peer,
		  const struct control_message *message);

/* The same for a control message that is already text. */
void control_send_text(struct control *c, const struct known_peer *peer, const char *text);

/* The tunnel works from now on, or no longer: answers those who wait, tells the parent. */
void control_set_works(struct control *c, bool works);

/* Has the engine say again what it knows, and begin all control messages anew. */
void control_greet_engine(struct control *c);

/* False: our configuration says nothing of this peer; the engine may have another one still, or
 * already. */
bool control_knows(const struct control *c, const struct known_peer *peer);

/* A control message of this peer could not be understood: counts it, logs some. */
void control_malformed(struct control *c, const struct known_peer *peer, const char *what);

/* What the two others may say, and what becomes of the links to them. */
void control_parent_init(struct control *c);
void control_engine_init(struct control *c);

/* Who a peer is, for people: "alice@example.com/laptop", "edge", or the start of its key. */
const char *control_peer_name(const struct control *c, const uint8_t key[KEY_SIZE],
			      char buf[PEER_NAME_MAX]);

#endif
