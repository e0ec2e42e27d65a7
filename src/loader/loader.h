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

/* What the parser cannot do, for it makes no public keys: fills config->public_key, and reports it
 * as a peer's key of `config`, read from `path`, because a host has no session with itself. Returns
 * EXIT_DONE or EXIT_BAD_CONFIG. */
int loader_check_keys(struct config *config, const char *path);

/* The verbs; `argv` of explain is what stands behind the file names. Each returns the exit code, after a message if it is not 0. */
int loader_load(const struct config *config);
int loader_check(const struct config *config);
int loader_explain(struct config *config, int argc, char **argv);

/*
 * A wg-quick(8) file, open as LOADER_CONF_FD and named `name`, as the tund.conf(5) of a client of
 * that server, whose interface is `interface` ("": the default). EXIT_DONE, EXIT_BAD_CONFIG.
 */
int loader_import(const char *name, const char *interface);

/*
 * The wg-quick(8) file of a device that is a stock WireGuard peer of this edge: argv is PRINCIPAL,
 * or PRINCIPAL/DEVICE, and the edge's endpoint or "-", then any of "generate" (a new key pair), "qr"
 * (as a QR code) and "colour" (of that).
 */
int loader_export(const struct config *config, int argc, char **argv);

/* Prints a text as a QR code (ISO/IEC 18004), two modules in a character. -errno. */
int loader_print_qr(const char *text, bool colour);

#endif

