/* SPDX-License-Identifier: ISC */
/* A tunnel by its name: where its files are. */
#ifndef TUND_PARENT_TUNNEL_H
#define TUND_PARENT_TUNNEL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TUNNEL_NAME_MAX 32 /* bytes, without the NUL */

struct tunnel {
	char name[TUNNEL_NAME_MAX + 1];
	char conf[PATH_MAX];   /* /etc/tund/NAME.conf, or what the user gave */
	char policy[PATH_MAX]; /* beside it; need not exist */
	char journal[128];     /* /run/tund/NAME.state: what to undo (journal.h) */
	char sock[104];        /* /run/tund/NAME.sock: fits struct sockaddr_un */
	char lock[128];        /* /run/tund/NAME.lock: held while the parent lives */
	char store[128];       /* /var/lib/tund/NAME.state: outlives the tunnel */
};

/* 1 to TUNNEL_NAME_MAX letters, digits, '_' and '-', the first one no '-'. */
bool tunnel_name_is_valid(const char *name);

/*
 * Finds the tunnel that `arg` names: a name, a path (it has a '/') to a file that ends in .conf, or
 * NULL for the only configuration in /etc/tund. Opens no configuration. 0, or -EINVAL with one line
 * for people in why[size].
 */
int tunnel_find(const char *arg, struct tunnel *out, char *why, size_t size);

/* Makes its paths valid in every directory. -errno of getcwd(3); -ENAMETOOLONG. */
int tunnel_make_absolute(struct tunnel *tunnel);

/* Whether a parent holds its lock. */
bool tunnel_is_running(const struct tunnel *tunnel);

/* The parent's process id, as it wrote it into the lock file; 0: none. For a tunnel that is
 * running. */
pid_t tunnel_parent(const struct tunnel *tunnel);

#endif
