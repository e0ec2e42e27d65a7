/* SPDX-License-Identifier: ISC */
/* The names of the notice types on the wire, for both directions. */
#ifndef TUND_SRC_CONTROL_NOTICE_NAMES_H
#define TUND_SRC_CONTROL_NOTICE_NAMES_H

#include <tund/control/notice.h>

extern const char *const notice_type_names[NOTICE_OTHER];

#endif
