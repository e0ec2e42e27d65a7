/* SPDX-License-Identifier: ISC */
/* The two clocks. */

#include <tund/sys/clock.h>

#include <time.h>

#include <tund/base/time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts); /* cannot fail for these two clocks on Linux */
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now_ns(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

int clock_timeout_ms(uint64_t due_ns, uint64_t now_ns)
{
	if (due_ns == TIME_NEVER)
		return -1;
	return due_ns <= now_ns ? 0 : (int)((due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

uint64_t clock_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}
