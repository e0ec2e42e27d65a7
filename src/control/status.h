/* SPDX-License-Identifier: ISC */
/*
 * What is known of the tunnel at one moment, as plain data, and its two texts: for people, in the
 * manner of wg(8), and as JSON. status_collect.h fills it; here it is only rendered, so all of it
 * is what it was given: no clock, no message.
 */
#ifndef TUND_CONTROL_STATUS_H
#define TUND_CONTROL_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/addr.h>
#include <tund/config/config.h>
#include <tund/ipc/engine.h>

#include "control_message.h"
#include "device_index.h"

#define STATUS_SCHEMA 1
#define STATUS_DENIED_MAX 8 /* the last ones */

struct status_addresses {
	const struct ip_addr *item;
	size_t count;
};

struct status_prefixes {
	const struct ip_prefix *item;
	size_t count;
};

struct status_peer {
	const struct engine_peer *session;         /* as the engine told it */
	const struct device_index_entry *identity; /* edge: NULL: the configuration has none */
	struct status_addresses addresses;         /* edge: the identity's */
	uint16_t mtu;                              /* edge: as the peer said; 0: not said */
	bool has_announced;                        /* edge: a connector that said what it reaches */
	struct status_prefixes announced, granted;
};

/* What the edge refused to let through for this host. */
struct status_denied {
	struct control_message_denied what;
	uint64_t wall_ns;
};

struct status_drop {
	const char *name;
	uint64_t count; /* never 0 */
};

/* All of it is borrowed. */
struct status {
	uint64_t now_wall_ns;
	const char *tunnel, *interface; /* "": none */
	enum role role;
	bool works;
	uint64_t works_since_wall_ns;

	/* This host. Edge: what is configured; member: what is applied, and before has_network nothing
	 * of it. */
	bool has_network;
	struct status_addresses addresses;
	struct status_prefixes routes; /* member */
	uint32_t mtu;

	/* edge */
	uint16_t listen_port;
	struct status_prefixes pool;

	/* member */
	const char *edge_host; /* as configured, with its port */
	uint16_t edge_port;
	struct status_prefixes not_applied, announces;
	const char *problem; /* "": none */
	uint32_t denied_count;
	struct status_denied denied[STATUS_DENIED_MAX]; /* the newest first */

	const struct status_peer *peer;
	size_t peer_count;
	const struct status_drop *drop;
	size_t drop_count;
};

/* Writes the text; the caller frees *text. -ENOMEM. */
int status_text(const struct status *s, char **text, size_t *len);
int status_json(const struct status *s, char **text, size_t *len);

/* Who a peer is, for people: "edge", or as device_index_name(). Returns buf or a constant. */
const char *status_peer_name(const struct status *s, const struct status_peer *peer,
			     char buf[PEER_NAME_MAX]);

/* The local end of a path, as far as it is known. Returns buf. */
const char *status_local(const struct endpoint *local, char buf[ENDPOINT_STRLEN]);

#endif
