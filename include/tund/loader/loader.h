/* SPDX-License-Identifier: ISC */
/* The parts of the loader. */
#ifndef TUND_LOADER_LOADER_H
#define TUND_LOADER_LOADER_H

#include <tund/config/config.h>
#include <tund/ipc/command.h>

#define LOADER_CONF_FD 3
#define LOADER_POLICY_FD 4
#define LOADER_FULL_FD 5
#define LOADER_PUBLIC_FD 6
#define LOADER_HOST_FD 7

/* A file that was handed to us; one that is not open is absent. */
struct config_file loader_file(int fd, const char *name);

/* Gives up everything but descriptors and memory. 0, or an exit code after a message. */
int loader_confine(void);

/* The verbs; `argv` of explain is what stands behind the file names. Each returns the exit code, after a message if it is not 0. */
int loader_load(const struct config *config);
int loader_check(const struct config *config);
int loader_explain(struct config *config, int argc, char **argv);

#endif
