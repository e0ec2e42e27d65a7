/* SPDX-License-Identifier: ISC */
/* Who a public key is: an index of a policy's devices, made once for each configuration. */
#ifndef TUND_CONTROL_DIRECTORY_H
#define TUND_CONTROL_DIRECTORY_H

#include <stddef.h>
#include <stdint.h>

#include <tund/policy/model.h>

struct directory_entry {
	const struct spec_principal *principal;
	const struct spec_device *device;
};

struct directory {
	struct directory_entry *entry; /* ordered by public key; owned */
	size_t count;
};

/* Borrows from the spec, which must outlive it. -ENOMEM. */
int directory_make(const struct policy_spec *spec, struct directory *out);
void directory_clear(struct directory *directory);

/* NULL: no device has this key. */
const struct directory_entry *directory_find(const struct directory *directory,
					     const uint8_t key[KEY_SIZE]);

#endif
