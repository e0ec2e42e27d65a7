/* SPDX-License-Identifier: ISC */
/*
 * What one of our processes may say to another, as a table: a row for each kind of message. Only
 * what its row allows reaches a handler: the exact length, the descriptor, and who may say it.
 */
#ifndef TUND_LINK_DISPATCH_H
#define TUND_LINK_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/sys/channel.h>

enum dispatch_fd { DISPATCH_NO_FD, DISPATCH_FD, DISPATCH_MAY_FD };

struct dispatch_row {
	/* 0, or -errno: nothing else was wrong with the message, but it could not be taken. The body
	 * is borrowed for the call. NULL: there is no such kind. */
	int (*handle)(void *ctx, struct channel_message *message);
	size_t size; /* of the body's struct, bytes */
	bool more;   /* at least one byte follows the struct; how many, the handler checks */
	enum dispatch_fd fd; /* whether a descriptor comes with it */
	uint8_t from;        /* who may say it, a number of the table's owner */
};

struct dispatch_table {
	const struct dispatch_row *rows; /* the kind is the index */
	uint32_t count;
	uint8_t from; /* who speaks on the channel that this table is for */
};

#define DISPATCH_COUNT(rows) (sizeof(rows) / sizeof *(rows))

/*
 * Hands a message to its handler. A descriptor that the handler did not take is closed, and always
 * that of a message which is refused. -EBADMSG: no row allows it; otherwise what the handler says.
 */
int dispatch(const struct dispatch_table *table, void *ctx, struct channel_message *message);

/* For a handler: the message's descriptor, from now on the caller's; -1: none. */
int dispatch_take_fd(struct channel_message *message);

#endif
