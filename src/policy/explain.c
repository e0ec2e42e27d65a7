/* SPDX-License-Identifier: ISC */
/* Asks the data path's own judgement on behalf of a principal, and says the answer in words. */
#include <tund/policy/explain.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tund/policy/words.h>

/* Whether the question names this device: "id" names any of the principal's, "id/device" one. */
static bool names_device(const char *asked, const struct registry_device *device)
{
	size_t n = strlen(device->id);

	if (strncmp(asked, device->id, n) != 0)
		return false;
	return asked[n] == '\0' ||
	       (asked[n] == '/' && strcmp(asked + n + 1, device->spec->name) == 0);
}

static bool address_of_family(const struct spec_device *device, uint8_t family,
			      struct ip_addr *out)
{
	for (size_t i = 0; i < device->address_count; i++) {
		if (device->addresses[i].family != family)
			continue;
		*out = device->addresses[i];
		return true;
	}
	return false;
}

static bool choose_source(const struct policy *policy, const struct registry *registry,
			  const struct explain_question *q, const struct registry_device *device,
			  struct ip_addr *out)
{
	if (q->source.family == 0)
		return address_of_family(device->spec, q->dst.family, out);
	if (q->source.family != q->dst.family ||
	    !policy_owns(policy, registry, device, &q->source))
		return false;
	*out = q->source;
	return true;
}

/* The first device that the question names and that may have the source. */
static int choose_device(const struct policy *policy, const struct registry *registry,
			 const struct explain_question *q, const struct registry_device **device,
			 struct ip_addr *source)
{
	int result = -ENOENT;

	for (uint32_t i = 0; i < registry_limit(registry); i++) {
		const struct registry_device *d = registry_device(registry, i);

		if (!d || !names_device(q->principal, d))
			continue;
		result = -EADDRNOTAVAIL;
		if (choose_source(policy, registry, q, d, source)) {
			*device = d;
			return 0;
		}
	}
	return result;
}

static const char *action_text(enum policy_action action)
{
	switch (action) {
	case POLICY_ACCEPT:
		return "accepted";
	case POLICY_REJECT:
		return "refused";
	case POLICY_DROP:
		return "dropped silently";
	}
	return "refused";
}

static size_t say_question(const struct explain_question *q, const struct explain_answer *a,
			   char *text, size_t size)
{
	char source[IP_ADDR_STRLEN], dst[IP_ADDR_STRLEN], port[8] = "";
	char proto[WORD_PROTO_STRLEN];

	if (q->port != 0)
		snprintf(port, sizeof port, " %u", q->port);
	return (size_t)snprintf(text, size, "%s: %s from %s to %s %s%s\n",
				action_text(a->judgement.action), q->principal,
				ip_addr_format(&a->source, source), ip_addr_format(&q->dst, dst),
				word_proto_text(q->proto, proto), port);
}

static size_t say_place(const struct spec_place *place, char *text, size_t size)
{
	if (!place->file)
		return (size_t)snprintf(text, size, "\n");
	return (size_t)snprintf(text, size, ", %s:%u\n", place->file, place->line);
}

static size_t say_route(const struct policy *policy, const struct judgement *j, char *text,
			size_t size)
{
	char prefix[IP_PREFIX_STRLEN];
	const struct spec_route *route;
	size_t n;

	if (j->route == UINT32_MAX)
		return 0;
	route = &policy_spec(policy)->routes[j->route];
	n = (size_t)snprintf(text, size, "route:  %s", ip_prefix_format(&route->prefix, prefix));
	return n < size ? n + say_place(&route->place, text + n, size - n) : n;
}

static size_t say_rule(const struct judgement *j, char *text, size_t size)
{
	size_t n;

	if (!j->rule)
		return 0;
	n = (size_t)snprintf(text, size, "rule:   \"%s\"", j->rule->name);
	return n < size ? n + say_place(&j->rule->place, text + n, size - n) : n;
}

static void say_answer(const struct policy *policy, const struct explain_question *q,
		       struct explain_answer *a)
{
	size_t n = say_question(q, a, a->text, sizeof a->text);

	if (n < sizeof a->text)
		n += say_route(policy, &a->judgement, a->text + n, sizeof a->text - n);
	if (n < sizeof a->text)
		n += say_rule(&a->judgement, a->text + n, sizeof a->text - n);
	if (n < sizeof a->text)
		snprintf(a->text + n, sizeof a->text - n, "reason: %s\n",
			 reason_text(a->judgement.reason));
}

int policy_explain(const struct policy *policy, const struct registry *registry,
		   const struct explain_question *question, struct explain_answer *out)
{
	struct policy_query query = {
		.dst = question->dst, .proto = question->proto, .dst_port = question->port};
	struct explain_answer answer = {0};
	int err = choose_device(policy, registry, question, &query.device, &answer.source);

	if (err < 0)
		return err;
	answer.device = query.device;
	policy_judge(policy, registry, &query, &answer.judgement);
	answer.accepted = answer.judgement.action == POLICY_ACCEPT;
	say_answer(policy, question, &answer);
	*out = answer;
	return 0;
}
