/* SPDX-License-Identifier: ISC */
/*
 * The compiled rules: which route leads where, and what its rules say. Of devices they know
 * numbers only, of principals and groups, which the registry gives and keeps. Immutable: a change
 * compiles new ones, published as a snapshot. Everything but policy_new() and policy_free() may be
 * called from any thread.
 */
#ifndef TUND_POLICY_POLICY_H
#define TUND_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/policy/model.h>
#include <tund/policy/reason.h>
#include <tund/policy/registry.h>

struct policy;

/*
 * Compiles the routes of a validated spec, which the policy owns from then on (on error the caller
 * still does). Devices that are in groups which no rule has named before have to be prepared again
 * (registry_plan()) before it is published. `generation` is that of `previous` (NULL: 0) plus 1, or
 * the same if no verdict can differ: then routes have the same numbers, too. -EINVAL: not validated.
 * -ENOMEM. The registry's owner.
 */
int policy_new(struct policy_spec *spec, struct registry *registry, const struct policy *previous,
	       struct policy **out);
void policy_free(struct policy *policy);

uint32_t policy_generation(const struct policy *policy);
const struct policy_spec *policy_spec(const struct policy *policy);

/* Whether it was compiled from such routes, down to the names and places that answers quote. */
bool policy_is_of(const struct policy *policy, const struct policy_spec *spec);

/*
 * Whether a packet from `device` may have this source. A device owns its own addresses; a
 * connector's device owns an address that no device holds and that is not this host's, exactly
 * if the longest-prefix route of that address lists the connector in `via`.
 */
bool policy_owns(const struct policy *policy, const struct registry *registry,
		 const struct registry_device *device, const struct ip_addr *src);

/* Number of the longest-prefix route (index into spec->routes), or LPM_NONE (UINT32_MAX); that of
 * an address of this host, too. */
uint32_t policy_route_of(const struct policy *policy, uint32_t zone, const struct ip_addr *a);

/* Number of the route with exactly this prefix, or LPM_NONE. */
uint32_t policy_route_at(const struct policy *policy, uint32_t zone,
			 const struct ip_prefix *prefix);

/* Where a principal, by its number, stands in the `via` of a route: 0 is the best; UINT32_MAX: not
 * there. */
uint32_t policy_route_rank(const struct policy *policy, uint32_t route, uint32_t principal);

/* What is asked: may this device start a flow to there? */
struct policy_query {
	const struct registry_device *device; /* NULL: one that is not known */
	struct ip_addr dst;
	uint8_t proto;     /* IP protocol number */
	uint16_t dst_port; /* TCP and UDP, else 0 */
};

struct judgement {
	enum policy_action action;
	enum reason reason;           /* ACCEPTED, NO_ROUTE, DENIED, NO_RULE, UNKNOWN_DEVICE */
	uint32_t route;               /* number of the route, UINT32_MAX: none */
	uint32_t holder;              /* the device that holds dst; DEVICE_NONE: the route */
	const struct spec_rule *rule; /* that decided; NULL: none matched. Borrowed */
	struct spec_place place;      /* of the rule, else of the route, else no file. Borrowed */
};

/*
 * The judgement, for packets and for `policy explain` alike: the route by longest prefix, in it
 * the first rule that matches. No matching rule, no route, and a destination that only another
 * kind of route could reach, are rejected.
 */
void policy_judge(const struct policy *policy, const struct registry *registry,
		  const struct policy_query *query, struct judgement *out);

#endif
