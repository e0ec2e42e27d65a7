/* SPDX-License-Identifier: ISC */
/* The names of the notice types on the wire, for both directions. */
#ifndef TUND_CONTROL_NOTICE_NAMES_H
#define TUND_CONTROL_NOTICE_NAMES_H

#include "notice.h"

extern const char *const notice_type_names[NOTICE_OTHER];

#endif
