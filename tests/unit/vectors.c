/* SPDX-License-Identifier: ISC */
/* Test vectors in JSON. */
#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vectors.h"

/* Writes the path of a public file, or of one of ours. */
static void path_of(bool own, const char *name, char path[PATH_MAX])
{
	const char *sources = getenv("TUND_SRCDIR"), *public = getenv("TUND_VECTORS");

	if (!sources)
		sources = ".";
	if (own)
		snprintf(path, PATH_MAX, "%s/tests/vectors/%s", sources, name);
	else if (public)
		snprintf(path, PATH_MAX, "%s/%s", public, name);
	else
		snprintf(path, PATH_MAX, "%s/../shared/vectors/%s", sources, name);
}

static json_t *load(bool own, const char *name)
{
	char path[PATH_MAX];
	json_error_t error;
	json_t *root;

	path_of(own, name, path);
	root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(root != NULL, "%s:%d: %s", path, error.line, error.text);
	return root;
}

bool vectors_exist(const char *name)
{
	char path[PATH_MAX];

	path_of(false, name, path);
	return access(path, R_OK) == 0;
}

json_t *vectors_load(const char *name)
{
	return load(false, name);
}

json_t *vectors_load_own(const char *name)
{
	return load(true, name);
}

void vector_get(const json_t *object, const char *key, struct vector_bytes *out)
{
	const char *hex = json_string_value(json_object_get(object, key));

	ck_assert_msg(hex != NULL, "no %s", key);
	ck_assert_uint_le(strlen(hex), 2 * VECTOR_MAX);
	ck_assert_uint_eq(strlen(hex) % 2, 0);
	out->len = strlen(hex) / 2;
	for (size_t i = 0; i < out->len; i++) {
		unsigned byte;

		ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
		out->data[i] = (uint8_t)byte;
	}
}
