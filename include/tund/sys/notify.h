/* SPDX-License-Identifier: ISC */
/* systemd's service notification (sd_notify(3)), spoken directly. */
#ifndef TUND_SYS_NOTIFY_H
#define TUND_SYS_NOTIFY_H

/*
 * Sends `state` ("READY=1", "STOPPING=1", "STATUS=...", lines separated by '\n') to the service
 * manager. 1: sent. 0: there is none ($NOTIFY_SOCKET is not set). -EINVAL: its address; -errno.
 */
int notify_send(const char *state);

#endif
