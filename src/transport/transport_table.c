/* SPDX-License-Identifier: ISC */
/* The transports there are, in the order in which a client tries them. */
#include <tund/transport/transport.h>

#include <tund/transport/udp.h>

#include "tcp.h"

const struct transport_ops *const transport_table[] = {&udp_transport, &tcp_transport, NULL};
