/* SPDX-License-Identifier: ISC */
/*
 * What control says to the engine. Control may be slow, dead or new: one that falls too far behind, or
 * says what it must not, is cut off, and ended and started again by the parent.
 */
#ifndef TUND_ENGINE_FROM_CONTROL_H
#define TUND_ENGINE_FROM_CONTROL_H

struct engine;

/* Makes the closed link; a control comes by control_link_attach(). */
void from_control_init(struct engine *engine);

#endif
