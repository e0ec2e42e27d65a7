/* SPDX-License-Identifier: ISC */
/* A filter over our own environment: a closed list, so that nothing of the user's gets in. */
#include "environ.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

static const char *const allowed[] = {
	"JOURNAL_STREAM=", /* log.h: the form of a line */
#ifdef TUND_SANITIZE
	"ASAN_OPTIONS=",
	"UBSAN_OPTIONS=",
	"TSAN_OPTIONS=",
#endif
#ifdef TUND_TEST_HOOKS
	"TUND_TEST_",
#endif
};

#define ENVIRON_MAX 32

const char *const *environ_for_children(void)
{
	static const char *chosen[ENVIRON_MAX + 1];
	size_t count = 0;

	for (char **entry = environ; *entry; entry++)
		for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
			if (strncmp(*entry, allowed[i], strlen(allowed[i])) == 0 &&
			    count < ENVIRON_MAX)
				chosen[count++] = *entry;
	chosen[count] = NULL;
	return chosen;
}
