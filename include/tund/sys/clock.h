/* SPDX-License-Identifier: ISC */
/* The two clocks. Only loops read them; everything below is given the time. Any thread. */
#ifndef TUND_SYS_CLOCK_H
#define TUND_SYS_CLOCK_H

#include <stdint.h>

/* Nanoseconds of CLOCK_BOOTTIME: it never jumps, and counts suspend, so that key ages do. */
uint64_t clock_now_ns(void);

/* For poll(2): milliseconds until `due_ns`, rounded up; 0: it is due; -1: TIME_NEVER. */
int clock_timeout_ms(uint64_t due_ns, uint64_t now_ns);

/* Nanoseconds since 1970 of CLOCK_REALTIME, for TAI64N and for people only. It may jump. */
uint64_t clock_wall_ns(void);

#endif
