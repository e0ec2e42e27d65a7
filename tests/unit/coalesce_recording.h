/* SPDX-License-Identifier: ISC */
/* One coalescer at a time, and the recording of what it does, for its unit tests. */
#ifndef TUND_TESTS_UNIT_COALESCE_RECORDING_H
#define TUND_TESTS_UNIT_COALESCE_RECORDING_H

#include <tund/wire/coalesce.h>

#include "gso_order.h"

/* The recording. */
extern struct order order;

/* A new coalescer, whose output is recorded from here on. */
struct coalescer *recording_begin(enum coalesce_mode mode);

/* Everything came out, in so many writes. Frees the coalescer. */
void recording_end(struct coalescer *c, unsigned writes);

#endif
