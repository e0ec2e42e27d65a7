/* SPDX-License-Identifier: ISC */
/* Names of reasons. */
#include <tund/policy/reason.h>

static const struct {
	const char *name, *text;
} table[REASON_INNER] = {
	[REASON_ACCEPTED] = {"accepted", "accepted by a rule"},
	[REASON_NO_ROUTE] = {"no_route", "no route leads to the destination"},
	[REASON_DENIED] = {"denied", "a rule refuses it"},
	[REASON_NO_RULE] = {"no_rule", "no rule of the route matched"},
	[REASON_NO_CONNECTOR] = {"no_connector", "accepted, but no connector of the route is up"},
	[REASON_UNKNOWN_DEVICE] = {"unknown_device", "the device is not in the policy"},
	[REASON_SOURCE_SPECIAL] = {"source_special", "the source is no host's address"},
	[REASON_SOURCE_NOT_OWNED] = {"source_not_owned", "the source is not the sender's"},
	[REASON_DESTINATION_SPECIAL] = {"destination_special",
					"the destination is no host's address"},
	[REASON_NO_FLOW] = {"no_flow", "an answer to no flow"},
	[REASON_WRONG_NEXT_HOP] = {"wrong_next_hop",
				   "an answer from another connector than the flow's"},
	[REASON_ICMP_TYPE] = {"icmp_type", "an ICMP message that is not forwarded"},
	[REASON_ICMP_QUOTE] = {"icmp_quote", "an ICMP error whose quote cannot be read"},
	[REASON_ICMP_NO_FLOW] = {"icmp_no_flow", "an ICMP error that quotes no flow of its sender"},
	[REASON_FRAGMENT_OVERLAP] = {"fragment_overlap", "fragments overlap"},
	[REASON_FRAGMENT_DENIED] = {"fragment_denied", "its first fragment was refused"},
	[REASON_FRAGMENT_TOO_MANY] = {"fragment_too_many", "more fragments than are tracked"},
	[REASON_FRAGMENT_TOO_BIG] = {"fragment_too_big", "a fragment too large to be held"},
	[REASON_FRAGMENT_EXPIRED] = {"fragment_expired", "the first fragment never came"},
	[REASON_FRAGMENT_EVICTED] = {"fragment_evicted", "pushed out by newer fragments"},
	[REASON_TTL_EXCEEDED] = {"ttl_exceeded", "on its last hop"},
	[REASON_TOO_BIG] = {"too_big", "larger than the way to the next hop"},
	[REASON_BAD_FRAME] = {"bad_frame", "a TSO packet in a frame that is not what it says"},
	[REASON_BAD_OFFLOAD] = {"bad_offload",
				"segments or a checksum asked for that do not fit it"},
	[REASON_NOT_SEALED] = {"not_sealed", "its session ended or moved while it was encrypted"},
};

const char *reason_name(enum reason reason)
{
	if (reason < REASON_INNER)
		return table[reason].name;
	return inner_error_name((enum inner_error)(reason - REASON_INNER));
}

const char *reason_text(enum reason reason)
{
	return reason < REASON_INNER ? table[reason].text : "a malformed or forbidden packet";
}
