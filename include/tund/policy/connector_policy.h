/* SPDX-License-Identifier: ISC */
/*
 * The connector's own check. The edge tells it who holds which inner address; the connector's own
 * rules, if it has any for a route, are judged on that. It runs forward_judge() on the rules and
 * with the devices that are made here: a packet from the edge is one from the holder of its source
 * (registry_by_address()), a packet from the tunnel's interface one from the connector itself. So it
 * can only narrow what the edge has already accepted.
 */
#ifndef TUND_POLICY_CONNECTOR_POLICY_H
#define TUND_POLICY_CONNECTOR_POLICY_H

#include <tund/policy/policy.h>
#include <tund/policy/registry_plan.h>

struct identity {
	struct ip_addr address;
	const char *principal; /* id */
	enum principal_kind kind;
	const char *const *groups;
	size_t group_count;
};

/*
 * Compiles the rules of a connector from its own spec (scope POLICY_OF_CONNECTOR, only its routes
 * count; borrowed; `via` is ignored). A route without a rule lets everybody in. Whatever the
 * connector's side sends to a holder is left to the edge. `previous` as in policy_new(). -EINVAL: not
 * validated. -ENOMEM. The registry's owner.
 */
int connector_policy_new(const struct policy_spec *own, struct registry *registry,
			 const struct policy *previous, struct policy **out);

/* What changes in the registry when these are the holders of now, and the connector itself. -EINVAL:
 * a holder is special or occurs twice. -ENOMEM. The registry's owner. */
int connector_policy_plan(struct registry *registry, const struct identity *identities, size_t n,
			  struct registry_plan *out);

/* The connector's own device; NULL before the first plan is committed. */
const struct registry_device *connector_policy_self(const struct registry *registry);

#endif
