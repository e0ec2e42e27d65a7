/* SPDX-License-Identifier: ISC */
/* The names of the types of control messages on the wire, for both directions. */
#ifndef TUND_CONTROL_CONTROL_MESSAGE_NAMES_H
#define TUND_CONTROL_CONTROL_MESSAGE_NAMES_H

#include "control_message.h"

extern const char *const control_message_type_names[CONTROL_MESSAGE_OTHER];

#endif
