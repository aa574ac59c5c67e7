/* SPDX-License-Identifier: MIT */
/* vassal.c: executes the server anew for the file of a vassal, with the user's rights where the emperor
 * has given up root or its children are to. */
#include "process/vassal.h"

#include "base/shell.h"
#include "process/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define OWN "UWSGI_"
#define VASSALS "UWSGI_VASSAL_"

static _Noreturn void fail(const struct vassal_start *start, const char *what, const char *why)
{
	uwsgi_log(UWSGI_ERROR, "%s: %s: %s", start->what->title, what, why);
	_exit(EXIT_FAILURE);
}

/* Whether the variable's name begins so, and goes on. */
static bool begins_with(const char *variable, const char *head)
{
	size_t n = strlen(head);

	return strncmp(variable, head, n) == 0 && variable[n] != '=';
}

/* "NAME=VALUE"; to: its name from now on, NULL: it goes. */
static void rename_variable(const char *variable, const char *to)
{
	char name[256];
	const char *equals = strchr(variable, '=');
	int n = snprintf(name, sizeof name, "%.*s", (int)strcspn(variable, "="), variable);

	if (n < 0 || (size_t)n >= sizeof name || !equals)
		return;
	unsetenv(name);
	if (!to)
		return;
	snprintf(name, sizeof name, "%.*s", (int)strcspn(to, "="), to);
	setenv(name, equals + 1, 1);
}

/* The emperor's own options are no vassal's: it would be an emperor, too, and want the same addresses.
 * UWSGI_VASSAL_NAME becomes UWSGI_NAME. */
static void set_options(void)
{
	size_t count = 0;

	while (environ && environ[count])
		count++;
	/* setenv() moves the list. */
	const char **all = calloc(count + 1, sizeof *all);

	for (size_t i = 0; all && i < count; i++)
		all[i] = environ[i];
	for (size_t i = 0; all && i < count; i++)
		if (begins_with(all[i], OWN) && !begins_with(all[i], VASSALS))
			rename_variable(all[i], NULL);
	for (size_t i = 0; all && i < count; i++) {
		char name[256];

		if (!begins_with(all[i], VASSALS))
			continue;
		snprintf(name, sizeof name, OWN "%s", all[i] + sizeof VASSALS - 1);
		rename_variable(all[i], name);
	}
	free(all);
}

static void set_environment(int channel)
{
	char number[16];

	set_options();
	snprintf(number, sizeof number, "%d", channel);
	setenv(ALLEGIANCE_VARIABLE, number, 1);
}

static void set_descriptors(int channel)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	fcntl(channel, F_SETFD, 0);
}

/* The signal is for programs that do not see the end of the channel. */
static void die_with(pid_t master)
{
	prctl(PR_SET_PDEATHSIG, SIGINT);
	if (getppid() != master)
		_exit(EXIT_FAILURE);
}

_Noreturn void vassal_run(const struct vassal_start *start)
{
	const struct vassal *v = start->what;
	struct error e;

	setsid();
	die_with(start->master);
	if (*v->folder && chdir(v->folder))
		fail(start, v->folder, strerror(errno));
	const char **arguments = emperor_arguments(v->all->settings, start->program, v->name);

	if (!arguments)
		fail(start, start->binary, "out of memory");
	if (privileges_enter_child(start->config, &e))
		fail(start, "cannot start", e.text);
	set_environment(start->channel);
	set_descriptors(start->channel);
	shell_reset_signals();
	execv(start->binary, (char *const *)(uintptr_t)arguments);
	/* An upgrade may be under way, or the binary has gone for good. */
	execv("/proc/self/exe", (char *const *)(uintptr_t)arguments);
	fail(start, start->binary, strerror(errno));
}
