/* SPDX-License-Identifier: ISC */
/*
 * A lock for a handful of instructions that needs no clean-up: what it guards is
 * touched for some nanoseconds, and never while waiting for anything. All zero means unlocked.
 * Any thread.
 */
#ifndef TUND_BASE_LOCK_H
#define TUND_BASE_LOCK_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#define LOCK_SPINS 100 /* after that its holder was probably interrupted */

struct lock {
	atomic_bool held;
};

static inline void lock_take(struct lock *lock)
{
	unsigned spins = 0;

	while (atomic_exchange_explicit(&lock->held, true, memory_order_acquire)) {
		while (atomic_load_explicit(&lock->held, memory_order_relaxed)) {
			if (++spins % LOCK_SPINS == 0)
				sched_yield();
		}
	}
}

static inline void lock_release(struct lock *lock)
{
	atomic_store_explicit(&lock->held, false, memory_order_release);
}

#endif
