/* SPDX-License-Identifier: MIT */
/* minder.c: runs an attached program in a session of its own, and waits for it. */
#include "process/minder.h"

#include "base/safefile.h"
#include "base/shell.h"
#include "process/environment.h"
#include "process/privileges.h"
#include "process/proctitle.h"
#include "work/hook_action.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void fail(const struct minder_start *start, const struct error *e)
{
	uwsgi_log(UWSGI_ERROR, "%s: %s", start->name, e->text);
	_exit(EXIT_FAILURE);
}

/* ---- the program ---- */

static void set_streams(const struct minder_start *start)
{
	if (start->input >= 0)
		dup2(start->input, STDIN_FILENO);
	if (start->output < 0)
		return;
	dup2(start->output, STDOUT_FILENO);
	dup2(start->output, STDERR_FILENO);
}

static void drop_stdin(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		dup2(fd, STDIN_FILENO);
}

static _Noreturn void do_action(const struct minder_start *start)
{
	static const struct hook_limits limits = { .file_s = 60,
						   .interface_s = 60,
						   .socket_s = 60 };
	struct error e;

	if (hook_action_run(hook_action_text(start->what->command), &limits, &e) < 0)
		fail(start, &e);
	_exit(EXIT_SUCCESS);
}

static _Noreturn void become_program(const struct minder_start *start)
{
	struct error e;

	if (!start->what->has_stdin && start->input < 0)
		drop_stdin();
	/* What others of the server left open without meaning to is not the program's. */
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	shell_reset_signals();
	if (start->what->is_action)
		do_action(start);
	execl("/bin/sh", "sh", "-c", start->what->command, (char *)NULL);
	uwsgi_error_set(&e, "/bin/sh: %s", strerror(errno));
	fail(start, &e);
}

/* ---- what surrounds it ---- */

static int take_identity(const struct minder_start *start, struct error *e)
{
	const struct attached *a = start->what;

	if (a->user || a->group)
		return privileges_become(a->user, a->group, e);
	return privileges_enter_child(start->config, e);
}

static int surround(const struct minder_start *start, struct error *e)
{
	const struct attached *a = start->what;

	if (environment_enter_folder(start->config, start->start_folder, e) ||
	    environment_set_variables(start->config, e) || take_identity(start, e))
		return -1;
	if (a->folder && chdir(a->folder))
		return uwsgi_error_set(e, "cannot go to %s: %s", a->folder, strerror(errno));
	return 0;
}

/* ---- minding ---- */

/* The kernel sends it when the master is gone, and nobody else does. */
static int orphaned(void)
{
	return SIGRTMAX;
}

static pid_t start_program(const struct minder_start *start)
{
	pid_t minder = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != minder)
		_exit(EXIT_FAILURE);
	become_program(start);
}

static _Noreturn void end_as(int status)
{
	const struct rlimit none = { 0, 0 };

	if (WIFSIGNALED(status)) {
		setrlimit(RLIMIT_CORE, &none); /* if there is one, it is the program's */
		shell_reset_signals();
		raise(WTERMSIG(status));
	}
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

struct minded {
	pid_t program;
	int stop_signal, status;
	bool asked; /* to end */
	bool ended;
};

/* What this process sends to its group comes to itself, too. */
static void hear(struct minded *m, const siginfo_t *info, int signal)
{
	if (signal == orphaned())
		kill(0, SIGKILL);
	if (info->si_pid == getpid())
		return;
	m->asked = m->asked || signal == m->stop_signal;
	kill(0, signal);
}

/* Orphans of the program are this process's children, too. */
static void reap(struct minded *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != m->program)
			continue;
		m->ended = true;
		m->status = status;
	}
}

static bool group_is_gone(void)
{
	siginfo_t info;

	return waitid(P_PGID, (id_t)getpgrp(), &info, WEXITED | WNOHANG | WNOWAIT) != 0;
}

/* A shell ends at once when it is asked to, and what it runs may still finish its work.  Where nobody
 * has asked, the master ends what is left. */
static _Noreturn void mind(struct minded *m)
{
	siginfo_t info;
	sigset_t all;

	sigfillset(&all);
	while (!m->ended || (m->asked && !group_is_gone())) {
		int signal = sigwaitinfo(&all, &info);

		if (signal == SIGCHLD)
			reap(m);
		else if (signal > 0)
			hear(m, &info, signal);
	}
	end_as(m->status);
}

_Noreturn void minder_run(const struct minder_start *start)
{
	struct minded m = { .stop_signal = start->what->stop_signal, .asked = start->waits };
	struct error e;

	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	proctitle_set(start->config, start->name);
	if (surround(start, &e))
		fail(start, &e);
	prctl(PR_SET_PDEATHSIG, orphaned());
	if (getppid() != start->master)
		_exit(EXIT_FAILURE);
	m.program = start_program(start);
	if (m.program < 0) {
		uwsgi_error_set(&e, "fork: %s", strerror(errno));
		fail(start, &e);
	}
	mind(&m);
}

/* ---- with a pidfile ---- */

static int write_pid(const char *path, struct error *e)
{
	struct safefile file;
	struct error why;

	if (safefile_open(&file, path, O_WRONLY | O_CREAT | O_TRUNC, 0644, geteuid(), &why))
		return uwsgi_error_set(e, "%s: %s", path, why.text);
	bool written = dprintf(file.fd, "%ld\n", (long)getpid()) > 0;

	close(file.fd);
	return written ? 0 : uwsgi_error_set(e, "%s: %s", path, strerror(errno));
}

_Noreturn void minder_launch(const struct minder_start *start)
{
	const struct attached *a = start->what;
	struct error e;

	setsid();
	set_streams(start);
	if (surround(start, &e))
		fail(start, &e);
	if (a->daemonizes && fork() != 0)
		_exit(EXIT_SUCCESS);
	if (a->daemonizes && write_pid(a->pidfile, &e))
		fail(start, &e);
	become_program(start);
}

/* ---- for the master ---- */

void minder_kill(pid_t pid)
{
	kill(-pid, SIGKILL);
	/* Before it is a group of its own, it has started nothing. */
	kill(pid, SIGKILL);
}
