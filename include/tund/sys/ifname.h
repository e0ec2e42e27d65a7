/* SPDX-License-Identifier: ISC */
/* Which interface names we let into paths, nft scripts and messages. */
#ifndef TUND_SYS_IFNAME_H
#define TUND_SYS_IFNAME_H

#include <stdbool.h>

#define IFNAME_SIZE 16 /* IFNAMSIZ, with the NUL */

/* 1..15 of [A-Za-z0-9_.-], starting with a letter, a digit or '_', and not the name of a special
 * directory in /proc/sys/net ("all", "default"). */
bool ifname_valid(const char *name);

#endif
