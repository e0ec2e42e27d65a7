/* SPDX-License-Identifier: ISC */
/*
 * What the parent changes on its host for one tunnel, and how it takes that back: the TUN, the
 * edge's sockets, the command socket, kernel parameters, our nft table, addresses and kernel routes.
 * Everything that would outlive the process is in the journal before it is done. The functions log
 * what went wrong, with the remedy.
 */
#ifndef TUND_PARENT_SYSTEM_H
#define TUND_PARENT_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/config/config.h>
#include <tund/ipc/command.h>
#include <tund/ipc/parent.h>
#include <tund/parent/tunnel.h>
#include <tund/sys/netlink.h>

#include "journal.h"
#include "queues.h"
#include "wgsock.h"

#define HOST_EDGES_MAX 8

/* Of a full tunnel: the table of the default route, and the two rules that lead there. */
#define HOST_FULL_TABLE 7416
#define HOST_FULL_PRIORITY 7416 /* and the next */

#define HOST_SOCKET_BUFFER (7 * 1024 * 1024) /* bytes; as wireguard-go has it */

struct system {
	const struct tunnel *tunnel; /* borrowed */
	struct journal *journal;
	struct netlink *nl;
	struct netlink_monitor *monitor;
	struct queues queues; /* of TUN and UDP port, kept for restarts */
	int tcp, command;     /* descriptors, kept as well; -1: none */
	struct wgsock uapi;   /* as well: for wg(8), to read */
	uint32_t ifindex;
	struct netlink_link link; /* as last seen */
	bool nft_loaded, full_rules;

	/* What control asked for last, and the addresses and routes of it that are applied. */
	struct network wanted, applied;
	uint8_t refused[NETWORK_ROUTES_MAX / 8];

	/* Where the engine's sockets went last; a ring. */
	struct endpoint edge[HOST_EDGES_MAX];
	size_t edge_count;
};

/* Creates /run/tund, the journal and the netlink sockets. All functions here with this return
 * type: EXIT_DONE, or the exit code after one message. */
enum exit_code system_open(struct system *system, const struct tunnel *tunnel);

/* Client, connector: creates the TUN `config->interface` and sets its MTU. */
enum exit_code system_create_tun(struct system *system, const struct config *config, uid_t owner);

/* Edge: UDP and TCP on the configured port. EXIT_AGAIN: the port is in use. */
enum exit_code system_listen(struct system *system, const struct config *config);

enum exit_code system_listen_command(struct system *system);

/* The socket for wg(8), under the interface's name (an edge: the tunnel's). Where another one has it,
 * that is said, and there is none. */
void system_listen_uapi(struct system *system, const struct config *config);

/* Connector: loads the nft table, then switches on forwarding for the interfaces concerned. */
enum exit_code system_forward(struct system *system, const struct config *config);

/* Loads our nft table with the addresses of now. -errno, with the reason logged. */
int system_load_nft(struct system *system, const struct config *config);

/* Whether system_forward() with this configuration could load its table: 0, or -errno with the text. */
int system_check_nft(const struct system *system, const struct config *config, char *text,
		     size_t size);

/* Sets a kernel parameter, journalled; nothing where it has the value or does not exist. -errno. */
int system_set_sysctl(struct system *system, enum sysctl_key key, const char *interface, int value);

/* Opens an outer socket that was verified. 0 with *fd, or -errno with the text. */
int system_open_socket(struct system *system, const struct config *config,
		       const struct request_socket *request, int *fd, char *text, size_t size);

/*
 * Applies the whole of a network: adds what is new, removes what is gone; fills `reply`
 * (error, text, refused). The reply's `id` is the caller's.
 */
void system_apply_network(struct system *system, const struct config *config,
			  const struct network *wanted, struct parent_reply *reply);

/* Takes everything back, in reverse order, and closes all; the files of the tunnel too. The
 * children must have ended. */
void system_close(struct system *system);

#endif
