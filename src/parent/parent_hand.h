/* SPDX-License-Identifier: ISC */
/* What the children of a tunnel are handed whenever they start: NULL-terminated, in order. */
#ifndef TUND_PARENT_PARENT_HAND_H
#define TUND_PARENT_PARENT_HAND_H

#include "supervisor.h"

extern supervisor_hand *const parent_hand_engine[], *const parent_hand_control[];

#endif
