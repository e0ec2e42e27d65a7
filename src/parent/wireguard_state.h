/* SPDX-License-Identifier: ISC */
/* What the parent of a WireGuard interface knows. */
#ifndef TUND_PARENT_WIREGUARD_STATE_H
#define TUND_PARENT_WIREGUARD_STATE_H

#include <stdint.h>

#include <tund/ipc/parent.h>
#include <tund/parent/wireguard.h>
#include <tund/sys/netlink.h>
#include <tund/sys/sandbox.h>

#include "queues.h"
#include "supervisor.h"
#include "wgsock.h"

struct wireguard {
	const struct wireguard_options *options;
	struct supervisor supervisor; /* the engine is its only child */
	struct sandbox_user user;

	struct wgsock sock;
	int sock_watch; /* -1: none */

	int birthplace;       /* network namespace in which we were started: UDP sockets are there */
	struct queues queues; /* of device and UDP port, to follow the one and mark the other */
	int netns;            /* where the device is; -1: in the birthplace */
	struct netlink *nl;   /* of that namespace, as the monitor */
	struct netlink_monitor *monitor;
	struct netlink_link link; /* the device as last seen */
	struct netlink_monitor *routes; /* of the birthplace */
	uint64_t routes_due_ns; /* when the engine is told of changes; TIME_NEVER: none */
	uint64_t routes_next_ns; /* not before */
};

/* Sends the engine a message, as child_send(). */
static inline void wireguard_send(struct wireguard *w, uint32_t kind, const void *body, size_t len,
				  int fd)
{
	child_send(&w->supervisor.child[0], kind, body, len, fd);
}

#endif
