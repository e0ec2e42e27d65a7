/* SPDX-License-Identifier: ISC */
/*
 * The number of an interface that a link-local endpoint names. The engine cannot look it up, for it
 * may open no socket; it asks the parent, one name at a time, and the line is offered again.
 */
#include "role_wireguard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int wg_zone_find(struct engine *engine, const char *name, uint32_t *number)
{
	struct wg_zone *zone = &((struct wireguard *)engine->state)->zone;

	if (zone->valid && strcmp(zone->name, name) == 0) {
		if (zone->number == 0)
			return -ENODEV;
		*number = zone->number;
		return 0;
	}
	if (zone->asked)
		return UAPI_BUSY;
	/* The answer may still be wanted by others: its name is replaced with it. */
	zone->asked = parent_link_ask_zone(&engine->parent, name);
	if (zone->asked)
		snprintf(zone->asked_name, sizeof zone->asked_name, "%s", name);
	return zone->asked ? UAPI_BUSY : -EIO;
}

bool wg_zone_answered(struct engine *engine, const struct parent_reply *reply)
{
	struct wg_zone *zone = &((struct wireguard *)engine->state)->zone;

	if (zone->asked == 0 || reply->id != zone->asked)
		return false;
	memcpy(zone->name, zone->asked_name, sizeof zone->name);
	zone->number = reply->error ? 0 : reply->number;
	zone->asked = 0;
	zone->valid = true;
	uapi_retry(&engine->uapi);
	zone->valid = false;
	return true;
}
