/* SPDX-License-Identifier: ISC */
/* What one data worker counts of its packets, by reason. */
#ifndef TUND_ENGINE_COUNTERS_H
#define TUND_ENGINE_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include <tund/policy/reason.h>

struct counters {
	_Atomic uint64_t count[REASON_COUNT]; /* written by one thread only */
};

static inline void counters_add(struct counters *counters, enum reason reason)
{
	/* Nobody else writes it: no locked instruction is needed. */
	uint64_t n = atomic_load_explicit(&counters->count[reason], memory_order_relaxed);

	atomic_store_explicit(&counters->count[reason], n + 1, memory_order_relaxed);
}

/* Any thread. */
static inline uint64_t counters_get(const struct counters *counters, enum reason reason)
{
	return atomic_load_explicit(&counters->count[reason], memory_order_relaxed);
}

#endif
