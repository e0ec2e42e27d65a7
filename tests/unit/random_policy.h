/* SPDX-License-Identifier: ISC */
/* A valid spec drawn from bytes, small enough that its prefixes, names and ports collide often;
 * and questions to it. For the comparison with the oracle, in the tests and in the fuzzer. */
#ifndef TUND_TESTS_UNIT_RANDOM_POLICY_H
#define TUND_TESTS_UNIT_RANDOM_POLICY_H

#include <tund/policy/policy.h>
#include <tund/policy/registry_plan.h>

/* A source of small numbers; zeros when the bytes are used up. */
struct draw {
	const uint8_t *bytes;
	size_t len;
};

unsigned draw_below(struct draw *d, unsigned n);

struct policy_spec *random_spec(struct draw *d);

/* An address near the prefixes and devices of random_spec(). */
struct ip_addr random_near(struct draw *d);

/* The key of one of its devices, mostly. */
void random_key(struct draw *d, uint8_t key[KEY_SIZE]);

/* Asks the compiled rules with the registry's devices, and the oracle about `spec`, the same; NULL if they agree, else what they disagree on. */
const char *compare_with_oracle(struct draw *d, const struct policy_spec *spec,
				const struct policy *policy, const struct registry *registry);

#endif
