/* SPDX-License-Identifier: ISC */
/* Values of one kind each: numbers, choices, keys, names. */
#include "config_value.h"

#include <stdlib.h>
#include <string.h>

/* The whole of `text` as a number, at most 10 digits; false if it is none. */
static bool parse_number(const char *text, bool hex, uint64_t *out)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	bool is_hex = hex && text[0] == '0' && text[1] == 'x';
	const char *begin = is_hex ? text + 2 : text;
	size_t len = strspn(begin, is_hex ? digits : "0123456789");

	if (len == 0 || len > 10 || begin[len] != '\0')
		return false;
	if (!is_hex && len > 1 && begin[0] == '0')
		return false;
	*out = strtoull(begin, NULL, is_hex ? 16 : 10);
	return true;
}

bool value_number(struct diag *diag, const struct setting *s, uint32_t min, uint32_t max, bool hex,
		  uint32_t *out)
{
	char shown[DIAG_SHOWN];
	uint64_t n;

	if (!parse_number(s->text, hex, &n) || n < min || n > max) {
		diag_report(diag, s->line,
			    "%s = \"%s\" is no such number; expected %u to %u, in "
			    "decimal%s, without a leading zero",
			    s->name, diag_shown(s->text, strlen(s->text), shown), min, max,
			    hex ? " or as 0x..." : "");
		return false;
	}
	*out = (uint32_t)n;
	return true;
}

static void report_choice(struct diag *diag, const struct setting *s, const char *const *names)
{
	const char *nearest = diag_nearest(s->text, names);
	char shown[DIAG_SHOWN], list[160];

	diag_report(diag, s->line, "%s = \"%s\" is not known; expected one of: %s%s%s%s", s->name,
		    diag_shown(s->text, strlen(s->text), shown),
		    diag_list(names, list, sizeof list), nearest ? " (\"" : "",
		    nearest ? nearest : "", nearest ? "\"?)" : "");
}

bool value_choice(struct diag *diag, const struct setting *s, const char *const *names, int *out)
{
	for (int i = 0; names[i]; i++) {
		if (strcmp(s->text, names[i]) == 0) {
			*out = i;
			return true;
		}
	}
	report_choice(diag, s, names);
	return false;
}

bool value_bool(struct diag *diag, const struct setting *s, bool *out)
{
	static const char *const names[] = {"yes", "no", "true", "false", "on", "off", NULL};
	int i;

	if (!value_choice(diag, s, names, &i))
		return false;
	*out = i % 2 == 0;
	return true;
}

static bool is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '/';
}

/* Says what is wrong with a text that is no key, without showing it. */
static void report_key(struct diag *diag, const struct setting *s)
{
	size_t len = strlen(s->text);

	if (len != KEY_BASE64_LEN) {
		diag_report(diag, s->line,
			    "%s has %zu characters; expected %d, 32 bytes in base64 as "
			    "\"tund genkey\" and \"tund pubkey\" write them",
			    s->name, len, KEY_BASE64_LEN);
		return;
	}
	for (size_t i = 0; i < len - 1; i++) {
		if (is_base64(s->text[i]))
			continue;
		diag_report(diag, s->line,
			    "character %zu of %s is not one of base64; expected letters, "
			    "digits, + and /, then one = at the end",
			    i + 1, s->name);
		return;
	}
	diag_report(diag, s->line,
		    "%s does not end as base64 of 32 bytes does; expected one = at "
		    "the end, and a key copied whole",
		    s->name);
}

bool value_key(struct diag *diag, const struct setting *s, uint8_t out[KEY_SIZE])
{
	uint8_t key[KEY_SIZE];
	uint8_t any = 0;

	if (key_from_base64(s->text, key) != 0) {
		report_key(diag, s);
		return false;
	}
	for (size_t i = 0; i < KEY_SIZE; i++)
		any |= key[i];
	if (any)
		memcpy(out, key, KEY_SIZE);
	else
		diag_report(diag, s->line,
			    "%s is all zeros; expected a key that \"tund genkey\" or "
			    "\"tund pubkey\" wrote",
			    s->name);
	explicit_bzero(key, sizeof key);
	return any != 0;
}

bool value_public_key(struct diag *diag, const struct setting *s, uint8_t out[KEY_SIZE])
{
	uint8_t key[KEY_SIZE];

	if (!value_key(diag, s, key))
		return false;
	if (key_is_low_order(key)) {
		diag_report(diag, s->line,
			    "%s is a point of low order, with which no secret can be shared; "
			    "expected the key that \"tund pubkey\" prints on the peer",
			    s->name);
		return false;
	}
	memcpy(out, key, KEY_SIZE);
	return true;
}

bool value_interface(struct diag *diag, const struct setting *s, char out[INTERFACE_MAX])
{
	char shown[DIAG_SHOWN];

	if (!config_interface_is_valid(s->text)) {
		diag_report(diag, s->line,
			    "interface = \"%s\" cannot be the name of an interface; "
			    "expected 1 to 15 letters, digits, _ . -, as \"tund0\"",
			    diag_shown(s->text, strlen(s->text), shown));
		return false;
	}
	memset(out, 0, INTERFACE_MAX);
	strcpy(out, s->text);
	return true;
}

bool value_ports(struct diag *diag, const struct setting *s, uint16_t *first, uint16_t *last)
{
	char text[12], shown[DIAG_SHOWN];
	size_t len = strlen(s->text);
	uint64_t a = 0, b = 0;
	char *dash = NULL;
	bool ok = len < sizeof text;

	if (ok) {
		memcpy(text, s->text, len + 1);
		dash = strchr(text, '-');
		if (dash)
			*dash = '\0';
		ok = parse_number(text, false, &a) &&
		     parse_number(dash ? dash + 1 : text, false, &b);
	}
	if (!ok || a < 1 || a > b || b > UINT16_MAX) {
		diag_report(diag, s->line,
			    "%s: \"%s\" is no port; expected 1 to 65535, or a range as "
			    "\"8000-8080\"",
			    s->name, diag_shown(s->text, len, shown));
		return false;
	}
	*first = (uint16_t)a;
	*last = (uint16_t)b;
	return true;
}
