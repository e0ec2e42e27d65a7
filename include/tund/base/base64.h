/* SPDX-License-Identifier: ISC */
/* 32-byte keys in base64, as WireGuard's tools write them (RFC 4648 section 4). */
#ifndef TUND_BASE_BASE64_H
#define TUND_BASE_BASE64_H

#include <stdint.h>

#define KEY_SIZE 32
#define KEY_BASE64_LEN 44 /* without the terminating NUL */

/*
 * Decodes exactly 44 characters ending in one '='. Runs in time independent of the key's value.
 * -EINVAL if the text has another length, a foreign character, or non-zero spare bits.
 */
int key_from_base64(const char *text, uint8_t key[KEY_SIZE]);

/* Writes 44 characters and a NUL. Runs in time independent of the key's value. */
void key_to_base64(const uint8_t key[KEY_SIZE], char text[KEY_BASE64_LEN + 1]);

#endif
