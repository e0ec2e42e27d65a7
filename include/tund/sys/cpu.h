/* SPDX-License-Identifier: ISC */
/* Processors, and which of them a thread runs on. */
#ifndef TUND_SYS_CPU_H
#define TUND_SYS_CPU_H

/* How many processors this process may run on, at least 1. Any thread. */
unsigned cpu_count(void);

/*
 * Lets the calling thread, which is not the first one, run on those processors of the process
 * whose numbers are `share` modulo `shares` (at least 1): 0 of 1 is all of them. -ENODEV: there is
 * none, and the thread stays where it may be; -errno.
 */
int cpu_bind(unsigned share, unsigned shares);

#endif
