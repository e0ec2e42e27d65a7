/* SPDX-License-Identifier: ISC */
/* The kinds: numbers and keys here, names and lists in config_kind_net.c. */
#include "config_kind.h"

#include <string.h>

#include "config_check.h"
#include "config_kind_net.h"

void *kind_field(const struct option *option, struct config *config)
{
	return (uint8_t *)config + option->offset;
}

static const void *field_of(const struct option *option, const struct config *config)
{
	return (const uint8_t *)config + option->offset;
}

/* Numbers, words and flags */

static uint32_t load(const void *field, size_t size)
{
	uint32_t wide;
	uint16_t narrow;

	switch (size) {
	case 1:
		return *(const uint8_t *)field;
	case 2:
		memcpy(&narrow, field, sizeof narrow);
		return narrow;
	}
	memcpy(&wide, field, sizeof wide);
	return wide;
}

static void store(void *field, size_t size, uint32_t number)
{
	uint16_t narrow = (uint16_t)number;

	switch (size) {
	case 1:
		*(uint8_t *)field = (uint8_t)number;
		return;
	case 2:
		memcpy(field, &narrow, sizeof narrow);
		return;
	}
	memcpy(field, &number, sizeof number);
}

static uint32_t get_number(const struct option *option, const void *field)
{
	uint32_t number = load(field, option->size), i = 0;

	if (!option->values)
		return number;
	while (option->words[i] && (uint8_t)option->values[i] != number)
		i++;
	return i;
}

static void set_number(const struct option *option, void *field, uint32_t number)
{
	if (option->values)
		number = (uint8_t)option->values[number];
	store(field, option->size, number);
}

static bool number_is_valid(const struct option *option, uint32_t number)
{
	uint32_t words = 0;

	if (option->kind == KIND_NUMBER)
		return (number >= option->min && number <= option->max) || number == option->unset;
	if (option->kind == KIND_FLAG)
		return number <= 1;
	while (option->words[words])
		words++;
	return number < words;
}

static void number_encode(const struct option *option, const void *field, struct writer *w)
{
	write_u32(w, get_number(option, field));
}

static void number_decode(const struct option *option, void *field, struct reader *r)
{
	uint32_t number = read_u32(r);

	if (number_is_valid(option, number))
		set_number(option, field, number);
	else
		r->failed = true;
}

static void number_set_default(const struct option *option, void *field)
{
	set_number(option, field, option->unset);
}

static bool number_is_empty(const struct option *option, const void *field)
{
	(void)option;
	(void)field;
	return false;
}

static bool bytes_equal(const struct option *option, const void *a, const void *b)
{
	return memcmp(a, b, option->size) == 0;
}

/* Keys */

static bool key_is_empty(const struct option *option, const void *field)
{
	const uint8_t *key = field;
	uint8_t any = 0;

	for (size_t i = 0; i < option->size; i++)
		any |= key[i];
	return any == 0;
}

static void key_set_default(const struct option *option, void *field)
{
	memset(field, 0, option->size);
}

static void key_encode(const struct option *option, const void *field, struct writer *w)
{
	write_bytes(w, field, option->size);
}

static void key_decode(const struct option *option, void *field, struct reader *r)
{
	read_copy(r, field, option->size);
}

static void public_key_decode(const struct option *option, void *field, struct reader *r)
{
	read_copy(r, field, option->size);
	if (!key_is_empty(option, field) && key_is_low_order(field))
		r->failed = true;
}

static const struct {
	void (*set_default)(const struct option *option, void *field);
	bool (*is_empty)(const struct option *option, const void *field);
	bool (*equal)(const struct option *option, const void *a, const void *b);
	void (*encode)(const struct option *option, const void *field, struct writer *w);
	void (*decode)(const struct option *option, void *field, struct reader *r);
} kinds[OPTION_KINDS] = {
	[KIND_NUMBER] = {number_set_default, number_is_empty, bytes_equal, number_encode,
			 number_decode},
	[KIND_WORD] = {number_set_default, number_is_empty, bytes_equal, number_encode,
		       number_decode},
	[KIND_FLAG] = {number_set_default, number_is_empty, bytes_equal, number_encode,
		       number_decode},
	[KIND_SECRET] = {key_set_default, key_is_empty, bytes_equal, key_encode, key_decode},
	[KIND_PUBLIC_KEY] = {key_set_default, key_is_empty, bytes_equal, key_encode,
			     public_key_decode},
	[KIND_INTERFACE] = {kind_interface_set_default, kind_interface_is_empty, bytes_equal,
			    kind_interface_encode, kind_interface_decode},
	[KIND_ENDPOINT] = {kind_endpoint_set_default, kind_endpoint_is_empty, kind_endpoint_equal,
			   kind_endpoint_encode, kind_endpoint_decode},
	[KIND_PREFIXES] = {kind_prefixes_set_default, kind_prefixes_is_empty, kind_prefixes_equal,
			   kind_prefixes_encode, kind_prefixes_decode},
	[KIND_ADDRESSES] = {kind_addresses_set_default, kind_addresses_is_empty,
			    kind_addresses_equal, kind_addresses_encode, kind_addresses_decode},
};

uint32_t kind_number(const struct option *option, const struct config *config)
{
	return get_number(option, field_of(option, config));
}

void kind_set_number(const struct option *option, struct config *config, uint32_t number)
{
	set_number(option, kind_field(option, config), number);
}

void kind_set_default(const struct option *option, struct config *config)
{
	kinds[option->kind].set_default(option, kind_field(option, config));
}

bool kind_is_empty(const struct option *option, const struct config *config)
{
	return kinds[option->kind].is_empty(option, field_of(option, config));
}

bool kind_equal(const struct option *option, const struct config *a, const struct config *b)
{
	return kinds[option->kind].equal(option, field_of(option, a), field_of(option, b));
}

void kind_encode(const struct option *option, const struct config *config, struct writer *w)
{
	kinds[option->kind].encode(option, field_of(option, config), w);
}

void kind_decode(const struct option *option, struct config *config, struct reader *r)
{
	kinds[option->kind].decode(option, kind_field(option, config), r);
}
