/* SPDX-License-Identifier: ISC */
/* The device of a WireGuard interface. */
#ifndef TUND_PARENT_WIREGUARD_DEVICE_H
#define TUND_PARENT_WIREGUARD_DEVICE_H

#include "wireguard_state.h"

/* Creates the device, down, and the monitors. EXIT_DONE, or EXIT_SYSTEM after one message. */
enum exit_code wireguard_device_create(struct wireguard *w);

void wireguard_device_close(struct wireguard *w);

/* Something happened to a link here: tells the engine, or ends. */
void wireguard_device_look(struct wireguard *w);

/* Tells the engine how it is. */
void wireguard_device_tell(struct wireguard *w);

#endif
