/* SPDX-License-Identifier: MIT */
/* hook_wait.c: looks again and again whether something is there.  The kernel would tell of some of
 * these, of mounts and sockets of others it does not. */
#include "work/hook_wait.h"

#include "base/address.h"
#include "base/clock.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_MS = 50, CONNECT_MS = 1000 };

static bool is_mounted(const char *path, const struct stat *st)
{
	char parent[4096];
	struct stat above;

	if ((size_t)snprintf(parent, sizeof parent, "%s/..", path) >= sizeof parent ||
	    stat(parent, &above))
		return false;
	/* Only the root is its own parent. */
	return st->st_dev != above.st_dev || st->st_ino == above.st_ino;
}

static bool file_is_there(enum hook_awaited what, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	switch (what) {
	case AWAIT_FILE:
		return S_ISREG(st.st_mode);
	case AWAIT_FOLDER:
		return S_ISDIR(st.st_mode);
	case AWAIT_MOUNT:
		return S_ISDIR(st.st_mode) && is_mounted(path, &st);
	default:
		return true;
	}
}

static bool becomes_writable(int fd)
{
	struct pollfd there = { .fd = fd, .events = POLLOUT };

	return poll(&there, 1, CONNECT_MS) == 1;
}

static bool accepts(const char *name)
{
	struct address address;
	struct error e;
	int fault = 0;
	socklen_t size = sizeof fault;

	/* A host whose name is not known yet may be known soon. */
	if (address_parse(&address, name, &e))
		return false;
	int fd = socket(address.sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	int failed = connect(fd, (struct sockaddr *)&address.sa, address.length);

	if (failed && errno == EINPROGRESS && becomes_writable(fd) &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &size) == 0)
		failed = fault;
	close(fd);
	return !failed;
}

static bool is_there(enum hook_awaited what, const char *name)
{
	if (what == AWAIT_INTERFACE)
		return if_nametoindex(name) > 0;
	return what == AWAIT_SOCKET ? accepts(name) : file_is_there(what, name);
}

int hook_wait(enum hook_awaited what, const char *name, long long seconds, struct error *e)
{
	int64_t by_ms = clock_monotonic_ms() + seconds * 1000;

	if (is_there(what, name))
		return 0;
	uwsgi_log(UWSGI_NOTE, "waiting for %s, at most %lld s", name, seconds);
	do {
		if (clock_monotonic_ms() >= by_ms)
			return uwsgi_error_set(e, "%s is not there after %lld s", name, seconds);
		poll(NULL, 0, LOOK_MS);
	} while (!is_there(what, name));
	return 0;
}
