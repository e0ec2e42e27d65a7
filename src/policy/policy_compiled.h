/* SPDX-License-Identifier: ISC */
/* The inside of a policy: names turned into numbers. Private to the policy layer. */
#ifndef TUND_POLICY_POLICY_COMPILED_H
#define TUND_POLICY_POLICY_COMPILED_H

#include <tund/policy/lpm.h>
#include <tund/policy/policy.h>

#include "model_index.h"

/* As a route's number: an address of this host, which is nobody's. */
#define ROUTE_SELF (LPM_NONE - 1)

/*
 * A route's rules lie one behind the other, two in a cache line, each with all that its match needs
 * in the usual case of one range of ports and one group or principal: of a new flow, the memory
 * that is waited for here is most of what its verdict costs.
 */
struct compiled_rule {
	const struct spec_rule *rule;
	uint32_t *from;      /* bits of groups, then numbers of principals */
	uint32_t first_from; /* from[0], if there is one */
	uint16_t from_count, group_count;
	uint16_t proto;                 /* as in the spec */
	uint16_t first_port, last_port; /* every range of the rule lies within */
	bool one_range;                 /* and they are all of it */
	uint8_t action;                 /* enum policy_action */
};

struct compiled_route {
	struct compiled_rule *rules; /* as many as the route of the spec has */
	size_t rule_count;
	uint32_t *via; /* numbers of principals */
	size_t via_count;
	bool to_devices; /* without `via`: it leads to the holders of its addresses */
};

/* In `from`, as a group: every user and service. */
#define GROUP_ANY UINT32_MAX

/* What a route is found by exactly. */
struct route_key {
	uint32_t zone;
	struct ip_prefix prefix;
};

struct policy {
	struct policy_spec *spec;
	uint32_t generation;
	struct compiled_route *compiled; /* as the routes in the spec */
	struct compiled_route *to_devices; /* of all devices, or NULL: it is by prefix */
	struct route_key *route_keys;
	struct index prefixes; /* of route_keys, to the route's number */
	struct lpm **routes;   /* by zone */
	uint32_t zone_count;
	struct arena arena;
};

/* Whether the routes of two specs, and this host's addresses, give the same verdicts; with
 * `quoted`, whether names and places are the same as well. */
bool policy_same_rules(const struct policy_spec *a, const struct policy_spec *b, bool quoted);

#endif
