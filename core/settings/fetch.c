/* SPDX-License-Identifier: MIT */
/* fetch.c: gets what @(…) stands for: @(path), @(file://path), @(exec://command).  keys.c calls
 * it when the configuration is read to be used.  It ends each command that it started. */
#include "settings/fetch.h"

#include "settings/source.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char command_scheme[] = "exec://", file_scheme[] = "file://";

static const char *behind(const char *what, const char *scheme)
{
	size_t n = strlen(scheme);

	return strncmp(what, scheme, n) == 0 ? what + n : NULL;
}

bool fetch_is_command(const char *what)
{
	return behind(what, command_scheme) != NULL;
}

static const char *take(struct arena *arena, const char *bytes, size_t n, struct error *e)
{
	struct text text = { 0 };

	n -= n > 0 && bytes[n - 1] == '\n';
	if (memchr(bytes, '\0', n)) {
		uwsgi_error_set(e, "this is not text");
		return NULL;
	}
	text_add(&text, (struct slice){ bytes, n });
	const char *taken = text_take(&text, arena);
	if (!taken)
		uwsgi_error_set(e, "longer than %d bytes", TEXT_MAX);
	return taken;
}

static const char *read_file(struct arena *arena, const char *cwd, const char *path,
			     struct error *e)
{
	const char *absolute = source_absolute(arena, cwd, path), *taken;
	char *bytes;
	size_t n;

	if (!absolute || !(bytes = source_read(absolute, &n, e)))
		return NULL;
	taken = take(arena, bytes, n, e);
	free(bytes);
	return taken;
}

/* ---- commands ---- */

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Its own process group, so that all of it can be ended; signals as at its birth. */
static int start(const char *command, const char *cwd, int out, pid_t *pid)
{
	char *argv[] = { (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
			 (char *)(uintptr_t)command, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addchdir_np(&files, cwd);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out, 1);
	int fault = posix_spawn(pid, "/bin/sh", &files, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return fault;
}

/* All that comes before the deadline; false, with the reason, when there was no end. */
static bool listen_to(int fd, struct text *said, struct error *e)
{
	long deadline = now_ms() + FETCH_SECONDS * 1000, left;
	struct pollfd in = { .fd = fd, .events = POLLIN };
	char bytes[4096];

	while ((left = deadline - now_ms()) > 0 && !said->failed) {
		if (poll(&in, 1, (int)left) <= 0)
			continue;
		ssize_t n = read(fd, bytes, sizeof bytes);
		if (n == 0)
			return true;
		if (n > 0)
			text_add(said, (struct slice){ bytes, (size_t)n });
	}
	if (said->failed)
		uwsgi_error_set(e, "says more than %d bytes", TEXT_MAX);
	else
		uwsgi_error_set(e, "has not ended after %d seconds", FETCH_SECONDS);
	return false;
}

static const char *run(struct arena *arena, const char *cwd, const char *command, struct error *e)
{
	struct text said = { 0 };
	const char *taken = NULL;
	int ends[2], status = 0, fault;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC)) {
		uwsgi_error_set(e, "%s", strerror(errno));
		return NULL;
	}
	fault = start(command, cwd, ends[1], &pid);
	close(ends[1]);
	if (fault)
		uwsgi_error_set(e, "%s", strerror(fault));
	bool whole = !fault && listen_to(ends[0], &said, e);
	if (!fault && !whole)
		kill(-pid, SIGKILL);
	while (!fault && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	close(ends[0]);
	if (whole && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		uwsgi_error_set(e, "there is no such command");
	else if (whole)
		taken = take(arena, said.p ? said.p : "", said.n, e);
	free(said.p);
	return taken;
}

const char *fetch(struct arena *arena, const char *cwd, const char *what, struct error *e)
{
	const char *rest;

	if ((rest = behind(what, command_scheme)))
		return run(arena, cwd, rest, e);
	if ((rest = behind(what, file_scheme)))
		return read_file(arena, cwd, rest, e);
	if (strstr(what, "://")) {
		uwsgi_error_set(e, "only a file and exec:// can stand here; for others write "
				   "@(exec://command), for example with curl");
		return NULL;
	}
	return read_file(arena, cwd, what, e);
}
