/* SPDX-License-Identifier: ISC */
/*
 * "Why was I refused?": asks policy_judge(), the data path's own function, on behalf of a
 * principal, and says the answer in words. The engine uses it on the live policy, the loader on a
 * file that is not installed yet. Any thread
 * that may read both.
 */
#ifndef TUND_POLICY_EXPLAIN_H
#define TUND_POLICY_EXPLAIN_H

#include <tund/policy/policy.h>

struct explain_question {
	const char *principal; /* id, or id/device */
	struct ip_addr source; /* family 0: the device's first address of the destination's family */
	struct ip_addr dst;
	uint8_t proto;         /* IP protocol number */
	uint16_t port;         /* of TCP and UDP, else 0 */
};

struct explain_answer {
	bool accepted;
	struct judgement judgement;    /* borrows from the policy */
	const struct registry_device *device; /* that was taken; borrowed */
	struct ip_addr source;
	char text[900];                /* lines for people, each ended by a newline */
};

/*
 * 0, and `out` is written; -ENOENT: no such principal or device; -EADDRNOTAVAIL: none of its
 * devices has an address of the destination's family, or the source asked for is not theirs.
 */
int policy_explain(const struct policy *policy, const struct registry *registry,
		   const struct explain_question *question, struct explain_answer *out);

#endif
