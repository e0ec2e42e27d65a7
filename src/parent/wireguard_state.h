/* SPDX-License-Identifier: ISC */
/* What the wireguard*.c files know of each other, and nobody else. */
#ifndef TUND_PARENT_WIREGUARD_STATE_H
#define TUND_PARENT_WIREGUARD_STATE_H

#include <tund/ipc/parent.h>
#include <tund/parent/child.h>
#include <tund/parent/logger.h>
#include <tund/parent/queues.h>
#include <tund/parent/wgsock.h>
#include <tund/parent/wireguard.h>
#include <tund/sys/netlink.h>
#include <tund/sys/sandbox.h>

struct wireguard {
	const struct wireguard_options *options;
	int started_fd, signals; /* descriptors; -1: none */
	struct logger logger;
	struct sandbox_user user;
	struct child engine;
	bool stopping;
	uint64_t stop_deadline_ns;
	enum exit_code code;

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

	_Alignas(8) uint8_t message[]; /* CHANNEL_BODY_MAX bytes */
};

void wireguard_stop(struct wireguard *w, enum exit_code code);

/* Creates the device, down, and the monitors. */
enum exit_code wireguard_device_create(struct wireguard *w);
void wireguard_device_close(struct wireguard *w);
/* Something happened to a link here: tells the engine, or ends. */
void wireguard_device_look(struct wireguard *w);
void wireguard_device_tell(struct wireguard *w);

/* What the engine may ask for; the struct wireguard is its owner. */
extern const struct dispatch_table wireguard_requests;
/* The engine says that it serves the socket. */
void wireguard_ready(struct wireguard *w);

#endif
