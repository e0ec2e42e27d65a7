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

/* Takes the first decoded configuration. Consumes `config`. */
void main_thread_configure(struct engine *engine, struct config *config);

/* Makes all that a replacement needs, so that main_thread_commit() with the same number cannot fail;
 * one that was prepared before is forgotten. Consumes `config`. -errno, with why[] where there is more
 * to say. */
int main_thread_prepare(struct engine *engine, struct config *config, uint32_t generation,
			char why[WHY_MAX]);

/* What was prepared is in force. -EBADMSG: that is not what was prepared. */
int main_thread_commit(struct engine *engine, uint32_t generation);

/* Tells the peers goodbye has been said: leaves the loop after a short grace. */
void main_thread_farewell(struct engine *engine);

/* The end: stops the workers and frees everything but loop and message. */
void main_thread_clear(struct engine *engine);

#endif
