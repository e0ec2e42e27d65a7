/* SPDX-License-Identifier: ISC */
/*
 * A scanned file as libconfuse's tree of sections, each value with its line. Every value is text
 * here (libconfuse reads 010 as octal); value.h makes of it what is meant.
 */
#ifndef TUND_CONFIG_CONFIG_TREE_H
#define TUND_CONFIG_CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include <confuse.h>

#include "config_scan.h"

/* One value as written. */
struct setting {
	const char *name; /* of its option */
	unsigned line;
	char *text; /* owned; wiped when the tree is freed */
};

int tree_store(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result);
void tree_drop(void *setting);

/* For option tables: an option with one value, one with a list, and a section (scan has titles). */
#define TREE_ONE(name) CFG_PTR_CB(name, NULL, CFGF_NODEFAULT, tree_store, tree_drop)
#define TREE_LIST(name) CFG_PTR_LIST_CB(name, NULL, CFGF_NODEFAULT, tree_store, tree_drop)
#define TREE_SECTION(name, options) CFG_SEC(name, options, CFGF_MULTI)

/* Parses. 0 and a tree for cfg_free(), -EINVAL after a report, -ENOMEM. */
int tree_parse(const struct scan *scan, cfg_opt_t *options, struct diag *diag, cfg_t **out);

/* The value of an option, or NULL where it is not set. */
const struct setting *tree_one(cfg_t *section, const char *name);

/* Whether an option is written, be it an empty list. */
bool tree_is_set(cfg_t *section, const char *name);

/* The values of a list. */
size_t tree_count(cfg_t *section, const char *name);
const struct setting *tree_item(cfg_t *section, const char *name, size_t i);

#endif
