/* SPDX-License-Identifier: MIT */
/* stray.c: what happens after a fork that is not the server's own.  The kernel is asked to end the
 * stray with the master; clients, listeners and channels are closed in it, so that nobody waits for
 * a process that will never answer.  Whoever called fork() notices nothing of this. */
#include "base/stray.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct name {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage storage;
	};
	socklen_t length;
};

enum { SIGNALS = 32 };

/* Of this process: pthread_atfork() and signal handlers take no pointer. */
static struct {
	int master; /* a pipe's end that only the master has, until it ends */
	int alive;  /* the other end, in all its descendants until they exec */
	bool begun, is_stray;
	struct name *names; /* of the listeners */
	size_t name_count;
	int sockets[5]; /* the channel, and the queues of connections that move */
	struct {
		stray_handler *ours;
		struct sigaction before;
	} signals[SIGNALS];
} self = { .master = -1, .alive = -1, .sockets = { -1, -1, -1, -1, -1 } };

/* Other threads may fork meanwhile. */
static _Thread_local bool forks_own;

bool uwsgi_is_stray(void)
{
	return self.is_stray;
}

void stray_end(void)
{
	if (self.is_stray)
		_exit(EXIT_SUCCESS);
}

/* ---- signals ---- */

static bool handles(int number)
{
	struct sigaction now;

	return self.signals[number].ours && sigaction(number, NULL, &now) == 0 &&
	       (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == self.signals[number].ours;
}

void stray_handle(int number, stray_handler *handler)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_RESTART | SA_SIGINFO };
	struct sigaction before;
	bool again = handles(number);

	sigaction(number, &action, &before);
	/* What this server inherited of its own starter is not the application's. */
	if (!self.begun)
		before = (struct sigaction){ .sa_handler = SIG_DFL };
	if (!again)
		self.signals[number].before = before;
	self.signals[number].ours = handler;
}

/* What the application handles now stays so. */
static void restore_signals(void)
{
	for (int number = 1; number < SIGNALS; number++)
		if (handles(number))
			sigaction(number, &self.signals[number].before, NULL);
}

/* ---- sockets ---- */

static bool get_name(int fd, struct name *name)
{
	*name = (struct name){ .length = sizeof name->storage };
	return getsockname(fd, &name->sa, &name->length) == 0;
}

static bool is_any(const struct name *name)
{
	return name->sa.sa_family == AF_INET ? name->in.sin_addr.s_addr == INADDR_ANY
					     : IN6_IS_ADDR_UNSPECIFIED(&name->in6.sin6_addr);
}

/* Whether a socket with this name is the listener, or was accepted from it. */
static bool is_of(const struct name *name, const struct name *listener)
{
	if (name->sa.sa_family != listener->sa.sa_family)
		return false;
	switch (name->sa.sa_family) {
	case AF_INET:
		return name->in.sin_port == listener->in.sin_port &&
		       (is_any(listener) ||
			name->in.sin_addr.s_addr == listener->in.sin_addr.s_addr);
	case AF_INET6:
		return name->in6.sin6_port == listener->in6.sin6_port &&
		       (is_any(listener) || !memcmp(&name->in6.sin6_addr, &listener->in6.sin6_addr,
						    sizeof name->in6.sin6_addr));
	case AF_UNIX:
		return name->length > offsetof(struct sockaddr_un, sun_path) &&
		       name->length == listener->length &&
		       !memcmp(&name->sa, &listener->sa, name->length);
	}
	return false;
}

static void close_if_served(int fd)
{
	struct name name;

	if (!get_name(fd, &name))
		return;
	for (size_t i = 0; i < self.name_count; i++)
		if (is_of(&name, &self.names[i])) {
			close(fd);
			return;
		}
}

/* The other threads were stopped wherever they were, so their lists of connections cannot be
 * trusted; the kernel's list can. */
static void close_sockets(void)
{
	DIR *open_ones = opendir("/proc/self/fd");
	const struct dirent *entry;

	for (size_t i = 0; i < sizeof self.sockets / sizeof *self.sockets; i++)
		if (self.sockets[i] >= 0)
			close(self.sockets[i]);
	while (open_ones && (entry = readdir(open_ones)))
		if (entry->d_name[0] != '.')
			close_if_served(atoi(entry->d_name));
	if (open_ones)
		closedir(open_ones);
}

/* ---- the end with the master ---- */

/* SIGKILL instead of SIGIO when the pipe's other end closes.  Both belong to the open file, so each
 * process has one of its own; exec closes it, and with it the tie.  PR_SET_PDEATHSIG would outlive
 * an exec, and come when the worker ends, which a stray may survive. */
static void tie_to_master(void)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", self.alive);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	struct pollfd p = { .fd = fd };

	fcntl(fd, F_SETSIG, SIGKILL);
	fcntl(fd, F_SETOWN, getpid());
	fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK);
	/* The master may have ended before that. */
	if (poll(&p, 1, 0) > 0)
		kill(getpid(), SIGKILL);
}

/* ---- forks ---- */

static void after_fork(void)
{
	int kept = errno;

	if (self.master >= 0)
		close(self.master);
	self.master = -1;
	if (self.begun && !forks_own) {
		self.is_stray = true;
		restore_signals();
		close_sockets();
		tie_to_master();
	}
	errno = kept;
}

int stray_init(struct error *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return uwsgi_error_set(e, "pipe: %s", strerror(errno));
	/* Strays open it anew, perhaps as another user. */
	fchmod(ends[0], 0444);
	self.alive = ends[0];
	self.master = ends[1];
	int failed = pthread_atfork(NULL, NULL, after_fork);

	return failed ? uwsgi_error_set(e, "pthread_atfork: %s", strerror(failed)) : 0;
}

void stray_carry(struct carry *c)
{
	int ends[2] = { self.alive, self.master };

	carry_fd(c, &ends[0]);
	carry_fd(c, &ends[1]);
	if (!c->reading || c->failed)
		return;
	close(self.alive);
	close(self.master);
	self.alive = ends[0];
	self.master = ends[1];
}

pid_t stray_fork_own(void)
{
	forks_own = true;
	pid_t pid = fork();

	forks_own = false;
	return pid;
}

int stray_begin(const struct stray_sockets *sockets, struct error *e)
{
	self.names = calloc(sockets->listener_count + 1, sizeof *self.names);
	if (!self.names)
		return uwsgi_error_set(e, "out of memory");
	for (size_t i = 0; i < sockets->listener_count; i++)
		if (get_name(sockets->listeners[i], &self.names[self.name_count]))
			self.name_count++;
	self.sockets[0] = sockets->channel;
	memcpy(self.sockets + 1, sockets->queues, sizeof sockets->queues);
	self.begun = true;
	return 0;
}

void stray_set_channel(int fd)
{
	self.sockets[0] = fd;
}
