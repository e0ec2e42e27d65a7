/* SPDX-License-Identifier: ISC */
/* Undoing what a journal says, in reverse order: at an orderly end, and after a kill -9. */
#ifndef TUND_PARENT_UNDO_H
#define TUND_PARENT_UNDO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <tund/parent/tunnel.h>

struct journal;
struct netlink;

/* Clock ticks since boot at which a process was started (proc(5), field 22); 0: it is gone. */
uint64_t undo_process_started(pid_t pid);

/*
 * Undoes every change in `j` that is still as we left it; somebody else's value stays. What cannot
 * be undone is logged. The TUN itself goes with its last descriptor; the caller closes its own.
 */
void undo_changes(struct netlink *nl, const struct journal *j);

/*
 * Undoes what a parent of this tunnel that no longer lives left behind, its files included. To be
 * called with the lock held. True: there was something.
 */
bool undo_leftovers(const struct tunnel *tunnel);

/* Removes journal, command socket and lock file, and /run/tund when it is empty. */
void undo_files(const struct tunnel *tunnel);

#endif
