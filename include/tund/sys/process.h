/* SPDX-License-Identifier: ISC */
/* Child processes: fork and exec with nothing inherited but what is named. */
#ifndef TUND_SYS_PROCESS_H
#define TUND_SYS_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

#define PROCESS_FDS_MAX 16

/* Descriptor `from` of ours is number `to` in the child; 0 <= to < PROCESS_FD_TOP. */
struct process_fd {
	int from, to;
};

#define PROCESS_FD_TOP 64

struct process_plan {
	const char *path;         /* absolute */
	const char *const *argv;  /* NULL-terminated, argv[0] included */
	const char *const *envp;  /* NULL-terminated; NULL: empty */
	const struct process_fd *fd;
	size_t fd_count;          /* at most PROCESS_FDS_MAX */
};

struct process {
	pid_t pid;
	int pidfd; /* readable when it has ended; owned, closed by process_reap() */
};

/*
 * Starts a child: the descriptors of the plan, every other one closed; where the plan does not say
 * otherwise, standard input is /dev/null, output and error are ours. Signal mask and handlers as
 * at login; killed when we die.
 * -EINVAL: the plan. -ENOENT, -EACCES ...: the program could not be executed (nothing was
 * started then). -errno.
 */
int process_spawn(const struct process_plan *plan, struct process *out);

/* -ESRCH: it has ended. */
int process_signal(const struct process *p, int signal);

enum process_end {
	PROCESS_EXITED, /* code: exit status */
	PROCESS_KILLED, /* code: signal */
};

/* Collects a child that has ended and closes its pidfd. 0; -EAGAIN: it runs; -errno. */
int process_reap(struct process *p, enum process_end *end, int *code);

/* As process_reap(), but waits up to `timeout_ms` (-1: for ever) for the end. -ETIMEDOUT. */
int process_wait(struct process *p, int timeout_ms, enum process_end *end, int *code);

#endif
