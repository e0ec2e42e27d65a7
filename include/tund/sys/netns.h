/* SPDX-License-Identifier: ISC */
/* Network namespaces: where this process is, and a look into another one. One thread. */
#ifndef TUND_SYS_NETNS_H
#define TUND_SYS_NETNS_H

#include <stdbool.h>

/* The namespace that this thread is in, as a descriptor. -errno. */
int netns_current(int *fd);

/* Makes it this thread's namespace: sockets that are opened from now on are in it. -EPERM; -errno. */
int netns_enter(int fd);

/* Whether two descriptors are of the same one. */
bool netns_equal(int a, int b);

#endif
