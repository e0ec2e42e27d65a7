/* SPDX-License-Identifier: ISC */
/* Questions to a compiled policy. policy_compile.c makes it. */
#include <tund/policy/policy.h>

#include <stdlib.h>

#include "policy_compiled.h"

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	lpm_free(policy->holders);
	lpm_free(policy->routes);
	index_clear(&policy->keys);
	index_clear(&policy->prefixes);
	arena_clear(&policy->arena);
	policy_spec_free(policy->spec);
	free(policy);
}

uint32_t policy_generation(const struct policy *policy)
{
	return policy->generation;
}

const struct policy_spec *policy_spec(const struct policy *policy)
{
	return policy->spec;
}

uint32_t policy_device_limit(const struct policy *policy)
{
	return policy->device_limit;
}

static const struct compiled_device *find_device(const struct policy *policy, uint32_t device)
{
	if (device >= policy->device_limit || !policy->devices[device].device)
		return NULL;
	return &policy->devices[device];
}

const struct spec_device *policy_device(const struct policy *policy, uint32_t device)
{
	const struct compiled_device *d = find_device(policy, device);

	return d ? d->device : NULL;
}

const struct spec_principal *policy_principal(const struct policy *policy, uint32_t device)
{
	const struct compiled_device *d = find_device(policy, device);

	return d ? &policy->spec->principals[d->principal] : NULL;
}

uint32_t policy_device_by_key(const struct policy *policy, const uint8_t key[KEY_SIZE])
{
	return index_find(&policy->keys, key, KEY_SIZE); /* INDEX_NONE is DEVICE_NONE */
}

uint32_t policy_device_by_address(const struct policy *policy, const struct ip_addr *a)
{
	uint32_t holder = lpm_find(policy->holders, a);

	return holder == HOLDER_SELF ? DEVICE_NONE : holder;
}

uint32_t policy_route_of(const struct policy *policy, const struct ip_addr *a)
{
	return lpm_find(policy->routes, a);
}

uint32_t policy_route_at(const struct policy *policy, const struct ip_prefix *prefix)
{
	return index_find(&policy->prefixes, prefix, sizeof *prefix); /* INDEX_NONE is LPM_NONE */
}

const uint32_t *policy_route_devices(const struct policy *policy, uint32_t route, size_t *count)
{
	*count = policy->compiled[route].device_count;
	return policy->compiled[route].devices;
}

static bool route_has_device(const struct compiled_route *r, uint32_t device)
{
	for (size_t i = 0; i < r->device_count; i++) {
		if (r->devices[i] == device)
			return true;
	}
	return false;
}

/* The table of holders is denser than the devices' own lists. */
bool policy_owns(const struct policy *policy, uint32_t device, const struct ip_addr *src)
{
	const struct compiled_device *d = find_device(policy, device);
	uint32_t holder, route;

	if (!d)
		return false;
	holder = lpm_find(policy->holders, src);
	if (holder != LPM_NONE)
		return holder == device;
	if (policy->spec->principals[d->principal].kind != PRINCIPAL_CONNECTOR)
		return false;
	route = lpm_find(policy->routes, src);
	return route != LPM_NONE && route_has_device(&policy->compiled[route], device);
}

static bool proto_matches(uint16_t wanted, uint8_t proto)
{
	if (wanted == POLICY_PROTO_ANY)
		return true;
	if (wanted == POLICY_PROTO_ICMP)
		return proto == PROTO_ICMP || proto == PROTO_ICMPV6;
	return wanted == proto;
}

static bool ports_match(const struct compiled_rule *rule, uint16_t port)
{
	const struct spec_rule *spec = rule->rule;

	if (port < rule->first_port || port > rule->last_port)
		return false;
	if (rule->one_range)
		return true;
	for (size_t i = 0; i < spec->port_count; i++) {
		if (spec->ports[i].first <= port && port <= spec->ports[i].last)
			return true;
	}
	return false;
}

static bool contains(const uint32_t *numbers, size_t n, uint32_t wanted)
{
	for (size_t i = 0; i < n; i++) {
		if (numbers[i] == wanted)
			return true;
	}
	return false;
}

static bool has_group(const struct policy *policy, uint32_t principal, uint32_t group)
{
	const struct compiled_principal *p = &policy->principals[principal];

	if (group == GROUP_ANY)
		return policy->spec->principals[principal].kind != PRINCIPAL_CONNECTOR;
	return contains(p->groups, p->group_count, group);
}

static bool from_matches(const struct policy *policy, const struct compiled_rule *rule,
			 uint32_t principal)
{
	if (rule->from_count == 1)
		return rule->group_count ? has_group(policy, principal, rule->first_from)
					 : rule->first_from == principal;
	for (size_t i = 0; i < rule->group_count; i++) {
		if (has_group(policy, principal, rule->from[i]))
			return true;
	}
	return contains(rule->from + rule->group_count,
			(size_t)rule->from_count - rule->group_count, principal);
}

/* The route of a query, or NULL. A device's address is reached by a route without connectors, and
 * only by such a one; nobody reaches himself, or this host. */
static const struct compiled_route *
judge_route(const struct policy *policy, const struct policy_query *query, struct judgement *j)
{
	uint32_t route = lpm_find(policy->routes, &query->dst);
	uint32_t holder;

	if (route == LPM_NONE)
		return NULL;
	__builtin_prefetch(&policy->compiled[route]); /* while the holder is looked for */
	holder = lpm_find(policy->holders, &query->dst);
	if (holder == HOLDER_SELF || holder == query->device)
		return NULL;
	if (policy->compiled[route].to_devices != (holder != DEVICE_NONE))
		return NULL;
	j->route = route;
	j->holder = holder;
	return &policy->compiled[route];
}

static void judge_rules(const struct policy *policy, const struct compiled_route *route,
			const struct policy_query *query, struct judgement *j)
{
	uint32_t principal = policy->devices[query->device].principal;

	for (size_t i = 0; i < route->rule_count; i++) {
		const struct compiled_rule *compiled = &route->rules[i];
		const struct spec_rule *rule = compiled->rule;

		if (!proto_matches(compiled->proto, query->proto) ||
		    !ports_match(compiled, query->dst_port) ||
		    !from_matches(policy, compiled, principal))
			continue;
		j->action = (enum policy_action)compiled->action;
		j->reason = j->action == POLICY_ACCEPT ? REASON_ACCEPTED : REASON_DENIED;
		j->rule = rule;
		j->place = rule->place;
		return;
	}
	j->reason = REASON_NO_RULE;
	j->place = policy->spec->routes[j->route].place;
}

void policy_judge(const struct policy *policy, const struct policy_query *query,
		  struct judgement *out)
{
	struct judgement j = {
		.action = POLICY_REJECT,
		.reason = REASON_NO_ROUTE,
		.route = LPM_NONE,
		.holder = DEVICE_NONE,
	};
	const struct compiled_route *route;

	if (!find_device(policy, query->device))
		j.reason = REASON_UNKNOWN_DEVICE;
	else if ((route = judge_route(policy, query, &j)))
		judge_rules(policy, route, query, &j);
	*out = j;
}
