/* SPDX-License-Identifier: ISC */
/* The closed table of what each child may ask of the parent. */
#ifndef TUND_PARENT_REQUESTS_H
#define TUND_PARENT_REQUESTS_H

#include <tund/parent/parent.h>

/*
 * Receives and answers all requests that wait on this child's channel. A message that is not in its
 * table is an attack or a bug: the child is killed, which starts it again.
 */
void requests_handle(struct parent *parent, struct child *child);

#endif
