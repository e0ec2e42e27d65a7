/* SPDX-License-Identifier: ISC */
/* The TUN: what is set on it, and what others did to it. */
#include "parent_interface.h"

#include <errno.h>

#include <tund/sys/log.h>

/* What became of it. */
static void tell_engine(struct parent *parent, bool present)
{
	struct parent_interface body = {
		.present = present,
		.up = present && parent->system.link.up,
		.mtu = parent->system.link.mtu,
	};

	parent_send(parent, ENGINE, PARENT_INTERFACE, &body, sizeof body, -1);
}

void parent_reapply(struct parent *parent)
{
	struct parent_reply reply = {0};
	const struct network wanted = parent->system.wanted;

	if (parent->loaded.config->role == ROLE_CONNECTOR)
		system_forward(&parent->system, parent->loaded.config);
	if (wanted.mtu)
		system_apply_network(&parent->system, parent->loaded.config, &wanted, &reply);
}

void parent_apply_network(struct parent *parent, uint64_t now_ns)
{
	const struct request_network *request = pace_take(&parent->pace, now_ns);
	uint32_t mtu = parent->system.link.mtu;
	struct parent_reply reply = {0};

	if (!request)
		return;
	reply.id = request->id;
	system_apply_network(&parent->system, parent->loaded.config, &request->network, &reply);
	parent_send(parent, CONTROL, PARENT_REPLY, &reply, sizeof reply, -1);
	if (parent->system.link.mtu != mtu)
		tell_engine(parent, true);
}

static void is_lost(struct parent *parent)
{
	log_error("interface %s was deleted by another program: stopping; start the tunnel again "
		  "with `tund up %s`",
		  parent->loaded.config->interface, parent->tunnel->name);
	tell_engine(parent, false);
	supervisor_stop(&parent->supervisor, EXIT_SYSTEM);
}

/* The kernel dropped routes and IPv6 addresses when the interface went down. */
static void is_back(struct parent *parent)
{
	parent->system.applied.route_count = 0;
	parent->system.applied.address_count = 0;
	parent_reapply(parent);
}

static void look(struct parent *parent)
{
	struct netlink_link link;
	bool was_up = parent->system.link.up;

	if (parent->supervisor.stopping)
		return;
	if (netlink_link_get(parent->system.nl, parent->loaded.config->interface, &link) ||
	    link.index != parent->system.ifindex) {
		is_lost(parent);
		return;
	}
	if (link.up == was_up && link.mtu == parent->system.link.mtu)
		return;
	parent->system.link = link;
	if (link.up && !was_up)
		is_back(parent);
	else if (!link.up && was_up)
		log_warning("interface %s was set down by another program; nothing passes until "
			    "`ip link set %s up`",
			    link.name, link.name);
	tell_engine(parent, true);
}

void parent_look_at_links(struct parent *parent)
{
	struct netlink_event event;
	bool ours = false;
	int n;

	while ((n = netlink_monitor_next(parent->system.monitor, &event)) != 0) {
		if (n == -ENOBUFS || (n > 0 && event.link.index == parent->system.ifindex))
			ours = true;
		else if (n < 0)
			break;
	}
	if (ours && parent->system.queues.tun_count > 0)
		look(parent);
}
