/* SPDX-License-Identifier: ISC */
/* Who a public key is: an index of a policy's devices, made once for each configuration. */
#ifndef TUND_CONTROL_DEVICE_INDEX_H
#define TUND_CONTROL_DEVICE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include <tund/policy/model.h>

struct device_index_entry {
	const struct spec_principal *principal;
	const struct spec_device *device;
};

struct device_index {
	struct device_index_entry *entry; /* ordered by public key; owned */
	size_t count;
};

/* Borrows from the spec, which must outlive it. -ENOMEM. */
int device_index_make(const struct policy_spec *spec, struct device_index *out);
void device_index_clear(struct device_index *devices);

/* NULL: no device has this key. */
const struct device_index_entry *device_index_find(const struct device_index *devices,
						   const uint8_t key[KEY_SIZE]);

/*
 * What a public key is called, for people: "alice@example.com/laptop", or the start of the key where
 * no device has it (NULL). Returns buf.
 */
#define PEER_NAME_MAX 300
const char *device_index_name(const struct device_index_entry *entry, const uint8_t key[KEY_SIZE],
			      char buf[PEER_NAME_MAX]);

/* A device's addresses, as many as a message takes. */
void device_addresses(const struct spec_device *device, struct ip_addr out[NETWORK_ADDRESSES_MAX],
		      uint32_t *count);

#endif
