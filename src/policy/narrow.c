/* SPDX-License-Identifier: ISC */
/*
 * A connector's own policy, put together as one of an edge would be: its holders are principals
 * with one device each, its routes lead to itself.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tund/policy/narrow.h>

/* No configured id: those have no quotation mark in them. */
#define SELF_ID "\"self\""

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

static struct spec_principal *find_principal(struct policy_spec *spec, const char *id)
{
	for (size_t i = 1; i < spec->principal_count; i++) { /* 0 is self */
		if (strcmp(spec->principals[i].id, id) == 0)
			return &spec->principals[i];
	}
	return NULL;
}

/* One principal for each id, with the groups that its first address came with. */
static struct spec_principal *make_principal(struct policy_spec *spec,
					     const struct narrow_holder *h)
{
	struct spec_principal *p = find_principal(spec, h->principal);

	if (p)
		return p;
	p = policy_spec_add_principal(spec, h->principal, h->kind, NULL, 0);
	for (size_t i = 0; p && i < h->group_count; i++) {
		if (policy_spec_add_group(spec, p, h->groups[i]) < 0)
			return NULL;
	}
	return p;
}

/* What the connector's side sends to a holder is for the edge to judge. */
static int add_way_back(struct policy_spec *spec, const struct ip_addr *address)
{
	struct ip_prefix host = ip_prefix_of(address, 128);
	struct spec_route *r = policy_spec_add_route(spec, &host, NULL, 0);
	struct spec_rule *rule = r ? policy_spec_add_rule(spec, r, "edge", NULL, 0) : NULL;

	return rule ? policy_spec_add_from(spec, rule, "connector:" SELF_ID) : -ENOMEM;
}

static int add_holder(struct policy_spec *spec, const struct narrow_holder *h)
{
	char name[IP_ADDR_STRLEN];
	struct spec_principal *p;
	struct spec_device *d;

	if (ip_addr_is_special(&h->address))
		return -EINVAL;
	p = make_principal(spec, h);
	if (!p)
		return -ENOMEM;
	d = policy_spec_add_device(spec, p, ip_addr_format(&h->address, name), NULL, 0);
	if (!d || policy_spec_add_address(spec, d, &h->address) < 0)
		return -ENOMEM;
	key_of_address(&h->address, d->public_key);
	return add_way_back(spec, &h->address);
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

/* Lets in every holder: "any" does not mean connectors, so those are named. */
static int add_open_rule(struct policy_spec *spec, struct spec_route *r,
			 const struct spec_place *place)
{
	struct spec_rule *rule = policy_spec_add_rule(spec, r, "edge", place->file, place->line);
	char text[sizeof "connector:" + POLICY_MAX_TEXT];
	int error = rule ? policy_spec_add_from(spec, rule, "any") : -ENOMEM;

	for (size_t i = 1; !error && i < spec->principal_count; i++) {
		if (spec->principals[i].kind != PRINCIPAL_CONNECTOR)
			continue;
		snprintf(text, sizeof text, "connector:%s", spec->principals[i].id);
		error = policy_spec_add_from(spec, rule, text);
	}
	return error;
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

static int build_spec(struct policy_spec *spec, const struct policy_spec *own,
		      const struct narrow_holder *holders, size_t n)
{
	int error = add_self(spec);

	for (size_t i = 0; !error && i < n; i++)
		error = add_holder(spec, &holders[i]);
	for (size_t i = 0; !error && i < own->route_count; i++)
		error = copy_route(spec, &own->routes[i]);
	return error;
}

int narrow_new(const struct policy_spec *own, const struct narrow_holder *holders, size_t n,
	       const struct policy *previous, struct policy **out, uint32_t *self)
{
	struct policy_spec *spec = policy_spec_new();
	struct policy *policy;
	uint8_t key[KEY_SIZE];
	int error = spec ? build_spec(spec, own, holders, n) : -ENOMEM;

	if (!error)
		error = policy_new(spec, previous, &policy);
	if (error) {
		policy_spec_free(spec);
		return error;
	}
	key_of_self(key);
	*self = policy_device_by_key(policy, key);
	*out = policy;
	return 0;
}
