/* SPDX-License-Identifier: ISC */
/* Checks a spec as a whole and says what is wrong, where, and what is expected. */
#include <tund/policy/model.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <tund/policy/words.h>

#include "model_index.h"
#include "model_selector.h"

/* What the checks share. Every check returns 0 or -EINVAL with `error` written. */
struct check {
	const struct policy_spec *spec;
	enum policy_scope scope;
	struct policy_error *error;
	struct index ids; /* principals by id; the value is their position */
	struct index groups;
	struct index keys;
	struct index holders; /* addresses of devices and of this host */
	struct index prefixes;
};

__attribute__((format(printf, 3, 4))) static int
wrong(struct check *c, const struct spec_place *place, const char *format, ...)
{
	static const struct spec_place nowhere;
	va_list ap;

	c->error->place = place ? *place : nowhere;
	va_start(ap, format);
	vsnprintf(c->error->text, sizeof c->error->text, format, ap);
	va_end(ap);
	return -EINVAL;
}

/* Texts end up in logs and on terminals. */
static int check_text(struct check *c, const struct spec_place *place, const char *what,
		      const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n > POLICY_MAX_TEXT)
		return wrong(c, place, "%s has %zu bytes; expected 1 to %d", what, n,
			     POLICY_MAX_TEXT);
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f || text[i] == '"')
			return wrong(c, place,
				     "%s has a control character or a quotation mark in it", what);
	}
	return 0;
}

static int check_limit(struct check *c, const struct spec_place *place, const char *what, size_t n,
		       size_t max)
{
	return n > max ? wrong(c, place, "%zu %s; expected at most %zu", n, what, max) : 0;
}

/* A host's address inside the tunnel, put on the list of those that are taken. */
static int check_address(struct check *c, const struct spec_place *place, const struct ip_addr *a)
{
	char buf[IP_ADDR_STRLEN];

	if (ip_addr_is_special(a))
		return wrong(c, place,
			     "address %s is loopback, link-local, multicast or another special "
			     "one; expected a host's address",
			     ip_addr_format(a, buf));
	index_add(&c->holders, a, sizeof *a, (uint32_t)c->holders.count, place);
	return 0;
}

static int check_device(struct check *c, const struct spec_principal *p,
			const struct spec_device *d)
{
	static const uint8_t no_key[KEY_SIZE];

	if (check_text(c, &d->place, "device name", d->name) < 0 ||
	    check_limit(c, &d->place, "addresses of a device", d->address_count,
			POLICY_MAX_ADDRESSES) < 0)
		return -EINVAL;
	if (memcmp(d->public_key, no_key, KEY_SIZE) == 0)
		return wrong(c, &d->place, "device \"%s\" has no public_key", d->name);
	if (d->wireguard && p->kind == PRINCIPAL_CONNECTOR)
		return wrong(c, &d->place,
			     "device \"%s\" of a connector has suite = wireguard, but a stock "
			     "WireGuard peer announces nothing; expected it for users and services",
			     d->name);
	index_add(&c->keys, d->public_key, KEY_SIZE, (uint32_t)c->keys.count, &d->place);
	for (size_t i = 0; i < d->address_count; i++) {
		if (check_address(c, &d->place, &d->addresses[i]) < 0)
			return -EINVAL;
	}
	return 0;
}

static int check_device_names(struct check *c, const struct spec_principal *p)
{
	for (size_t i = 0; i < p->device_count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(p->devices[i].name, p->devices[j].name) == 0)
				return wrong(c, &p->devices[i].place,
					     "\"%s\" has a device \"%s\" already", p->id,
					     p->devices[i].name);
		}
	}
	return 0;
}

static int check_principal(struct check *c, uint32_t number)
{
	const struct spec_principal *p = &c->spec->principals[number];

	if (check_text(c, &p->place, "principal", p->id) < 0 ||
	    check_limit(c, &p->place, "groups of a principal", p->groups.count, POLICY_MAX_GROUPS) <
		    0 ||
	    check_limit(c, &p->place, "devices of a principal", p->device_count,
			POLICY_MAX_DEVICES) < 0 ||
	    check_device_names(c, p) < 0)
		return -EINVAL;
	index_add_text(&c->ids, p->id, number, &p->place);
	for (size_t i = 0; i < p->groups.count; i++) {
		if (check_text(c, &p->place, "group", p->groups.items[i]) < 0)
			return -EINVAL;
		index_add_text(&c->groups, p->groups.items[i], 0, &p->place);
	}
	for (size_t i = 0; i < p->device_count; i++) {
		if (check_device(c, p, &p->devices[i]) < 0)
			return -EINVAL;
	}
	return 0;
}

/* Nothing occurs twice that must not. */
static int check_unique(struct check *c)
{
	const struct index_item *twice;
	char addr[IP_ADDR_STRLEN], key[KEY_BASE64_LEN + 1];

	index_sort(&c->ids);
	index_sort(&c->groups);
	index_sort(&c->keys);
	index_sort(&c->holders);
	if ((twice = index_duplicate(&c->ids)))
		return wrong(c, twice->place,
			     "principal \"%.*s\" is there twice; expected all of its devices in one",
			     (int)twice->len, (const char *)twice->key);
	if ((twice = index_duplicate(&c->keys))) {
		key_to_base64(twice->key, key);
		return wrong(c, twice->place,
			     "public_key %s belongs to two devices; expected one of its own for each",
			     key);
	}
	if ((twice = index_duplicate(&c->holders)))
		return wrong(c, twice->place,
			     "address %s is held twice; expected one holder for each",
			     ip_addr_format(twice->key, addr));
	return 0;
}

static int check_principals(struct check *c)
{
	if (check_limit(c, NULL, "principals", c->spec->principal_count, POLICY_MAX_PRINCIPALS) < 0)
		return -EINVAL;
	for (size_t i = 0; i < c->spec->own_count; i++)
		index_add(&c->holders, &c->spec->own[i], sizeof c->spec->own[i], (uint32_t)i, NULL);
	for (size_t i = 0; i < c->spec->principal_count; i++) {
		if (check_principal(c, (uint32_t)i) < 0)
			return -EINVAL;
	}
	return check_unique(c);
}

static int check_from(struct check *c, const struct spec_rule *rule, const char *text)
{
	const struct spec_principal *p = c->spec->principals;
	struct selector s;
	uint32_t n;

	if (selector_parse(text, &s) < 0)
		return wrong(c, &rule->place,
			     "from \"%s\": expected \"any\", \"group:NAME\", \"user:ID\", "
			     "\"service:ID\" or \"connector:ID\"",
			     text);
	if (s.kind == SELECTOR_ANY || c->scope == POLICY_OF_CONNECTOR)
		return 0;
	if (s.kind == SELECTOR_GROUP)
		return index_find_text(&c->groups, s.name) != INDEX_NONE
			       ? 0
			       : wrong(c, &rule->place,
				       "from \"%s\": no principal is in group \"%s\"; expected a group "
				       "that somebody is in",
				       text,
				       s.name);
	n = index_find_text(&c->ids, s.name);
	if (n == INDEX_NONE)
		return wrong(c, &rule->place, "from \"%s\": there is no principal \"%s\"", text,
			     s.name);
	if (p[n].kind != s.principal)
		return wrong(c, &rule->place, "from \"%s\": \"%s\" is a %s; write \"%s:%s\"", text,
			     s.name, word_kinds[p[n].kind], word_kinds[p[n].kind],
			     s.name);
	return 0;
}

static int check_ports(struct check *c, const struct spec_rule *rule)
{
	if (check_limit(c, &rule->place, "port ranges", rule->port_count, POLICY_MAX_PORTS) < 0)
		return -EINVAL;
	if (rule->port_count && rule->proto != 6 && rule->proto != 17)
		return wrong(c, &rule->place,
			     "rule \"%s\" has ports; expected proto = tcp or proto = udp with them",
			     rule->name);
	for (size_t i = 0; i < rule->port_count; i++) {
		if (rule->ports[i].first == 0 || rule->ports[i].first > rule->ports[i].last)
			return wrong(c, &rule->place,
				     "ports %u-%u of rule \"%s\": expected 1 to 65535, ascending",
				     rule->ports[i].first, rule->ports[i].last, rule->name);
	}
	return 0;
}

static int check_rule(struct check *c, const struct spec_rule *rule)
{
	if (check_text(c, &rule->place, "rule name", rule->name) < 0 ||
	    check_limit(c, &rule->place, "entries in from", rule->from.count, POLICY_MAX_FROM) < 0)
		return -EINVAL;
	if (rule->from.count == 0)
		return wrong(c, &rule->place,
			     "rule \"%s\" has no from; expected who it is for, as in "
			     "from = {\"group:eng\"}",
			     rule->name);
	if (rule->proto > POLICY_PROTO_ICMP)
		return wrong(c, &rule->place, "rule \"%s\" has no such proto", rule->name);
	for (size_t i = 0; i < rule->from.count; i++) {
		if (check_from(c, rule, rule->from.items[i]) < 0)
			return -EINVAL;
	}
	return check_ports(c, rule);
}

static int check_rules(struct check *c, const struct spec_route *r)
{
	char buf[IP_PREFIX_STRLEN];

	if (check_limit(c, &r->place, "rules of a route", r->rule_count, POLICY_MAX_RULES) < 0)
		return -EINVAL;
	for (size_t i = 0; i < r->rule_count; i++) {
		if (check_rule(c, &r->rules[i]) < 0)
			return -EINVAL;
		for (size_t j = 0; j < i; j++) {
			if (strcmp(r->rules[i].name, r->rules[j].name) == 0)
				return wrong(c, &r->rules[i].place,
					     "route %s has a rule \"%s\" already",
					     ip_prefix_format(&r->prefix, buf), r->rules[i].name);
		}
	}
	return 0;
}

static int check_connector(struct check *c, const struct spec_route *r, size_t i)
{
	const char *id = r->via.items[i];
	uint32_t n = index_find_text(&c->ids, id);

	if (n == INDEX_NONE)
		return wrong(c, &r->place,
			     "via \"%s\": there is no such principal; expected one with "
			     "kind = connector",
			     id);
	if (c->spec->principals[n].kind != PRINCIPAL_CONNECTOR)
		return wrong(c, &r->place, "via \"%s\" is a %s; expected one with kind = connector",
			     id, word_kinds[c->spec->principals[n].kind]);
	for (size_t j = 0; j < i; j++) {
		if (strcmp(id, r->via.items[j]) == 0)
			return wrong(c, &r->place, "via names \"%s\" twice; expected it once", id);
	}
	return 0;
}

/* Without `via` a route leads to devices, so one of them must be in it. */
static int check_leads_somewhere(struct check *c, const struct spec_route *r)
{
	char buf[IP_PREFIX_STRLEN];

	for (size_t i = 0; i < c->holders.count; i++) {
		if (c->holders.items[i].value >= c->spec->own_count &&
		    ip_prefix_contains(&r->prefix, c->holders.items[i].key))
			return 0;
	}
	return wrong(c, &r->place,
		     "route %s has no via, and no device has an address in it; expected "
		     "via = {\"CONNECTOR\"}",
		     ip_prefix_format(&r->prefix, buf));
}

static int check_via(struct check *c, const struct spec_route *r)
{
	if (c->scope == POLICY_OF_CONNECTOR)
		return 0;
	if (r->via.count == 0)
		return check_leads_somewhere(c, r);
	if (check_limit(c, &r->place, "connectors in via", r->via.count, POLICY_MAX_VIA) < 0)
		return -EINVAL;
	for (size_t i = 0; i < r->via.count; i++) {
		if (check_connector(c, r, i) < 0)
			return -EINVAL;
	}
	return 0;
}

/* A device's address is reached by a route without connectors, and this host's by none: such a
 * route would never match. */
static int check_not_held(struct check *c, const struct spec_route *r)
{
	char buf[IP_PREFIX_STRLEN];
	uint32_t holder;

	if (c->scope == POLICY_OF_CONNECTOR || r->prefix.len != ip_addr_size(&r->prefix.addr) * 8)
		return 0;
	holder = index_find(&c->holders, &r->prefix.addr, sizeof r->prefix.addr);
	if (holder == INDEX_NONE)
		return 0;
	if (holder < c->spec->own_count)
		return wrong(c, &r->place,
			     "route %s is the edge's own address, to which nothing is forwarded; "
			     "expected addresses of others",
			     ip_prefix_format(&r->prefix, buf));
	if (r->via.count > 0)
		return wrong(c, &r->place,
			     "route %s is the address of a device, which no connector reaches; "
			     "expected it without via, or another address",
			     ip_prefix_format(&r->prefix, buf));
	return 0;
}

static int check_route(struct check *c, const struct spec_route *r)
{
	struct ip_prefix canonical = ip_prefix_of(&r->prefix.addr, r->prefix.len);
	char buf[IP_PREFIX_STRLEN];

	if (ip_addr_size(&r->prefix.addr) == 0 || !ip_prefix_equal(&canonical, &r->prefix))
		return wrong(c, &r->place, "route %s is no prefix; expected %s",
			     ip_prefix_format(&r->prefix, buf), "zero bits behind its length");
	/* 0.0.0.0/0 and its halves begin with a special address and are none */
	if (r->prefix.len >= 8 && ip_addr_is_special(&r->prefix.addr))
		return wrong(c, &r->place,
			     "route %s is loopback, link-local, multicast or another special "
			     "range; expected hosts' addresses",
			     ip_prefix_format(&r->prefix, buf));
	index_add(&c->prefixes, &r->prefix, sizeof r->prefix, (uint32_t)c->prefixes.count,
		  &r->place);
	if (check_not_held(c, r) < 0 || check_via(c, r) < 0)
		return -EINVAL;
	return check_rules(c, r);
}

static int check_routes(struct check *c)
{
	const struct index_item *twice;
	char buf[IP_PREFIX_STRLEN];

	if (check_limit(c, NULL, "routes", c->spec->route_count, POLICY_MAX_ROUTES) < 0)
		return -EINVAL;
	for (size_t i = 0; i < c->spec->route_count; i++) {
		if (check_route(c, &c->spec->routes[i]) < 0)
			return -EINVAL;
	}
	index_sort(&c->prefixes);
	if ((twice = index_duplicate(&c->prefixes)))
		return wrong(c, twice->place, "route %s is there twice; expected its rules in one",
			     ip_prefix_format(twice->key, buf));
	return 0;
}

static int check_init(struct check *c)
{
	size_t groups = 0, devices = 0, addresses = c->spec->own_count;

	for (size_t i = 0; i < c->spec->principal_count; i++) {
		const struct spec_principal *p = &c->spec->principals[i];

		groups += p->groups.count;
		devices += p->device_count;
		for (size_t j = 0; j < p->device_count; j++)
			addresses += p->devices[j].address_count;
	}
	if (index_init(&c->ids, c->spec->principal_count) < 0 ||
	    index_init(&c->groups, groups) < 0 || index_init(&c->keys, devices) < 0 ||
	    index_init(&c->holders, addresses) < 0 ||
	    index_init(&c->prefixes, c->spec->route_count) < 0)
		return wrong(c, NULL, "out of memory while the policy is checked");
	return 0;
}

int policy_spec_validate(const struct policy_spec *spec, enum policy_scope scope,
			 struct policy_error *error)
{
	struct check c = {.spec = spec, .scope = scope, .error = error};
	int result = check_init(&c);

	if (!result)
		result = check_principals(&c);
	if (!result)
		result = check_routes(&c);
	index_clear(&c.ids);
	index_clear(&c.groups);
	index_clear(&c.keys);
	index_clear(&c.holders);
	index_clear(&c.prefixes);
	return result;
}
