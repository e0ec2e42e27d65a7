/* SPDX-License-Identifier: ISC */
/*
 * Requests to rtnetlink, built attribute by attribute (libnl's rule objects lack some), and their
 * answers. netlink.c carries them; the other netlink_*.c build and read them.
 */
#ifndef TUND_SYS_NETLINK_REQUEST_H
#define TUND_SYS_NETLINK_REQUEST_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/addr.h>
#include <tund/sys/netlink.h>

#define REQUEST_SIZE 256 /* bytes; every one of ours is smaller, request_put() asserts it */

struct request {
	union {
		struct nlmsghdr header;
		uint8_t bytes[REQUEST_SIZE];
	};
};

/* Starts a message of RTM_* `type` with the fixed part that this type has. */
void request_init(struct request *r, uint16_t type, uint16_t flags, const void *fixed, size_t len);

void request_put(struct request *r, uint16_t attribute, const void *value, size_t len);
void request_put_u32(struct request *r, uint16_t attribute, uint32_t value);
void request_put_addr(struct request *r, uint16_t attribute, const struct ip_addr *addr);

/* Sends it and gives every message of the answer to `each` (NULL: there is none but the
 * acknowledgement). 0, or -errno as the kernel said; -EINTR: something changed during a dump, ask
 * again. */
int netlink_ask(struct netlink *nl, struct request *r,
		void (*each)(void *ctx, const struct nlmsghdr *message), void *ctx);

/*
 * The attributes of a message behind its fixed part of `fixed` bytes, by number, up to `max`;
 * those that are absent are NULL. Returns 0, or -EBADMSG if the message is not even that long.
 */
int message_attributes(const struct nlmsghdr *message, size_t fixed, const struct rtattr **out,
		       unsigned max);

/* The value of an attribute; 0 or family 0 if it is absent or of another size. */
uint32_t attribute_u32(const struct rtattr *a);
struct ip_addr attribute_addr(const struct rtattr *a, uint8_t family);

/* AF_INET or AF_INET6 for 4 or 6, and back. */
uint8_t to_af(uint8_t family);
uint8_t from_af(uint8_t af);

/* Reads RTM_NEWLINK and RTM_DELLINK. -EBADMSG. */
int link_parse(const struct nlmsghdr *message, struct netlink_link *out);

#endif
