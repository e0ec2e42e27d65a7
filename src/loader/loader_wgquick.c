/* SPDX-License-Identifier: ISC */
/*
 * wg-quick(8)'s files, with all keys that it and wg(8) know: sections [Interface] and [Peer], lines
 * "Key = value", names without regard to case, # begins a comment, lists by comma or by repetition.
 */
#include "loader_wgquick.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum section { NONE, INTERFACE, PEER };

struct parse {
	const char *name;
	unsigned line;
	enum section section;
	unsigned interfaces, peers;
	bool failed;
	struct wgquick *out;
};

__attribute__((format(printf, 3, 4))) static void tell(struct parse *p, bool is_error,
						       const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%u: %s", p->name, p->line, is_error ? "" : "warning: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	p->failed |= is_error;
}

/* A key is never shown. */
static void read_key(struct parse *p, const char *key, const char *value, uint8_t *out, bool *has)
{
	if (key_from_base64(value, out) == 0)
		*has = true;
	else
		tell(p, true, "%s is no key; expected 44 characters of base64", key);
}

static bool parse_number(const char *text, unsigned long max, unsigned long *out)
{
	bool is_hex = strncasecmp(text, "0x", 2) == 0;
	const char *begin = is_hex ? text + 2 : text;
	size_t len = strspn(begin, is_hex ? "0123456789abcdefABCDEF" : "0123456789");

	if (len == 0 || len > 10 || begin[len] != '\0')
		return false;
	*out = strtoul(begin, NULL, is_hex ? 16 : 10);
	return *out <= max;
}

/* A number, or "off" for 0. */
static unsigned long read_number(struct parse *p, const char *key, const char *value,
				 unsigned long max)
{
	unsigned long n = 0;

	if (strcasecmp(value, "off") != 0 && !parse_number(value, max, &n))
		tell(p, true, "%s = %s is no such number; expected off, or 0 to %lu", key, value, max);
	return n;
}

/* "10.0.0.2/24": the address as written, and its length; none is a host's. */
static bool parse_address(const char *text, struct ip_addr *addr, uint8_t *len)
{
	char copy[IP_PREFIX_STRLEN];
	unsigned long bits;
	char *slash;

	if (strlen(text) >= sizeof copy)
		return false;
	strcpy(copy, text);
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	if (ip_addr_parse(copy, addr) != 0)
		return false;
	bits = ip_addr_size(addr) * 8;
	if (slash && !parse_number(slash, bits, &bits))
		return false;
	*len = (uint8_t)bits;
	return true;
}

static void read_address(struct parse *p, const char *text)
{
	struct wgquick *out = p->out;
	struct ip_addr a;
	uint8_t len;

	if (!parse_address(text, &a, &len) || ip_addr_is_special(&a)) {
		tell(p, true, "Address = %s is no address of a host", text);
		return;
	}
	for (uint32_t i = 0; i < out->address_count; i++)
		if (ip_addr_equal(&out->address[i], &a))
			return;
	if (out->address_count == CONFIG_ADDRESSES_MAX)
		tell(p, true, "%s is one address too many; expected at most %d", text,
		     CONFIG_ADDRESSES_MAX);
	else
		out->address[out->address_count++] = a;
}

static void read_allowed(struct parse *p, const char *text)
{
	struct prefix_list *list = &p->out->allowed;
	struct ip_prefix prefix;
	struct ip_addr a;
	uint8_t len;

	if (!parse_address(text, &a, &len)) {
		tell(p, true, "AllowedIPs = %s is no prefix", text);
		return;
	}
	prefix = ip_prefix_of(&a, len);
	for (uint32_t i = 0; i < list->count; i++)
		if (ip_prefix_equal(&list->prefix[i], &prefix))
			return;
	if (list->count == CONFIG_PREFIXES_MAX)
		tell(p, true, "%s is one prefix too many; expected at most %d", text,
		     CONFIG_PREFIXES_MAX);
	else
		list->prefix[list->count++] = prefix;
}

static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return text;
}

static void read_list(struct parse *p, char *value, void (*read)(struct parse *, const char *))
{
	char *item;

	while ((item = strsep(&value, ",")))
		if (*(item = trim(item)))
			read(p, item);
}

static void read_mtu(struct parse *p, const char *value)
{
	unsigned long n = read_number(p, "MTU", value, UINT16_MAX);

	if (n != 0 && (n < CONFIG_MTU_MIN || n > CONFIG_MTU_MAX))
		tell(p, true, "MTU = %s is outside of what tund takes; expected %d to %d", value,
		     CONFIG_MTU_MIN, CONFIG_MTU_MAX);
	else
		p->out->mtu = (uint16_t)n;
}

static void read_endpoint(struct parse *p, const char *value)
{
	p->out->port = 0;
	if (config_parse_endpoint(value, p->out->host, &p->out->port) != 0 || p->out->port == 0)
		tell(p, true,
		     "Endpoint = %s is no endpoint; expected a name or address with a port, an IPv6 "
		     "address in brackets",
		     value);
}

/* What wg-quick does and tund does another way, or not at all. */
static bool read_other(struct parse *p, const char *key, const char *value)
{
	static const char *const hooks[] = {"PreUp", "PostUp", "PreDown", "PostDown"};

	for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
		if (strcasecmp(key, hooks[i]) != 0)
			continue;
		tell(p, false, "%s is not carried over: tund runs no commands", hooks[i]);
		return true;
	}
	if (strcasecmp(key, "DNS") == 0) {
		tell(p, false, "DNS = %s is not carried over: set it where this host's name servers "
			       "are set", value);
	} else if (strcasecmp(key, "Table") == 0) {
		if (strcasecmp(value, "auto") != 0)
			tell(p, false, "Table = %s is not carried over: tund sets the routes itself, "
				       "in the main table", value);
	} else if (strcasecmp(key, "SaveConfig") == 0) {
		if (strcasecmp(value, "true") == 0)
			tell(p, false, "SaveConfig is not carried over: tund never writes its "
				       "configuration");
	} else if (strcasecmp(key, "ListenPort") == 0) {
		if (read_number(p, key, value, UINT16_MAX) != 0)
			tell(p, false, "ListenPort = %s is not carried over: a client listens on no "
				       "port", value);
	} else {
		return false;
	}
	return true;
}

static bool read_interface_key(struct parse *p, const char *key, char *value)
{
	struct wgquick *out = p->out;

	if (strcasecmp(key, "PrivateKey") == 0)
		read_key(p, "PrivateKey", value, out->private_key, &out->has_private_key);
	else if (strcasecmp(key, "Address") == 0)
		read_list(p, value, read_address);
	else if (strcasecmp(key, "MTU") == 0)
		read_mtu(p, value);
	else if (strcasecmp(key, "FwMark") == 0)
		out->fwmark = (uint32_t)read_number(p, "FwMark", value, UINT32_MAX);
	else
		return read_other(p, key, value);
	return true;
}

static bool read_peer_key(struct parse *p, const char *key, char *value)
{
	struct wgquick *out = p->out;

	if (p->peers > 1) /* it was told already */
		return true;
	if (strcasecmp(key, "PublicKey") == 0)
		read_key(p, "PublicKey", value, out->public_key, &out->has_public_key);
	else if (strcasecmp(key, "PresharedKey") == 0)
		read_key(p, "PresharedKey", value, out->preshared_key, &out->has_preshared_key);
	else if (strcasecmp(key, "AllowedIPs") == 0)
		read_list(p, value, read_allowed);
	else if (strcasecmp(key, "Endpoint") == 0)
		read_endpoint(p, value);
	else if (strcasecmp(key, "PersistentKeepalive") == 0)
		out->keepalive_s = (uint16_t)read_number(p, "PersistentKeepalive", value, UINT16_MAX);
	else
		return false;
	return true;
}

static void begin_section(struct parse *p, const char *line)
{
	if (strcasecmp(line, "[Interface]") == 0) {
		p->section = INTERFACE;
		p->interfaces++;
	} else if (strcasecmp(line, "[Peer]") == 0) {
		p->section = PEER;
		if (++p->peers == 2)
			tell(p, true, "a second peer: a client has one edge; expected a file for each, "
				      "which makes a tunnel for each");
	} else {
		p->section = NONE;
		tell(p, true, "%s is no section; expected [Interface] or [Peer]", line);
	}
}

static void read_line(struct parse *p, char *line)
{
	char *value = strchr(line, '='), *key;
	bool known;

	if (line[0] == '[') {
		begin_section(p, line);
		return;
	}
	if (!value) {
		tell(p, true, "expected Key = value, or a section");
		return;
	}
	*value++ = '\0';
	key = trim(line);
	value = trim(value);
	known = p->section == INTERFACE ? read_interface_key(p, key, value)
					: p->section == PEER && read_peer_key(p, key, value);
	if (!known)
		tell(p, true, "%s is no key of %s", key,
		     p->section == INTERFACE ? "[Interface]"
		     : p->section == PEER    ? "[Peer]"
					     : "a file before its first section");
}

static void check_whole(struct parse *p)
{
	const struct wgquick *out = p->out;
	const char *missing = NULL;

	if (!p->interfaces)
		missing = "there is no [Interface]";
	else if (!out->has_private_key)
		missing = "[Interface] has no PrivateKey; expected the key itself, not a command "
			  "that sets it";
	else if (out->address_count == 0)
		missing = "[Interface] has no Address; expected the addresses that the server knows "
			  "this host by";
	else if (!p->peers)
		missing = "there is no [Peer]; expected the server";
	else if (!out->has_public_key)
		missing = "[Peer] has no PublicKey";
	else if (!out->host[0])
		missing = "[Peer] has no Endpoint; expected where the server is";
	else if (out->allowed.count == 0)
		missing = "[Peer] has no AllowedIPs; expected what is behind the server";
	if (!missing)
		return;
	fprintf(stderr, "%s: %s\n", p->name, missing);
	p->failed = true;
}

int wgquick_parse(const char *name, char *text, struct wgquick *out)
{
	struct parse p = {.name = name, .out = out};
	char *line;

	*out = (struct wgquick){0};
	while ((line = strsep(&text, "\n"))) {
		p.line++;
		line[strcspn(line, "#")] = '\0';
		line = trim(line);
		if (*line)
			read_line(&p, line);
	}
	if (!p.failed)
		check_whole(&p);
	return p.failed ? -EINVAL : 0;
}
