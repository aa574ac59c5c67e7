/* SPDX-License-Identifier: MIT */
/* notify.c: tells the service manager when the server is ready, reloads and stops, with one live
 * line of status.  main() opens it, announce.c and pulse.c speak.  It never waits: what the manager
 * has no room for is said with the next beat, if it is still true then. */
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

/* sd_watchdog_enabled(3).  It is for the process that the service manager has started. */
static double find_watchdog(void)
{
	const char *text = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	double us = text ? strtod(text, NULL) : 0;
	bool is_ours = !pid || strtol(pid, NULL, 10) == getpid();

	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return is_ours && us > 0 && us < 1e15 ? us / 1e6 : 0;
}

void notify_init(struct notify *n)
{
	const char *name = getenv("NOTIFY_SOCKET");

	*n = (struct notify){ .fd = -1, .watchdog_s = find_watchdog() };
	if (!name || !*name)
		return;
	n->fd = connect_to(name);
	if (n->fd < 0)
		uwsgi_log(UWSGI_WARNING,
			  "NOTIFY_SOCKET = %s: cannot tell the service manager anything: %s", name,
			  strerror(errno));
	unsetenv("NOTIFY_SOCKET");
}

void notify_carry(struct notify *n, struct carry *c)
{
	int64_t watchdog_us = (int64_t)(n->watchdog_s * 1e6);

	carry_fd(c, &n->fd);
	carry_ms(c, &watchdog_us);
	carry_text(c, n->status, sizeof n->status);
	carry_text(c, n->late, sizeof n->late);
	n->watchdog_s = (double)watchdog_us / 1e6;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

/* False: there is no room for it now. */
static bool send_text(const struct notify *n, const char *text)
{
	return send(n->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != EAGAIN;
}

static void say(struct notify *n, const char *state, const char *status)
{
	char text[1024], *end;

	if (n->fd < 0)
		return;
	snprintf(text, sizeof text, "%sSTATUS=%s", state, status);
	/* One assignment a line: a status has no second one. */
	end = strstr(text, "STATUS=");
	end[strcspn(end, "\n")] = '\0';
	snprintf(n->status, sizeof n->status, "%s", end + strlen("STATUS="));
	n->beat[0] = n->late[0] = '\0';
	if (!send_text(n, text))
		snprintf(n->late, sizeof n->late, "%s", text);
}

void notify_ready(struct notify *n, bool daemonized, const char *status)
{
	char state[64] = "READY=1\n";

	if (daemonized)
		snprintf(state, sizeof state, "READY=1\nMAINPID=%ld\n", (long)getpid());
	say(n, state, status);
}

void notify_reloading(struct notify *n, const char *status)
{
	struct timespec now;
	char state[64];

	/* systemd compares it with the time of its own signal (Type=notify-reload). */
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld\n",
		 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	say(n, state, status);
}

void notify_stopping(struct notify *n, const char *status, long long most_s)
{
	char state[80] = "STOPPING=1\n";

	/* Without it, TimeoutStopSec would have to know of the server's own times. */
	if (most_s > 0)
		snprintf(state, sizeof state, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld\n",
			 (most_s + END_S) * 1000000);
	say(n, state, status);
}

void notify_status(struct notify *n, const char *status)
{
	say(n, "", status);
}

void notify_beat(struct notify *n, const char *now)
{
	const char *alive = n->watchdog_s > 0 ? "WATCHDOG=1\n" : "";
	bool changed = strcmp(n->beat, now) != 0;
	char text[sizeof n->status + sizeof n->beat + 32];

	if (n->late[0] && !send_text(n, n->late))
		return;
	n->late[0] = '\0';
	snprintf(text, sizeof text, "%sSTATUS=%s%s%s", alive, n->status, *n->status ? "; " : "",
		 now);
	if (changed && send_text(n, text))
		snprintf(n->beat, sizeof n->beat, "%s", now);
	else if (!changed && *alive)
		send_text(n, alive);
}
