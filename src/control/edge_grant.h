/* SPDX-License-Identifier: ISC */
/* Of what a connector announces, what the policy grants it. Sans-I/O. */
#ifndef TUND_CONTROL_EDGE_GRANT_H
#define TUND_CONTROL_EDGE_GRANT_H

#include <tund/policy/model.h>

#include "control_message.h"

/*
 * Where a granted route and an announced prefix overlap, the smaller of the two. Without
 * duplicates, at most NETWORK_ROUTES_MAX.
 */
void edge_grant(const struct policy_spec *spec, const char *connector,
		const struct control_message_routes *announced, struct control_message_routes *out);

#endif
