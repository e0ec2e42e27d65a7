/* SPDX-License-Identifier: ISC */
/*
 * What tund-policy(5) says, read off the spec each time with plain loops and text comparisons:
 * nothing of the compiler, the tables or the selectors of layer policy.
 */
#ifndef TUND_TESTS_UNIT_POLICY_ORACLE_H
#define TUND_TESTS_UNIT_POLICY_ORACLE_H

#include <tund/policy/policy.h>

struct oracle_answer {
	enum policy_action action;
	enum reason reason;
	const struct spec_route *route; /* NULL: none */
	const struct spec_rule *rule;
};

/* A device by its key. Whether it may send from there, and what it may start. */
bool oracle_owns(const struct policy_spec *spec, const uint8_t key[KEY_SIZE],
		 const struct ip_addr *src);
struct oracle_answer oracle_judge(const struct policy_spec *spec, const uint8_t key[KEY_SIZE],
				  const struct ip_addr *dst, uint8_t proto, uint16_t port);

#endif
