/* SPDX-License-Identifier: ISC */
/*
 * wg-quick(8)'s files, with all keys that it and wg(8) know: sections [Interface] and [Peer], lines
 * "Key = value", names without regard to case, # begins a comment, lists by comma or by repetition,
 * and space anywhere, which means nothing.
 */
#include "loader_wgquick.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "loader_wgquick_value.h"

static void drop_space(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (!isspace((unsigned char)*text))
			*to++ = *text;
	}
	*to = '\0';
}

/* What wg-quick does and tund does another way, or not at all. */
static bool read_other(struct parse *p, const char *key, const char *value)
{
	static const char *const hooks[] = {"PreUp", "PostUp", "PreDown", "PostDown"};

	for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
		if (strcasecmp(key, hooks[i]) != 0)
			continue;
		wgquick_tell(p, false, "%s is not carried over: tund runs no commands", hooks[i]);
		return true;
	}
	if (strcasecmp(key, "DNS") == 0) {
		wgquick_tell(p, false,
			     "DNS = %s is not carried over: set it where this host's name servers "
			     "are set",
			     value);
	} else if (strcasecmp(key, "Table") == 0) {
		wgquick_read_table(p, value);
	} else if (strcasecmp(key, "SaveConfig") == 0) {
		if (strcasecmp(value, "true") == 0)
			wgquick_tell(p, false,
				     "SaveConfig is not carried over: tund never writes its "
				     "configuration");
	} else if (strcasecmp(key, "ListenPort") == 0) {
		if (wgquick_read_number(p, key, value, UINT16_MAX) != 0)
			wgquick_tell(p, false,
				     "ListenPort = %s is not carried over: a client listens on no "
				     "port",
				     value);
	} else {
		return false;
	}
	return true;
}

static bool read_interface_key(struct parse *p, const char *key, char *value)
{
	struct wgquick *out = p->out;

	if (strcasecmp(key, "PrivateKey") == 0)
		wgquick_read_key(p, "PrivateKey", value, out->private_key, &out->has_private_key);
	else if (strcasecmp(key, "Address") == 0)
		wgquick_read_list(p, value, wgquick_read_address);
	else if (strcasecmp(key, "MTU") == 0)
		wgquick_read_mtu(p, value);
	else if (strcasecmp(key, "FwMark") == 0)
		out->fwmark = (uint32_t)wgquick_read_number(p, "FwMark", value, UINT32_MAX);
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
		wgquick_read_key(p, "PublicKey", value, out->public_key, &out->has_public_key);
	else if (strcasecmp(key, "PresharedKey") == 0)
		wgquick_read_preshared_key(p, value);
	else if (strcasecmp(key, "AllowedIPs") == 0)
		wgquick_read_list(p, value, wgquick_read_allowed);
	else if (strcasecmp(key, "Endpoint") == 0)
		wgquick_read_endpoint(p, value);
	else if (strcasecmp(key, "PersistentKeepalive") == 0)
		out->keepalive_s =
			(uint16_t)wgquick_read_number(p, "PersistentKeepalive", value, UINT16_MAX);
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
			wgquick_tell(
				p, true,
				"a second peer: a client has one edge; expected a file for each, "
				"which makes a tunnel for each" WG_QUICK);
	} else {
		p->section = NONE;
		wgquick_tell(p, true, "%s is no section; expected [Interface] or [Peer]", line);
	}
}

static bool is_obfuscation(const char *key)
{
	static const char *const keys[] = {"Jc", "Jmin", "Jmax", "S1", "S2", "S3", "S4", "H1",
					   "H2", "H3",   "H4",   "I1", "I2", "I3", "I4", "I5"};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (strcasecmp(key, keys[i]) == 0)
			return true;
	}
	return false;
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
		wgquick_tell(p, true, "expected Key = value, or a section");
		return;
	}
	*value++ = '\0';
	key = line;
	known = p->section == INTERFACE ? read_interface_key(p, key, value)
					: p->section == PEER && read_peer_key(p, key, value);
	if (!known && is_obfuscation(key))
		wgquick_tell(
			p, true,
			"%s is a key of AmneziaWG, whose changed protocol tund does not speak; "
			"expected a server that speaks WireGuard",
			key);
	else if (!known)
		wgquick_tell(p, true, "%s is no key of %s", key,
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
		missing =
			"[Peer] has no Endpoint; expected where the server is. If this host is the "
			"server, it becomes an edge: see \"Set it up\" in README";
	else if (out->allowed.count == 0)
		missing = "[Peer] has no AllowedIPs; expected what is behind the server";
	if (missing) {
		fprintf(stderr, "%s: %s\n", p->name, missing);
		p->failed = true;
	}
}

/* Windows' editors begin a file with it. */
static char *after_byte_order_mark(char *text)
{
	return strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
}

int wgquick_parse(const char *name, char *text, struct wgquick *out)
{
	struct parse p = {.name = name, .out = out};
	char *line;

	*out = (struct wgquick){0};
	text = after_byte_order_mark(text);
	while ((line = strsep(&text, "\n"))) {
		p.line++;
		line[strcspn(line, "#")] = '\0';
		drop_space(line);
		if (*line)
			read_line(&p, line);
	}
	wgquick_finish_allowed(&p);
	wgquick_check_table(&p);
	if (!p.failed)
		check_whole(&p);
	free(p.allowed);
	return p.failed ? -EINVAL : 0;
}
