/* SPDX-License-Identifier: ISC */
/* Parsing of the command socket's request lines. */
#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/policy/words.h>

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

int request_wrong(char why[REQUEST_WHY_MAX], const char *expected, const char *got)
{
	snprintf(why, REQUEST_WHY_MAX, "\"%.64s\" is not %s\n", got, expected);
	return -EINVAL;
}

int request_explain(const struct request *request, struct control_explain *out,
		    char why[REQUEST_WHY_MAX])
{
	const char *const *words = request->argument;
	unsigned long port;

	if (!*words[0] || strlen(words[0]) >= sizeof out->principal)
		return request_wrong(why, "a principal, or principal/device", words[0]);
	strcpy(out->principal, words[0]); /* fits: just measured */
	if (strcmp(words[1], "-") != 0 && ip_addr_parse(words[1], &out->source))
		return request_wrong(why, "a source address", words[1]);
	if (ip_addr_parse(words[2], &out->dst))
		return request_wrong(why, "a destination address", words[2]);
	if (out->source.family && out->source.family != out->dst.family)
		return request_wrong(why, "of the destination's family", words[1]);
	if (word_proto_parse(words[3], out->dst.family, &out->proto))
		return request_wrong(why, WORD_PROTOS " or a protocol number 0-255", words[3]);
	if (parse_number(words[4], UINT16_MAX, &port))
		return request_wrong(why, "a port 0-65535", words[4]);
	out->port = (uint16_t)port;
	return 0;
}

int request_parse(const char *line, size_t len, struct request *out, char why[REQUEST_WHY_MAX])
{
	char *rest = out->line;

	if (len > COMMAND_MAX || memchr(line, '\0', len))
		return request_wrong(why, "a request line", "");
	memcpy(out->line, line, len);
	out->line[len] = '\0';
	out->name = strsep(&rest, "\t");
	for (out->count = 0; rest && out->count < REQUEST_ARGUMENTS_MAX; out->count++)
		out->argument[out->count] = strsep(&rest, "\t");
	if (rest)
		return request_wrong(why, "used with that many arguments", out->name);
	out->json = out->count && strcmp(out->argument[out->count - 1], "json") == 0;
	if (out->json)
		out->count--;
	return 0;
}
