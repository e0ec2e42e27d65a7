/* SPDX-License-Identifier: ISC */
/*
 * The policy, in two ways by the first byte. Even: the bytes draw a policy and questions to it,
 * answered by the compiled policy and by an oracle that reads the spec with plain loops. Odd: the
 * bytes are an encoded spec from another process; what decodes must encode to the same bytes, and
 * what validates must compile.
 */
#include <stdlib.h>
#include <string.h>

#include "../unit/random_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* Rules and devices of a valid spec. */
static struct policy *take(struct policy_spec *spec, struct registry *registry,
			   const struct policy *previous)
{
	struct registry_plan plan;
	struct policy *policy = NULL;

	expect(registry && policy_new(spec, registry, previous, &policy) == 0);
	expect(registry_plan(registry, spec, &plan) == 0);
	registry_plan_commit(registry, &plan);
	return policy;
}

static void ask(const uint8_t *data, size_t len)
{
	struct draw d = {data, len};
	struct policy_spec *spec = random_spec(&d);
	struct registry *registry = registry_new(NULL);
	struct policy_error error;
	struct policy *policy = NULL;

	expect(policy_spec_validate(spec, POLICY_OF_EDGE, &error) == 0);
	policy = take(spec, registry, NULL);
	do
		expect(compare_with_oracle(&d, spec, policy, registry) == NULL);
	while (d.len);
	policy_free(policy);
	registry_free(registry);
}

static void compile(struct policy_spec *spec)
{
	struct policy_error error;
	struct registry *registry;
	struct policy *policy, *next;
	struct policy_spec *copy;
	uint32_t version;
	size_t max = policy_spec_encoded_max(spec);
	uint8_t *bytes = malloc(max);
	struct writer w = writer_init(bytes, max);
	struct reader r;

	expect(bytes != NULL);
	policy_spec_encode(spec, true, &w);
	r = reader_init(bytes, w.len);
	expect(!w.failed && policy_spec_decode(&r, &copy) == 0);
	free(bytes);
	if (policy_spec_validate(spec, POLICY_OF_EDGE, &error) < 0) {
		policy_spec_free(spec);
		policy_spec_free(copy);
		return;
	}
	registry = registry_new(NULL);
	policy = take(spec, registry, NULL);
	version = registry_version(registry);
	next = take(copy, registry, policy); /* of the same, nothing changes */
	expect(registry_version(registry) == version);
	expect(policy_generation(next) == policy_generation(policy));
	registry_free(registry);
	policy_free(policy);
	policy_free(next);
}

static void decode(const uint8_t *data, size_t len)
{
	struct reader r = reader_init(data, len);
	struct policy_spec *spec;
	struct writer w;
	uint8_t *bytes;

	if (policy_spec_decode(&r, &spec) < 0)
		return;
	bytes = malloc(r.pos);
	expect(bytes != NULL);
	w = writer_init(bytes, r.pos);
	policy_spec_encode(spec, true, &w);
	expect(!w.failed && w.len == r.pos && memcmp(bytes, data, r.pos) == 0);
	free(bytes);
	compile(spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;
	if (data[0] & 1)
		decode(data + 1, len - 1);
	else
		ask(data + 1, len - 1);
	return 0;
}
