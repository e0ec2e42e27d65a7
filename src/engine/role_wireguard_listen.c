/* SPDX-License-Identifier: ISC */
/*
 * The UDP socket of a WireGuard interface: there while the interface is up. One request to the
 * parent at a time; what changes meanwhile is asked for next.
 */
#include "role_wireguard.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <tund/session/setting.h>
#include <tund/sys/log.h>
#include <tund/sys/socket.h>
#include <tund/transport/udp.h>

static struct wg_listen *listen_of(const struct engine *engine)
{
	return &((struct wireguard *)engine->state)->listen;
}

static int ask(struct engine *engine, enum parent_request kind)
{
	struct wg_listen *listen = listen_of(engine);

	listen->asked = listen->wanted;
	listen->asked.id = parent_link_ask_listen(&engine->parent, kind, &listen->asked);
	return listen->asked.id ? UAPI_LATER : -EIO;
}

int wg_listen_apply(struct engine *engine)
{
	struct wireguard *wg = engine->state;
	struct wg_listen *listen = &wg->listen;
	const struct request_listen *wanted = &listen->wanted, *actual = &listen->actual;

	/* At once: nothing more is said or heard while the interface is down. */
	if (!wanted->open)
		udp_port_replace(&engine->plane.transports, wg->socket, -1);
	if (listen->asked.id) {
		listen->again = true;
		return UAPI_LATER;
	}
	if (wanted->open != actual->open || (wanted->open && wanted->port != actual->port))
		return ask(engine, REQUEST_LISTEN);
	if (wanted->open && wanted->mark != actual->mark)
		return ask(engine, REQUEST_MARK);
	return 0;
}

/* A new socket; the port is the one that the kernel chose where none was wanted. */
static int take_socket(struct engine *engine, int fd)
{
	struct wireguard *wg = engine->state;
	struct wg_listen *listen = &wg->listen;
	struct endpoint local;
	int err = socket_local(fd, &local);

	if (err < 0 || !listen->wanted.open) {
		close(fd);
		udp_port_replace(&engine->plane.transports, wg->socket, -1);
		return err;
	}
	listen->actual.port = local.port;
	if (listen->wanted.port == listen->asked.port)
		listen->wanted.port = local.port;
	return udp_port_replace(&engine->plane.transports, wg->socket, fd);
}

/* What there was stays, and is again what is wanted. */
static void refused(struct wg_listen *listen)
{
	if (!listen->actual.open)
		return;
	if (listen->wanted.port == listen->asked.port)
		listen->wanted.port = listen->actual.port;
	if (listen->wanted.mark == listen->asked.mark)
		listen->wanted.mark = listen->actual.mark;
}

void wg_listen_opened(struct engine *engine, const struct parent_reply *reply, int fd)
{
	struct wg_listen *listen = listen_of(engine);
	int err = -reply->error;

	if (listen->asked.id == 0 || reply->id != listen->asked.id) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (err == 0) {
		listen->actual = listen->asked;
		if (fd >= 0)
			err = take_socket(engine, fd);
	}
	if (err < 0) {
		log_error("%s", reply->text[0] ? reply->text : strerror(-err));
		refused(listen);
	}
	listen->asked.id = 0;
	if (listen->again) {
		listen->again = false;
		wg_listen_apply(engine);
	}
	if (listen->asked.id == 0)
		uapi_resume(&engine->uapi, err);
}
