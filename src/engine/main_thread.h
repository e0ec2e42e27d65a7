/* SPDX-License-Identifier: ISC */
/* The core wrapped in the main thread's loop: what every role shares. */
#ifndef TUND_ENGINE_MAIN_THREAD_H
#define TUND_ENGINE_MAIN_THREAD_H

#include "engine.h"

#define WIREGUARD_MTU 1420 /* of a WireGuard interface, until told otherwise */

/* The parts that need no configuration; loop and message are there. `transports`: as transport_table.
 * -ENOMEM. */
int main_thread_init(struct engine *engine, const struct transport_ops *const *transports);

/* Node and role are made and the watchers started; called once, at PARENT_GO. 0 or -errno. */
int main_thread_start(struct engine *engine);

/* Takes a decoded configuration: the first, or a replacement. Consumes `config`. -errno: the one
 * before stays. */
int main_thread_configure(struct engine *engine, struct config *config);

/* Tells the peers goodbye has been said: leaves the loop after a short grace. */
void main_thread_farewell(struct engine *engine);

/* The end: stops the workers and frees everything but loop and message. */
void main_thread_clear(struct engine *engine);

#endif
