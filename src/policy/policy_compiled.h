/* SPDX-License-Identifier: ISC */
/* The inside of a policy: names turned into numbers. Private to the policy layer. */
#ifndef TUND_POLICY_POLICY_COMPILED_H
#define TUND_POLICY_POLICY_COMPILED_H

#include <tund/policy/lpm.h>
#include <tund/policy/policy.h>

#include "model_index.h"

/* In `holders`: an address of this host, which is nobody's. */
#define HOLDER_SELF (DEVICE_NONE - 1)

struct compiled_device {
	const struct spec_device *device; /* NULL: a hole */
	uint32_t principal;
};

struct compiled_principal {
	uint32_t *groups;
	size_t group_count;
};

/*
 * A route's rules lie one behind the other, two in a cache line, each with all that its match needs
 * in the usual case of one range of ports and one group or principal: of a new flow, the memory
 * that is waited for here is most of what its verdict costs.
 */
struct compiled_rule {
	const struct spec_rule *rule;
	uint32_t *from;      /* numbers of groups, then of principals */
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
	uint32_t *devices; /* of the connectors in `via` */
	size_t device_count;
	bool to_devices; /* without `via`: it leads to the holders of its addresses */
};

/* In `from`, as a group: every user and service. */
#define GROUP_ANY UINT32_MAX

struct policy {
	struct policy_spec *spec;
	uint32_t generation;
	uint32_t device_limit;
	struct compiled_device *devices;       /* by device number */
	struct compiled_principal *principals; /* as in the spec */
	struct compiled_route *compiled;       /* as the routes in the spec */
	struct index keys;                     /* public key to device number */
	struct index prefixes;                 /* of routes, to the route's number */
	struct lpm *holders, *routes;
	struct arena arena;
};

#endif
