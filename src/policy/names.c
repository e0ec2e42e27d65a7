/* SPDX-License-Identifier: ISC */
/* Texts with numbers: chains by hash, of a fixed number, so that no growth makes one of them dear. */
#include "names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HEADS 65536

struct name {
	uint32_t number, next; /* of its chain, plus 1; 0: the last */
	uint32_t uses;
	bool pinned;
	char text[];
};

int names_init(struct names *n)
{
	*n = (struct names){.heads = calloc(HEADS, sizeof *n->heads)};
	return n->heads ? 0 : -ENOMEM;
}

void names_clear(struct names *n)
{
	for (uint32_t i = 0; i < n->count; i++)
		free(n->all[i]);
	free(n->all);
	free(n->unused);
	free(n->heads);
	*n = (struct names){0};
}

/* FNV-1a (RFC 9923). Not keyed: an administrator chooses the names. */
static uint32_t *head_of(const struct names *n, const char *text)
{
	uint32_t hash = 2166136261;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619;
	return &n->heads[(hash ^ hash >> 16) % HEADS];
}

uint32_t names_find(const struct names *n, const char *text)
{
	for (uint32_t i = *head_of(n, text); i != 0; i = n->all[i - 1]->next) {
		if (strcmp(n->all[i - 1]->text, text) == 0)
			return i - 1;
	}
	return NAME_NONE;
}

/* Room for one number more, in use or given back. */
static int reserve(struct names *n)
{
	uint32_t cap = n->cap ? n->cap * 2 : 16;
	uint32_t *unused;
	struct name **all;

	if (n->count < n->cap)
		return 0;
	all = realloc(n->all, cap * sizeof *all);
	if (!all)
		return -ENOMEM;
	n->all = all;
	unused = realloc(n->unused, cap * sizeof *unused);
	if (!unused)
		return -ENOMEM;
	n->unused = unused;
	n->cap = cap;
	return 0;
}

static uint32_t add(struct names *n, const char *text)
{
	size_t size = strlen(text) + 1;
	uint32_t *head = head_of(n, text);
	struct name *name;

	if (n->unused_count == 0 && reserve(n) < 0)
		return NAME_NONE;
	name = calloc(1, sizeof *name + size);
	if (!name)
		return NAME_NONE;
	memcpy(name->text, text, size);
	name->number = n->unused_count ? n->unused[--n->unused_count] : n->count++;
	name->next = *head;
	*head = name->number + 1;
	n->all[name->number] = name;
	return name->number;
}

static uint32_t find_or_add(struct names *n, const char *text)
{
	uint32_t number = names_find(n, text);

	return number == NAME_NONE ? add(n, text) : number;
}

uint32_t names_pin(struct names *n, const char *text)
{
	uint32_t number = find_or_add(n, text);

	if (number != NAME_NONE)
		n->all[number]->pinned = true;
	return number;
}

uint32_t names_use(struct names *n, const char *text)
{
	uint32_t number = find_or_add(n, text);

	if (number != NAME_NONE)
		n->all[number]->uses++;
	return number;
}

void names_release(struct names *n, uint32_t number)
{
	struct name *name = n->all[number];
	uint32_t *at;

	if (--name->uses > 0 || name->pinned)
		return;
	for (at = head_of(n, name->text); *at != number + 1; at = &n->all[*at - 1]->next)
		continue;
	*at = name->next;
	n->all[number] = NULL;
	n->unused[n->unused_count++] = number;
	free(name);
}
