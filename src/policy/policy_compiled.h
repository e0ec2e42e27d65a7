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

struct compiled_rule {
	const struct spec_rule *rule;
	bool any; /* from every user and service */
	uint32_t *groups, *principals;
	size_t group_count, principal_count;
};

struct compiled_route {
	struct compiled_rule *rules; /* as many as the route of the spec has */
	size_t rule_count;
	uint32_t *devices; /* of the connectors in `via` */
	size_t device_count;
};

struct policy {
	struct policy_spec *spec;
	uint32_t generation;
	uint32_t device_limit;
	struct compiled_device *devices;       /* by device number */
	struct compiled_principal *principals; /* as in the spec */
	struct compiled_route *compiled;       /* as the routes in the spec */
	struct index keys;                     /* public key to device number */
	struct lpm *holders, *routes;
	struct arena arena;
};

#endif
