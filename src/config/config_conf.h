/* SPDX-License-Identifier: ISC */
/* tund.conf(5): from the tree to struct config. */
#ifndef TUND_CONFIG_CONFIG_CONF_H
#define TUND_CONFIG_CONFIG_CONF_H

#include "config_tree.h"

/* The options of NAME.conf, for tree_parse(). */
cfg_opt_t *conf_options(void);

/*
 * Fills `config` (zeroed) with what the file says and the defaults of its role. Returns true when
 * nothing was wrong; else everything that was is reported.
 */
bool conf_read(struct diag *diag, cfg_t *root, const struct scan *scan, struct config *config);

/* Whether a secret is written in the file. */
bool conf_has_secret(cfg_t *root);

#endif
