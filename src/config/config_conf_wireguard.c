/* SPDX-License-Identifier: ISC */
/* What a client of a stock WireGuard server has to say itself, since nobody pushes it. */
#include "config_conf.h"

#include <string.h>

#include "config_value.h"

static bool add_address(struct diag *diag, const struct setting *s, struct config *config)
{
	struct ip_addr a;

	if (!value_address(diag, s, &a))
		return false;
	if (config->address.count == CONFIG_ADDRESSES_MAX) {
		diag_report(diag, s->line, "address: \"%s\" is one too many; expected at most %d",
			    s->text, CONFIG_ADDRESSES_MAX);
		return false;
	}
	if (address_is_listed(config, config->address.count, &a)) {
		diag_report(diag, s->line, "address: \"%s\" is listed twice; expected it once",
			    s->text);
		return false;
	}
	config->address.addr[config->address.count++] = a;
	return true;
}

static bool read_addresses(struct diag *diag, cfg_t *root, unsigned line, struct config *config)
{
	size_t n = tree_count(root, "address");
	bool ok = true;

	for (size_t i = 0; i < n; i++)
		ok &= add_address(diag, tree_item(root, "address", i), config);
	if (n == 0)
		diag_report(diag, line,
			    "a stock WireGuard server pushes no addresses; expected the ones it "
			    "knows this host by, as address = {\"10.0.0.2\"}");
	return ok && n > 0;
}

static bool read_routes(struct diag *diag, cfg_t *root, unsigned line, struct config *config)
{
	bool ok = value_prefixes(diag, root, "routes", &config->routes);
	bool any = tree_count(root, "routes") > 0;

	if (!any)
		diag_report(diag, line,
			    "a stock WireGuard server pushes no routes; expected what is behind "
			    "it, as routes = {\"10.77.0.0/24\"}");
	return ok && any;
}

/* UDP is all that such a server speaks; unwritten it is meant. */
static bool check_transport(struct diag *diag, cfg_t *root, struct config *config)
{
	const struct setting *s = tree_one(root, "transport");

	if (s && config->transport != TRANSPORT_UDP_ONLY) {
		diag_report(diag, s->line,
			    "transport = \"%s\" is not what a stock WireGuard server speaks; "
			    "expected transport = udp, or no such option",
			    s->text);
		return false;
	}
	config->transport = TRANSPORT_UDP_ONLY;
	return true;
}

static bool refuse_pushed(struct diag *diag, cfg_t *root, const char *name)
{
	if (tree_count(root, name) == 0)
		return true;
	diag_report(diag, tree_item(root, name, 0)->line,
		    "%s is what the edge pushes; expected it only with suite = wireguard in the "
		    "edge section",
		    name);
	return false;
}

bool conf_read_wireguard(struct diag *diag, cfg_t *root, const struct scan *scan,
			 struct config *config)
{
	size_t next = 0;
	unsigned line;
	bool ok;

	/* What another role does not have was reported already. */
	if (config->edge.suite != 0) {
		ok = config->role != ROLE_CLIENT || refuse_pushed(diag, root, "address");
		return (config->role != ROLE_CLIENT || refuse_pushed(diag, root, "routes")) && ok;
	}
	line = scan_next_section(scan, "edge", &next)->line;
	if (config->role != ROLE_CLIENT) {
		diag_report(diag, line,
			    "suite = wireguard: a stock WireGuard server takes no connectors; "
			    "expected it only with role = client");
		return false;
	}
	ok = read_addresses(diag, root, line, config);
	ok &= read_routes(diag, root, line, config);
	ok &= check_transport(diag, root, config);
	return ok;
}
