/* SPDX-License-Identifier: ISC */
/* The texts of a rule's `from`. */
#include "model_selector.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *prefix;
	struct selector selector;
} forms[] = {
	{"group:", {.kind = SELECTOR_GROUP}},
	{"user:", {.kind = SELECTOR_PRINCIPAL, .principal = PRINCIPAL_USER}},
	{"service:", {.kind = SELECTOR_PRINCIPAL, .principal = PRINCIPAL_SERVICE}},
	{"connector:", {.kind = SELECTOR_PRINCIPAL, .principal = PRINCIPAL_CONNECTOR}},
};

int selector_parse(const char *text, struct selector *out)
{
	if (strcmp(text, "any") == 0) {
		*out = (struct selector){.kind = SELECTOR_ANY};
		return 0;
	}
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		size_t n = strlen(forms[i].prefix);

		if (strncmp(text, forms[i].prefix, n) == 0 && text[n]) {
			*out = forms[i].selector;
			out->name = text + n;
			return 0;
		}
	}
	return -EINVAL;
}

const char *principal_kind_name(enum principal_kind kind)
{
	switch (kind) {
	case PRINCIPAL_USER:
		return "user";
	case PRINCIPAL_CONNECTOR:
		return "connector";
	case PRINCIPAL_SERVICE:
		return "service";
	}
	return "unknown";
}
