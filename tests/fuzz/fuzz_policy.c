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

static void ask(const uint8_t *data, size_t len)
{
	struct draw d = {data, len};
	struct policy_spec *spec = random_spec(&d);
	struct policy_error error;
	struct policy *policy;

	expect(policy_spec_validate(spec, POLICY_OF_EDGE, &error) == 0);
	expect(policy_new(spec, NULL, &policy) == 0);
	do
		expect(compare_with_oracle(&d, policy) == NULL);
	while (d.len);
	policy_free(policy);
}

static void compile(struct policy_spec *spec)
{
	struct policy_error error;
	struct policy *policy, *next;
	struct policy_spec *copy;
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
	expect(policy_new(spec, NULL, &policy) == 0);
	expect(policy_new(copy, policy, &next) == 0);
	for (uint32_t i = 0; i < policy_device_limit(policy); i++)
		expect(memcmp(policy_device(policy, i)->public_key,
			      policy_device(next, i)->public_key, KEY_SIZE) == 0);
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
