/* SPDX-License-Identifier: MIT */
/* shell.c: starts a command and waits for its end.  What it says goes where this process's own lines
 * go.  It is not forked: in a process with Python that would run the application's fork handlers. */
#include "base/shell.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

/* A group of its own where it may have to be killed; else Ctrl-C reaches it. */
static int start(const char *command, bool grouped, pid_t *pid)
{
	char *argv[] = { (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
			 (char *)(uintptr_t)command, NULL };
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, grouped ? flags | POSIX_SPAWN_SETPGROUP : flags);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	int fault = posix_spawn(pid, "/bin/sh", &files, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return fault;
}

/* False: it had to be killed. */
static bool wait_until(pid_t pid, int64_t by_ms, const sigset_t *signals, int *status)
{
	for (;;) {
		if (waitpid(pid, status, WNOHANG) != 0)
			return true;
		int64_t left_ms = by_ms - clock_monotonic_ms();
		const struct timespec left = { left_ms / 1000, left_ms % 1000 * 1000000 };
		int signal = left_ms > 0 ? sigtimedwait(signals, NULL, &left) : SIGTERM;

		if (signal == SIGINT || signal == SIGTERM || signal == SIGQUIT) {
			kill(-pid, SIGKILL);
			waitpid(pid, status, 0);
			return false;
		}
	}
}

static void fill_awaited(sigset_t *signals)
{
	static const int awaited[] = { SIGCHLD, SIGINT, SIGTERM, SIGQUIT };

	sigemptyset(signals);
	for (size_t i = 0; i < sizeof awaited / sizeof *awaited; i++)
		sigaddset(signals, awaited[i]);
}

static bool wait_for(pid_t pid, int64_t by_ms, const sigset_t *signals, int *status)
{
	if (by_ms)
		return wait_until(pid, by_ms, signals, status);
	TEMP_FAILURE_RETRY(waitpid(pid, status, 0));
	return true;
}

static int judge(int status, struct error *e)
{
	const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;

	if (WIFSIGNALED(status))
		return uwsgi_error_set(e, "the command was ended by SIG%s", name ? name : "?");
	if (status)
		return uwsgi_error_set(e, "the command ended with exit code %d",
				       WEXITSTATUS(status));
	return 0;
}

int shell_run(const char *command, int64_t by_ms, struct error *e)
{
	struct sigaction before;
	sigset_t signals, mask;
	int status = 0;
	pid_t pid;

	/* nohup(1) and the like leave it ignored, and the child would be reaped unseen. */
	sigaction(SIGCHLD, NULL, &before);
	if (before.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_DFL);
	/* Before the command can send one. */
	fill_awaited(&signals);
	sigprocmask(SIG_BLOCK, by_ms ? &signals : NULL, &mask);
	int fault = start(command, by_ms > 0, &pid);
	bool ended = fault || wait_for(pid, by_ms, &signals, &status);

	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (before.sa_handler == SIG_IGN)
		sigaction(SIGCHLD, &before, NULL);
	if (fault)
		return uwsgi_error_set(e, "/bin/sh: %s", strerror(fault));
	return ended ? judge(status, e) : uwsgi_error_set(e, "the command did not end in time");
}
