/* SPDX-License-Identifier: ISC */
/* Options of tund.conf(5), their ranges and defaults. */
#include "config_conf.h"

#include <string.h>

#include "config_check.h"
#include "config_value.h"

#define MTU_DEFAULT 1420
/* s. A client's is below the usual 30 s of a NAT's UDP state. A connector waits for others, so
 * nothing but its keepalives tells it that its way to the edge has failed: it asks more often. */
#define KEEPALIVE_CLIENT 25
#define KEEPALIVE_CONNECTOR 5
#define FWMARK_DEFAULT 0x7475

static bool require(struct diag *diag, const struct setting *s, const char *what,
		    const char *example)
{
	if (!s)
		diag_report(diag, 0, "%s is not set; expected %s", what, example);
	return s != NULL;
}

/* The common shape of an optional number. */
static bool read_number(struct diag *diag, cfg_t *root, const char *name, uint32_t min,
			uint32_t max, bool hex, uint32_t fallback, uint32_t *out)
{
	const struct setting *s = tree_one(root, name);

	*out = fallback;
	return !s || value_number(diag, s, min, max, hex, out);
}

static bool read_choice(struct diag *diag, cfg_t *section, const char *name,
			const char *const *names, int *out)
{
	const struct setting *s = tree_one(section, name);

	*out = 0;
	return !s || value_choice(diag, s, names, out);
}

static bool read_bool(struct diag *diag, cfg_t *root, const char *name, bool *out)
{
	const struct setting *s = tree_one(root, name);

	*out = false;
	return !s || value_bool(diag, s, out);
}

/* A list that falls back to constants of ours when it is not set. */
static bool read_prefixes(struct diag *diag, cfg_t *root, const char *name,
			  const char *const *fallback, struct prefix_list *out)
{
	if (tree_is_set(root, name))
		return value_prefixes(diag, root, name, out);
	for (; *fallback; fallback++)
		if (ip_prefix_parse(*fallback, &out->prefix[out->count]) == 0)
			out->count++;
	return true;
}

static bool read_common(struct diag *diag, cfg_t *root, struct config *config)
{
	static const char *const aeads[] = {
		[AEAD_AUTO] = "auto", [AEAD_IPSEC_MB] = "ipsec-mb", [AEAD_LIBCRYPTO] = "libcrypto",
		[AEAD_LIBSODIUM] = "libsodium", NULL};
	const struct setting *s = tree_one(root, "private_key");
	uint32_t mtu, workers;
	int aead;
	bool ok;

	ok = require(diag, s, "private_key", "the output of \"tund genkey\" in quotes") &&
	     value_key(diag, s, config->private_key);
	ok &= read_number(diag, root, "mtu", CONFIG_MTU_MIN, CONFIG_MTU_MAX, false, MTU_DEFAULT,
			  &mtu);
	config->mtu = (uint16_t)mtu;
	ok &= read_number(diag, root, "workers", 1, CONFIG_WORKERS_MAX, false, 0, &workers);
	config->workers = (uint8_t)workers;
	ok &= read_choice(diag, root, "aead", aeads, &aead);
	config->aead = (enum aead_choice)aead;
	return ok;
}

/* The edge's own address where none is written: the first host's of the first pool of a family. */
static void default_addresses(struct config *config)
{
	for (uint8_t family = 4; family <= 6; family = (uint8_t)(family + 2)) {
		for (uint32_t i = 0; i < config->pool.count; i++) {
			struct ip_addr a = config->pool.prefix[i].addr;

			if (a.family != family ||
			    config->pool.prefix[i].len + 2u > ip_addr_size(&a) * 8)
				continue;
			a.bytes[ip_addr_size(&a) - 1] |= 1;
			config->address.addr[config->address.count++] = a;
			break;
		}
	}
}

static bool read_addresses(struct diag *diag, cfg_t *root, struct config *config)
{
	size_t n = tree_count(root, "address");
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		const struct setting *s = tree_item(root, "address", i);
		struct ip_addr a;

		if (!value_address(diag, s, &a)) {
			ok = false;
		} else if (config->address.count == 2 ||
			   (config->address.count == 1 && config->address.addr[0].family == a.family)) {
			diag_report(diag, s->line,
				    "address: \"%s\" is one too many; expected at most "
				    "one of IPv4 and one of IPv6",
				    s->text);
			ok = false;
		} else if (!prefix_list_holds(&config->pool, &a)) {
			diag_report(diag, s->line,
				    "address: \"%s\" is not in pool; expected an address "
				    "of the pool that no device has",
				    s->text);
			ok = false;
		} else {
			config->address.addr[config->address.count++] = a;
		}
	}
	return ok;
}

static bool read_edge_role(struct diag *diag, cfg_t *root, struct config *config)
{
	static const char *const pool[] = {"100.80.0.0/16", "fd74:756e:64::/48", NULL};
	uint32_t port;
	bool ok;

	ok = read_number(diag, root, "listen", 1, UINT16_MAX, false, VALUE_DEFAULT_PORT, &port);
	config->listen_port = (uint16_t)port;
	/* Without a pool every address would be outside of it. */
	if (!read_prefixes(diag, root, "pool", pool, &config->pool))
		return false;
	if (config->pool.count == 0) {
		diag_report(diag, 0,
			    "pool is empty; expected the prefixes that clients' addresses are "
			    "from, or no such option for %s and %s",
			    pool[0], pool[1]);
		return false;
	}
	if (!tree_is_set(root, "address"))
		default_addresses(config);
	return read_addresses(diag, root, config) && ok;
}

static bool read_edge_section(struct diag *diag, cfg_t *section, unsigned line,
			      struct config_edge *edge)
{
	static const char *const suites[] = {"auto", "aes-gcm", "chacha20-poly1305", "wireguard",
					     NULL};
	static const int8_t numbers[] = {-1, 1, 2, 0};
	const struct setting *key = tree_one(section, "public_key");
	const struct setting *psk = tree_one(section, "preshared_key");
	const struct setting *endpoint = tree_one(section, "endpoint");
	bool ok = true;
	int suite;

	if (!key)
		diag_report(diag, line,
			    "edge has no public_key; expected what \"tund pubkey\" prints "
			    "on the edge");
	if (!endpoint)
		diag_report(diag, line,
			    "edge has no endpoint; expected its name or address and port, "
			    "as endpoint = \"edge.example.com:51820\"");
	ok &= key && value_public_key(diag, key, edge->public_key);
	ok &= !psk || value_key(diag, psk, edge->preshared_key);
	ok &= endpoint && value_endpoint(diag, endpoint, edge->host, &edge->port);
	ok &= read_choice(diag, section, "suite", suites, &suite);
	edge->suite = numbers[suite];
	return ok;
}

static bool read_edges(struct diag *diag, cfg_t *root, const struct scan *scan,
		       struct config *config)
{
	size_t next = 0;
	const struct scan_section *first = scan_next_section(scan, "edge", &next);
	const struct scan_section *second = scan_next_section(scan, "edge", &next);

	if (!first) {
		diag_report(diag, 0,
			    "there is no edge; expected edge { public_key = \"...\" "
			    "endpoint = \"host:port\" }");
		return false;
	}
	if (second) {
		diag_report(diag, second->line,
			    "\"edge\" occurs a second time; expected one (line %u "
			    "has it)",
			    first->line);
		return false;
	}
	if (first->title) {
		diag_report(diag, first->line,
			    "\"edge\" is a section without a title; expected { "
			    "after its name");
		return false;
	}
	return read_edge_section(diag, cfg_getnsec(root, "edge", 0), first->line, &config->edge);
}

static bool read_interface(struct diag *diag, cfg_t *root, struct config *config)
{
	const struct setting *s = tree_one(root, "interface");

	if (s)
		return value_interface(diag, s, config->interface);
	strcpy(config->interface, "tund0");
	return true;
}

const char *const config_default_routes[] = {
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", NULL};

static bool read_inner_role(struct diag *diag, cfg_t *root, const struct scan *scan,
			    struct config *config)
{
	static const char *const transports[] = {"auto", "udp", "tcp", NULL};
	uint32_t keepalive;
	int transport;
	bool ok = true;

	config->edge.suite = -1;
	ok &= read_interface(diag, root, config);
	ok &= read_number(diag, root, "keepalive", 0, UINT16_MAX, false,
			  config->role == ROLE_CONNECTOR ? KEEPALIVE_CONNECTOR : KEEPALIVE_CLIENT,
			  &keepalive);
	config->keepalive_s = (uint16_t)keepalive;
	ok &= read_edges(diag, root, scan, config);
	ok &= read_choice(diag, root, "transport", transports, &transport);
	config->transport = (enum transport_choice)transport;
	ok &= conf_read_wireguard(diag, root, scan, config);
	ok &= read_prefixes(diag, root, "accept_routes", config_default_routes,
			    &config->accept_routes);
	ok &= read_bool(diag, root, "full_tunnel", &config->full_tunnel);
	ok &= read_bool(diag, root, "accept_dns", &config->accept_dns);
	ok &= read_number(diag, root, "fwmark", 1, UINT32_MAX, true, FWMARK_DEFAULT,
			  &config->fwmark);
	return ok;
}

/* The edge refuses an announcement that holds such a prefix, as a whole. */
static bool check_announced(struct diag *diag, cfg_t *root, const struct prefix_list *announce)
{
	bool ok = true;

	for (uint32_t i = 0; i < announce->count; i++) {
		const struct ip_prefix *p = &announce->prefix[i];
		const struct setting *s = tree_item(root, "announce", i);

		if (p->len == 0 || !ip_addr_is_special(&p->addr))
			continue;
		diag_report(diag, s->line,
			    "announce: \"%s\" is loopback, link-local, multicast or another "
			    "special range; expected hosts' addresses",
			    s->text);
		ok = false;
	}
	return ok;
}

static bool read_connector(struct diag *diag, cfg_t *root, struct config *config)
{
	static const char *const sources[] = {"snat", "preserve", NULL};
	bool ok = value_prefixes(diag, root, "announce", &config->announce) &&
		  check_announced(diag, root, &config->announce);
	int source;

	if (tree_count(root, "announce") == 0) {
		diag_report(diag, 0,
			    "a connector without announce reaches nothing; expected the "
			    "prefixes beside it, as announce = {\"10.77.0.0/24\"}");
		ok = false;
	}
	ok &= read_choice(diag, root, "source", sources, &source);
	config->source = (enum source_mode)source;
	return ok;
}

bool conf_read(struct diag *diag, cfg_t *root, const struct scan *scan, struct config *config)
{
	bool ok = conf_read_role(diag, root, &config->role);

	if (!ok)
		return false;
	ok &= conf_check_role(diag, root, scan, config->role);
	ok &= read_common(diag, root, config);
	switch (config->role) {
	case ROLE_EDGE:
		return read_edge_role(diag, root, config) && ok;
	case ROLE_CONNECTOR:
		ok &= read_connector(diag, root, config);
		return read_inner_role(diag, root, scan, config) && ok;
	case ROLE_CLIENT:
		return read_inner_role(diag, root, scan, config) && ok;
	}
	return false;
}
