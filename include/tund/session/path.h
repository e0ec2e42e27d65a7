/* SPDX-License-Identifier: ISC */
/* A path: transport, local and remote address of a peer (vocabulary: its current endpoint). */
#ifndef TUND_SESSION_PATH_H
#define TUND_SESSION_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/base/addr.h>

#define PATH_TRANSPORTS_MAX 32

struct path {
	uint8_t transport;      /* which one carries it, as the owner of the sockets numbers them */
	uint32_t socket;        /* handle of a socket or connection, unique among all transports */
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
