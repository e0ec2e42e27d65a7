/* SPDX-License-Identifier: ISC */
/* The TUN device of a WireGuard interface, wherever it is. */
#include "wireguard_device.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <tund/sys/log.h>
#include <tund/sys/netns.h>
#include <tund/sys/sysctl.h>
#include <tund/sys/tun.h>

#define DEFAULT_MTU 1420 /* as every WireGuard has it */

static enum exit_code failed(const char *what, int err)
{
	log_error("%s: %s", what, strerror(-err));
	return EXIT_SYSTEM;
}

static int open_monitors(struct wireguard *w)
{
	int err = netns_current(&w->birthplace);

	if (err == 0)
		err = netlink_open(&w->nl);
	if (err == 0)
		err = netlink_monitor_open(&w->monitor);
	return err == 0 ? netlink_monitor_open_routes(&w->routes) : err;
}

enum exit_code wireguard_device_create(struct wireguard *w)
{
	const char *name = w->options->interface;
	char why[WHY_MAX];
	int err = open_monitors(w);

	if (err < 0)
		return failed("cannot talk to the kernel's network (netlink)", err);
	if (queues_open_tun(&w->queues, name, w->user.uid, why) < 0) {
		log_error("%s", why);
		return EXIT_SYSTEM;
	}
	/* A WireGuard interface has the addresses that it is given, no other. */
	sysctl_set(SYSCTL_IP6_ADDR_GEN_MODE, name, 1);
	err = netlink_link_get(w->nl, name, &w->link);
	if (err == 0) {
		queues_tune_tun(w->nl, w->link.index);
		err = netlink_link_set_mtu(w->nl, w->link.index, DEFAULT_MTU);
	}
	if (err == 0)
		err = netlink_link_get(w->nl, name, &w->link);
	return err < 0 ? failed("cannot set up the interface", err) : EXIT_DONE;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void wireguard_device_close(struct wireguard *w)
{
	queues_close_udp(&w->queues);
	queues_close_tun(&w->queues);
	close_fd(&w->netns);
	close_fd(&w->birthplace);
	netlink_monitor_close(w->routes);
	netlink_monitor_close(w->monitor);
	netlink_close(w->nl);
}

void wireguard_device_tell(struct wireguard *w)
{
	struct parent_interface body = {.present = true, .up = w->link.up, .mtu = w->link.mtu};

	wireguard_send(w, PARENT_INTERFACE, &body, sizeof body, -1);
}

/* Netlink sockets stay in the namespace in which they were opened. */
static int watch_there(struct wireguard *w, int netns)
{
	struct netlink_monitor *monitor = NULL;
	struct netlink *nl = NULL;
	int err = netns_enter(netns);

	if (err < 0)
		return err;
	err = netlink_open(&nl);
	if (err == 0)
		err = netlink_monitor_open(&monitor);
	if (netns_enter(w->birthplace) < 0)
		_exit(EXIT_SYSTEM); /* in the wrong place nothing may be opened any more */
	if (err < 0) {
		netlink_close(nl);
		return err;
	}
	netlink_monitor_close(w->monitor);
	netlink_close(w->nl);
	w->nl = nl;
	w->monitor = monitor;
	return 0;
}

/* The device may have been moved: the monitor follows it. */
static int follow(struct wireguard *w)
{
	int netns, err = tun_netns(w->queues.tun[0], &netns);

	if (err < 0)
		return err;
	if (netns_equal(netns, w->netns >= 0 ? w->netns : w->birthplace)) {
		close(netns);
		return 0;
	}
	err = watch_there(w, netns);
	if (err < 0) {
		log_warning("the interface was moved to a network namespace that cannot be "
			    "watched (%s): up, down and MTU changes go unnoticed there",
			    strerror(-err));
		close(netns);
		return err;
	}
	close_fd(&w->netns);
	w->netns = netns;
	log_info("the interface was moved to another network namespace");
	return 0;
}

static bool is_deleted(const struct wireguard *w)
{
	char name[IFNAME_SIZE];

	return tun_name(w->queues.tun[0], name) < 0;
}

void wireguard_device_look(struct wireguard *w)
{
	struct netlink_link link;
	char name[IFNAME_SIZE];

	if (w->supervisor.stopping)
		return;
	if (is_deleted(w)) {
		log_info("the interface was deleted");
		supervisor_stop(&w->supervisor, EXIT_DONE);
		return;
	}
	if (follow(w) < 0 || tun_name(w->queues.tun[0], name) < 0 ||
	    netlink_link_get(w->nl, name, &link) < 0)
		return;
	if (link.up == w->link.up && link.mtu == w->link.mtu) {
		w->link = link;
		return;
	}
	w->link = link;
	wireguard_device_tell(w);
}
