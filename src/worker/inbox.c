/* SPDX-License-Identifier: ISC */
/* A loop's inbox. */
#include <tund/worker/inbox.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int inbox_init(struct inbox *inbox, struct ev_loop *loop, size_t room,
	       void (*on_wake)(struct ev_loop *, ev_async *, int))
{
	inbox->loop = loop;
	inbox->room = room;
	inbox->posted = malloc(room);
	inbox->taken = malloc(room);
	pthread_mutex_init(&inbox->lock, NULL);
	ev_async_init(&inbox->wake, on_wake);
	if (!inbox->posted || !inbox->taken)
		return -ENOMEM;
	ev_async_start(loop, &inbox->wake);
	return 0;
}

void inbox_clear(struct inbox *inbox)
{
	free(inbox->posted);
	free(inbox->taken);
	pthread_mutex_destroy(&inbox->lock);
}

static void append(struct inbox *inbox, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(inbox->posted + inbox->len, bytes, len);
	inbox->len += len;
}

bool inbox_post(struct inbox *inbox, const void *head, size_t head_len, const void *body,
		size_t body_len, size_t reserve)
{
	size_t len = head_len + body_len;
	bool fits;

	pthread_mutex_lock(&inbox->lock);
	fits = inbox->room - inbox->len >= sizeof len + len + reserve;
	if (fits) {
		append(inbox, &len, sizeof len);
		append(inbox, head, head_len);
		append(inbox, body, body_len);
	}
	pthread_mutex_unlock(&inbox->lock);
	if (fits)
		ev_async_send(inbox->loop, &inbox->wake);
	return fits;
}

void inbox_take(struct inbox *inbox, void (*take)(void *ctx, const uint8_t *record, size_t len),
		void *ctx)
{
	uint8_t *records;
	size_t end, at, len;

	pthread_mutex_lock(&inbox->lock);
	records = inbox->posted;
	end = inbox->len;
	inbox->posted = inbox->taken;
	inbox->taken = records;
	inbox->len = 0;
	pthread_mutex_unlock(&inbox->lock);
	for (at = 0; at < end; at += sizeof len + len) {
		memcpy(&len, records + at, sizeof len);
		take(ctx, records + at + sizeof len, len);
	}
}
