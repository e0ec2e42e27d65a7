/* SPDX-License-Identifier: ISC */
/* The processors of this process: those of its first thread, which is bound to none of them. */
#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include <tund/sys/cpu.h>

unsigned cpu_count(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(getpid(), sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : (unsigned)n;
}

int cpu_bind(unsigned share, unsigned shares)
{
	cpu_set_t all, some;

	if (sched_getaffinity(getpid(), sizeof all, &all) < 0)
		return -errno;
	CPU_ZERO(&some);
	for (unsigned cpu = share; cpu < CPU_SETSIZE; cpu += shares) {
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &some);
	}
	if (CPU_COUNT(&some) == 0)
		return -ENODEV;
	return sched_setaffinity(0, sizeof some, &some) < 0 ? -errno : 0;
}
