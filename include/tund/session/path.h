/* SPDX-License-Identifier: ISC */
/* A path: transport, local and remote address of a peer (vocabulary: its current endpoint). */
#ifndef TUND_SESSION_PATH_H
#define TUND_SESSION_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/base/addr.h>

enum transport {
	TRANSPORT_UDP,
	TRANSPORT_TCP,
};

/* As a configuration calls it. */
static inline const char *transport_word(enum transport transport)
{
	return transport == TRANSPORT_TCP ? "tcp" : "udp";
}

struct path {
	enum transport transport;
	uint32_t socket;        /* the engine's handle: which socket, or which TCP connection */
	struct endpoint local;  /* source address to use; family 0: the kernel's choice */
	struct endpoint remote;
};

/* Same transport, socket and addresses. */
static inline bool path_equal(const struct path *a, const struct path *b)
{
	return a->transport == b->transport && a->socket == b->socket &&
	       endpoint_equal(&a->local, &b->local) && endpoint_equal(&a->remote, &b->remote);
}

#endif
