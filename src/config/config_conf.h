/* SPDX-License-Identifier: ISC */
/* tund.conf(5): from the tree to struct config. */
#ifndef TUND_CONFIG_CONFIG_CONF_H
#define TUND_CONFIG_CONFIG_CONF_H

#include "config_tree.h"

/* The options of NAME.conf. */
cfg_opt_t *conf_options(void);

/*
 * Fills `config` (zeroed) with what the file says and the defaults of its role. Returns true when
 * nothing was wrong; else everything that was is reported.
 */
bool conf_read(struct diag *diag, cfg_t *root, const struct scan *scan, struct config *config);

/* The role alone; false after a report. */
bool conf_read_role(struct diag *diag, cfg_t *root, enum role *out);

/*
 * What a client of a stock WireGuard server (suite = wireguard) says in place of an edge that
 * pushes: `address` and `routes`; with any other suite, that they are not written. `config` has its
 * role, edge and transport.
 */
bool conf_read_wireguard(struct diag *diag, cfg_t *root, const struct scan *scan,
			 struct config *config);

/* Reports every option that the role does not have. */
bool conf_check_role(struct diag *diag, cfg_t *root, const struct scan *scan, enum role role);

#endif
