/* SPDX-License-Identifier: ISC */
/* The closed tables of what each child of a tunnel may ask of its parent. */
#ifndef TUND_PARENT_REQUESTS_H
#define TUND_PARENT_REQUESTS_H

#include <tund/link/dispatch.h>

/* The owner is a struct parent. */
extern const struct dispatch_table requests_engine, requests_control;

#endif
