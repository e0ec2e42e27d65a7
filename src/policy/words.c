/* SPDX-License-Identifier: ISC */
/* The words for what a policy is made of. */
#include <tund/policy/words.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/wire/inner.h>

const char *const word_kinds[] = {[PRINCIPAL_USER] = "user",
				  [PRINCIPAL_CONNECTOR] = "connector",
				  [PRINCIPAL_SERVICE] = "service",
				  NULL};

const char *const word_actions[] = {
	[POLICY_ACCEPT] = "accept", [POLICY_REJECT] = "reject", [POLICY_DROP] = "drop", NULL};

const char *const word_rule_protos[] = {"any", "icmp", "tcp", "udp", "sctp", "gre", "esp", NULL};

/* In the order of word_rule_protos; IANA's assigned protocol numbers. */
static const uint16_t rule_protos[] = {
	POLICY_PROTO_ANY, POLICY_PROTO_ICMP, PROTO_TCP, PROTO_UDP, 132, 47, 50};

_Static_assert(sizeof rule_protos / sizeof *rule_protos + 1 ==
		       sizeof word_rule_protos / sizeof *word_rule_protos,
	       "each word has its number");

uint16_t word_rule_proto(int i)
{
	return rule_protos[i];
}

static int parse_number(const char *text, uint8_t *out)
{
	size_t len = strspn(text, "0123456789");
	unsigned long number = strtoul(text, NULL, 10);

	if (len == 0 || len > 5 || text[len] || number > UINT8_MAX)
		return -EINVAL;
	*out = (uint8_t)number;
	return 0;
}

int word_proto_parse(const char *text, uint8_t family, uint8_t *out)
{
	for (int i = 0; word_rule_protos[i]; i++) {
		if (rule_protos[i] == POLICY_PROTO_ANY || strcmp(text, word_rule_protos[i]) != 0)
			continue;
		if (rule_protos[i] == POLICY_PROTO_ICMP)
			*out = family == 4 ? PROTO_ICMP : PROTO_ICMPV6;
		else
			*out = (uint8_t)rule_protos[i];
		return 0;
	}
	return parse_number(text, out);
}

const char *word_proto_text(uint8_t proto, char buf[WORD_PROTO_STRLEN])
{
	uint16_t wanted = proto == PROTO_ICMP || proto == PROTO_ICMPV6 ? POLICY_PROTO_ICMP : proto;

	for (int i = 0; word_rule_protos[i]; i++) {
		if (rule_protos[i] == wanted)
			return word_rule_protos[i];
	}
	snprintf(buf, WORD_PROTO_STRLEN, "protocol %u", proto);
	return buf;
}
