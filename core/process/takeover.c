/* SPDX-License-Identifier: MIT */
/* takeover.c: asks the new program, which has a look at the state and the configuration and says yes or why
 * not, and executes it.  Signals are blocked in the master, and so wait for the new program. */
#include "process/takeover.h"

#include "base/clock.h"
#include "process/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE "UWSGI_TAKEOVER"

int takeover_descriptor(void)
{
	const char *text = getenv(VARIABLE);
	int fd = text ? atoi(text) : -1;

	unsetenv(VARIABLE);
	return fd > STDERR_FILENO ? fd : -1;
}

/* A descriptor of the memory; *c says which others belong to it. */
static int write_state(const struct takeover *t, struct carry *c, struct error *e)
{
	struct cause cause = t->cause;

	state_write(&t->mine, &cause, c);
	return carry_send(c, state_form(), e);
}

/* ---- asking ---- */

/* What it prints is the answer; the descriptors are there under the same numbers. */
static int prepare_files(posix_spawn_file_actions_t *files, const struct carry *c, int state,
			 int out)
{
	int failed = posix_spawn_file_actions_adddup2(files, out, STDOUT_FILENO) ||
		     posix_spawn_file_actions_adddup2(files, out, STDERR_FILENO) ||
		     posix_spawn_file_actions_adddup2(files, state, state);

	for (size_t i = 0; i < c->fd_count && !failed; i++)
		failed = posix_spawn_file_actions_adddup2(files, c->fds[i], c->fds[i]);
	return failed;
}

/* Returns 0, or errno. */
static int spawn(struct takeover *t, const struct carry *c, int state, int out)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	char number[16], check[] = "--check-takeover";
	char *argv[] = { t->program.path, check, number, NULL };
	sigset_t none, all;

	snprintf(number, sizeof number, "%d", state);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	int why = prepare_files(&files, c, state, out)
			  ? ENOMEM
			  : posix_spawn(&t->asked, t->program.path, &files, &attributes, argv,
					environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return why;
}

static int ask(struct takeover *t, struct error *e)
{
	struct carry c;
	const char *foreign = geteuid() == 0 ? program_foreign(&t->program) : NULL;

	if (foreign)
		return uwsgi_error_set(
			e, "%s has another owner than before, or more users may write to it",
			foreign);
	int ends[2], state = write_state(t, &c, e), why;

	if (state < 0) {
		carry_fini(&c);
		return -1;
	}
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK)) {
		why = errno;
	} else {
		why = spawn(t, &c, state, ends[1]);
		close(ends[1]);
		if (why)
			close(ends[0]);
		else
			t->answer = ends[0];
	}
	carry_fini(&c);
	close(state);
	return why ? uwsgi_error_set(e, "%s: %s", t->program.path, strerror(why)) : 0;
}

bool takeover_begin(struct takeover *t, const struct cause *cause)
{
	const char *changed = t->answer >= 0 ? NULL : program_changed(&t->program);
	struct error e;

	if (!changed)
		return false;
	uwsgi_log(UWSGI_NOTE, "%s: reload: %s has changed; asking the new program to take over",
		  cause->text, changed);
	if (cause != &t->cause)
		t->cause = *cause;
	if (ask(t, &e)) {
		announce_old_program(t->mine.announcer, e.text);
		return false;
	}
	t->state = TAKEOVER_ASKED;
	t->ask_until_ms = clock_monotonic_ms() + t->patience_s * 1000;
	return true;
}

/* ---- the answer ---- */

/* The last line that it has printed says most. */
static void read_answer(const struct takeover *t, char *text, size_t size)
{
	enum { KEPT = 1024 };
	char all[8 * KEPT];
	size_t n = 0;
	ssize_t got;

	while ((got = read(t->answer, all + n, sizeof all - 1 - n)) > 0) {
		n += (size_t)got;
		if (n > sizeof all - KEPT) {
			memmove(all, all + n - KEPT, KEPT);
			n = KEPT;
		}
	}
	while (n > 0 && all[n - 1] == '\n')
		n--;
	all[n] = '\0';
	const char *line = strrchr(all, '\n');
	snprintf(text, size, "%.*s", (int)size - 1, line ? line + 1 : all);
}

static bool agrees(const siginfo_t *info, const char *answer)
{
	return info->si_code == CLD_EXITED && info->si_status == 0 &&
	       strcmp(answer, TAKEOVER_YES) == 0;
}

bool takeover_ended(struct takeover *t, const siginfo_t *info)
{
	char answer[400], end[128];

	if (t->answer < 0 || info->si_pid != t->asked)
		return false;
	read_answer(t, answer, sizeof answer);
	close(t->answer);
	t->answer = -1;
	cause_of_end(info, end, sizeof end);
	if (t->state != TAKEOVER_ASKED)
		return true;
	if (agrees(info, answer)) {
		t->state = TAKEOVER_AGREED;
		return true;
	}
	t->state = TAKEOVER_REFUSED;
	if (*answer)
		uwsgi_error_set(&t->why, "%s", answer);
	else
		uwsgi_error_set(&t->why, "it ended: %s", end);
	return true;
}

enum takeover_news takeover_step(struct takeover *t, int64_t now_ms, int64_t *due_ms)
{
	if (t->state == TAKEOVER_ASKED && now_ms >= t->ask_until_ms) {
		kill(t->asked, SIGKILL);
		uwsgi_error_set(&t->why, "it says nothing for %lld s (reload-timeout)",
				t->patience_s);
		t->state = TAKEOVER_REFUSED;
	}
	if (t->state == TAKEOVER_ASKED)
		clock_keep_earlier(due_ms, t->ask_until_ms);
	if (t->state == TAKEOVER_REFUSED) {
		t->state = TAKEOVER_NONE;
		announce_old_program(t->mine.announcer, t->why.text);
		return TAKEOVER_OVER;
	}
	if (t->state != TAKEOVER_AGREED || !state_is_settled(&t->mine))
		return TAKEOVER_QUIET;
	if (program_is_steady(&t->program))
		return TAKEOVER_READY;
	/* An upgrade may still be under way: what was asked is not what would be executed. */
	t->state = TAKEOVER_NONE;
	return takeover_begin(t, &t->cause) ? TAKEOVER_QUIET : TAKEOVER_OVER;
}

/* ---- the change ---- */

/* Returns errno. */
static int execute(const struct takeover *t, const struct carry *c, int fd)
{
	char number[16];
	uint64_t ambient = privileges_ambient();

	snprintf(number, sizeof number, "%d", fd);
	if (setenv(VARIABLE, number, 1))
		return errno;
	fcntl(fd, F_SETFD, 0);
	carry_keep_open(c, true);
	privileges_set_ambient(ambient | privileges_inheritable());
	execv(t->program.path, t->mine.invocation->argv);
	int why = errno;
	privileges_set_ambient(ambient);
	carry_keep_open(c, false);
	unsetenv(VARIABLE);
	return why;
}

void takeover_execute(struct takeover *t)
{
	struct carry c;
	struct error e;
	int fd = write_state(t, &c, &e);

	t->state = TAKEOVER_NONE;
	if (fd >= 0) {
		int why = execute(t, &c, fd);

		uwsgi_error_set(&e, "%s: %s", t->program.path, strerror(why));
		close(fd);
	}
	carry_fini(&c);
	announce_old_program(t->mine.announcer, e.text);
}

/* ---- life ---- */

void takeover_init(struct takeover *t, const struct state *mine)
{
	*t = (struct takeover){ .mine = *mine, .answer = -1 };
	program_find(&t->program, mine->invocation->cwd);
}

void takeover_cancel(struct takeover *t)
{
	if (t->state == TAKEOVER_ASKED)
		kill(t->asked, SIGKILL);
	t->state = TAKEOVER_NONE;
}

void takeover_enter_child(const struct takeover *t)
{
	if (t->answer >= 0)
		close(t->answer);
}

void takeover_fini(struct takeover *t)
{
	takeover_enter_child(t);
	program_fini(&t->program);
}
