/* SPDX-License-Identifier: ISC */
/* The start of a tunnel on its host, and its end. */
#include "system.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tund/parent/undo.h>
#include <tund/sys/file.h>
#include <tund/sys/log.h>
#include <tund/sys/tcp.h>
#include <tund/sys/udp.h>
#include <tund/sys/unixsock.h>

static const char *no_space(int err)
{
	return err == -ENOSPC || err == -EDQUOT ? "; make room there" : "";
}

enum exit_code system_open(struct system *system, const struct tunnel *tunnel)
{
	int err;

	*system = (struct system){.tunnel = tunnel, .tcp = -1, .command = -1, .uapi = {.fd = -1}};
	err = journal_create(tunnel->journal, &system->journal);
	if (err) {
		log_error("cannot write %s: %s%s", tunnel->journal, strerror(-err), no_space(err));
		return EXIT_SYSTEM;
	}
	err = netlink_open(&system->nl);
	if (!err)
		err = netlink_monitor_open(&system->monitor);
	if (err) {
		log_error("cannot talk to the kernel's network (netlink): %s", strerror(-err));
		return EXIT_SYSTEM;
	}
	return EXIT_DONE;
}

static int set_up_link(struct system *system, const struct config *config)
{
	int err = netlink_link_get(system->nl, config->interface, &system->link);

	if (err)
		return err;
	system->ifindex = system->link.index;
	/* No link-local address and no router of its own: there are only addresses we set. Not
	 * journalled, for they go with the interface. */
	sysctl_set(SYSCTL_IP6_ADDR_GEN_MODE, config->interface, 1);
	sysctl_set(SYSCTL_IP6_ACCEPT_RA, config->interface, 0);
	queues_tune_tun(system->nl, system->ifindex);
	err = netlink_link_set_mtu(system->nl, system->ifindex, config->mtu);
	if (!err)
		err = netlink_link_set_up(system->nl, system->ifindex, true);
	return err ? err : netlink_link_get(system->nl, config->interface, &system->link);
}

enum exit_code system_create_tun(struct system *system, const struct config *config, uid_t owner)
{
	struct change change = {.kind = CHANGE_INTERFACE};
	char why[WHY_MAX];
	int err;

	/* Asked before the journal has it: an undo must not wait for another's interface. */
	if (netlink_link_get(system->nl, config->interface, &system->link) == 0) {
		log_error("interface %s exists already; give this tunnel another name by "
			  "`interface = ...` in %s, or remove the other one",
			  config->interface, system->tunnel->conf);
		return EXIT_SYSTEM;
	}
	memcpy(change.interface, config->interface, sizeof change.interface);
	err = journal_add(system->journal, &change);
	if (err) {
		log_error("cannot write %s: %s%s", system->tunnel->journal, strerror(-err),
			  no_space(err));
		return EXIT_SYSTEM;
	}
	if (queues_open_tun(&system->queues, config->interface, owner, why)) {
		log_error("%s", why);
		return EXIT_SYSTEM;
	}
	err = set_up_link(system, config);
	if (err) {
		log_error("cannot set up interface %s (MTU %u): %s", config->interface, config->mtu,
			  strerror(-err));
		return EXIT_SYSTEM;
	}
	return EXIT_DONE;
}

static enum exit_code port_failed(const struct config *config, const char *protocol, int err,
				  const char *why)
{
	if (err == -EADDRINUSE) {
		log_error("%s port %u is in use by another program: see `ss -%clnp 'sport = :%u'`; "
			  "stop that, or set another port by `listen`",
			  protocol, config->listen_port, protocol[0] == 'T' ? 't' : 'u',
			  config->listen_port);
		return EXIT_AGAIN;
	}
	log_error("%s", why);
	return EXIT_SYSTEM;
}

enum exit_code system_listen(struct system *system, const struct config *config)
{
	struct socket_options options = {.buffer_bytes = HOST_SOCKET_BUFFER};
	char why[WHY_MAX];
	int err = queues_open_udp(&system->queues, config->listen_port, &options, why);

	if (err)
		return port_failed(config, "UDP", err, why);
	options.buffer_bytes = 0;
	err = tcp_listen(config->listen_port, &options, &system->tcp, why);
	if (err) {
		system->tcp = -1;
		return port_failed(config, "TCP", err, why);
	}
	return EXIT_DONE;
}

enum exit_code system_listen_command(struct system *system)
{
	int err = unixsock_listen(system->tunnel->sock, 0600, &system->command);

	if (err) {
		system->command = -1;
		log_error("cannot listen on %s: %s%s", system->tunnel->sock, strerror(-err),
			  no_space(err));
		return EXIT_SYSTEM;
	}
	return EXIT_DONE;
}

void system_listen_uapi(struct system *system, const struct config *config)
{
	const char *name = config->role == ROLE_EDGE ? system->tunnel->name : config->interface;
	int err = wgsock_listen(name, 0, &system->uapi);

	if (err == 0)
		return;
	log_warning("`wg show %s` will not show this tunnel: cannot listen on %s/%s.sock: %s", name,
		    WGSOCK_DIR, name, strerror(-err));
}

int system_open_socket(struct system *system, const struct config *config,
		       const struct request_socket *request, int *fd, char *text, size_t size)
{
	struct socket_options options = {.mark = config->fwmark};
	char why[WHY_MAX] = "";
	int err;

	if (request->kind == SOCKET_UDP) {
		options.buffer_bytes = HOST_SOCKET_BUFFER;
		err = udp_open_connected(&request->remote, &options, fd, why);
	} else {
		err = tcp_connect(&request->remote, &options, fd, why);
	}
	if (err) {
		snprintf(text, size, "%s", why);
		return err;
	}
	system->edge[system->edge_count++ % HOST_EDGES_MAX] = request->remote;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void system_close(struct system *system)
{
	wgsock_remove(&system->uapi);
	close_fd(&system->command);
	queues_close_udp(&system->queues);
	close_fd(&system->tcp);
	queues_close_tun(&system->queues);
	if (system->nl && system->journal)
		undo_changes(system->nl, system->journal);
	netlink_monitor_close(system->monitor);
	netlink_close(system->nl);
	journal_close(system->journal);
	undo_files(system->tunnel);
	system->monitor = NULL;
	system->nl = NULL;
	system->journal = NULL;
}
