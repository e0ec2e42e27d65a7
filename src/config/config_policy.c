/* SPDX-License-Identifier: ISC */
/* Principals, devices, routes and rules of tund-policy(5). */
#include "config_policy.h"

#include <errno.h>
#include <string.h>

#include <tund/policy/words.h>

#include "config_value.h"

static cfg_opt_t device_options[] = {
	TREE_ONE("public_key"),
	TREE_ONE("preshared_key"),
	TREE_ONE("suite"),
	TREE_LIST("address"),
	CFG_END(),
};

static cfg_opt_t principal_options[] = {
	TREE_ONE("kind"),
	TREE_LIST("groups"),
	TREE_SECTION("device", device_options),
	CFG_END(),
};

static cfg_opt_t rule_options[] = {
	TREE_LIST("from"), TREE_ONE("proto"), TREE_LIST("ports"), TREE_ONE("action"), CFG_END(),
};

static cfg_opt_t route_options[] = {
	TREE_LIST("via"),
	TREE_SECTION("rule", rule_options),
	CFG_END(),
};

static cfg_opt_t options[] = {
	TREE_SECTION("principal", principal_options),
	TREE_SECTION("route", route_options),
	CFG_END(),
};

/* What all readers below share. A reader returns 0 (also after a report) or -ENOMEM. */
struct reading {
	struct diag *diag;
	const struct scan *scan;
	const struct config *config;
	struct policy_spec *spec;
	size_t principals, devices, routes, rules; /* positions among the sections of the scan */
};

cfg_opt_t *policy_options(void)
{
	return options;
}

/* Where the next section with this keyword stands, and its title; "" after a report. */
static const char *next_title(struct reading *r, const char *keyword, size_t *next, unsigned *line)
{
	const struct scan_section *section = scan_next_section(r->scan, keyword, next);

	*line = section->line;
	if (section->title)
		return section->title;
	diag_report(r->diag, *line,
		    "\"%s\" is a section with a title; expected one in quotes, then "
		    "{",
		    keyword);
	return "";
}

/* A value that is wrong anywhere leaves zeros behind, which are never used: the whole fails. */
static int read_addresses(struct reading *r, cfg_t *section, struct spec_device *device)
{
	size_t n = tree_count(section, "address");

	for (size_t i = 0; i < n; i++) {
		const struct setting *s = tree_item(section, "address", i);
		struct ip_addr a;

		if (!value_address(r->diag, s, &a))
			continue;
		if (!prefix_list_holds(&r->config->pool, &a))
			diag_report(r->diag, s->line,
				    "address: \"%s\" is not in the edge's pool; "
				    "expected an address of the pool",
				    s->text);
		if (policy_spec_add_address(r->spec, device, &a) != 0)
			return -ENOMEM;
	}
	return 0;
}

static bool read_wireguard(struct reading *r, cfg_t *section)
{
	static const char *const suites[] = {"auto", "wireguard", NULL};
	const struct setting *s = tree_one(section, "suite");
	int suite = 0;

	if (s)
		value_choice(r->diag, s, suites, &suite);
	return suite == 1;
}

static int read_device(struct reading *r, cfg_t *section, struct spec_principal *principal)
{
	unsigned line;
	const char *name = next_title(r, "device", &r->devices, &line);
	const struct setting *key = tree_one(section, "public_key");
	const struct setting *psk = tree_one(section, "preshared_key");
	struct spec_device *device;

	device = policy_spec_add_device(r->spec, principal, name, r->diag->file, line);
	if (!device)
		return -ENOMEM;
	if (!key)
		diag_report(r->diag, line,
			    "device has no public_key; expected what \"tund pubkey\" "
			    "prints there");
	else
		value_public_key(r->diag, key, device->public_key);
	if (psk && value_key(r->diag, psk, device->preshared_key))
		device->has_preshared_key = true;
	device->wireguard = read_wireguard(r, section);
	if (principal->kind != PRINCIPAL_CONNECTOR && tree_count(section, "address") == 0)
		diag_report(r->diag, line,
			    "device has no address; expected address = {...} with "
			    "addresses of the edge's pool");
	return read_addresses(r, section, device);
}

static enum principal_kind read_kind(struct reading *r, cfg_t *section)
{
	const struct setting *s = tree_one(section, "kind");
	int kind = PRINCIPAL_USER;

	if (s)
		value_choice(r->diag, s, word_kinds, &kind);
	return (enum principal_kind)kind;
}

static int read_principal(struct reading *r, cfg_t *section)
{
	unsigned line;
	const char *id = next_title(r, "principal", &r->principals, &line);
	struct spec_principal *principal;

	principal =
		policy_spec_add_principal(r->spec, id, read_kind(r, section), r->diag->file, line);
	if (!principal)
		return -ENOMEM;
	for (size_t i = 0; i < tree_count(section, "groups"); i++) {
		const struct setting *s = tree_item(section, "groups", i);

		if (policy_spec_add_group(r->spec, principal, s->text) != 0)
			return -ENOMEM;
	}
	for (unsigned i = 0; i < cfg_size(section, "device"); i++)
		if (read_device(r, cfg_getnsec(section, "device", i), principal) != 0)
			return -ENOMEM;
	return 0;
}

static uint16_t read_proto(struct reading *r, cfg_t *section)
{
	const struct setting *s = tree_one(section, "proto");
	uint32_t number;
	int chosen;

	if (!s)
		return POLICY_PROTO_ANY;
	if (s->text[0] >= '0' && s->text[0] <= '9')
		return value_number(r->diag, s, 0, 255, false, &number) ? (uint16_t)number : 0;
	return value_choice(r->diag, s, word_rule_protos, &chosen) ? word_rule_proto(chosen) : 0;
}

static int read_ports(struct reading *r, cfg_t *section, struct spec_rule *rule)
{
	size_t n = tree_count(section, "ports");
	uint16_t first, last;

	if (tree_is_set(section, "ports") && n == 0)
		diag_report(r->diag, rule->place.line,
			    "ports is empty; expected ports, or no such "
			    "option for all of them");
	for (size_t i = 0; i < n; i++) {
		const struct setting *s = tree_item(section, "ports", i);

		if (value_ports(r->diag, s, &first, &last) &&
		    policy_spec_add_ports(r->spec, rule, first, last) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_rule(struct reading *r, cfg_t *section, struct spec_route *route)
{
	unsigned line;
	const char *name = next_title(r, "rule", &r->rules, &line);
	const struct setting *action = tree_one(section, "action");
	struct spec_rule *rule;
	int chosen = POLICY_ACCEPT;

	rule = policy_spec_add_rule(r->spec, route, name, r->diag->file, line);
	if (!rule)
		return -ENOMEM;
	rule->proto = read_proto(r, section);
	if (action)
		value_choice(r->diag, action, word_actions, &chosen);
	rule->action = (enum policy_action)chosen;
	for (size_t i = 0; i < tree_count(section, "from"); i++) {
		const struct setting *s = tree_item(section, "from", i);

		if (policy_spec_add_from(r->spec, rule, s->text) != 0)
			return -ENOMEM;
	}
	return read_ports(r, section, rule);
}

/* On a connector a route can only narrow what the connector announces. */
static void check_announced(struct reading *r, unsigned line, const struct ip_prefix *prefix)
{
	const struct prefix_list *announce = &r->config->announce;
	char text[IP_PREFIX_STRLEN];

	for (uint32_t i = 0; i < announce->count; i++)
		if (ip_prefix_overlaps(&announce->prefix[i], prefix))
			return;
	diag_report(r->diag, line,
		    "route \"%s\" touches nothing that this connector announces; "
		    "expected a prefix inside announce",
		    ip_prefix_format(prefix, text));
}

/* On an edge the addresses of its pool are the devices' own. */
static void check_is_not_pool(struct reading *r, unsigned line, const struct ip_prefix *prefix)
{
	const struct prefix_list *pool = &r->config->pool;
	char text[IP_PREFIX_STRLEN];

	for (uint32_t i = 0; i < pool->count; i++)
		if (ip_prefix_equal(&pool->prefix[i], prefix))
			diag_report(r->diag, line,
				    "route \"%s\" is a whole pool, whose addresses are the devices', "
				    "and no connector reaches these; expected no via for a route "
				    "between devices, or a prefix beside the connector",
				    ip_prefix_format(prefix, text));
}

static int read_via(struct reading *r, cfg_t *section, struct spec_route *route)
{
	for (size_t i = 0; i < tree_count(section, "via"); i++) {
		const struct setting *s = tree_item(section, "via", i);

		if (r->config->role == ROLE_CONNECTOR) {
			diag_report(r->diag, s->line,
				    "via on a connector; expected it only in the "
				    "edge's policy");
			return 0;
		}
		if (policy_spec_add_via(r->spec, route, s->text) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_route(struct reading *r, cfg_t *section)
{
	unsigned line;
	const char *title = next_title(r, "route", &r->routes, &line);
	struct ip_prefix prefix = {0};
	struct spec_route *route;

	if (value_prefix_text(r->diag, "route", line, title, &prefix) &&
	    r->config->role == ROLE_CONNECTOR)
		check_announced(r, line, &prefix);
	route = policy_spec_add_route(r->spec, &prefix, r->diag->file, line);
	if (!route || read_via(r, section, route) != 0)
		return -ENOMEM;
	if (route->via.count > 0)
		check_is_not_pool(r, line, &prefix);
	for (unsigned i = 0; i < cfg_size(section, "rule"); i++)
		if (read_rule(r, cfg_getnsec(section, "rule", i), route) != 0)
			return -ENOMEM;
	return 0;
}

static int read_all(struct reading *r, cfg_t *root)
{
	unsigned n = cfg_size(root, "principal");
	size_t first = 0;

	if (n > 0 && r->config->role == ROLE_CONNECTOR)
		diag_report(
			r->diag, scan_next_section(r->scan, "principal", &first)->line,
			"principal on a connector; expected principals only in the edge's policy, "
			"which tells the connector");
	for (unsigned i = 0; i < n; i++)
		if (read_principal(r, cfg_getnsec(root, "principal", i)) != 0)
			return -ENOMEM;
	for (unsigned i = 0; i < cfg_size(root, "route"); i++)
		if (read_route(r, cfg_getnsec(root, "route", i)) != 0)
			return -ENOMEM;
	return 0;
}

int policy_read(struct diag *diag, cfg_t *root, const struct scan *scan, struct config *config)
{
	struct reading r = {.diag = diag, .scan = scan, .config = config, .spec = config->policy};
	unsigned before = diag->count;

	if (read_all(&r, root) != 0)
		return -ENOMEM;
	return diag->count == before ? 0 : -EINVAL;
}

bool policy_has_secret(cfg_t *root)
{
	for (unsigned i = 0; i < cfg_size(root, "principal"); i++) {
		cfg_t *principal = cfg_getnsec(root, "principal", i);

		for (unsigned j = 0; j < cfg_size(principal, "device"); j++)
			if (tree_one(cfg_getnsec(principal, "device", j), "preshared_key"))
				return true;
	}
	return false;
}
