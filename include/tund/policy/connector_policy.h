/* SPDX-License-Identifier: ISC */
/*
 * The connector's own check. The edge tells it who holds which inner address; the connector's own
 * rules, if it has any for a route, are judged on that. It runs forward_judge() on the policy
 * built here: a packet from the edge is one from the holder of its source
 * (policy_device_by_address()), a packet from the tunnel's interface one from `self`. So it can only narrow
 * what the edge has already accepted.
 */
#ifndef TUND_POLICY_CONNECTOR_POLICY_H
#define TUND_POLICY_CONNECTOR_POLICY_H

#include <tund/policy/policy.h>

struct identity {
	struct ip_addr address;
	const char *principal; /* id */
	enum principal_kind kind;
	const char *const *groups;
	size_t group_count;
};

/*
 * Builds the policy of a connector from its own spec (scope POLICY_OF_CONNECTOR, only its routes
 * count; borrowed; `via` is ignored) and the holders of now. A route without a rule lets everybody
 * in. Whatever the connector's side sends to a holder is left to the edge. `previous` keeps the
 * device numbers. *self is the connector's own device. -EINVAL: a holder is special or occurs
 * twice. -ENOMEM.
 */
int connector_policy_new(const struct policy_spec *own, const struct identity *identities, size_t n,
			 const struct policy *previous, struct policy **out, uint32_t *self);

#endif
