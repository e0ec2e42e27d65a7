/* SPDX-License-Identifier: ISC */
/* The policy, read off its spec. */
#include <stdio.h>
#include <string.h>

#include "policy_oracle.h"

/* Bit by bit, as RFC 4632 has it. */
static bool in_prefix(const struct ip_prefix *p, const struct ip_addr *a)
{
	if (p->addr.family != a->family)
		return false;
	for (unsigned bit = 0; bit < p->len; bit++) {
		if ((p->addr.bytes[bit / 8] ^ a->bytes[bit / 8]) & (0x80 >> bit % 8))
			return false;
	}
	return true;
}

static const struct spec_route *longest_route(const struct policy_spec *spec,
					      const struct ip_addr *a)
{
	const struct spec_route *best = NULL;

	for (size_t i = 0; i < spec->route_count; i++) {
		const struct spec_route *r = &spec->routes[i];

		if (in_prefix(&r->prefix, a) && (!best || r->prefix.len > best->prefix.len))
			best = r;
	}
	return best;
}

static bool holds(const struct spec_device *d, const struct ip_addr *a)
{
	for (size_t i = 0; i < d->address_count; i++) {
		if (d->addresses[i].family == a->family &&
		    memcmp(d->addresses[i].bytes, a->bytes, a->family == 4 ? 4 : 16) == 0)
			return true;
	}
	return false;
}

/* The device with this key and its principal. */
static const struct spec_device *by_key(const struct policy_spec *spec, const uint8_t *key,
					const struct spec_principal **principal)
{
	for (size_t i = 0; i < spec->principal_count; i++) {
		const struct spec_principal *p = &spec->principals[i];

		for (size_t j = 0; j < p->device_count; j++) {
			*principal = p;
			if (memcmp(p->devices[j].public_key, key, KEY_SIZE) == 0)
				return &p->devices[j];
		}
	}
	return NULL;
}

static const struct spec_device *holder_of(const struct policy_spec *spec, const struct ip_addr *a)
{
	for (size_t i = 0; i < spec->principal_count; i++) {
		for (size_t j = 0; j < spec->principals[i].device_count; j++) {
			if (holds(&spec->principals[i].devices[j], a))
				return &spec->principals[i].devices[j];
		}
	}
	return NULL;
}

static bool is_own(const struct policy_spec *spec, const struct ip_addr *a)
{
	struct spec_device host = {.addresses = spec->own, .address_count = spec->own_count};

	return holds(&host, a);
}

bool oracle_owns(const struct policy_spec *spec, const uint8_t key[KEY_SIZE],
		 const struct ip_addr *src)
{
	const struct spec_principal *p;
	const struct spec_device *d = by_key(spec, key, &p);
	const struct spec_route *r = longest_route(spec, src);

	if (!d)
		return false;
	if (holds(d, src))
		return true;
	if (p->kind != PRINCIPAL_CONNECTOR || holder_of(spec, src) || is_own(spec, src))
		return false;
	for (size_t i = 0; r && i < r->via.count; i++) {
		if (strcmp(r->via.items[i], p->id) == 0)
			return true;
	}
	return false;
}

static bool is_from(const struct spec_principal *p, const char *from)
{
	static const char *const kinds[] = {"user", "connector", "service"};
	char text[POLICY_MAX_TEXT + 20];

	if (strcmp(from, "any") == 0)
		return p->kind != PRINCIPAL_CONNECTOR;
	snprintf(text, sizeof text, "%s:%s", kinds[p->kind], p->id);
	if (strcmp(from, text) == 0)
		return true;
	for (size_t i = 0; i < p->groups.count; i++) {
		snprintf(text, sizeof text, "group:%s", p->groups.items[i]);
		if (strcmp(from, text) == 0)
			return true;
	}
	return false;
}

static bool rule_matches(const struct spec_rule *rule, const struct spec_principal *p,
			 uint8_t proto, uint16_t port)
{
	bool from = false, in_ports = rule->port_count == 0;

	if (rule->proto < 256 && rule->proto != proto)
		return false;
	if (rule->proto == POLICY_PROTO_ICMP && proto != 1 && proto != 58)
		return false;
	for (size_t i = 0; i < rule->port_count; i++)
		in_ports =
			in_ports || (port >= rule->ports[i].first && port <= rule->ports[i].last);
	for (size_t i = 0; i < rule->from.count; i++)
		from = from || is_from(p, rule->from.items[i]);
	return from && in_ports;
}

struct oracle_answer oracle_judge(const struct policy_spec *spec, const uint8_t key[KEY_SIZE],
				  const struct ip_addr *dst, uint8_t proto, uint16_t port)
{
	struct oracle_answer answer = {POLICY_REJECT, REASON_UNKNOWN_DEVICE, NULL, NULL};
	const struct spec_route *r = longest_route(spec, dst);
	const struct spec_device *holder = holder_of(spec, dst);
	const struct spec_principal *p;
	const struct spec_device *d = by_key(spec, key, &p);

	if (!d)
		return answer;
	answer.reason = REASON_NO_ROUTE;
	if (!r || is_own(spec, dst) || holder == d || (r->via.count == 0) != (holder != NULL))
		return answer;
	answer.route = r;
	answer.reason = REASON_NO_RULE;
	for (size_t i = 0; i < r->rule_count; i++) {
		if (!rule_matches(&r->rules[i], p, proto, port))
			continue;
		answer.rule = &r->rules[i];
		answer.action = answer.rule->action;
		answer.reason = answer.action == POLICY_ACCEPT ? REASON_ACCEPTED : REASON_DENIED;
		break;
	}
	return answer;
}
