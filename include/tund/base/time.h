/* SPDX-License-Identifier: ISC */
/*
 * Units of time. The core has no clock: every function that needs one takes `now_ns`,
 * nanoseconds of CLOCK_BOOTTIME (it counts suspend, so that key ages do) or of a virtual clock.
 */
#ifndef TUND_BASE_TIME_H
#define TUND_BASE_TIME_H

#include <stdint.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_SEC UINT64_C(1000000000)

/* "Never", as a deadline. */
#define TIME_NEVER UINT64_MAX

#endif
