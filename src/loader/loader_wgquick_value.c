/* SPDX-License-Identifier: ISC */
/* What the keys of a wg-quick file may be set to. */
#include "loader_wgquick_value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <tund/base/prefixes.h>
#include <tund/crypto/secret.h>

void wgquick_tell(struct parse *p, bool is_error, const char *format, ...)
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
void wgquick_read_key(struct parse *p, const char *key, const char *value, uint8_t *out, bool *has)
{
	if (key_from_base64(value, out) == 0)
		*has = true;
	else
		wgquick_tell(p, true, "%s is no key; expected 44 characters of base64", key);
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
unsigned long wgquick_read_number(struct parse *p, const char *key, const char *value,
				  unsigned long max)
{
	unsigned long n = 0;

	if (strcasecmp(value, "off") != 0 && !parse_number(value, max, &n))
		wgquick_tell(p, true, "%s = %s is no such number; expected off, or 0 to %lu", key,
			     value, max);
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

void wgquick_read_address(struct parse *p, const char *text)
{
	struct wgquick *out = p->out;
	struct ip_addr a;
	uint8_t len;

	if (!parse_address(text, &a, &len)) {
		wgquick_tell(p, true, "Address = %s is no address", text);
		return;
	}
	if (ip_addr_is_special(&a)) {
		wgquick_tell(p, false,
			     "Address = %s is left out: tund carries no link-local, loopback or "
			     "multicast addresses",
			     text);
		return;
	}
	for (uint32_t i = 0; i < out->address_count; i++)
		if (ip_addr_equal(&out->address[i], &a))
			return;
	if (out->address_count == CONFIG_ADDRESSES_MAX)
		wgquick_tell(
			p, true,
			"%s is one address too many; expected at most %d on one interface" WG_QUICK,
			text, CONFIG_ADDRESSES_MAX);
	else
		out->address[out->address_count++] = a;
}

/* Whether no address in it is a host's: both ends are special, and of one kind. */
static bool is_special(const struct ip_prefix *prefix)
{
	const uint8_t *first = prefix->addr.bytes;
	struct ip_addr last = prefix->addr;

	for (unsigned bit = prefix->len; bit < ip_addr_size(&last) * 8; bit++)
		last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return ip_addr_is_special(&prefix->addr) && ip_addr_is_special(&last) &&
	       (first[0] == last.bytes[0] || (last.family == 4 && first[0] >= 224));
}

static void keep_allowed(struct parse *p, const struct ip_prefix *prefix)
{
	if (p->allowed_count == p->allowed_cap) {
		size_t cap = p->allowed_cap ? p->allowed_cap * 2 : CONFIG_PREFIXES_MAX;
		struct ip_prefix *grown = realloc(p->allowed, cap * sizeof *grown);

		if (!grown) {
			wgquick_tell(p, true, "out of memory");
			return;
		}
		p->allowed = grown;
		p->allowed_cap = cap;
	}
	p->allowed[p->allowed_count++] = *prefix;
}

void wgquick_read_allowed(struct parse *p, const char *text)
{
	struct ip_prefix prefix;
	struct ip_addr a;
	uint8_t len;

	if (!parse_address(text, &a, &len)) {
		wgquick_tell(p, true, "AllowedIPs = %s is no prefix", text);
		return;
	}
	prefix = ip_prefix_of(&a, len);
	if (is_special(&prefix)) {
		wgquick_tell(p, false,
			     "AllowedIPs = %s is left out: tund carries no link-local, loopback or "
			     "multicast addresses",
			     text);
		return;
	}
	for (size_t i = 0; i < p->allowed_count; i++)
		if (ip_prefix_equal(&p->allowed[i], &prefix))
			return;
	keep_allowed(p, &prefix);
}

/* As many as a configuration takes stay as they are written; more are joined, which changes no
 * address that is routed. */
void wgquick_finish_allowed(struct parse *p)
{
	struct prefix_list *list = &p->out->allowed;
	size_t before = p->allowed_count;

	if (p->allowed_count > CONFIG_PREFIXES_MAX) {
		p->allowed_count = prefixes_join(p->allowed, p->allowed_count);
		fprintf(stderr,
			"%s: warning: %zu AllowedIPs are written as %zu, which hold the same "
			"addresses\n",
			p->name, before, p->allowed_count);
	}
	if (p->allowed_count > CONFIG_PREFIXES_MAX) {
		fprintf(stderr,
			"%s: AllowedIPs are %zu prefixes; expected at most %d" WG_QUICK "\n",
			p->name, p->allowed_count, CONFIG_PREFIXES_MAX);
		p->failed = true;
		return;
	}
	for (size_t i = 0; i < p->allowed_count; i++)
		list->prefix[i] = p->allowed[i];
	list->count = (uint32_t)p->allowed_count;
}

void wgquick_read_list(struct parse *p, char *value, void (*read)(struct parse *, const char *))
{
	char *item;

	while ((item = strsep(&value, ",")))
		if (*item)
			read(p, item);
}

void wgquick_read_mtu(struct parse *p, const char *value)
{
	unsigned long n = wgquick_read_number(p, "MTU", value, UINT16_MAX);

	if (n > CONFIG_MTU_MAX) {
		wgquick_tell(p, false, "MTU = %s is more than tund takes: %d is written", value,
			     CONFIG_MTU_MAX);
		n = CONFIG_MTU_MAX;
	}
	if (n != 0 && n < CONFIG_MTU_MIN)
		wgquick_tell(
			p, true,
			"MTU = %s is less than tund takes, for IPv6 needs %d; remove the line if "
			"packets of that size pass the server's network" WG_QUICK,
			value, CONFIG_MTU_MIN);
	else
		p->out->mtu = (uint16_t)n;
}

static bool is_ascii(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text > 0x7f)
			return false;
	}
	return true;
}

void wgquick_read_endpoint(struct parse *p, const char *value)
{
	p->out->port = 0;
	if (config_parse_endpoint(value, p->out->host, &p->out->port) == 0 && p->out->port != 0)
		return;
	if (!is_ascii(value))
		wgquick_tell(
			p, true,
			"Endpoint = %s is a name in letters that DNS does not have; expected its "
			"form in ASCII, which begins with \"xn--\" (idn2(1) prints it)",
			value);
	else if (strchr(value, '%'))
		wgquick_tell(
			p, true,
			"Endpoint = %s names an interface of this host; expected an address or "
			"a name that needs none" WG_QUICK,
			value);
	else
		wgquick_tell(
			p, true,
			"Endpoint = %s is no endpoint; expected a name or address with a port, "
			"an IPv6 address in brackets",
			value);
}

/* No key at all is what a key of zeros says (WireGuard paper, section 5.2). */
void wgquick_read_preshared_key(struct parse *p, const char *value)
{
	static const uint8_t none[KEY_SIZE];
	struct wgquick *out = p->out;

	out->has_preshared_key = false;
	wgquick_read_key(p, "PresharedKey", value, out->preshared_key, &out->has_preshared_key);
	if (secret_equal(out->preshared_key, none, KEY_SIZE))
		out->has_preshared_key = false;
}

/* "auto" is what tund does; so is the main table, unless there are default routes, which wg-quick
 * then sets as they are. */
void wgquick_read_table(struct parse *p, const char *value)
{
	unsigned long n;

	p->table_line = 0;
	if (strcasecmp(value, "auto") != 0)
		p->table_line = p->line;
	if (strcasecmp(value, "main") != 0 && !(parse_number(value, UINT32_MAX, &n) && n == 254) &&
	    p->table_line != 0)
		wgquick_tell(p, true,
			     "Table = %s: routes are not to be set as usual, and tund always sets "
			     "those of AllowedIPs, in the main table; expected Table = auto, or no "
			     "such line" WG_QUICK,
			     value);
}

void wgquick_check_table(struct parse *p)
{
	for (uint32_t i = 0; p->table_line != 0 && i < p->out->allowed.count; i++) {
		if (p->out->allowed.prefix[i].len > 1)
			continue;
		fprintf(stderr,
			"%s:%u: Table: default routes are to be set in the main table as they "
			"are, and tund routes everything around the server instead; expected "
			"Table = auto, or no such line" WG_QUICK "\n",
			p->name, p->table_line);
		p->failed = true;
		return;
	}
}
