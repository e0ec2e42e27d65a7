/* SPDX-License-Identifier: ISC */
/* An index of a policy's devices by public key. */
#include "device_index.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	const struct device_index_entry *x = a, *y = b;

	return memcmp(x->device->public_key, y->device->public_key, KEY_SIZE);
}

int device_index_make(const struct policy_spec *spec, struct device_index *out)
{
	struct device_index made = {0};
	size_t total = 0;

	for (size_t i = 0; i < spec->principal_count; i++)
		total += spec->principals[i].device_count;
	made.entry = calloc(total ? total : 1, sizeof *made.entry);
	if (!made.entry)
		return -ENOMEM;
	for (size_t i = 0; i < spec->principal_count; i++) {
		const struct spec_principal *p = &spec->principals[i];

		for (size_t k = 0; k < p->device_count; k++)
			made.entry[made.count++] = (struct device_index_entry){
				.principal = p, .device = &p->devices[k]};
	}
	qsort(made.entry, made.count, sizeof *made.entry, compare);
	*out = made;
	return 0;
}

void device_index_clear(struct device_index *devices)
{
	free(devices->entry);
	*devices = (struct device_index){0};
}

static int compare_key(const void *key, const void *entry)
{
	const struct device_index_entry *e = entry;

	return memcmp(key, e->device->public_key, KEY_SIZE);
}

const struct device_index_entry *device_index_find(const struct device_index *devices,
						   const uint8_t key[KEY_SIZE])
{
	return bsearch(key, devices->entry, devices->count, sizeof *devices->entry, compare_key);
}

const char *device_index_name(const struct device_index_entry *entry, const uint8_t key[KEY_SIZE],
			      char buf[PEER_NAME_MAX])
{
	char text[KEY_BASE64_LEN + 1];

	if (entry) {
		snprintf(buf, PEER_NAME_MAX, "%.200s/%.90s", entry->principal->id,
			 entry->device->name);
	} else {
		key_to_base64(key, text);
		snprintf(buf, PEER_NAME_MAX, "%.8s...", text);
	}
	return buf;
}

void device_addresses(const struct spec_device *device, struct ip_addr out[NETWORK_ADDRESSES_MAX],
		      uint32_t *count)
{
	uint32_t n = 0;

	for (size_t i = 0; i < device->address_count && n < NETWORK_ADDRESSES_MAX; i++)
		out[n++] = device->addresses[i];
	*count = n;
}
