/* SPDX-License-Identifier: ISC */
/* What wg(8) shows of a tunnel: all but secrets, in the words of WireGuard. Nothing can be set. */
#ifndef TUND_ENGINE_UAPI_TUNNEL_H
#define TUND_ENGINE_UAPI_TUNNEL_H

#include "uapi.h"

/* Its owner is the struct engine. */
extern const struct uapi_ops uapi_of_tunnel;

#endif
