/* SPDX-License-Identifier: ISC */
/*
 * The outer messages: sizes and offsets, as in the WireGuard paper section 5.4 and design of
 * tund-protocol(7). Every field is read and written by offset; there is no packed struct.
 *
 *   byte 0      1         2           3
 *   +-------+---------+-----------+--------+
 *   | type  | suite   | flags     | zero   |   flags: data of suites 1 and 2 only, else zero
 *   +-------+---------+-----------+--------+
 */
#ifndef TUND_WIRE_MESSAGE_H
#define TUND_WIRE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

enum message_type {
	MESSAGE_INITIATION = 1,
	MESSAGE_RESPONSE = 2,
	MESSAGE_COOKIE = 3,
	MESSAGE_DATA = 4,
};

/* Byte 1. 0 is WireGuard exactly. */
enum suite {
	SUITE_WIREGUARD = 0,        /* Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s, WireGuard's identifier */
	SUITE_AESGCM = 1,           /* Noise_IKpsk2_25519_AESGCM_BLAKE2s, "tund v1" */
	SUITE_CHACHAPOLY = 2,       /* Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s, "tund v1" */
};
#define SUITE_COUNT 3

/* Byte 2 of a data message of suites 1 and 2; authenticated. An unknown flag means drop. */
#define DATA_FLAG_CONTROL 0x01 /* the payload is a control frame, not an inner packet */
#define DATA_FLAG_CSUM 0x02    /* the inner checksum field is to be completed */
#define DATA_FLAG_GSO 0x04     /* frames only: a whole TSO packet, gso_size in front */
#define DATA_FLAG_NO_MOVE 0x08 /* a probe: does not move the active path */

#define TAG_SIZE 16
#define MAC_SIZE 16
#define TAI64N_SIZE 12
#define HEADER_SIZE 4
#define COOKIE_NONCE_SIZE 24

/* Initiation: header, sender, e, encrypted static, encrypted timestamp, mac1, mac2. */
#define INITIATION_SENDER 4
#define INITIATION_EPHEMERAL 8
#define INITIATION_STATIC 40
#define INITIATION_TIMESTAMP 88
#define INITIATION_MAC1 116
#define INITIATION_MAC2 132
#define INITIATION_SIZE 148

/* Response: header, sender, receiver, e, encrypted nothing, mac1, mac2. */
#define RESPONSE_SENDER 4
#define RESPONSE_RECEIVER 8
#define RESPONSE_EPHEMERAL 12
#define RESPONSE_EMPTY 44
#define RESPONSE_MAC1 60
#define RESPONSE_MAC2 76
#define RESPONSE_SIZE 92

/* Cookie reply: header, receiver, nonce, encrypted cookie. */
#define COOKIE_RECEIVER 4
#define COOKIE_NONCE 8
#define COOKIE_ENCRYPTED 32
#define COOKIE_SIZE 64

/* Data: header, receiver, counter, encrypted packet. */
#define DATA_RECEIVER 4
#define DATA_COUNTER 8
#define DATA_PAYLOAD 16
#define DATA_OVERHEAD (DATA_PAYLOAD + TAG_SIZE)
#define DATA_MIN_SIZE DATA_OVERHEAD
#define PADDING 16

/* The largest message: what a 16-bit frame length carries (the TCP transport). */
#define MESSAGE_MAX_SIZE 65535

/*
 * The length and type gate: nothing else of a message is read before it.
 * Returns the message type, or -EBADMSG for anything whose type, suite, flags, zero byte or
 * length is not exactly that of a message.
 */
int message_gate(const uint8_t *msg, size_t len);

#endif
