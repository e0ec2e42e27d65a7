/* SPDX-License-Identifier: ISC */
/* Parsing of the command socket's request lines. */
#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/ipc/command.h>
#include <tund/policy/words.h>

#define WORDS_MAX 7 /* "explain", its five arguments, "json" */

/* "Foreign" numbers in the exact form: digits only, no sign, no leading blank. */
static int parse_number(const char *text, unsigned long max, unsigned long *out)
{
	char *end;
	unsigned long n;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || n > max)
		return -EINVAL;
	*out = n;
	return 0;
}

static int wrong(char why[REQUEST_WHY_MAX], const char *what, const char *got)
{
	snprintf(why, REQUEST_WHY_MAX, "\"%.64s\" is not %s\n", got, what);
	return -EINVAL;
}

/* words: principal, source or "-", destination, proto, port */
static int parse_explain(char *const words[5], struct control_explain *out,
			 char why[REQUEST_WHY_MAX])
{
	unsigned long port;

	if (!*words[0] || strlen(words[0]) >= sizeof out->principal)
		return wrong(why, "a principal, or principal/device", words[0]);
	strcpy(out->principal, words[0]); /* fits: just measured */
	if (strcmp(words[1], "-") != 0 && ip_addr_parse(words[1], &out->source))
		return wrong(why, "a source address", words[1]);
	if (ip_addr_parse(words[2], &out->dst))
		return wrong(why, "a destination address", words[2]);
	if (out->source.family && out->source.family != out->dst.family)
		return wrong(why, "of the destination's family", words[1]);
	if (word_proto_parse(words[3], out->dst.family, &out->proto))
		return wrong(why, WORD_PROTOS " or a protocol number 0-255", words[3]);
	if (parse_number(words[4], UINT16_MAX, &port))
		return wrong(why, "a port 0-65535", words[4]);
	out->port = (uint16_t)port;
	return 0;
}

struct command_form {
	const char *name;
	enum request_kind kind;
	size_t arguments;
	bool may_be_json;
};

static const struct command_form command_forms[] = {
	{"status", REQUEST_KIND_STATUS, 0, true},   {"wait", REQUEST_KIND_WAIT, 0, false},
	{"down", REQUEST_KIND_DOWN, 0, false},      {"reload", REQUEST_KIND_RELOAD, 0, false},
	{"explain", REQUEST_KIND_EXPLAIN, 5, true},
};

static int parse_words(char *const *words, size_t count, struct request *out,
		       char why[REQUEST_WHY_MAX])
{
	const struct command_form *form = NULL;
	struct request request = {0};

	for (size_t i = 0; i < sizeof command_forms / sizeof *command_forms; i++) {
		if (strcmp(words[0], command_forms[i].name) == 0)
			form = &command_forms[i];
	}
	if (!form)
		return wrong(why, "a command: status, wait, down, reload, explain", words[0]);
	request.kind = form->kind;
	if (count == form->arguments + 2 && form->may_be_json &&
	    strcmp(words[count - 1], "json") == 0) {
		request.json = true;
		count--;
	}
	if (count != form->arguments + 1)
		return wrong(why, "used with these arguments", words[0]);
	if (form->kind == REQUEST_KIND_EXPLAIN && parse_explain(words + 1, &request.explain, why))
		return -EINVAL;
	*out = request;
	return 0;
}

int request_parse(const char *line, size_t len, struct request *out, char why[REQUEST_WHY_MAX])
{
	char copy[COMMAND_MAX + 1];
	char *words[WORDS_MAX + 1], *rest = copy;
	size_t count = 0;

	if (len > COMMAND_MAX || memchr(line, '\0', len))
		return wrong(why, "a request line", "");
	memcpy(copy, line, len);
	copy[len] = '\0';
	while (rest && count <= WORDS_MAX)
		words[count++] = strsep(&rest, "\t");
	if (rest || count > WORDS_MAX)
		return wrong(why, "used with that many arguments", words[0]);
	return parse_words(words, count, out, why);
}
