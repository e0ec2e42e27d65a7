/* SPDX-License-Identifier: ISC */
/*
 * What each of the engine's workers has one of: a queue of the TUN and a socket of the bound UDP
 * port. They are kept here, to be handed over again to an engine that was restarted.
 */
#ifndef TUND_PARENT_QUEUES_H
#define TUND_PARENT_QUEUES_H

#include <stdint.h>
#include <sys/types.h>

#include <tund/config/config.h>
#include <tund/sys/netlink.h>
#include <tund/sys/socket.h>
#include <tund/sys/tun.h>

struct child;

struct queues {
	uint32_t workers;               /* of the engine, 1..CONFIG_WORKERS_MAX */
	uint32_t tun_count, udp_count;  /* open ones: 0, or one for each worker */
	int tun[CONFIG_WORKERS_MAX], udp[CONFIG_WORKERS_MAX];
	struct tun_features features;   /* of the TUN */
};

/* `workers` 0: as many as there are processors for us, within reason. Nothing is open. */
void queues_init(struct queues *q, uint32_t workers);

/* Creates the TUN `name`, as tun_open(). */
int queues_open_tun(struct queues *q, const char *name, uid_t owner, char why[WHY_MAX]);

/* Sizes of its queues, as far as the kernel knows them. */
void queues_tune_tun(struct netlink *nl, uint32_t ifindex);

/* Binds the port, as udp_open_bound(), in the place of what was bound before. -errno: that stays. */
int queues_open_udp(struct queues *q, uint16_t port, const struct socket_options *options,
		    char why[WHY_MAX]);

/* Sets the mark of all UDP sockets. -ENOTCONN: there is none. -errno. */
int queues_set_mark(const struct queues *q, uint32_t mark);

/* Hands the TUN over, if there is one. */
void queues_hand_tun(const struct queues *q, struct child *engine, const char *name, uint32_t mtu);

/* Hands the UDP sockets over from number `first` on. */
void queues_hand_udp(const struct queues *q, struct child *engine, uint32_t first);

void queues_close_tun(struct queues *q);
void queues_close_udp(struct queues *q);

#endif
