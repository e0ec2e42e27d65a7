/* SPDX-License-Identifier: ISC */
/* The latest request, and the time from which on it may be applied. */
#include "pace.h"

#include <stddef.h>

void pace_put(struct pace *pace, const struct request_network *request)
{
	pace->latest = *request;
	pace->is_waiting = true;
}

void pace_forget(struct pace *pace)
{
	pace->is_waiting = false;
}

uint64_t pace_due(const struct pace *pace)
{
	return pace->is_waiting ? pace->earliest_ns : TIME_NEVER;
}

const struct request_network *pace_take(struct pace *pace, uint64_t now_ns)
{
	if (!pace->is_waiting || now_ns < pace->earliest_ns)
		return NULL;
	pace->is_waiting = false;
	pace->earliest_ns = now_ns + PACE_NS;
	return &pace->latest;
}
