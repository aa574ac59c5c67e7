/* SPDX-License-Identifier: MIT */
/* shell.c: starts a command and waits for its end.  What it says goes where this process's own lines
 * go. */
#include "base/shell.h"

#include "base/clock.h"
#include "base/stray.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void shell_reset_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Other threads of the parent may have held any lock: only calls that need none. */
static _Noreturn void become_shell(const char *command, bool grouped, pid_t parent)
{
	static const char failed[] = "error: /bin/sh cannot be executed\n";

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	/* Where it may have to be killed; else Ctrl-C reaches it, too. */
	if (grouped)
		setpgid(0, 0);
	shell_reset_signals();
	close_range(STDERR_FILENO + 1, ~0U, 0);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	(void)!write(STDERR_FILENO, failed, sizeof failed - 1);
	_exit(127);
}

static pid_t start(const char *command, bool grouped)
{
	pid_t parent = getpid(), pid = stray_fork_own();

	if (pid == 0)
		become_shell(command, grouped, parent);
	/* The child does it, too: it may have to be killed before it has come so far. */
	if (pid > 0 && grouped)
		setpgid(pid, pid);
	return pid;
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
	bool ended = true;
	int status = 0;

	/* nohup(1) and the like leave it ignored, and the child would be reaped unseen. */
	sigaction(SIGCHLD, NULL, &before);
	if (before.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_DFL);
	/* Before the command can send one. */
	fill_awaited(&signals);
	sigprocmask(SIG_BLOCK, by_ms ? &signals : NULL, &mask);
	pid_t pid = start(command, by_ms > 0);
	int fault = errno;

	if (pid > 0)
		ended = wait_for(pid, by_ms, &signals, &status);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (before.sa_handler == SIG_IGN)
		sigaction(SIGCHLD, &before, NULL);
	if (pid < 0)
		return uwsgi_error_set(e, "fork: %s", strerror(fault));
	return ended ? judge(status, e) : uwsgi_error_set(e, "the command did not end in time");
}
