/* SPDX-License-Identifier: ISC */
/* The closed table of what the engine of a WireGuard interface may ask for. */
#ifndef TUND_PARENT_WIREGUARD_REQUESTS_H
#define TUND_PARENT_WIREGUARD_REQUESTS_H

#include <tund/link/dispatch.h>

/* The owner is a struct wireguard. */
extern const struct dispatch_table wireguard_requests;

#endif
