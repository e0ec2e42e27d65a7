/* SPDX-License-Identifier: ISC */
/* Whether two specs have the same rules. Who the devices are does not matter for it. */
#include <tund/policy/policy.h>

#include <string.h>

#include "policy_compiled.h"

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_place(const struct spec_place *a, const struct spec_place *b)
{
	return a->line == b->line && same_text(a->file, b->file);
}

static bool same_list(const struct spec_strings *a, const struct spec_strings *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	}
	return true;
}

static bool same_ports(const struct spec_rule *a, const struct spec_rule *b)
{
	if (a->port_count != b->port_count)
		return false;
	for (size_t i = 0; i < a->port_count; i++) {
		if (a->ports[i].first != b->ports[i].first || a->ports[i].last != b->ports[i].last)
			return false;
	}
	return true;
}

static bool same_rule(const struct spec_rule *a, const struct spec_rule *b, bool quoted)
{
	if (quoted && (!same_text(a->name, b->name) || !same_place(&a->place, &b->place)))
		return false;
	return a->action == b->action && a->proto == b->proto && same_list(&a->from, &b->from) &&
	       same_ports(a, b);
}

static bool same_route(const struct spec_route *a, const struct spec_route *b, bool quoted)
{
	if (quoted && !same_place(&a->place, &b->place))
		return false;
	if (!ip_prefix_equal(&a->prefix, &b->prefix) || a->zone != b->zone ||
	    a->to_all_devices != b->to_all_devices || !same_list(&a->via, &b->via) ||
	    a->rule_count != b->rule_count)
		return false;
	for (size_t i = 0; i < a->rule_count; i++) {
		if (!same_rule(&a->rules[i], &b->rules[i], quoted))
			return false;
	}
	return true;
}

bool policy_same_rules(const struct policy_spec *a, const struct policy_spec *b, bool quoted)
{
	if (a->route_count != b->route_count || a->own_count != b->own_count)
		return false;
	for (size_t i = 0; i < a->own_count; i++) {
		if (!ip_addr_equal(&a->own[i], &b->own[i]))
			return false;
	}
	for (size_t i = 0; i < a->route_count; i++) {
		if (!same_route(&a->routes[i], &b->routes[i], quoted))
			return false;
	}
	return true;
}
