/* SPDX-License-Identifier: ISC */
/*
 * The journal /run/tund/NAME.state: every change to the system is written there before it is
 * made, so that whoever comes after a kill -9 can undo it. One change is one line of text. Kernel
 * routes and addresses are not in it: they are on our interface and vanish with it.
 */
#ifndef TUND_PARENT_JOURNAL_H
#define TUND_PARENT_JOURNAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <tund/sys/ifname.h>
#include <tund/sys/netlink.h>
#include <tund/sys/sysctl.h>

enum change_kind {
	CHANGE_CHILD,     /* a child process was started */
	CHANGE_INTERFACE, /* a TUN device was created */
	CHANGE_NFT,       /* our nft table for that interface was loaded */
	CHANGE_SYSCTL,    /* a kernel parameter was set */
	CHANGE_RULE,      /* a kernel rule was added */
};

struct change {
	enum change_kind kind;
	char interface[IFNAME_SIZE]; /* INTERFACE, NFT, SYSCTL ("" where the key takes none) */
	pid_t pid;                   /* CHILD */
	uint64_t started;            /* CHILD: field 22 of /proc/PID/stat: the pid is not another's */
	enum sysctl_key key;         /* SYSCTL */
	int before, after;           /* SYSCTL */
	struct fib_rule rule;        /* RULE */
};

#define CHANGE_LINE_MAX 160 /* bytes, newline and NUL included */
#define JOURNAL_CHANGES_MAX 1024

/* Writes the line, newline included. */
void change_format(const struct change *change, char line[CHANGE_LINE_MAX]);

/* Reads a line without its newline. -EINVAL: not exactly what change_format() writes. */
int change_parse(const char *line, struct change *out);

struct journal;

/* Creates an empty journal at `path` (mode 0600). -errno; freed by journal_close(). */
int journal_create(const char *path, struct journal **out);

/*
 * Reads one that was left behind. -ENOENT: there is none. A line that cannot be read (the last one
 * may be cut) is skipped and counted in *damaged.
 */
int journal_load(const char *path, struct journal **out, size_t *damaged);

/* Appends. The change may be made when this returned 0. -ENOSPC, -errno: it must not. */
int journal_add(struct journal *j, const struct change *change);

/* Drops the last change of this kind and with this pid (CHILD) or any (others): it was undone.
 * The file is written anew; if that fails it keeps the line, which is harmless. */
void journal_drop(struct journal *j, enum change_kind kind, pid_t pid);

size_t journal_count(const struct journal *j);
const struct change *journal_at(const struct journal *j, size_t i);

/* Frees; the file stays. NULL is allowed. */
void journal_close(struct journal *j);

#endif
