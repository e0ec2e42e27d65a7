/* SPDX-License-Identifier: ISC */
/* What the engine tells control of its peers and counters. */
#ifndef TUND_ENGINE_REPORT_H
#define TUND_ENGINE_REPORT_H

#include <stdint.h>

struct engine;
struct peer;

/* What changed about a peer, or an answer to CONTROL_STATUS (`id`), to control. */
void report_peer(struct engine *engine, struct peer *peer, uint32_t id);

/* Answers CONTROL_HELLO and CONTROL_STATUS, a few peers at a time, as long as control keeps up;
 * report_continue() when it does again. */
void report_greet(struct engine *engine);
void report_status(struct engine *engine, uint32_t id);
void report_continue(struct engine *engine);

#endif
