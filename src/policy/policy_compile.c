/* SPDX-License-Identifier: ISC */
/* From a spec to a policy: gives numbers to devices and groups, and builds the tables. */
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
	const struct policy *previous; /* or NULL */
	struct index ids, groups;
	size_t device_count, address_count;
	uint32_t **numbers; /* by principal and position: its device's number */
};

static int push_number(struct policy *policy, uint32_t **array, size_t *count, uint32_t number)
{
	uint32_t *slot = arena_push(&policy->arena, (void **)array, count, sizeof **array);

	if (!slot)
		return -ENOMEM;
	*slot = number;
	return 0;
}

/* A group's number is the position of its first mention. */
static int index_names(struct compiler *c)
{
	size_t groups = 0;
	int error;

	for (size_t i = 0; i < c->spec->principal_count; i++) {
		const struct spec_principal *p = &c->spec->principals[i];

		groups += p->groups.count;
		c->device_count += p->device_count;
		for (size_t j = 0; j < p->device_count; j++)
			c->address_count += p->devices[j].address_count;
	}
	if ((error = index_init(&c->ids, c->spec->principal_count)) ||
	    (error = index_init(&c->groups, groups)) ||
	    (error = index_init(&c->policy->keys, c->device_count)))
		return error;
	for (size_t i = 0; i < c->spec->principal_count; i++) {
		const struct spec_principal *p = &c->spec->principals[i];

		index_add_text(&c->ids, p->id, (uint32_t)i, &p->place);
		for (size_t j = 0; j < p->groups.count; j++)
			index_add_text(&c->groups, p->groups.items[j], (uint32_t)c->groups.count,
				       &p->place);
	}
	index_sort(&c->ids);
	index_sort(&c->groups);
	return 0;
}

static int compile_principals(struct compiler *c)
{
	struct policy *policy = c->policy;

	policy->principals =
		arena_alloc(&policy->arena, c->spec->principal_count * sizeof *policy->principals);
	if (!policy->principals)
		return -ENOMEM;
	for (size_t i = 0; i < c->spec->principal_count; i++) {
		const struct spec_strings *groups = &c->spec->principals[i].groups;
		struct compiled_principal *p = &policy->principals[i];

		for (size_t j = 0; j < groups->count; j++) {
			uint32_t n = index_find_text(&c->groups, groups->items[j]);

			if (push_number(policy, &p->groups, &p->group_count, n) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

/* Is the number free, and was it when the previous policy was made? A number that was just given
 * up is not used at once: what is on its way may still name it. */
static bool number_is_free(const struct compiler *c, uint32_t n)
{
	return !c->policy->devices[n].device && !(c->previous && policy_device(c->previous, n));
}

static void place_device(struct compiler *c, uint32_t number, uint32_t principal, size_t position)
{
	const struct spec_device *d = &c->spec->principals[principal].devices[position];

	c->policy->devices[number] = (struct compiled_device){.device = d, .principal = principal};
	c->numbers[principal][position] = number;
	index_add(&c->policy->keys, d->public_key, KEY_SIZE, number, &d->place);
	if (number >= c->policy->device_limit)
		c->policy->device_limit = number + 1;
}

/* Known devices keep their numbers; then the new ones get the lowest that are free. */
static void number_devices(struct compiler *c)
{
	uint32_t free_number = 0;

	for (int known = 1; known >= 0; known--) {
		for (uint32_t i = 0; i < c->spec->principal_count; i++) {
			const struct spec_principal *p = &c->spec->principals[i];

			for (size_t j = 0; j < p->device_count; j++) {
				uint32_t n = DEVICE_NONE;

				if (c->previous)
					n = policy_device_by_key(c->previous,
								 p->devices[j].public_key);
				if ((n != DEVICE_NONE) != known)
					continue;
				while (!known && !number_is_free(c, free_number))
					free_number++;
				place_device(c, known ? n : free_number, i, j);
			}
		}
	}
	index_sort(&c->policy->keys);
}

static int compile_devices(struct compiler *c)
{
	struct arena *arena = &c->policy->arena;
	size_t limit = c->device_count + (c->previous ? policy_device_limit(c->previous) : 0);

	c->policy->devices = arena_alloc(arena, limit * sizeof *c->policy->devices);
	c->numbers = arena_alloc(arena, c->spec->principal_count * sizeof *c->numbers);
	if (!c->policy->devices || !c->numbers)
		return -ENOMEM;
	for (size_t i = 0; i < c->spec->principal_count; i++) {
		size_t n = c->spec->principals[i].device_count;

		c->numbers[i] = arena_alloc(arena, n * sizeof **c->numbers);
		if (!c->numbers[i])
			return -ENOMEM;
	}
	number_devices(c);
	return index_duplicate(&c->policy->keys) ? -EINVAL : 0;
}

static int compile_holders(struct compiler *c)
{
	struct lpm_entry *entries =
		calloc(c->address_count + c->spec->own_count + 1, sizeof *entries);
	size_t n = 0;
	int error;

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < c->spec->own_count; i++)
		entries[n++] = (struct lpm_entry){.prefix = ip_prefix_of(&c->spec->own[i], 128),
						  .value = HOLDER_SELF};
	for (uint32_t i = 0; i < c->policy->device_limit; i++) {
		const struct spec_device *d = c->policy->devices[i].device;

		for (size_t j = 0; d && j < d->address_count; j++)
			entries[n++] = (struct lpm_entry){
				.prefix = ip_prefix_of(&d->addresses[j], 128), .value = i};
	}
	error = lpm_new(entries, n, &c->policy->holders);
	free(entries);
	return error;
}

/* One entry of a rule's `from`, if it is a group (or any), or else if it is none. */
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
		n = index_find_text(groups ? &c->groups : &c->ids, s.name);
		/* On a connector, a rule may be for someone who holds nothing now: it matches
		 * nobody. */
		if (n == INDEX_NONE)
			return 0;
		if (!groups && c->spec->principals[n].kind != s.principal)
			return 0;
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
		uint32_t n = index_find_text(&c->ids, r->via.items[i]);

		if (n == INDEX_NONE || c->spec->principals[n].kind != PRINCIPAL_CONNECTOR)
			return -EINVAL;
		for (size_t j = 0; j < c->spec->principals[n].device_count; j++) {
			if (push_number(c->policy, &out->devices, &out->device_count,
					c->numbers[n][j]) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

static int compile_routes(struct compiler *c)
{
	size_t n = c->spec->route_count;
	struct lpm_entry *entries = calloc(n + 1, sizeof *entries);
	int error = index_init(&c->policy->prefixes, n);

	c->policy->compiled = arena_alloc(&c->policy->arena, n * sizeof *c->policy->compiled);
	if (!entries || !c->policy->compiled)
		error = -ENOMEM;
	for (size_t i = 0; !error && i < n; i++) {
		const struct spec_route *r = &c->spec->routes[i];

		entries[i] = (struct lpm_entry){.prefix = r->prefix, .value = (uint32_t)i};
		index_add(&c->policy->prefixes, &r->prefix, sizeof r->prefix, (uint32_t)i,
			  &r->place);
		error = compile_via(c, r, &c->policy->compiled[i]);
		if (!error)
			error = compile_rules(c, r, &c->policy->compiled[i]);
	}
	if (!error) {
		index_sort(&c->policy->prefixes);
		error = lpm_new(entries, n, &c->policy->routes);
	}
	free(entries);
	return error;
}

static int compile(struct compiler *c)
{
	int error;

	if ((error = index_names(c)) || (error = compile_principals(c)) ||
	    (error = compile_devices(c)) || (error = compile_holders(c)) ||
	    (error = compile_routes(c)))
		return error == -EEXIST ? -EINVAL : error;
	return 0;
}

int policy_new(struct policy_spec *spec, const struct policy *previous, struct policy **out)
{
	struct policy *policy = calloc(1, sizeof *policy);
	struct compiler c = {.policy = policy, .spec = spec, .previous = previous};
	int error;

	if (!policy)
		return -ENOMEM;
	policy->generation = previous ? previous->generation + 1 : 1;
	error = compile(&c);
	index_clear(&c.ids);
	index_clear(&c.groups);
	if (error) {
		policy_free(policy);
		return error;
	}
	policy->spec = spec;
	*out = policy;
	return 0;
}
