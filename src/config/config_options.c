/* SPDX-License-Identifier: ISC */
/* The table of options, and beside it what must hold between one option and others. */
#include "config_options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <tund/wire/message.h>

#include "config_check.h"
#include "config_kind.h"

static const char *const aead_words[] = {
	[AEAD_AUTO] = "auto", [AEAD_IPSEC_MB] = "ipsec-mb", [AEAD_LIBCRYPTO] = "libcrypto",
	[AEAD_LIBSODIUM] = "libsodium", NULL};
static const char *const outer_gso_words[] = {
	[OUTER_GSO_AUTO] = "auto", [OUTER_GSO_OFF] = "off", NULL};
static const char *const transport_words[] = {[TRANSPORT_AUTO] = "auto",
					      [TRANSPORT_UDP_ONLY] = "udp",
					      [TRANSPORT_TCP_ONLY] = "tcp",
					      NULL};
static const char *const source_words[] = {
	[SOURCE_SNAT] = "snat", [SOURCE_PRESERVE] = "preserve", NULL};
static const char *const suite_words[] = {"auto", "aes-gcm", "chacha20-poly1305", "wireguard",
					  NULL};
static const int8_t suite_values[] = {-1, SUITE_AESGCM, SUITE_CHACHAPOLY, SUITE_WIREGUARD};

#define POOL4 "100.80.0.0/16"
#define POOL6 "fd74:756e:64::/48"
static const char *const default_pool[] = {POOL4, POOL6, NULL};

const char *const config_default_routes[] = {
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", NULL};

/* A connector waits for others, so nothing but its keepalives tells it that its way to the edge has
 * failed: it asks more often. A client's is below the usual 30 s of a NAT's UDP state. */
static void compute_keepalive(struct config *config)
{
	config->keepalive_s = config->role == ROLE_CONNECTOR ? 5 : 25;
}

/* UDP is all that such a server speaks. */
static void compute_transport(struct config *config)
{
	if (options_role(config) == OF_WIREGUARD_CLIENT)
		config->transport = TRANSPORT_UDP_ONLY;
}

static void check_transport(const struct option *option, const struct config *config,
			    struct judge *judge)
{
	if (options_role(config) == OF_WIREGUARD_CLIENT && config->transport != TRANSPORT_UDP_ONLY)
		judge_report(judge, option, 0,
			     "transport = \"%s\" is not what a stock WireGuard server speaks; "
			     "expected transport = udp, or no such option",
			     transport_words[config->transport]);
}

static void check_suite(const struct option *option, const struct config *config,
			struct judge *judge)
{
	if (config->role == ROLE_CONNECTOR && config->edge.suite == SUITE_WIREGUARD)
		judge_report(judge, option, 0,
			     "suite = wireguard: a stock WireGuard server takes no connectors; "
			     "expected it only with role = client");
}

/* The first host's of the first pool of a family. */
static void compute_address(struct config *config)
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

#define ONE_OF_A_FAMILY "at most one of IPv4 and one of IPv6"

/* Of an edge. Without a pool, which was said already, every address would be outside of it. */
static void check_address(const struct option *option, const struct config *config,
			  struct judge *judge)
{
	const struct address_list *list = &config->address;
	char text[IP_ADDR_STRLEN];

	for (uint32_t i = 0; i < list->count && config->pool.count > 0; i++) {
		ip_addr_format(&list->addr[i], text);
		if (i > 0 && list->addr[i].family == list->addr[0].family)
			judge_report(judge, option, i,
				     "address: \"%s\" is one too many; expected " ONE_OF_A_FAMILY,
				     text);
		else if (!prefix_list_holds(&config->pool, &list->addr[i]))
			judge_report(judge, option, i,
				     "address: \"%s\" is not in pool; expected an address of the "
				     "pool that no device has",
				     text);
	}
}

/* The edge refuses an announcement that holds such a prefix, as a whole. */
static void check_announce(const struct option *option, const struct config *config,
			   struct judge *judge)
{
	char text[IP_PREFIX_STRLEN];

	for (uint32_t i = 0; i < config->announce.count; i++) {
		const struct ip_prefix *p = &config->announce.prefix[i];

		if (p->len != 0 && ip_addr_is_special(&p->addr))
			judge_report(judge, option, i,
				     "announce: \"%s\" is loopback, link-local, multicast or "
				     "another special range; expected hosts' addresses",
				     ip_prefix_format(p, text));
	}
}

#define FIELD(member) \
	.offset = offsetof(struct config, member), .size = sizeof((struct config *)0)->member

/* An error in `role` says nothing of the rest, and what is computed needs what stands above it. */
const struct option config_options[] = {
	{"role", KIND_WORD, OF_ALL, SEEN_BY_ALL, FIELD(role), .words = config_role_names, .fixed = true,
	 .missing = "role is not set; expected role = edge, connector or client"},
	{"private_key", KIND_SECRET, OF_ALL, SEEN_BY_ENGINE, FIELD(private_key),
	 .missing = "private_key is not set; expected the output of \"tund genkey\" in quotes"},
	/* By which the parent, which may not have the private one, sees that it is another. */
	{"private_key", KIND_PUBLIC_KEY, OF_ALL, SEEN_BY_PARENT, FIELD(public_key), .derived = true,
	 .fixed = true},
	{"interface", KIND_INTERFACE, OF_INNER, SEEN_BY_ALL, FIELD(interface), .text = "tund0",
	 .fixed = true},
	{"mtu", KIND_NUMBER, OF_ALL, SEEN_BY_ALL, FIELD(mtu), .min = CONFIG_MTU_MIN,
	 .max = CONFIG_MTU_MAX, .unset = 1420},
	{"listen", KIND_NUMBER, OF_EDGE, SEEN_BY_ALL, FIELD(listen_port), .min = 1,
	 .max = UINT16_MAX, .unset = CONFIG_PORT_DEFAULT, .fixed = true},
	{"workers", KIND_NUMBER, OF_ALL, SEEN_BY_ALL, FIELD(workers), .min = 1,
	 .max = CONFIG_WORKERS_MAX, .unset = 0, .fixed = true},
	{"aead", KIND_WORD, OF_ALL, SEEN_BY_ALL, FIELD(aead), .words = aead_words, .fixed = true},
	{"outer_gso", KIND_WORD, OF_ALL, SEEN_BY_ENGINE, FIELD(outer_gso), .words = outer_gso_words},
	{"pool", KIND_PREFIXES, OF_EDGE, SEEN_BY_ALL, FIELD(pool), .prefixes = default_pool,
	 .missing = "pool is empty; expected the prefixes that clients' addresses are from, or no "
		    "such option for " POOL4 " and " POOL6},
	{"address", KIND_ADDRESSES, OF_EDGE, SEEN_BY_ALL, FIELD(address), .max = 2,
	 .compute = compute_address, .at_most = ONE_OF_A_FAMILY, .check = check_address},

	{"public_key", KIND_PUBLIC_KEY, OF_INNER, SEEN_BY_ENGINE | SEEN_BY_CONTROL,
	 FIELD(edge.public_key), .in_edge = true,
	 .missing = "edge has no public_key; expected what \"tund pubkey\" prints on the edge"},
	{"preshared_key", KIND_SECRET, OF_INNER, SEEN_BY_ENGINE, FIELD(edge.preshared_key),
	 .in_edge = true},
	{"endpoint", KIND_ENDPOINT, OF_INNER, SEEN_BY_ALL, FIELD(edge), .in_edge = true,
	 .missing = "edge has no endpoint; expected its name or address and port, as endpoint = "
		    "\"edge.example.com:51820\""},
	{"suite", KIND_WORD, OF_INNER, SEEN_BY_ALL, FIELD(edge.suite), .words = suite_words,
	 .values = suite_values, .in_edge = true, .check = check_suite},

	/* Whether a client is one of a stock WireGuard server is known from here on. */
	{"address", KIND_ADDRESSES, OF_WIREGUARD_CLIENT, SEEN_BY_ALL, FIELD(address),
	 .max = CONFIG_ADDRESSES_MAX,
	 .missing = "a stock WireGuard server pushes no addresses; expected the ones it knows this "
		    "host by, as address = {\"10.0.0.2\"}"},
	{"routes", KIND_PREFIXES, OF_WIREGUARD_CLIENT, SEEN_BY_ALL, FIELD(routes),
	 .missing = "a stock WireGuard server pushes no routes; expected what is behind it, as "
		    "routes = {\"10.77.0.0/24\"}"},
	{"transport", KIND_WORD, OF_INNER, SEEN_BY_ALL, FIELD(transport), .words = transport_words,
	 .compute = compute_transport, .check = check_transport},
	{"keepalive", KIND_NUMBER, OF_INNER, SEEN_BY_ALL, FIELD(keepalive_s), .min = 0,
	 .max = UINT16_MAX, .compute = compute_keepalive},
	{"accept_routes", KIND_PREFIXES, OF_INNER, SEEN_BY_ALL, FIELD(accept_routes),
	 .prefixes = config_default_routes},
	{"full_tunnel", KIND_FLAG, OF_INNER, SEEN_BY_ALL, FIELD(full_tunnel), .fixed = true},
	{"accept_dns", KIND_FLAG, OF_INNER, SEEN_BY_ALL, FIELD(accept_dns)},
	{"fwmark", KIND_NUMBER, OF_INNER, SEEN_BY_ALL, FIELD(fwmark), .min = 1, .max = UINT32_MAX,
	 .unset = 0x7475, .hex = true, .fixed = true},

	{"announce", KIND_PREFIXES, OF_CONNECTOR, SEEN_BY_ALL, FIELD(announce),
	 .missing = "a connector without announce reaches nothing; expected the prefixes beside it, "
		    "as announce = {\"10.77.0.0/24\"}",
	 .check = check_announce},
	{"source", KIND_WORD, OF_CONNECTOR, SEEN_BY_ALL, FIELD(source), .words = source_words,
	 .fixed = true},
};

const size_t config_option_count = sizeof config_options / sizeof *config_options;
_Static_assert(sizeof config_options / sizeof *config_options <= OPTIONS_MAX,
	       "a judge has a bit for each");

unsigned options_role(const struct config *config)
{
	switch (config->role) {
	case ROLE_EDGE:
		return OF_EDGE;
	case ROLE_CONNECTOR:
		return OF_CONNECTOR;
	case ROLE_CLIENT:
		return config->edge.suite == SUITE_WIREGUARD ? OF_WIREGUARD_CLIENT : OF_CLIENT;
	}
	return 0;
}

bool option_applies(const struct option *option, const struct config *config)
{
	return (option->roles & options_role(config)) != 0;
}

void judge_report(struct judge *judge, const struct option *option, size_t item,
		  const char *format, ...)
{
	char text[sizeof((struct config_error *)0)->text];
	va_list args;

	judge->count++;
	if (!judge->say)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	judge->say(judge, option, item, text);
}

void options_check(const struct config *config, enum config_view view, struct judge *judge)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct option *option = &config_options[i];

		if (!option_applies(option, config) || !(option->views & 1u << view) ||
		    judge->unread & UINT64_C(1) << i)
			continue;
		if (option->missing && kind_is_empty(option, config))
			judge_report(judge, option, JUDGE_MISSING, "%s", option->missing);
		else if (option->check)
			option->check(option, config, judge);
	}
}

const char *config_fixed_change(const struct config *before, const struct config *now)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct option *option = &config_options[i];

		if (option->fixed && option_applies(option, now) &&
		    !kind_equal(option, before, now))
			return option->name;
	}
	return NULL;
}

/* FNV-1a, 32 bits. */
static uint32_t mix(uint32_t hash, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return hash;
}

uint32_t options_fingerprint(void)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < config_option_count; i++) {
		const struct option *o = &config_options[i];
		const uint32_t shape[] = {o->kind, o->roles, o->views, o->size, o->min, o->max};

		hash = mix(hash, o->name, strlen(o->name) + 1);
		hash = mix(hash, shape, sizeof shape);
		for (size_t j = 0; o->words && o->words[j]; j++)
			hash = mix(hash, o->words[j], strlen(o->words[j]) + 1);
	}
	return hash;
}
