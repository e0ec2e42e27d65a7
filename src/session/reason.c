/* SPDX-License-Identifier: ISC */
/* The names of the drop reasons. */
#include <tund/session/reason.h>

static const char *const names[] = {
	[SESSION_OK] = "ok",
	[SESSION_MALFORMED] = "malformed",
	[SESSION_BAD_MAC1] = "bad_mac1",
	[SESSION_QUEUE_FULL] = "queue_full",
	[SESSION_NEEDS_COOKIE] = "needs_cookie",
	[SESSION_RATE_LIMITED] = "rate_limited",
	[SESSION_BAD_HANDSHAKE] = "bad_handshake",
	[SESSION_UNKNOWN_PEER] = "unknown_peer",
	[SESSION_REPLAYED_INITIATION] = "replayed_initiation",
	[SESSION_UNKNOWN_INDEX] = "unknown_index",
	[SESSION_WRONG_SUITE] = "wrong_suite",
	[SESSION_EXPIRED_KEY] = "expired_key",
	[SESSION_BAD_TAG] = "bad_tag",
	[SESSION_REPLAYED_COUNTER] = "replayed_counter",
	[SESSION_BAD_COOKIE] = "bad_cookie",
	[SESSION_BAD_CONTROL] = "bad_control",
};

_Static_assert(sizeof names / sizeof *names == SESSION_REASON_COUNT, "a name for each reason");

const char *session_reason_name(enum session_reason reason)
{
	return names[reason];
}
