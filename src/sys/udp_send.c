/* SPDX-License-Identifier: ISC */
/* UDP sockets: sending, one by one and in trains. */

#include <tund/sys/udp.h>

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

/* A message but for its bytes. The source address is the last of its control messages. */
struct outgoing {
	struct msghdr msg;
	size_t without_source; /* bytes of the control messages before it */
	struct sockaddr_storage name;
	union {
		char buf[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)) +
			 CMSG_SPACE(sizeof(uint16_t))];
		struct cmsghdr align;
	} info;
};

/* Appends a control message; there is room for each kind once. */
static void put_info(struct outgoing *o, int level, int type, const void *value, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)(o->info.buf + o->msg.msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), value, len);
	o->msg.msg_control = o->info.buf;
	o->msg.msg_controllen += CMSG_SPACE(len);
}

/* An IPv6 socket takes a mapped IPv4 packet's as IPv4 has it. */
static void put_tos(struct outgoing *o, const struct endpoint *remote, uint8_t tos)
{
	int value = tos;

	if (remote->addr.family == 6)
		put_info(o, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof value);
	else
		put_info(o, IPPROTO_IP, IP_TOS, &value, sizeof value);
}

/* An IPv6 socket takes an IPv4 address v4-mapped. */
static void put_source(struct outgoing *o, bool v6, const struct endpoint *local)
{
	struct in6_pktinfo info6 = {.ipi6_ifindex = local->scope_id};
	struct in_pktinfo info4 = {0};
	struct sockaddr_storage sa;
	struct sockaddr_in6 sin6;

	if (v6) {
		endpoint_to_sockaddr(local, true, &sa);
		memcpy(&sin6, &sa, sizeof sin6);
		info6.ipi6_addr = sin6.sin6_addr;
		put_info(o, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof info6);
	} else {
		memcpy(&info4.ipi_spec_dst, local->addr.bytes, sizeof info4.ipi_spec_dst);
		put_info(o, IPPROTO_IP, IP_PKTINFO, &info4, sizeof info4);
	}
}

/* `segment` > 0: as a train of such datagrams. */
static void prepare(struct outgoing *o, const struct udp_socket *s, const struct endpoint *local,
		    const struct endpoint *remote, size_t segment, uint8_t tos)
{
	uint16_t size = (uint16_t)segment;

	memset(&o->msg, 0, sizeof o->msg);
	memset(&o->info, 0, sizeof o->info);
	if (segment > 0)
		put_info(o, SOL_UDP, UDP_SEGMENT, &size, sizeof size);
	if (tos != 0 && remote)
		put_tos(o, remote, tos);
	o->without_source = o->msg.msg_controllen;
	if (s->connected)
		return;
	o->msg.msg_name = &o->name;
	o->msg.msg_namelen = endpoint_to_sockaddr(remote, s->v6, &o->name);
	if (local && local->addr.family == remote->addr.family)
		put_source(o, s->v6, local);
}

/* Whether a source address was asked for and has vanished: ENETUNREACH with IPv4, EINVAL with IPv6.
 * If so, it is asked for no more. */
static bool drops_source(struct outgoing *o, int err)
{
	if (o->msg.msg_controllen == o->without_source ||
	    (err != -ENETUNREACH && err != -EINVAL && err != -EADDRNOTAVAIL))
		return false;
	o->msg.msg_controllen = o->without_source;
	if (o->without_source == 0)
		o->msg.msg_control = NULL;
	return true;
}

static int send_message(const struct udp_socket *s, const struct msghdr *msg)
{
	ssize_t n;

	do
		n = s->ops->sendmsg(s->fd, msg);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* On a connected socket the first call after an ICMP error reports that instead of sending. */
static int send_whole(const struct udp_socket *s, struct outgoing *o, const void *data, size_t len)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
	int err;

	o->msg.msg_iov = &iov;
	o->msg.msg_iovlen = 1;
	err = send_message(s, &o->msg);
	if (s->connected)
		return err == -ECONNREFUSED ? send_message(s, &o->msg) : err;
	if (!drops_source(o, err))
		return err;
	err = send_message(s, &o->msg);
	return err < 0 ? err : 1;
}

int udp_send(const struct udp_socket *s, const struct endpoint *local,
	     const struct endpoint *remote, const void *data, size_t len, uint8_t tos)
{
	struct outgoing o;

	prepare(&o, s, local, remote, 0, tos);
	return send_whole(s, &o, data, len);
}

/* Cuts the train. Returns how many there are. */
static unsigned cut(const uint8_t *data, size_t len, size_t segment, struct iovec *iov)
{
	unsigned n;

	for (n = 0; len > 0; n++) {
		size_t size = len < segment ? len : segment;

		iov[n] = (struct iovec){.iov_base = (void *)(uintptr_t)data, .iov_len = size};
		data += size;
		len -= size;
	}
	return n;
}

static void fill_messages(const struct outgoing *o, struct iovec *iov, struct mmsghdr *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		m[i] = (struct mmsghdr){.msg_hdr = o->msg};
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
}

static int send_messages(const struct udp_socket *s, struct mmsghdr *m, unsigned count)
{
	int n;

	do
		n = s->ops->sendmmsg(s->fd, m, count);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int send_singly(const struct udp_socket *s, struct outgoing *o, const uint8_t *data,
		       size_t len, size_t segment)
{
	struct mmsghdr m[UDP_TRAIN_MAX];
	struct iovec iov[UDP_TRAIN_MAX];
	unsigned count = cut(data, len, segment, iov), sent = 0;
	bool refused = false;
	int n, result = 0;

	fill_messages(o, iov, m, count);
	while (sent < count) {
		n = send_messages(s, m + sent, count - sent);
		if (n >= 0) {
			sent += (unsigned)n;
		} else if (s->connected && n == -ECONNREFUSED && !refused) {
			refused = true; /* about an earlier one */
		} else if (drops_source(o, n)) {
			fill_messages(o, iov + sent, m + sent, count - sent);
			result = 1;
		} else {
			return n;
		}
	}
	return result;
}

int udp_send_train(struct udp_socket *s, const struct endpoint *local,
		   const struct endpoint *remote, const void *data, size_t len, size_t segment,
		   uint8_t tos)
{
	struct outgoing o;
	int err;

	assert(segment > 0 && segment <= UINT16_MAX && len <= segment * UDP_TRAIN_MAX);
	if (len <= segment)
		return udp_send(s, local, remote, data, len, tos);
	if (s->gso) {
		prepare(&o, s, local, remote, segment, tos);
		err = send_whole(s, &o, data, len);
		if (err != -EIO && err != -EINVAL)
			return err;
	}
	prepare(&o, s, local, remote, 0, tos);
	err = send_singly(s, &o, data, len, segment);
	if (err >= 0)
		s->gso = false;
	return err;
}
