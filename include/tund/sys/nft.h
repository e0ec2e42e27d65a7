/* SPDX-License-Identifier: ISC */
/*
 * Our own nft table, `inet tund_IFACE`, as text for `nft -f -` (its library's licence does not
 * suit). Building is pure and tested without privilege; only nft_run() touches the system.
 *
 * What the table holds:
 *  - packets to our tunnel addresses that come in by another interface are dropped
 *    (CVE-2019-14899, TS-2024-005), on every role;
 *  - on a connector (`forward`): from the tunnel only to announced prefixes, into the tunnel only
 *    replies, nothing else; and with `snat` the origin sees the connector's own address.
 */
#ifndef TUND_SYS_NFT_H
#define TUND_SYS_NFT_H

#include <stdbool.h>
#include <stddef.h>

#include <tund/base/addr.h>
#include <tund/sys/ifname.h>
#include <tund/sys/why.h>

#define NFT_SCRIPT_MAX (64 * 1024)

struct nft_table {
	char interface[IFNAME_SIZE]; /* of the TUN */
	const struct ip_addr *address; /* our addresses in the tunnel; borrowed */
	size_t address_count;
	bool forward;                  /* connector */
	bool snat;
	const struct ip_prefix *announced; /* borrowed; may overlap one another */
	size_t announced_count;
};

/* Writes the script that replaces our table by this one in one transaction, NUL-terminated.
 * Returns its length; -EINVAL: the interface's name; -ENOSPC: size is too small. */
int nft_build(const struct nft_table *table, char *script, size_t size);

/* Writes the script that removes the table of this interface, there or not. As nft_build(). */
int nft_build_delete(const char *interface, char *script, size_t size);

/* Gives a script to nft(8) and waits for it. -ENOENT: nft is not installed; -EIO: nft refused,
 * `why` has its first line. Blocks for as long as nft runs. */
int nft_run(const char *script, char why[WHY_MAX]);

/* As nft_run(), but nothing is changed: whether the kernel would take it. */
int nft_check(const char *script, char why[WHY_MAX]);

#endif
