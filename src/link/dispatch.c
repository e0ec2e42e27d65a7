/* SPDX-License-Identifier: ISC */
/* The row decides what a message must look like before its handler sees it. */
#include <tund/link/dispatch.h>

#include <errno.h>
#include <unistd.h>

static bool fits(const struct dispatch_row *row, uint8_t from, const struct channel_message *m)
{
	if (!row->handle || row->from != from)
		return false;
	if (row->more ? m->len <= row->size : m->len != row->size)
		return false;
	switch (row->fd) {
	case DISPATCH_NO_FD:
		return m->fd < 0;
	case DISPATCH_FD:
		return m->fd >= 0;
	case DISPATCH_MAY_FD:
		return true;
	}
	return false;
}

int dispatch(const struct dispatch_table *table, void *ctx, struct channel_message *m)
{
	int err = -EBADMSG;

	if (m->kind < table->count && fits(&table->rows[m->kind], table->from, m))
		err = table->rows[m->kind].handle(ctx, m);
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
	return err;
}

int dispatch_take_fd(struct channel_message *m)
{
	int fd = m->fd;

	m->fd = -1;
	return fd;
}
