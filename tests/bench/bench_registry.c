/* SPDX-License-Identifier: ISC */
/*
 * What one change of a device costs: its principal enters a group that rules name, or leaves it.
 * Names say how many devices there are.
 */
#include <stdio.h>
#include <stdlib.h>

#include <tund/base/bytes.h>
#include <tund/policy/registry_plan.h>

#include "bench.h"

struct scene {
	struct policy_spec *spec;
	struct registry *registry;
	size_t next;
};

static void *need(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		exit(71);
	}
	return p;
}

static void add_client(struct policy_spec *spec, size_t i)
{
	struct ip_addr a = {.family = 4};
	struct spec_principal *p;
	struct spec_device *d;
	char id[32];

	put_be32(a.bytes, (uint32_t)(0x64500000 + i));
	snprintf(id, sizeof id, "user%zu@example.com", i);
	p = need(policy_spec_add_principal(spec, id, PRINCIPAL_USER, NULL, 0));
	d = need(policy_spec_add_device(spec, p, "a", NULL, 0));
	put_be64(d->public_key, i + 1);
	if (policy_spec_add_group(spec, p, "staff") < 0 ||
	    policy_spec_add_address(spec, d, &a) < 0)
		need(NULL);
}

/* Another device each time. */
static void run_change(void *ctx, size_t n)
{
	struct scene *s = ctx;

	for (size_t i = 0; i < n; i++) {
		struct spec_principal *p = &s->spec->principals[s->next];
		struct registry_entry *e;

		s->next = (s->next + 7919) % s->spec->principal_count;
		p->groups.count = !p->groups.count;
		if (registry_prepare(s->registry, p, 0, &e) < 0)
			need(NULL);
		registry_commit(s->registry, e);
	}
}

static void measure(const struct bench *b, size_t size)
{
	struct scene s = {.spec = need(policy_spec_new()), .registry = need(registry_new(NULL))};
	const struct bench_op op = {.run = run_change, .ctx = &s};
	struct registry_plan plan;
	char name[64];

	snprintf(name, sizeof name, "registry_change_%zu", size);
	for (size_t i = 0; i < size; i++)
		add_client(s.spec, i);
	if (registry_group(s.registry, "staff") != 0 ||
	    registry_plan(s.registry, s.spec, &plan) < 0)
		need(NULL);
	registry_plan_commit(s.registry, &plan);
	bench_run(b, name, &op);
	registry_free(s.registry);
	policy_spec_free(s.spec);
}

int main(int argc, char **argv)
{
	struct bench b;

	bench_init(&b, argc, argv);
	measure(&b, 1);
	measure(&b, 65536);
	return 0;
}
