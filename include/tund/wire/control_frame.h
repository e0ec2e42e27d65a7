/* SPDX-License-Identifier: ISC */
/* The first byte of the payload of a data message with flag CONTROL. */
#ifndef TUND_WIRE_CONTROL_FRAME_H
#define TUND_WIRE_CONTROL_FRAME_H

enum control_frame_type {
	FRAME_MESSAGE = 1,      /* a piece of a control message: session/control_channel.h */
	FRAME_ACK = 2,
	FRAME_RESET = 3,        /* the sender lost its state: begin anew */
	FRAME_PROBE = 4,        /* 9 bytes: type, 8 bytes to be returned; answered at once */
	FRAME_PROBE_ANSWER = 5, /* the same 8 bytes */
};

#define FRAME_PROBE_SIZE 9

#endif
