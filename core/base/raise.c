/* SPDX-License-Identifier: MIT */
/* raise.c: one message for each alarm, the name and the text with a zero between them.  Nobody waits:
 * what the master has no time to hear is lost, and the log says so. */
#include "base/raise.h"

#include "base/seldom.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int to_master = -1;
static struct seldom lost;

void raise_set_socket(int fd)
{
	to_master = fd;
}

static const char *send_alarm(struct slice name, struct slice text)
{
	struct iovec parts[] = { { (void *)(uintptr_t)name.p, name.n },
				 { (void *)(uintptr_t) "", 1 },
				 { (void *)(uintptr_t)text.p, text.n } };
	const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 3 };

	if (to_master < 0)
		return "the configuration has none";
	if (name.n && memchr(name.p, '\0', name.n))
		return "no name has a zero in it";
	if (sendmsg(to_master, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return NULL;
	return errno == EAGAIN ? "too many come at once" : strerror(errno);
}

void uwsgi_alarm(struct slice name, struct slice text)
{
	const char *why;
	char shown[64];

	if (text.n > UWSGI_ALARM_MAX)
		text.n = UWSGI_ALARM_MAX;
	if (!(why = send_alarm(name, text)))
		return;
	uwsgi_escape(shown, sizeof shown, name);
	seldom_log(&lost, UWSGI_WARNING, "alarm %s is not raised: %s", shown, why);
}

bool raise_receive(int fd, char *buffer, size_t size, struct slice *name, struct slice *text)
{
	ssize_t n = recv(fd, buffer, size, MSG_DONTWAIT);
	const char *end = n > 0 ? memchr(buffer, '\0', (size_t)n) : NULL;

	if (n <= 0)
		return false;
	*name = (struct slice){ buffer, end ? (size_t)(end - buffer) : (size_t)n };
	*text = (struct slice){ buffer + name->n + 1, end ? (size_t)n - name->n - 1 : 0 };
	return true;
}
