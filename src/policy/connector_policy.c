/* SPDX-License-Identifier: ISC */
/*
 * A connector's own policy, put together as one of an edge would be: its holders are principals
 * with one device for each address, its routes lead to itself.
 */
#include <tund/policy/connector_policy.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_index.h"

/* No configured id: those have no quotation mark in them. */
#define SELF_ID "\"self\""
/* The group of holders that are connectors: "any" does not mean those. */
#define CONNECTORS "\"connectors\""

/* A device of a holder has no key here; its number follows its address instead. */
static void key_of_address(const struct ip_addr *a, uint8_t key[KEY_SIZE])
{
	memset(key, 0, KEY_SIZE);
	key[0] = a->family;
	memcpy(key + 1, a->bytes, sizeof a->bytes);
}

static void key_of_self(uint8_t key[KEY_SIZE])
{
	memset(key, 0xff, KEY_SIZE);
}

static int add_self(struct policy_spec *spec)
{
	struct spec_principal *p =
		policy_spec_add_principal(spec, SELF_ID, PRINCIPAL_CONNECTOR, NULL, 0);
	struct spec_device *d = p ? policy_spec_add_device(spec, p, SELF_ID, NULL, 0) : NULL;

	if (!d)
		return -ENOMEM;
	key_of_self(d->public_key);
	return 0;
}

/* Who holds what, being put together. */
struct assembly {
	struct policy_spec *spec;
	const struct identity *identities;
	struct index ids;    /* of principals: the first holder that has it */
	uint32_t *principal; /* by holder that is the first of its id: its position in the spec */
};

static int add_principal(struct assembly *x, uint32_t n)
{
	const struct identity *h = &x->identities[n];
	struct spec_principal *p =
		policy_spec_add_principal(x->spec, h->principal, h->kind, NULL, 0);
	int error = p ? 0 : -ENOMEM;

	if (!error && h->kind == PRINCIPAL_CONNECTOR)
		error = policy_spec_add_group(x->spec, p, CONNECTORS);
	for (size_t i = 0; !error && i < h->group_count; i++)
		error = policy_spec_add_group(x->spec, p, h->groups[i]);
	x->principal[n] = (uint32_t)x->spec->principal_count - 1;
	return error;
}

/* One principal for each id, with the groups that its first address came with. */
static int add_identity(struct assembly *x, uint32_t n)
{
	const struct identity *h = &x->identities[n];
	uint32_t first = index_find_text(&x->ids, h->principal);
	char name[IP_ADDR_STRLEN];
	struct spec_device *d;
	int error = first == n ? add_principal(x, n) : 0;

	if (error)
		return error;
	d = policy_spec_add_device(x->spec, &x->spec->principals[x->principal[first]],
				   ip_addr_format(&h->address, name), NULL, 0);
	if (!d || policy_spec_add_address(x->spec, d, &h->address) < 0)
		return -ENOMEM;
	key_of_address(&h->address, d->public_key);
	return 0;
}

static int add_identities(struct policy_spec *spec, const struct identity *identities, size_t n)
{
	struct assembly x = {.spec = spec, .identities = identities};
	int error = 0;

	x.principal = calloc(n + 1, sizeof *x.principal);
	if (!x.principal || index_init(&x.ids, n) < 0)
		error = -ENOMEM;
	for (size_t i = 0; !error && i < n; i++)
		index_add_text(&x.ids, identities[i].principal, (uint32_t)i, NULL);
	if (!error)
		index_sort(&x.ids);
	for (size_t i = 0; !error && i < n; i++)
		error = ip_addr_is_special(&identities[i].address) ? -EINVAL
								   : add_identity(&x, (uint32_t)i);
	index_clear(&x.ids);
	free(x.principal);
	return error;
}

static int copy_rule(struct policy_spec *spec, struct spec_route *r, const struct spec_rule *from)
{
	struct spec_rule *rule =
		policy_spec_add_rule(spec, r, from->name, from->place.file, from->place.line);
	int error = 0;

	if (!rule)
		return -ENOMEM;
	rule->action = from->action;
	rule->proto = from->proto;
	for (size_t i = 0; !error && i < from->from.count; i++)
		error = policy_spec_add_from(spec, rule, from->from.items[i]);
	for (size_t i = 0; !error && i < from->port_count; i++)
		error = policy_spec_add_ports(spec, rule, from->ports[i].first,
					      from->ports[i].last);
	return error;
}

/* Lets in every holder. */
static int add_open_rule(struct policy_spec *spec, struct spec_route *r,
			 const struct spec_place *place)
{
	struct spec_rule *rule = policy_spec_add_rule(spec, r, "edge", place->file, place->line);
	int error = rule ? policy_spec_add_from(spec, rule, "any") : -ENOMEM;

	return error ? error : policy_spec_add_from(spec, rule, "group:" CONNECTORS);
}

static int copy_route(struct policy_spec *spec, const struct spec_route *from)
{
	struct spec_route *r =
		policy_spec_add_route(spec, &from->prefix, from->place.file, from->place.line);
	int error;

	if (!r)
		return -ENOMEM;
	error = policy_spec_add_via(spec, r, SELF_ID);
	for (size_t i = 0; !error && i < from->rule_count; i++)
		error = copy_rule(spec, r, &from->rules[i]);
	if (error || from->rule_count)
		return error;
	return add_open_rule(spec, r, &from->place);
}

/* What the connector's side sends to a holder is for the edge to judge. */
static int add_way_back(struct policy_spec *spec)
{
	struct spec_route *r = policy_spec_add_route(spec, &(struct ip_prefix){0}, NULL, 0);
	struct spec_rule *rule = r ? policy_spec_add_rule(spec, r, "edge", NULL, 0) : NULL;

	if (!rule)
		return -ENOMEM;
	r->to_all_devices = true;
	return policy_spec_add_from(spec, rule, "connector:" SELF_ID);
}

static int build_rules(struct policy_spec *spec, const struct policy_spec *own)
{
	int error = add_self(spec);

	if (!error)
		error = add_way_back(spec);
	for (size_t i = 0; !error && i < own->route_count; i++)
		error = copy_route(spec, &own->routes[i]);
	return error;
}

int connector_policy_new(const struct policy_spec *own, struct registry *registry,
			 const struct policy *previous, struct policy **out)
{
	struct policy_spec *spec = policy_spec_new();
	int error = spec ? build_rules(spec, own) : -ENOMEM;

	if (!error)
		error = policy_new(spec, registry, previous, out);
	if (error)
		policy_spec_free(spec);
	return error;
}

int connector_policy_plan(struct registry *registry, const struct identity *identities, size_t n,
			  struct registry_plan *out)
{
	struct policy_spec *spec = policy_spec_new();
	int error = spec ? add_self(spec) : -ENOMEM;

	if (!error)
		error = add_identities(spec, identities, n);
	if (!error)
		error = registry_plan(registry, spec, out);
	policy_spec_free(spec);
	return error;
}

const struct registry_device *connector_policy_self(const struct registry *registry)
{
	uint8_t key[KEY_SIZE];

	key_of_self(key);
	return registry_by_key(registry, key);
}
