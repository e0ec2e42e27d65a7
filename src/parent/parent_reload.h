/* SPDX-License-Identifier: ISC */
/* A new configuration for a tunnel that runs. */
#ifndef TUND_PARENT_PARENT_RELOAD_H
#define TUND_PARENT_PARENT_RELOAD_H

#include "parent_state.h"

/* Loads the configuration anew and hands it out; or keeps the old one. `text`
 * (LOADER_TEXT_MAX) gets what is to be said. 0 or -errno. */
int parent_reload(struct parent *parent, char *text);

#endif
