/* SPDX-License-Identifier: ISC */
/* Puts the system back as the journal says it was. */
#include <tund/parent/undo.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tund/sys/file.h>
#include <tund/sys/log.h>
#include <tund/sys/netlink.h>
#include <tund/sys/nft.h>

#include "journal.h"
#include "wgsock.h"

#define GONE_MS 2000 /* for a killed process, or an interface without descriptors, to vanish */

uint64_t undo_process_started(pid_t pid)
{
	char path[32], text[1024];
	const char *field;
	uint64_t started = 0;
	size_t len = 0;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (file_read(path, text, sizeof text - 1, &len))
		return 0;
	text[len] = '\0';
	field = strrchr(text, ')'); /* the name may hold anything; field 3 follows it */
	for (int i = 2; field && i < 22; i++)
		field = strchr(field + 1, ' ');
	if (!field || sscanf(field, " %" SCNu64, &started) != 1)
		return 0;
	return started;
}

static void undo_child(const struct change *c)
{
	struct pollfd wait = {.events = POLLIN};

	wait.fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (wait.fd < 0)
		return;
	/* Behind the pidfd: now the number cannot become another process's. */
	if (undo_process_started(c->pid) == c->started) {
		syscall(SYS_pidfd_send_signal, wait.fd, SIGKILL, NULL, 0);
		poll(&wait, 1, GONE_MS);
	}
	close(wait.fd);
}

static void undo_interface(struct netlink *nl, const struct change *c)
{
	struct netlink_link link;

	wgsock_remove_dead(c->interface);
	for (int waited = 0; !netlink_link_get(nl, c->interface, &link); waited += 10) {
		if (waited >= GONE_MS) {
			log_warning("interface %s is still there: another process holds it or "
				    "another program made it; see `ip -d link show dev %s`",
				    c->interface, c->interface);
			return;
		}
		poll(NULL, 0, 10);
	}
}

static void undo_nft(const struct change *c)
{
	char script[1024], why[WHY_MAX];

	if (nft_build_delete(c->interface, script, sizeof script) < 0)
		return;
	if (nft_run(script, why))
		log_error("cannot remove our nft table: %s", why);
}

static void undo_sysctl(const struct change *c)
{
	char path[SYSCTL_PATH_MAX];
	int value, err = sysctl_get(c->key, c->interface, &value);

	if (err || value != c->after) /* gone with its interface, or somebody else's by now */
		return;
	err = sysctl_set(c->key, c->interface, c->before);
	if (err && !sysctl_path(c->key, c->interface, path))
		log_error("cannot put %s back to %d: %s", path, c->before, strerror(-err));
}

static void undo_rule(struct netlink *nl, const struct change *c)
{
	int err = netlink_rule_del(nl, &c->rule);

	if (err)
		log_error("cannot remove the kernel rule of priority %u: %s", c->rule.priority,
			  strerror(-err));
}

static void undo_change(struct netlink *nl, const struct change *c)
{
	switch (c->kind) {
	case CHANGE_CHILD:
		undo_child(c);
		break;
	case CHANGE_INTERFACE:
		undo_interface(nl, c);
		break;
	case CHANGE_NFT:
		undo_nft(c);
		break;
	case CHANGE_SYSCTL:
		undo_sysctl(c);
		break;
	case CHANGE_RULE:
		undo_rule(nl, c);
		break;
	}
}

void undo_changes(struct netlink *nl, const struct journal *j)
{
	for (size_t i = journal_count(j); i-- > 0;)
		undo_change(nl, journal_at(j, i));
}

void undo_files(const struct tunnel *tunnel)
{
	file_remove(tunnel->journal);
	file_remove(tunnel->sock);
	file_remove(tunnel->lock);
	rmdir(TUND_RUNDIR); /* another tunnel may still be in it */
}

bool undo_leftovers(const struct tunnel *tunnel)
{
	struct netlink *nl;
	struct journal *j;
	size_t damaged;

	if (journal_load(tunnel->journal, &j, &damaged))
		return file_remove(tunnel->sock), false;
	if (damaged)
		log_warning("%s: %zu damaged lines skipped", tunnel->journal, damaged);
	log_notice("%s: undoing what an earlier run left behind", tunnel->name);
	wgsock_remove_dead(tunnel->name); /* an edge's; others have the interface's */
	if (netlink_open(&nl) == 0) {
		undo_changes(nl, j);
		netlink_close(nl);
	}
	journal_close(j);
	file_remove(tunnel->journal);
	file_remove(tunnel->sock);
	return true;
}
