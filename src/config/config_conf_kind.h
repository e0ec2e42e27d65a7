/* SPDX-License-Identifier: ISC */
/* What each kind of option reads of the file. */
#ifndef TUND_CONFIG_CONFIG_CONF_KIND_H
#define TUND_CONFIG_CONFIG_CONF_KIND_H

#include "config_option.h"
#include "config_tree.h"

/* The declaration of an option for libconfuse. */
cfg_opt_t conf_kind_option(const struct option *option);

/*
 * Reads a written option into its field; false after a report, when numbers, words and flags are as
 * they were and a list is empty.
 */
bool conf_kind_read(const struct option *option, struct diag *diag, cfg_t *section,
		    struct config *config);

#endif
