/* SPDX-License-Identifier: ISC */
/* What the engine asks of its parent; what the parent says is from_parent.h's. */
#ifndef TUND_ENGINE_PARENT_LINK_H
#define TUND_ENGINE_PARENT_LINK_H

#include <tund/ipc/parent.h>
#include <tund/link/link_ev.h>

struct parent_link {
	struct link_ev on_loop;
	uint32_t last_id; /* of requests */
	int error;        /* why the engine ends: -errno; 0: it does not */
};

/* Asks for an outer socket; the answer goes to uplink_opened(). The request's id; 0: it could not be
 * sent, here and below. */
uint32_t parent_link_ask_socket(struct parent_link *parent, enum socket_kind kind,
				const struct endpoint *remote);

/* Asks for what struct request_listen says; the answer goes to the role. */
uint32_t parent_link_ask_listen(struct parent_link *parent, enum parent_request kind,
				const struct request_listen *wanted);

/* Asks for the number of an interface; as above. */
uint32_t parent_link_ask_zone(struct parent_link *parent, const char *name);

/* Answers a configuration of this generation: 0, or why it cannot be taken: -errno, and in words, ""
 * where there is no more to say. */
void parent_link_prepared(struct parent_link *parent, uint32_t generation, int error,
			  const char *why);

/* Says that the UAPI is served. */
void parent_link_ready(struct parent_link *parent);

/* Asks to keep this across restarts. */
void parent_link_store(struct parent_link *parent, const uint8_t tai64n[TAI64N_SIZE]);

/* Control was cut off: the parent starts it again. */
void parent_link_ask_control(struct parent_link *parent);

#endif
