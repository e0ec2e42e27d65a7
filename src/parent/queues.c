/* SPDX-License-Identifier: ISC */
/* Queues of the TUN and sockets of the UDP port, one for each worker. */
#include "queues.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <tund/ipc/parent.h>
#include <tund/sys/hook.h>
#include <tund/sys/udp.h>

#include "child.h"

#define WORKERS_DEFAULT_MAX 8

/* A TSO packet of this many bytes, sealed, is one train of datagrams or little more. */
#define GSO_MAX 60000
#define QUEUE_PACKETS 1000 /* as an Ethernet device has */

_Static_assert(CONFIG_WORKERS_MAX <= TUN_QUEUES_MAX && CONFIG_WORKERS_MAX <= UDP_SHARED_MAX,
	       "each worker has one of each");

static uint32_t processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : (uint32_t)n;
}

void queues_init(struct queues *q, uint32_t workers)
{
	*q = (struct queues){.workers = workers};
	if (workers == 0) {
		q->workers = processors();
		if (q->workers > WORKERS_DEFAULT_MAX)
			q->workers = WORKERS_DEFAULT_MAX;
	}
}

int queues_open_tun(struct queues *q, const char *name, uid_t owner, char why[WHY_MAX])
{
	struct tun_options options = {
		.owner = owner, .queues = q->workers, .vnet_hdr = !hook_without("vnet_hdr")};
	int err = tun_open(&tun_kernel, name, &options, &q->features, q->tun, why);

	if (err == 0)
		q->tun_count = q->workers;
	return err;
}

void queues_tune_tun(struct netlink *nl, uint32_t ifindex)
{
	netlink_link_set_gso_max(nl, ifindex, GSO_MAX);
	netlink_link_set_queue(nl, ifindex, QUEUE_PACKETS);
}

int queues_open_udp(struct queues *q, uint16_t port, const struct socket_options *options,
		    char why[WHY_MAX])
{
	int fds[CONFIG_WORKERS_MAX];
	int err = udp_open_bound(port, q->workers, options, fds, why);

	if (err < 0)
		return err;
	queues_close_udp(q);
	memcpy(q->udp, fds, q->workers * sizeof *fds);
	q->udp_count = q->workers;
	return 0;
}

int queues_set_mark(const struct queues *q, uint32_t mark)
{
	int err = q->udp_count > 0 ? 0 : -ENOTCONN;

	for (uint32_t i = 0; i < q->udp_count && err == 0; i++)
		err = socket_set_mark(q->udp[i], mark);
	return err;
}

void queues_hand_tun(const struct queues *q, struct child *engine, const char *name, uint32_t mtu)
{
	struct parent_tun body = {.mtu = mtu,
				  .count = q->tun_count,
				  .vnet_hdr = q->features.vnet_hdr,
				  .uso = q->features.uso};

	strncpy(body.name, name, sizeof body.name - 1);
	for (uint32_t i = 0; i < q->tun_count; i++) {
		body.index = i;
		child_send(engine, PARENT_TUN, &body, sizeof body, q->tun[i]);
	}
}

void queues_hand_udp(const struct queues *q, struct child *engine, uint32_t first)
{
	struct parent_udp body = {.count = q->udp_count};

	for (uint32_t i = first; i < q->udp_count; i++) {
		body.index = i;
		child_send(engine, PARENT_UDP, &body, sizeof body, q->udp[i]);
	}
}

static void close_all(const int *fds, uint32_t *count)
{
	while (*count > 0)
		close(fds[--*count]);
}

void queues_close_tun(struct queues *q)
{
	close_all(q->tun, &q->tun_count);
}

void queues_close_udp(struct queues *q)
{
	close_all(q->udp, &q->udp_count);
}
