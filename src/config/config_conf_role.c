/* SPDX-License-Identifier: ISC */
/* Which role has which options. */
#include "config_conf.h"

#include <string.h>

#include "config_value.h"

#define EDGE (1u << ROLE_EDGE)
#define CLIENT (1u << ROLE_CLIENT)
#define CONNECTOR (1u << ROLE_CONNECTOR)
#define ANY (EDGE | CLIENT | CONNECTOR)

static cfg_opt_t edge_options[] = {
	TREE_ONE("public_key"),
	TREE_ONE("preshared_key"),
	TREE_ONE("endpoint"),
	TREE_ONE("suite"),
	CFG_END(),
};

static cfg_opt_t options[] = {
	TREE_ONE("role"),
	TREE_ONE("private_key"),
	TREE_ONE("interface"),
	TREE_ONE("mtu"),
	TREE_ONE("workers"),
	TREE_ONE("aead"),
	TREE_ONE("keepalive"),
	TREE_ONE("listen"),
	TREE_LIST("address"),
	TREE_LIST("pool"),
	TREE_SECTION("edge", edge_options),
	TREE_ONE("transport"),
	TREE_LIST("accept_routes"),
	TREE_LIST("routes"),
	TREE_ONE("full_tunnel"),
	TREE_ONE("accept_dns"),
	TREE_ONE("fwmark"),
	TREE_LIST("announce"),
	TREE_ONE("source"),
	CFG_END(),
};

static const struct {
	const char *name;
	unsigned roles;
} belongs[] = {
	{"role", ANY},
	{"private_key", ANY},
	{"mtu", ANY},
	{"workers", ANY},
	{"aead", ANY},
	{"listen", EDGE},
	{"address", EDGE | CLIENT},
	{"pool", EDGE},
	{"interface", CLIENT | CONNECTOR},
	{"keepalive", CLIENT | CONNECTOR},
	{"edge", CLIENT | CONNECTOR},
	{"transport", CLIENT | CONNECTOR},
	{"accept_routes", CLIENT | CONNECTOR},
	{"full_tunnel", CLIENT | CONNECTOR},
	{"accept_dns", CLIENT | CONNECTOR},
	{"fwmark", CLIENT | CONNECTOR},
	{"routes", CLIENT},
	{"announce", CONNECTOR},
	{"source", CONNECTOR},
};

cfg_opt_t *conf_options(void)
{
	return options;
}

bool conf_read_role(struct diag *diag, cfg_t *root, enum role *out)
{
	const struct setting *s = tree_one(root, "role");
	int role;

	if (!s) {
		diag_report(diag, 0, "role is not set; expected role = edge, connector or client");
		return false;
	}
	if (!value_choice(diag, s, config_role_names, &role))
		return false;
	*out = (enum role)role;
	return true;
}

static unsigned line_of(cfg_t *root, const struct scan *scan, const char *name)
{
	size_t next = 0;

	if (strcmp(name, "edge") == 0)
		return scan_next_section(scan, name, &next)->line;
	return tree_item(root, name, 0)->line;
}

bool conf_check_role(struct diag *diag, cfg_t *root, const struct scan *scan, enum role role)
{
	const char *roles[4];
	char list[40];
	bool ok = true;

	for (size_t i = 0; i < sizeof belongs / sizeof *belongs; i++) {
		size_t n = 0;

		if ((belongs[i].roles & 1u << role) || cfg_size(root, belongs[i].name) == 0)
			continue;
		for (unsigned r = 0; config_role_names[r]; r++)
			if (belongs[i].roles & 1u << r)
				roles[n++] = config_role_names[r];
		roles[n] = NULL;
		diag_report(diag, line_of(root, scan, belongs[i].name),
			    "\"%s\" is no option of role %s; expected only with: %s",
			    belongs[i].name, config_role_names[role], diag_list(roles, list, sizeof list));
		ok = false;
	}
	return ok;
}
