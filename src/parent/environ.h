/* SPDX-License-Identifier: ISC */
/* The environment of our children: nothing but what they are meant to see. */
#ifndef TUND_PARENT_ENVIRON_H
#define TUND_PARENT_ENVIRON_H

/* NULL-terminated, valid until the environment changes. One thread. */
const char *const *environ_for_children(void);

#endif
