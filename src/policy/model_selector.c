/* SPDX-License-Identifier: ISC */
/* The texts of a rule's `from`. */
#include "model_selector.h"

#include <errno.h>
#include <string.h>

#include <tund/policy/words.h>

/* Behind "WORD:", what is not empty; NULL: another form. */
static const char *behind(const char *text, const char *word)
{
	size_t n = strlen(word);

	return strncmp(text, word, n) == 0 && text[n] == ':' && text[n + 1] ? text + n + 1 : NULL;
}

int selector_parse(const char *text, struct selector *out)
{
	const char *name = behind(text, "group");

	if (strcmp(text, "any") == 0) {
		*out = (struct selector){.kind = SELECTOR_ANY};
		return 0;
	}
	if (name) {
		*out = (struct selector){.kind = SELECTOR_GROUP, .name = name};
		return 0;
	}
	for (int i = 0; word_kinds[i]; i++) {
		name = behind(text, word_kinds[i]);
		if (!name)
			continue;
		*out = (struct selector){.kind = SELECTOR_PRINCIPAL,
					 .principal = (enum principal_kind)i,
					 .name = name};
		return 0;
	}
	return -EINVAL;
}
