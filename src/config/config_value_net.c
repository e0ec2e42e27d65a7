/* SPDX-License-Identifier: ISC */
/* Values that are addresses, prefixes and endpoints. */
#include "config_value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool value_address(struct diag *diag, const struct setting *s, struct ip_addr *out)
{
	char shown[DIAG_SHOWN];
	struct ip_addr a;

	diag_shown(s->text, strlen(s->text), shown);
	if (ip_addr_parse(s->text, &a) != 0) {
		diag_report(diag, s->line,
			    "%s: \"%s\" is no IP address; expected one as "
			    "\"100.80.0.11\" or \"fd74:756e:64::11\", without a length",
			    s->name, shown);
		return false;
	}
	if (ip_addr_is_special(&a)) {
		diag_report(diag, s->line,
			    "%s: %s is no address of a host (loopback, link-local, "
			    "multicast or reserved); expected one of the pool",
			    s->name, shown);
		return false;
	}
	*out = a;
	return true;
}

bool value_prefix_text(struct diag *diag, const char *what, unsigned line, const char *text,
		       struct ip_prefix *out)
{
	char shown[DIAG_SHOWN], address[DIAG_SHOWN], meant[IP_PREFIX_STRLEN];
	struct ip_prefix p;
	struct ip_addr a;
	int err = ip_prefix_parse(text, &p);

	if (err == 0) {
		*out = p;
		return true;
	}
	diag_shown(text, strlen(text), shown);
	if (err == -ERANGE) {
		snprintf(address, sizeof address, "%.*s", (int)strcspn(shown, "/"), shown);
		ip_addr_parse(address, &a);
		p = ip_prefix_of(&a, (uint8_t)strtoul(strchr(text, '/') + 1, NULL, 10));
		diag_report(diag, line,
			    "%s: \"%s\" has bits set behind its length; expected \"%s\"", what,
			    shown, ip_prefix_format(&p, meant));
		return false;
	}
	diag_report(diag, line,
		    "%s: \"%s\" is no prefix; expected an address and a length, as "
		    "\"10.77.0.0/24\" or \"fd74:756e:64::/48\"",
		    what, shown);
	return false;
}

bool value_prefix(struct diag *diag, const struct setting *s, struct ip_prefix *out)
{
	return value_prefix_text(diag, s->name, s->line, s->text, out);
}

bool value_prefixes(struct diag *diag, cfg_t *section, const char *name, struct prefix_list *out)
{
	size_t n = tree_count(section, name);
	char text[IP_PREFIX_STRLEN];
	struct ip_prefix p;
	bool ok = true;

	out->count = 0;
	for (size_t i = 0; i < n; i++) {
		const struct setting *s = tree_item(section, name, i);

		if (i == CONFIG_PREFIXES_MAX) {
			diag_report(diag, s->line, "%s has %zu prefixes; expected at most %d", name,
				    n, CONFIG_PREFIXES_MAX);
			return false;
		}
		if (!value_prefix(diag, s, &p)) {
			ok = false;
		} else if (prefix_is_listed(out, &p)) {
			diag_report(diag, s->line, "%s: %s is listed twice; expected it once", name,
				    ip_prefix_format(&p, text));
			ok = false;
		} else {
			out->prefix[out->count++] = p;
		}
	}
	return ok;
}

static void report_too_many(struct diag *diag, const struct setting *s, uint32_t max,
			    const char *at_most)
{
	char text[24];

	snprintf(text, sizeof text, "at most %u", max);
	diag_report(diag, s->line, "%s: \"%s\" is one too many; expected %s", s->name, s->text,
		    at_most ? at_most : text);
}

bool value_addresses(struct diag *diag, cfg_t *section, const char *name, uint32_t max,
		     const char *at_most, struct address_list *out)
{
	size_t n = tree_count(section, name);
	struct ip_addr a;
	bool ok = true;

	out->count = 0;
	for (size_t i = 0; i < n; i++) {
		const struct setting *s = tree_item(section, name, i);

		if (!value_address(diag, s, &a)) {
			ok = false;
		} else if (address_is_listed(out, &a)) {
			diag_report(diag, s->line, "%s: \"%s\" is listed twice; expected it once",
				    name, s->text);
			ok = false;
		} else if (out->count == max) {
			report_too_many(diag, s, max, at_most);
			ok = false;
		} else {
			out->addr[out->count++] = a;
		}
	}
	return ok;
}

/* Splits in place; *port stays NULL where none is written. False: neither form. */
static bool split_endpoint(char *text, char **host, char **port)
{
	char *end;

	*port = NULL;
	if (text[0] == '[') {
		end = strchr(text, ']');
		if (!end || !memchr(text, ':', (size_t)(end - text)))
			return false;
		*host = text + 1;
		*end++ = '\0';
		if (*end == ':')
			*port = end + 1;
		return *end == ':' || *end == '\0';
	}
	*host = text;
	end = strchr(text, ':');
	if (end) {
		*end = '\0';
		*port = end + 1;
	}
	return true;
}

static bool parse_port(const char *text, uint16_t *out)
{
	size_t len = strspn(text, "0123456789");
	unsigned long n;

	if (len == 0 || len > 5 || text[len] != '\0' || text[0] == '0')
		return false;
	n = strtoul(text, NULL, 10);
	if (n > UINT16_MAX)
		return false;
	*out = (uint16_t)n;
	return true;
}

int config_parse_endpoint(const char *text, char host[CONFIG_HOST_MAX], uint16_t *port)
{
	char copy[CONFIG_HOST_MAX + 16];
	char *host_text, *port_text;
	uint16_t number = *port;

	if (strlen(text) >= sizeof copy)
		return -EINVAL;
	strcpy(copy, text);
	if (!split_endpoint(copy, &host_text, &port_text) || !host_is_valid(host_text) ||
	    (port_text && !parse_port(port_text, &number)))
		return -EINVAL;
	memset(host, 0, CONFIG_HOST_MAX);
	strcpy(host, host_text);
	*port = number;
	return 0;
}

bool value_endpoint(struct diag *diag, const struct setting *s, char host[CONFIG_HOST_MAX],
		    uint16_t *port)
{
	uint16_t number = CONFIG_PORT_DEFAULT;
	char shown[DIAG_SHOWN];
	struct ip_addr a;

	diag_shown(s->text, strlen(s->text), shown);
	if (ip_addr_parse(s->text, &a) == 0 && a.family == 6) {
		diag_report(diag, s->line,
			    "endpoint = \"%s\" leaves open where the address ends; "
			    "expected brackets around it, as \"[2001:db8::1]:51820\"",
			    shown);
		return false;
	}
	if (config_parse_endpoint(s->text, host, &number) == 0) {
		*port = number;
		return true;
	}
	diag_report(diag, s->line,
		    "endpoint = \"%s\" is no endpoint; expected a name or address with a port, as "
		    "\"edge.example.com:51820\" or \"[2001:db8::1]:51820\"",
		    shown);
	return false;
}
