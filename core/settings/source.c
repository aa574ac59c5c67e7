/* SPDX-License-Identifier: MIT */
/* source.c: reads a file whole, regular or not (a pipe of the shell will do), and finds where it
 * is; runs a command and takes what it says.  reader.c reads configurations through it, expand.c
 * what @(…) stands for.  It ends each command that it started, and does not look into the bytes. */
#include "settings/source.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOURCE_MAX = 16 << 20 };

static char *read_from(int fd, size_t expected, size_t *n, struct error *e)
{
	size_t capacity = expected < SOURCE_MAX ? expected + 1 : SOURCE_MAX;
	char *bytes = NULL, *grown;

	for (;;) {
		grown = realloc(bytes, capacity);
		if (!grown)
			break;
		bytes = grown;
		while (*n < capacity) {
			ssize_t got = read(fd, bytes + *n, capacity - *n);

			if (got == 0)
				return bytes;
			if (got < 0 && errno != EINTR) {
				uwsgi_error_errno(e);
				free(bytes);
				return NULL;
			}
			*n += got > 0 ? (size_t)got : 0;
		}
		if (capacity >= SOURCE_MAX)
			break;
		capacity *= 2;
	}
	uwsgi_error_set(e, "too large for a configuration");
	free(bytes);
	return NULL;
}

char *source_read(const char *path, size_t *n, struct error *e)
{
	struct stat st;
	char *bytes = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*n = 0;
	if (fd < 0 || fstat(fd, &st))
		uwsgi_error_errno(e);
	else if (S_ISDIR(st.st_mode))
		uwsgi_error_set(e, "is a folder");
	else
		bytes = read_from(fd, st.st_size > 0 ? (size_t)st.st_size : 4095, n, e);
	if (fd >= 0)
		close(fd);
	return bytes;
}

const char *source_absolute(struct arena *arena, const char *cwd, const char *given)
{
	const char *slash = strrchr(given, '/');
	struct text text = { 0 };

	if (*given != '/')
		text_addf(&text, "%s/", strcmp(cwd, "/") == 0 ? "" : cwd);
	text_add(&text, (struct slice){ given, slash ? (size_t)(slash - given) : 0 });
	const char *folder = text_take(&text, arena);
	if (!folder)
		return NULL;
	char *real = realpath(*folder ? folder : "/", NULL);

	if (real && strcmp(real, "/") == 0)
		*real = '\0';
	text_addf(&text, "%s/%s", real ? real : folder, slash ? slash + 1 : given);
	free(real);
	return text_take(&text, arena);
}

/* ---- what @(…) stands for ---- */

static const char command_scheme[] = "exec://", file_scheme[] = "file://";

static const char *behind(const char *what, const char *scheme)
{
	size_t n = strlen(scheme);

	return strncmp(what, scheme, n) == 0 ? what + n : NULL;
}

bool source_is_command(const char *what)
{
	return behind(what, command_scheme) != NULL;
}

static const char *take(struct arena *arena, const char *bytes, size_t n, struct error *e)
{
	n -= n > 0 && bytes[n - 1] == '\n';
	if (n >= TEXT_MAX)
		uwsgi_error_set(e, "longer than %d bytes", TEXT_MAX);
	else if (memchr(bytes, '\0', n))
		uwsgi_error_set(e, "this is not text");
	else
		return arena_string(arena, bytes, n);
	return NULL;
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
	int64_t deadline = clock_monotonic_ms() + SOURCE_SECONDS * 1000, left;
	struct pollfd in = { .fd = fd, .events = POLLIN };
	char bytes[4096];

	while ((left = deadline - clock_monotonic_ms()) > 0 && !said->failed) {
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
		uwsgi_error_set(e, "has not ended after %d seconds", SOURCE_SECONDS);
	return false;
}

static const char *run(struct arena *arena, const char *cwd, const char *command, struct error *e)
{
	struct text said = { 0 };
	const char *taken = NULL;
	int ends[2], status = 0, fault;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC)) {
		uwsgi_error_errno(e);
		return NULL;
	}
	fault = start(command, cwd, ends[1], &pid);
	close(ends[1]);
	if (fault)
		uwsgi_error_set(e, "%s", strerror(fault));
	bool whole = !fault && listen_to(ends[0], &said, e);
	if (!fault && !whole)
		kill(-pid, SIGKILL);
	if (!fault)
		(void)TEMP_FAILURE_RETRY(waitpid(pid, &status, 0));
	close(ends[0]);
	if (whole && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		uwsgi_error_set(e, "there is no such command");
	else if (whole)
		taken = take(arena, said.p ? said.p : "", said.n, e);
	free(said.p);
	return taken;
}

const char *source_text(struct arena *arena, const char *cwd, const char *what, struct error *e)
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
