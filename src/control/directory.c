/* SPDX-License-Identifier: ISC */
/* An index of a policy's devices by public key. */
#include "directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	const struct directory_entry *x = a, *y = b;

	return memcmp(x->device->public_key, y->device->public_key, KEY_SIZE);
}

int directory_make(const struct policy_spec *spec, struct directory *out)
{
	struct directory made = {0};
	size_t total = 0;

	for (size_t i = 0; i < spec->principal_count; i++)
		total += spec->principals[i].device_count;
	made.entry = calloc(total ? total : 1, sizeof *made.entry);
	if (!made.entry)
		return -ENOMEM;
	for (size_t i = 0; i < spec->principal_count; i++) {
		const struct spec_principal *p = &spec->principals[i];

		for (size_t k = 0; k < p->device_count; k++)
			made.entry[made.count++] =
				(struct directory_entry){.principal = p, .device = &p->devices[k]};
	}
	qsort(made.entry, made.count, sizeof *made.entry, compare);
	*out = made;
	return 0;
}

void directory_clear(struct directory *directory)
{
	free(directory->entry);
	*directory = (struct directory){0};
}

static int compare_key(const void *key, const void *entry)
{
	const struct directory_entry *e = entry;

	return memcmp(key, e->device->public_key, KEY_SIZE);
}

const struct directory_entry *directory_find(const struct directory *directory,
					     const uint8_t key[KEY_SIZE])
{
	return bsearch(key, directory->entry, directory->count, sizeof *directory->entry,
		       compare_key);
}
