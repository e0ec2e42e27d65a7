/* SPDX-License-Identifier: ISC */
/* "policy explain --file": the data path's own judgement on a policy that is not installed. */
#include "loader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/policy/explain.h>
#include <tund/policy/registry_plan.h>
#include <tund/policy/words.h>

/* In the order of the command line. */
enum { PRINCIPAL, SOURCE, DESTINATION, PROTO, PORT, JSON };

static int bad(const char *what, const char *text, const char *expected)
{
	fprintf(stderr, "explain: %s \"%s\"; expected %s\n", what, text, expected);
	return EXIT_USAGE;
}

static bool parse_number(const char *text, unsigned long max, unsigned long *out)
{
	size_t len = strspn(text, "0123456789");

	if (len == 0 || len > 5 || text[len] != '\0')
		return false;
	*out = strtoul(text, NULL, 10);
	return *out <= max;
}

static int parse_question(char **argv, struct explain_question *q)
{
	unsigned long port;

	q->principal = argv[PRINCIPAL];
	if (strcmp(argv[SOURCE], "-") != 0 && ip_addr_parse(argv[SOURCE], &q->source) != 0)
		return bad("source", argv[SOURCE], "an IP address, or -");
	if (ip_addr_parse(argv[DESTINATION], &q->dst) != 0)
		return bad("destination", argv[DESTINATION], "an IP address");
	if (word_proto_parse(argv[PROTO], q->dst.family, &q->proto))
		return bad("protocol", argv[PROTO], WORD_PROTOS " or a number");
	if (!parse_number(argv[PORT], UINT16_MAX, &port))
		return bad("port", argv[PORT], "0 to 65535");
	q->port = (uint16_t)port;
	return 0;
}

static void print_string(const char *name, const char *text)
{
	printf(",\"%s\":\"", name);
	for (; text && *text; text++) {
		if (*text == '\n')
			printf("\\n");
		else if ((unsigned char)*text < 0x20)
			printf("\\u%04x", (unsigned)*text);
		else if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else
			putchar(*text);
	}
	putchar('"');
}

/* The same members as "policy explain --json" has of a running tunnel. */
static void print_json(const struct policy *policy, const struct explain_answer *answer)
{
	const struct judgement *j = &answer->judgement;
	char route[IP_PREFIX_STRLEN];

	printf("{\"schema\":1,\"accepted\":%s", answer->accepted ? "true" : "false");
	print_string("action", word_actions[j->action]);
	print_string("reason", reason_name(j->reason));
	print_string(
		"route",
		j->route == UINT32_MAX
			? NULL
			: ip_prefix_format(&policy_spec(policy)->routes[j->route].prefix, route));
	print_string("rule", j->rule ? j->rule->name : NULL);
	print_string("file", j->place.file);
	printf(",\"line\":%u", j->place.line);
	print_string("text", answer->text);
	printf("}\n");
}

static int answer(const struct policy *policy, const struct registry *registry,
		  const struct explain_question *q, bool json)
{
	struct explain_answer a;
	int err = policy_explain(policy, registry, q, &a);

	if (err == -ENOENT)
		return bad("principal", q->principal,
			   "one of the policy, or one with its device, as "
			   "\"alice@example.com/laptop\"");
	if (err)
		return bad("principal", q->principal,
			   "one with an address of the destination's family, "
			   "and a source of its own");
	if (json)
		print_json(policy, &a);
	else
		fputs(a.text, stdout);
	if (fflush(stdout) != 0)
		return EXIT_SYSTEM;
	return a.accepted ? EXIT_DONE : EXIT_NO;
}

/* Rules and devices of the configuration, as an edge has them. */
static int compile(struct config *config, struct registry *registry, struct policy **policy)
{
	struct registry_plan plan;
	int err = policy_new(config->policy, registry, NULL, policy);

	if (err < 0)
		return err;
	config->policy = NULL; /* the policy owns it now */
	err = registry_plan(registry, policy_spec(*policy), &plan);
	if (err == 0)
		registry_plan_commit(registry, &plan);
	else
		policy_free(*policy);
	return err;
}

int loader_explain(struct config *config, int argc, char **argv)
{
	struct explain_question question = {0};
	struct registry *registry;
	struct policy *policy;
	int code;

	if (config->role != ROLE_EDGE) {
		fprintf(stderr,
			"explain: this is no edge's configuration; expected the edge's, which "
			"has the principals\n");
		return EXIT_USAGE;
	}
	code = parse_question(argv, &question);
	if (code)
		return code;
	registry = registry_new(NULL);
	if (!registry || compile(config, registry, &policy) < 0) {
		registry_free(registry);
		fprintf(stderr,
			"explain: the policy cannot be compiled; is there enough memory?\n");
		return EXIT_SYSTEM;
	}
	code = answer(policy, registry, &question, argc > JSON);
	policy_free(policy);
	registry_free(registry);
	return code;
}
