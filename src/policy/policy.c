/* SPDX-License-Identifier: ISC */
/* Questions to compiled rules. policy_compile.c makes it. */
#include <tund/policy/policy.h>

#include <stdlib.h>
#include <string.h>

#include "policy_compiled.h"

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (uint32_t i = 0; policy->routes && i < policy->zone_count; i++)
		lpm_free(policy->routes[i]);
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

bool policy_is_of(const struct policy *policy, const struct policy_spec *spec)
{
	return policy_same_rules(policy->spec, spec, true);
}

/* Its number, LPM_NONE or ROUTE_SELF. */
static uint32_t find_route(const struct policy *policy, uint32_t zone, const struct ip_addr *a)
{
	return zone < policy->zone_count ? lpm_find(policy->routes[zone], a) : LPM_NONE;
}

uint32_t policy_route_of(const struct policy *policy, uint32_t zone, const struct ip_addr *a)
{
	uint32_t route = find_route(policy, zone, a);

	return route == ROUTE_SELF ? LPM_NONE : route;
}

uint32_t policy_route_at(const struct policy *policy, uint32_t zone, const struct ip_prefix *prefix)
{
	struct route_key key;

	memset(&key, 0, sizeof key); /* it is compared byte by byte */
	key.zone = zone;
	key.prefix = *prefix;
	return index_find(&policy->prefixes, &key, sizeof key); /* INDEX_NONE is LPM_NONE */
}

uint32_t policy_route_rank(const struct policy *policy, uint32_t route, uint32_t principal)
{
	const struct compiled_route *r = &policy->compiled[route];

	for (size_t i = 0; i < r->via_count; i++) {
		if (r->via[i] == principal)
			return (uint32_t)i;
	}
	return UINT32_MAX;
}

bool policy_owns(const struct policy *policy, const struct registry *registry,
		 const struct registry_device *device, const struct ip_addr *src)
{
	const struct registry_device *holder;
	uint32_t route;

	if (!device)
		return false;
	if (registry_holds(device, src))
		return true;
	holder = registry_by_address(registry, device->zone, src);
	if (holder)
		return holder->number == device->number;
	if (device->kind != PRINCIPAL_CONNECTOR)
		return false;
	route = policy_route_of(policy, device->zone, src);
	return route != LPM_NONE &&
	       policy_route_rank(policy, route, device->principal) != UINT32_MAX;
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

static bool has_group(const struct registry_device *device, uint32_t group)
{
	if (group == GROUP_ANY)
		return device->kind != PRINCIPAL_CONNECTOR;
	return registry_in_group(device, group);
}

static bool from_matches(const struct compiled_rule *rule, const struct registry_device *device)
{
	if (rule->from_count == 1)
		return rule->group_count ? has_group(device, rule->first_from)
					 : rule->first_from == device->principal;
	for (size_t i = 0; i < rule->group_count; i++) {
		if (has_group(device, rule->from[i]))
			return true;
	}
	return contains(rule->from + rule->group_count,
			(size_t)rule->from_count - rule->group_count, device->principal);
}

/* The route of a query, or NULL. A device's address is reached by a route without connectors, and
 * only by such a one; nobody reaches himself, or this host. */
static const struct compiled_route *judge_route(const struct policy *policy,
						const struct registry *registry,
						const struct policy_query *query,
						struct judgement *j)
{
	uint32_t zone = query->device->zone;
	uint32_t route = find_route(policy, zone, &query->dst);
	const struct registry_device *holder;

	if (route == ROUTE_SELF)
		return NULL;
	if (route != LPM_NONE)
		__builtin_prefetch(&policy->compiled[route]); /* while the holder is looked for */
	holder = registry_by_address(registry, zone, &query->dst);
	if (holder && policy->to_devices)
		route = (uint32_t)(policy->to_devices - policy->compiled);
	if (route == LPM_NONE || (holder && holder->number == query->device->number))
		return NULL;
	if (policy->compiled[route].to_devices != (holder != NULL))
		return NULL;
	j->route = route;
	j->holder = holder ? holder->number : DEVICE_NONE;
	return &policy->compiled[route];
}

static void judge_rules(const struct policy *policy, const struct compiled_route *route,
			const struct policy_query *query, struct judgement *j)
{
	for (size_t i = 0; i < route->rule_count; i++) {
		const struct compiled_rule *compiled = &route->rules[i];
		const struct spec_rule *rule = compiled->rule;

		if (!proto_matches(compiled->proto, query->proto) ||
		    !ports_match(compiled, query->dst_port) ||
		    !from_matches(compiled, query->device))
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

void policy_judge(const struct policy *policy, const struct registry *registry,
		  const struct policy_query *query, struct judgement *out)
{
	struct judgement j = {
		.action = POLICY_REJECT,
		.reason = REASON_NO_ROUTE,
		.route = LPM_NONE,
		.holder = DEVICE_NONE,
	};
	const struct compiled_route *route;

	if (!query->device)
		j.reason = REASON_UNKNOWN_DEVICE;
	else if ((route = judge_route(policy, registry, query, &j)))
		judge_rules(policy, route, query, &j);
	*out = j;
}
