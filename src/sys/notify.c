/* SPDX-License-Identifier: ISC */
/* Service notification. */

#include <tund/sys/notify.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or with '@' first a name in the abstract namespace (sd_notify(3)). */
static int parse_address(const char *text, struct sockaddr_un *sun, socklen_t *len)
{
	size_t size = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || size < 2 || size >= sizeof sun->sun_path)
		return -EINVAL;
	*sun = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(sun->sun_path, text, size);
	if (text[0] == '@')
		sun->sun_path[0] = '\0';
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
	return 0;
}

int notify_send(const char *state)
{
	const char *text = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun;
	socklen_t len;
	ssize_t n;
	int fd, err;

	if (!text || !text[0])
		return 0;
	err = parse_address(text, &sun, &len);
	if (err < 0)
		return err;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	n = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&sun, len);
	err = n < 0 ? -errno : 1;
	close(fd);
	return err;
}
