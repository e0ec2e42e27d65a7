/* SPDX-License-Identifier: ISC */
/* From the routes of a spec to a policy: takes the numbers of names, and builds the tables. */
#include <tund/policy/policy.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model_selector.h"
#include "policy_compiled.h"

/* What is needed while compiling only. */
struct compiler {
	struct policy *policy;
	const struct policy_spec *spec;
	struct registry *registry;
	struct index ids;
};

static int push_number(struct policy *policy, uint32_t **array, size_t *count, uint32_t number)
{
	uint32_t *slot = arena_push(&policy->arena, (void **)array, count, sizeof **array);

	if (!slot)
		return -ENOMEM;
	*slot = number;
	return 0;
}

static int index_ids(struct compiler *c)
{
	int error = index_init(&c->ids, c->spec->principal_count);

	if (error)
		return error;
	for (size_t i = 0; i < c->spec->principal_count; i++) {
		const struct spec_principal *p = &c->spec->principals[i];

		index_add_text(&c->ids, p->id, (uint32_t)i, &p->place);
	}
	index_sort(&c->ids);
	return 0;
}

/* One entry of a rule's `from`, if it is a group (or any), or else if it is none. It may name
 * someone who is not there now: then it matches nobody yet. */
static int compile_from(struct compiler *c, const char *text, bool groups,
			struct compiled_rule *rule)
{
	size_t count = rule->from_count;
	uint32_t n = GROUP_ANY;
	struct selector s;

	if (selector_parse(text, &s) < 0)
		return -EINVAL;
	if (groups != (s.kind == SELECTOR_ANY || s.kind == SELECTOR_GROUP))
		return 0;
	if (s.kind != SELECTOR_ANY) {
		n = groups ? registry_group(c->registry, s.name)
			   : registry_principal(c->registry, s.principal, s.name);
		if (n == UINT32_MAX)
			return -ENOMEM;
	}
	if (push_number(c->policy, &rule->from, &count, n) < 0)
		return -ENOMEM;
	rule->first_from = rule->from[0];
	rule->from_count = (uint16_t)count;
	rule->group_count = (uint16_t)(rule->group_count + groups);
	return 0;
}

static void compile_ports(const struct spec_rule *r, struct compiled_rule *out)
{
	out->one_range = r->port_count <= 1;
	out->first_port = r->port_count ? UINT16_MAX : 0;
	out->last_port = r->port_count ? 0 : UINT16_MAX;
	for (size_t i = 0; i < r->port_count; i++) {
		if (r->ports[i].first < out->first_port)
			out->first_port = r->ports[i].first;
		if (r->ports[i].last > out->last_port)
			out->last_port = r->ports[i].last;
	}
}

static int compile_rule(struct compiler *c, const struct spec_rule *r, struct compiled_rule *out)
{
	int error;

	out->rule = r;
	out->action = (uint8_t)r->action;
	out->proto = r->proto;
	compile_ports(r, out);
	for (int groups = 1; groups >= 0; groups--) {
		for (size_t i = 0; i < r->from.count; i++) {
			if ((error = compile_from(c, r->from.items[i], groups, out)))
				return error;
		}
	}
	return 0;
}

static int compile_rules(struct compiler *c, const struct spec_route *r, struct compiled_route *out)
{
	int error;

	out->rules = arena_alloc(&c->policy->arena, r->rule_count * sizeof *out->rules);
	if (!out->rules)
		return -ENOMEM;
	out->rule_count = r->rule_count;
	for (size_t i = 0; i < r->rule_count; i++) {
		if ((error = compile_rule(c, &r->rules[i], &out->rules[i])))
			return error;
	}
	return 0;
}

static int compile_via(struct compiler *c, const struct spec_route *r, struct compiled_route *out)
{
	out->to_devices = r->via.count == 0;
	for (size_t i = 0; i < r->via.count; i++) {
		const char *id = r->via.items[i];
		uint32_t n = index_find_text(&c->ids, id);

		if (n == INDEX_NONE || c->spec->principals[n].kind != PRINCIPAL_CONNECTOR)
			return -EINVAL;
		n = registry_principal(c->registry, PRINCIPAL_CONNECTOR, id);
		if (n == UINT32_MAX || push_number(c->policy, &out->via, &out->via_count, n) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int compile_route(struct compiler *c, uint32_t i)
{
	const struct spec_route *r = &c->spec->routes[i];
	struct route_key *key = &c->policy->route_keys[i];
	struct compiled_route *out = &c->policy->compiled[i];
	int error = compile_via(c, r, out);

	if (!error)
		error = compile_rules(c, r, out);
	if (r->to_all_devices) {
		c->policy->to_devices = out;
		return error;
	}
	key->zone = r->zone;
	key->prefix = r->prefix;
	index_add(&c->policy->prefixes, key, sizeof *key, i, &r->place);
	if (r->zone >= c->policy->zone_count)
		c->policy->zone_count = r->zone + 1u;
	return error;
}

/* The routes of one zone by prefix, and in all zones the addresses of this host. */
static int compile_zone(struct compiler *c, uint32_t zone, struct lpm_entry *entries)
{
	const struct policy_spec *spec = c->spec;
	size_t n = 0;

	for (uint32_t i = 0; i < spec->route_count; i++) {
		if (spec->routes[i].zone == zone && !spec->routes[i].to_all_devices)
			entries[n++] = (struct lpm_entry){.prefix = spec->routes[i].prefix,
							  .value = i};
	}
	for (size_t i = 0; i < spec->own_count; i++)
		entries[n++] = (struct lpm_entry){.prefix = ip_prefix_of(&spec->own[i], 128),
						  .value = ROUTE_SELF};
	return lpm_new(entries, n, &c->policy->routes[zone]);
}

static int compile_zones(struct compiler *c)
{
	struct policy *policy = c->policy;
	struct lpm_entry *entries =
		calloc(c->spec->route_count + c->spec->own_count + 1, sizeof *entries);
	int error = 0;

	policy->routes = arena_alloc(&policy->arena, policy->zone_count * sizeof(struct lpm *));
	if (!entries || !policy->routes)
		error = -ENOMEM;
	for (uint32_t zone = 0; !error && zone < policy->zone_count; zone++)
		error = compile_zone(c, zone, entries);
	free(entries);
	return error;
}

static int compile_routes(struct compiler *c)
{
	struct policy *policy = c->policy;
	size_t n = c->spec->route_count;
	int error = index_init(&policy->prefixes, n);

	policy->zone_count = 1;
	policy->compiled = arena_alloc(&policy->arena, n * sizeof *policy->compiled);
	policy->route_keys = arena_alloc(&policy->arena, n * sizeof *policy->route_keys);
	if (!policy->compiled || !policy->route_keys)
		error = -ENOMEM;
	for (uint32_t i = 0; !error && i < n; i++)
		error = compile_route(c, i);
	if (error)
		return error;
	index_sort(&policy->prefixes);
	return compile_zones(c);
}

static int compile(struct compiler *c)
{
	int error;

	if ((error = index_ids(c)) || (error = compile_routes(c)))
		return error == -EEXIST ? -EINVAL : error;
	return 0;
}

static uint32_t generation_of(const struct policy_spec *spec, const struct policy *previous)
{
	if (!previous)
		return 1;
	return previous->generation + !policy_same_rules(spec, previous->spec, false);
}

int policy_new(struct policy_spec *spec, struct registry *registry, const struct policy *previous,
	       struct policy **out)
{
	struct policy *policy = calloc(1, sizeof *policy);
	struct compiler c = {.policy = policy, .spec = spec, .registry = registry};
	int error;

	if (!policy)
		return -ENOMEM;
	policy->generation = generation_of(spec, previous);
	error = compile(&c);
	index_clear(&c.ids);
	if (error) {
		policy_free(policy);
		return error;
	}
	policy->spec = spec;
	*out = policy;
	return 0;
}
