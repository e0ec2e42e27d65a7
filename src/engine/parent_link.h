/* SPDX-License-Identifier: ISC */
/* The engine's end of the channel to its parent. */
#ifndef TUND_ENGINE_PARENT_LINK_H
#define TUND_ENGINE_PARENT_LINK_H

#include <tund/ipc/parent.h>
#include <tund/link/link_ev.h>

struct engine;

struct parent_link {
	struct link_ev on_loop;
	uint32_t last_id; /* of requests */
	int error;        /* why the engine ends: -errno; 0: it does not */
};

/*
 * Opens the channel `fd` and handles the start-up messages until PARENT_GO, blocking; from then on
 * messages are handled in the loop. -EPIPE: the parent is gone; -EBADMSG: something it must not
 * say; -errno of what it asked for.
 */
int parent_link_start(struct engine *engine, int fd);

/* Asks for an outer socket; the answer goes to uplink_opened(). The request's id; 0: it could not be
 * sent, here and below. */
uint32_t parent_link_ask_socket(struct engine *engine, enum socket_kind kind,
				const struct endpoint *remote);

/* Asks for what struct request_listen says; the answer goes to the role. */
uint32_t parent_link_ask_listen(struct engine *engine, enum parent_request kind,
				const struct request_listen *wanted);

/* Asks for the number of an interface; as above. */
uint32_t parent_link_ask_zone(struct engine *engine, const char *name);

/* Says that the UAPI is served. */
void parent_link_ready(struct engine *engine);

/* Asks to keep this across restarts. */
void parent_link_store(struct engine *engine, const uint8_t tai64n[TAI64N_SIZE]);

/* Control was cut off: the parent starts it again. */
void parent_link_ask_control(struct engine *engine);

#endif
