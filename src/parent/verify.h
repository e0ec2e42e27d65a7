/* SPDX-License-Identifier: ISC */
/*
 * What a child may ask of the parent, judged by the local configuration alone. Pure functions:
 * neither socket nor file; the caller hands in what it knows of the host.
 */
#ifndef TUND_PARENT_VERIFY_H
#define TUND_PARENT_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/addr.h>
#include <tund/config/config.h>
#include <tund/ipc/parent.h>

/* Why something was not done; VERDICT_OK is zero. */
enum verdict {
	VERDICT_OK = 0,
	VERDICT_MALFORMED,    /* not a value that a right child could send */
	VERDICT_ROLE,         /* not on this role */
	VERDICT_PORT,         /* not the configured port of the edge */
	VERDICT_TRANSPORT,    /* excluded by `transport` */
	VERDICT_SPECIAL,      /* loopback, multicast, link-local, ... */
	VERDICT_NOT_ACCEPTED, /* outside accept_routes */
	VERDICT_FULL_TUNNEL,  /* a default route without full_tunnel */
	VERDICT_CONNECTED,    /* inside a network that this host is connected to */
	VERDICT_COVERS_EDGE,  /* would send the tunnel's own packets into the tunnel */
	VERDICT_MTU,          /* outside NETWORK_MTU_MIN..NETWORK_MTU_MAX */
};

/* A clause for people: "it is outside accept_routes". */
const char *verdict_text(enum verdict v);

/* What a network request is bounded by. All borrowed. */
struct verify_bounds {
	const struct config *config;
	const struct ip_prefix *connected; /* of the host's other interfaces */
	size_t connected_count;
	const struct endpoint *edges;      /* where the sockets of the engine go now */
	size_t edge_count;
};

/* Whether the engine may have this socket. */
enum verdict verify_socket(const struct config *config, const struct request_socket *request);

/* Whether it is one, as a whole: counts, families, prefix lengths and spare bits, MTU. */
enum verdict verify_network(const struct verify_bounds *bounds, const struct network *network);

/* Whether this address may be set on the interface. */
enum verdict verify_address(const struct verify_bounds *bounds, const struct ip_addr *address);

/* Whether this route may be sent into the tunnel. */
enum verdict verify_route(const struct verify_bounds *bounds, const struct ip_prefix *route);

#endif
