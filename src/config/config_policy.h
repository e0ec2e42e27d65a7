/* SPDX-License-Identifier: ISC */
/* tund-policy(5): from the tree to struct policy_spec. */
#ifndef TUND_CONFIG_CONFIG_POLICY_H
#define TUND_CONFIG_CONFIG_POLICY_H

#include "config_tree.h"

/* The options of NAME.policy. */
cfg_opt_t *policy_options(void);

/*
 * Fills config->policy, which is empty, after the rest of `config`. Single values are checked,
 * and what depends on the role; policy_spec_validate() is left to the caller. 0; -EINVAL after
 * everything wrong was reported; -ENOMEM.
 */
int policy_read(struct diag *diag, cfg_t *root, const struct scan *scan, struct config *config);

/* Whether a preshared key is written in the file. */
bool policy_has_secret(cfg_t *root);

#endif
