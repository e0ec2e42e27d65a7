/* SPDX-License-Identifier: ISC */
/* A packet of many TCP segments or UDP datagrams, as a TUN device gives it, to measure with. */
#ifndef TUND_BENCH_SUPER_H
#define TUND_BENCH_SUPER_H

#include <stdint.h>

#include <tund/wire/gso.h>

#define SUPER_PIECES 44
#define SUPER_MTU 1420
#define SUPER_SPACE 32 /* writable behind the packet */

struct super {
	const char *name; /* "tcp4" */
	struct gso gso;
	size_t len;
	uint8_t header[64]; /* as it was made, for cutting changes it */
	uint8_t packet[SUPER_PIECES * SUPER_MTU + SUPER_SPACE];
};

/* All pieces are full. The checksum is to be completed. `kind` is one that is to be cut. */
void super_make(struct super *s, enum gso_kind kind, int family);

#endif
