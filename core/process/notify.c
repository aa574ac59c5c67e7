/* SPDX-License-Identifier: MIT */
/* notify.c: tells the service manager when the server is ready, reloads and stops, with one live
 * line of status.  main() opens it, master.c speaks.  It never waits: what the manager has no room
 * for is not said. */
#include "process/notify.h"

#include "base/address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What the end takes at most when all processes are gone or killed. */
enum { END_S = 10 };

static int connect_to(const char *name)
{
	struct address a;
	struct error e;

	if ((*name != '/' && *name != '@') || address_parse(&a, name, &e)) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a.sa, a.length) == 0)
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

void notify_init(struct notify *n)
{
	const char *name = getenv("NOTIFY_SOCKET");

	n->fd = -1;
	if (!name || !*name)
		return;
	n->fd = connect_to(name);
	if (n->fd < 0)
		uwsgi_log(UWSGI_WARNING,
			  "NOTIFY_SOCKET = %s: cannot tell the service manager anything: %s", name,
			  strerror(errno));
	unsetenv("NOTIFY_SOCKET");
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

static void say(const struct notify *n, const char *state, const char *status)
{
	char text[1024], *end;

	if (n->fd < 0)
		return;
	snprintf(text, sizeof text, "%sSTATUS=%s", state, status);
	/* One assignment a line: a status has no second one. */
	end = strstr(text, "STATUS=");
	end[strcspn(end, "\n")] = '\0';
	(void)send(n->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void notify_ready(const struct notify *n, bool daemonized, const char *status)
{
	char state[64] = "READY=1\n";

	if (daemonized)
		snprintf(state, sizeof state, "READY=1\nMAINPID=%ld\n", (long)getpid());
	say(n, state, status);
}

void notify_reloading(const struct notify *n, const char *status)
{
	struct timespec now;
	char state[64];

	/* systemd compares it with the time of its own signal (Type=notify-reload). */
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld\n",
		 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	say(n, state, status);
}

void notify_stopping(const struct notify *n, const char *status, long long most_s)
{
	char state[80] = "STOPPING=1\n";

	/* Without it, TimeoutStopSec would have to know of the server's own times. */
	if (most_s > 0)
		snprintf(state, sizeof state, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld\n",
			 (most_s + END_S) * 1000000);
	say(n, state, status);
}

void notify_status(const struct notify *n, const char *status)
{
	say(n, "", status);
}
