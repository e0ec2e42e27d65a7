/* SPDX-License-Identifier: ISC */
/* Reads the question for the policy. */
#include "question.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/policy/words.h>

static bool is_number(const char *text, unsigned long max)
{
	size_t len = strspn(text, "0123456789");

	return len >= 1 && len <= 5 && text[len] == '\0' && strtoul(text, NULL, 10) <= max;
}

/* A word, not a number, which may as well be a port. */
static bool is_protocol(const char *text)
{
	uint8_t number;

	return !is_number(text, UINT8_MAX) && word_proto_parse(text, 4, &number) == 0;
}

static bool has_port(const struct question *w)
{
	return w->port[0] != '\0';
}

/* An address, or an endpoint. */
static bool read_destination(const char *word, struct question *w)
{
	struct endpoint endpoint;
	struct ip_addr address;

	if (ip_addr_parse(word, &address) == 0) {
		ip_addr_format(&address, w->destination);
		return true;
	}
	if (has_port(w) || endpoint_parse(word, &endpoint))
		return false;
	ip_addr_format(&endpoint.addr, w->destination);
	snprintf(w->port, sizeof w->port, "%u", endpoint.port);
	return true;
}

/* A bare number before the address is a protocol, after it a port. */
static const char *read_word(const char *word, struct question *w)
{
	bool number = is_number(word, w->destination[0] ? 65535 : 255);

	if (!w->protocol[0] && (is_protocol(word) || (number && !w->destination[0])))
		snprintf(w->protocol, sizeof w->protocol, "%s", word);
	else if (w->destination[0] && !has_port(w) && number)
		snprintf(w->port, sizeof w->port, "%s", word);
	else if (w->destination[0] || !read_destination(word, w))
		return w->destination[0] ? "too many words, or one that is neither a protocol "
					   "(" WORD_PROTOS ", 0-255) nor a port"
					 : "expected a protocol (" WORD_PROTOS ", 0-255) or an "
					   "address";
	return NULL;
}

const char *question_read(int count, char *const *words, struct question *out)
{
	struct question w = {0};
	const char *why;

	if (count < 2)
		return "expected a principal and a destination";
	w.principal = words[0];
	if (!words[0][0] || strpbrk(words[0], "\t\n"))
		return "the principal is empty or has a tabulator in it";
	for (int i = 1; i < count; i++) {
		why = read_word(words[i], &w);
		if (why)
			return why;
	}
	if (!w.destination[0])
		return "expected a destination address";
	if (!w.protocol[0] && !has_port(&w))
		return "expected a protocol or a port";
	if (!w.protocol[0])
		strcpy(w.protocol, "tcp");
	if (!has_port(&w))
		strcpy(w.port, "0");
	*out = w;
	return NULL;
}
