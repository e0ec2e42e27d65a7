/* SPDX-License-Identifier: ISC */
/* The closed table of what each child may ask of the parent. */
#ifndef TUND_PARENT_REQUESTS_H
#define TUND_PARENT_REQUESTS_H

#include <tund/parent/parent.h>

/* For child_init(), with the struct parent as the owner. */
extern const struct dispatch_table requests_engine, requests_control;

#endif
