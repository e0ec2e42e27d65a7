/* SPDX-License-Identifier: ISC */
/* The children of a supervisor, as its loop sees them. `row` is a row's number in the plan. */
#ifndef TUND_PARENT_SUPERVISOR_CHILDREN_H
#define TUND_PARENT_SUPERVISOR_CHILDREN_H

#include "supervisor.h"

/* Starts those that are due, hands them what they need, and introduces them to their siblings. */
void supervisor_start_due(struct supervisor *s, uint64_t now_ns);

/* A child may have ended: it is due again later, or all ends. */
void supervisor_reap(struct supervisor *s, size_t row, uint64_t now_ns);

bool supervisor_any_runs(const struct supervisor *s);

#endif
