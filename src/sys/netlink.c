/* SPDX-License-Identifier: ISC */
/* Carries requests to rtnetlink by libnl, and watches the interfaces. The only file with libnl. */

#include <tund/sys/netlink.h>

#include <errno.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>

#include "netlink_request.h"

#define MONITOR_BUFFER (256 * 1024)

struct netlink {
	struct nl_sock *sock;
};

struct netlink_monitor {
	struct nl_sock *sock;
	unsigned char *buf;     /* what was received last; NULL: all of it was handed out */
	struct nlmsghdr *next;  /* in buf */
	int left;               /* bytes from next on */
};

struct answer {
	void (*each)(void *ctx, const struct nlmsghdr *message);
	void *ctx;
	bool done;
	bool interrupted; /* something changed during a dump: it may be inconsistent */
	int error;
};

static int to_errno(int nl_error)
{
	switch (-nl_error) {
	case NLE_SUCCESS:
		return 0;
	case NLE_AGAIN:
		return -EAGAIN;
	case NLE_NOMEM: /* also what libnl makes of ENOBUFS */
		return -ENOBUFS;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	}
	return -EIO;
}

static int open_socket(struct nl_sock **out)
{
	struct nl_sock *sock = nl_socket_alloc();
	int err;

	if (!sock)
		return -ENOMEM;
	err = nl_connect(sock, NETLINK_ROUTE);
	if (err < 0) {
		nl_socket_free(sock);
		return to_errno(err);
	}
	*out = sock;
	return 0;
}

int netlink_open(struct netlink **out)
{
	struct netlink *nl = calloc(1, sizeof *nl);
	int err;

	if (!nl)
		return -ENOMEM;
	err = open_socket(&nl->sock);
	if (err < 0) {
		free(nl);
		return err;
	}
	*out = nl;
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (!nl)
		return;
	nl_socket_free(nl->sock);
	free(nl);
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct answer *a = arg;

	if (a->each)
		a->each(a->ctx, nlmsg_hdr(msg));
	return NL_OK;
}

static int on_end(struct nl_msg *msg, void *arg)
{
	(void)msg;
	((struct answer *)arg)->done = true;
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct answer *a = arg;

	(void)from;
	a->done = true;
	a->error = error->error;
	return NL_STOP;
}

/* Until the end of the answer even if it is of no use, or the next one would be out of step. */
static int receive(struct nl_sock *sock, struct nl_cb *cb, struct answer *a)
{
	int err = 0;

	while (err >= 0 && !a->done) {
		err = nl_recvmsgs(sock, cb);
		if (err == -NLE_DUMP_INTR) {
			a->interrupted = true;
			err = 0;
		}
	}
	return err;
}

static int exchange(struct nl_sock *sock, struct request *r, struct answer *a)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	struct nl_msg *msg = nlmsg_convert(&r->header);
	int err = cb && msg ? 0 : -NLE_NOMEM;

	if (err == 0) {
		nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, a);
		nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, a);
		nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_end, a);
		nl_cb_err(cb, NL_CB_CUSTOM, on_error, a);
		err = nl_send_auto(sock, msg);
	}
	if (err >= 0)
		err = receive(sock, cb, a);
	nlmsg_free(msg);
	nl_cb_put(cb);
	if (a->error == 0 && a->interrupted)
		return -EINTR;
	return err < 0 && a->error == 0 ? to_errno(err) : a->error;
}

int netlink_ask(struct netlink *nl, struct request *r,
		void (*each)(void *ctx, const struct nlmsghdr *message), void *ctx)
{
	struct answer a = {.each = each, .ctx = ctx};

	return exchange(nl->sock, r, &a);
}

static int open_monitor(const enum rtnetlink_groups *groups, size_t count,
			struct netlink_monitor **out)
{
	struct netlink_monitor *m = calloc(1, sizeof *m);
	int err;

	if (!m)
		return -ENOMEM;
	err = open_socket(&m->sock);
	if (err < 0) {
		free(m);
		return err;
	}
	nl_socket_disable_seq_check(m->sock);
	err = nl_socket_set_nonblocking(m->sock);
	if (err == 0)
		err = nl_socket_set_buffer_size(m->sock, MONITOR_BUFFER, 0);
	for (size_t i = 0; i < count && err == 0; i++)
		err = nl_socket_add_membership(m->sock, (int)groups[i]);
	if (err < 0) {
		netlink_monitor_close(m);
		return to_errno(err);
	}
	*out = m;
	return 0;
}

int netlink_monitor_open(struct netlink_monitor **out)
{
	static const enum rtnetlink_groups links[] = {RTNLGRP_LINK};

	return open_monitor(links, 1, out);
}

int netlink_monitor_open_routes(struct netlink_monitor **out)
{
	static const enum rtnetlink_groups routes[] = {
		RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
		RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE,
	};

	return open_monitor(routes, sizeof routes / sizeof routes[0], out);
}

void netlink_monitor_close(struct netlink_monitor *m)
{
	if (!m)
		return;
	free(m->buf);
	nl_socket_free(m->sock);
	free(m);
}

int netlink_monitor_fd(const struct netlink_monitor *m)
{
	return nl_socket_get_fd(m->sock);
}

/* 1: there is a message in m->next. */
static int fill(struct netlink_monitor *m)
{
	struct sockaddr_nl from;
	int n;

	while (!m->buf || !nlmsg_ok(m->next, m->left)) {
		free(m->buf);
		m->buf = NULL;
		n = nl_recv(m->sock, &from, &m->buf, NULL);
		if (n == -NLE_AGAIN || n == 0)
			return 0;
		if (n < 0)
			return to_errno(n);
		m->next = (struct nlmsghdr *)(void *)m->buf;
		m->left = n;
	}
	return 1;
}

bool netlink_monitor_drain(struct netlink_monitor *m)
{
	bool any = false;
	int more;

	/* Lost messages say as much as received ones. */
	while ((more = fill(m)) == 1 || more == -ENOBUFS) {
		any = true;
		m->left = 0;
	}
	return any;
}

int netlink_monitor_next(struct netlink_monitor *m, struct netlink_event *out)
{
	struct netlink_event event;
	int more;

	while ((more = fill(m)) == 1) {
		const struct nlmsghdr *h = m->next;

		m->next = nlmsg_next(m->next, &m->left);
		if (h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK)
			continue;
		if (link_parse(h, &event.link) < 0)
			continue;
		event.present = h->nlmsg_type == RTM_NEWLINK;
		*out = event;
		return 1;
	}
	return more;
}
