/* SPDX-License-Identifier: ISC */
/* A valid spec drawn from bytes, and questions to it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_oracle.h"
#include "random_policy.h"

#define PRINCIPALS 8

unsigned draw_below(struct draw *d, unsigned n)
{
	if (d->len == 0)
		return 0;
	d->len--;
	return *d->bytes++ % n;
}

static struct ip_addr address_of(unsigned family, unsigned a, unsigned b)
{
	if (family == 4)
		return ip_addr_from_bytes(4, (const uint8_t[4]){10, 64, (uint8_t)a, (uint8_t)b});
	return ip_addr_from_bytes(
		6, (const uint8_t[16]){0xfd, 0x74, [6] = (uint8_t)a, [15] = (uint8_t)b});
}

struct ip_addr random_near(struct draw *d)
{
	unsigned family = draw_below(d, 3) ? 4 : 6, a = draw_below(d, 3);

	return address_of(family, a, draw_below(d, 16));
}

void random_key(struct draw *d, uint8_t key[KEY_SIZE])
{
	memset(key, 0, KEY_SIZE);
	key[0] = (uint8_t)(1 + draw_below(d, PRINCIPALS));
	key[1] = (uint8_t)draw_below(d, 2);
	key[31] = 1;
}

/* Each address belongs to one device of one principal at most: number, then position. */
static void add_devices(struct draw *d, struct policy_spec *spec, struct spec_principal *p,
			unsigned number)
{
	unsigned devices = draw_below(d, 3);

	for (unsigned i = 0; i < devices; i++) {
		struct spec_device *device =
			policy_spec_add_device(spec, p, i ? "two" : "one", "random", number);
		struct ip_addr v4 = address_of(4, 0, number * 2 + i);
		struct ip_addr v6 = address_of(6, 0, number * 2 + i);

		device->public_key[0] = (uint8_t)(number + 1);
		device->public_key[1] = (uint8_t)i;
		device->public_key[31] = 1;
		device->has_preshared_key = draw_below(d, 2);
		memset(device->preshared_key, device->has_preshared_key ? 0x55 : 0, KEY_SIZE);
		if (draw_below(d, 3))
			policy_spec_add_address(spec, device, &v4);
		if (draw_below(d, 3))
			policy_spec_add_address(spec, device, &v6);
	}
}

static void add_principal(struct draw *d, struct policy_spec *spec, unsigned number)
{
	enum principal_kind kind = (enum principal_kind)draw_below(d, 3);
	char id[8];
	struct spec_principal *p;

	snprintf(id, sizeof id, "p%u", number);
	p = policy_spec_add_principal(spec, id, kind, "random", number);
	if (draw_below(d, 2))
		policy_spec_add_group(spec, p, "x");
	if (draw_below(d, 2))
		policy_spec_add_group(spec, p, "y");
	add_devices(d, spec, p, number);
}

static void add_from(struct draw *d, struct policy_spec *spec, struct spec_rule *rule)
{
	static const char *const kinds[] = {"user", "connector", "service"};
	unsigned what = draw_below(d, 5), n = draw_below(d, PRINCIPALS);
	char text[20];

	if (what == 0)
		snprintf(text, sizeof text, "any");
	else if (what < 3)
		snprintf(text, sizeof text, "group:%s", what == 1 ? "x" : "y");
	else
		snprintf(text, sizeof text, "%s:p%u", kinds[spec->principals[n].kind], n);
	policy_spec_add_from(spec, rule, text);
}

static void add_rule(struct draw *d, struct policy_spec *spec, struct spec_route *r)
{
	static const uint16_t protos[] = {POLICY_PROTO_ANY, POLICY_PROTO_ICMP, 6, 17, 47, 1};
	char name[8];
	struct spec_rule *rule;

	snprintf(name, sizeof name, "r%zu", r->rule_count);
	rule = policy_spec_add_rule(spec, r, name, "random", 0);
	rule->action = (enum policy_action)draw_below(d, 3);
	rule->proto = protos[draw_below(d, 6)];
	for (unsigned n = 1 + draw_below(d, 3); n; n--)
		add_from(d, spec, rule);
	for (unsigned n = draw_below(d, 3); n && (rule->proto == 6 || rule->proto == 17); n--) {
		uint16_t first = (uint16_t)(1 + draw_below(d, 8));

		policy_spec_add_ports(spec, rule, first, (uint16_t)(first + draw_below(d, 4)));
	}
}

static bool has_route(const struct policy_spec *spec, const struct ip_prefix *p)
{
	for (size_t i = 0; i < spec->route_count; i++) {
		if (ip_prefix_equal(&spec->routes[i].prefix, p))
			return true;
	}
	return false;
}

static bool has_device_in(const struct policy_spec *spec, const struct ip_prefix *p)
{
	for (size_t i = 0; i < spec->principal_count; i++) {
		const struct spec_principal *who = &spec->principals[i];

		for (size_t d = 0; d < who->device_count; d++) {
			for (size_t a = 0; a < who->devices[d].address_count; a++) {
				if (ip_prefix_contains(p, &who->devices[d].addresses[a]))
					return true;
			}
		}
	}
	return false;
}

/* Whether packets to it could match it. */
static bool leads_somewhere(const struct policy_spec *spec, const struct spec_route *r)
{
	bool is_host = r->prefix.len == ip_addr_size(&r->prefix.addr) * 8;

	if (is_host && spec->own_count > 0 && ip_addr_equal(&r->prefix.addr, &spec->own[0]))
		return false;
	return r->via.count == 0 ? has_device_in(spec, &r->prefix)
				 : !is_host || !has_device_in(spec, &r->prefix);
}

static void add_route(struct draw *d, struct policy_spec *spec)
{
	struct ip_addr a = random_near(d);
	unsigned len = a.family == 4 ? 16 + draw_below(d, 17) : 48 + draw_below(d, 81);
	struct ip_prefix p = ip_prefix_of(&a, (uint8_t)(draw_below(d, 16) ? len : 0));
	unsigned connectors = draw_below(d, 4), n = draw_below(d, PRINCIPALS);
	struct spec_route *r;

	if (has_route(spec, &p))
		return;
	r = policy_spec_add_route(spec, &p, "random", 0);
	for (unsigned i = 0; i < PRINCIPALS && r->via.count < connectors; i++) {
		unsigned k = (n + i) % PRINCIPALS;

		if (spec->principals[k].kind == PRINCIPAL_CONNECTOR)
			policy_spec_add_via(spec, r, spec->principals[k].id);
	}
	if (!leads_somewhere(spec, r)) {
		spec->route_count--;
		return;
	}
	for (unsigned i = draw_below(d, 4); i; i--)
		add_rule(d, spec, r);
}

/* Every group is somebody's, or a rule could not name it. */
static void complete_groups(struct policy_spec *spec)
{
	struct spec_principal *p =
		policy_spec_add_principal(spec, "keeper", PRINCIPAL_SERVICE, NULL, 0);

	policy_spec_add_group(spec, p, "x");
	policy_spec_add_group(spec, p, "y");
}

struct policy_spec *random_spec(struct draw *d)
{
	struct policy_spec *spec = policy_spec_new();
	struct ip_addr own = address_of(4, 2, draw_below(d, 16));

	if (!spec)
		abort();
	if (draw_below(d, 2))
		policy_spec_add_own(spec, &own);
	for (unsigned i = 0; i < PRINCIPALS; i++)
		add_principal(d, spec, i);
	complete_groups(spec);
	for (unsigned n = draw_below(d, 12); n; n--)
		add_route(d, spec);
	return spec;
}

const char *compare_with_oracle(struct draw *d, const struct policy_spec *spec,
				const struct policy *policy, const struct registry *registry)
{
	static const uint8_t protos[] = {6, 17, 1, 58, 47, 132};
	uint8_t key[KEY_SIZE], proto = protos[draw_below(d, 6)];
	uint16_t port = proto == 6 || proto == 17 ? (uint16_t)draw_below(d, 13) : 0;
	struct ip_addr a = random_near(d);
	struct oracle_answer expected;
	struct policy_query q = {.dst = a, .proto = proto, .dst_port = port};
	struct judgement j;

	random_key(d, key);
	q.device = registry_by_key(registry, key);
	if (policy_owns(policy, registry, q.device, &a) != oracle_owns(spec, key, &a))
		return "policy_owns";
	policy_judge(policy, registry, &q, &j);
	expected = oracle_judge(spec, key, &a, proto, port);
	if (j.action != expected.action || j.reason != expected.reason)
		return "action or reason";
	if (j.rule != expected.rule)
		return "rule";
	if ((j.route == UINT32_MAX) != !expected.route ||
	    (expected.route && &spec->routes[j.route] != expected.route))
		return "route";
	return NULL;
}
