/* SPDX-License-Identifier: MIT */
/* cause.c: turns what the kernel says of signals and of ends into words.  The master calls it. */
#include "process/cause.h"

#include <ctype.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* What the process calls itself, without what could break a log line. */
static void find_command(uint32_t pid, char *name, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%u/comm", pid);
	*name = '\0';
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	size_t n = fread(name, 1, size - 1, f);
	fclose(f);
	name[n && name[n - 1] == '\n' ? n - 1 : n] = '\0';
	for (char *p = name; *p; p++)
		if (!isprint((unsigned char)*p))
			*p = '?';
}

/* From the local file alone: a name service on the network could hold up the master. */
static void find_user(uint32_t uid, char *name, size_t size)
{
	const struct passwd *pw = NULL;
	FILE *f = fopen("/etc/passwd", "re");

	snprintf(name, size, "%u", uid);
	while (f && (pw = fgetpwent(f)) && pw->pw_uid != uid)
		;
	if (pw)
		snprintf(name, size, "%s", pw->pw_name);
	if (f)
		fclose(f);
}

struct cause cause_of_signal(const struct signalfd_siginfo *info)
{
	struct cause c = { .ticket = info->ssi_code == SI_QUEUE ? info->ssi_ptr : 0 };
	const char *name = sigabbrev_np((int)info->ssi_signo);
	char command[32], user[64];

	name = name ? name : "?";
	if (info->ssi_code == SI_KERNEL) {
		snprintf(c.text, sizeof c.text, "SIG%s from the terminal", name);
	} else if (info->ssi_pid == 0) {
		/* The kernel has no number for it here. */
		snprintf(c.text, sizeof c.text, "SIG%s from outside of this container", name);
	} else {
		find_command(info->ssi_pid, command, sizeof command);
		find_user(info->ssi_uid, user, sizeof user);
		snprintf(c.text, sizeof c.text, "SIG%s from pid %u%s%s%s, user %s", name,
			 info->ssi_pid, *command ? " (" : "", command, *command ? ")" : "", user);
	}
	return c;
}

struct cause cause_of(const char *text)
{
	struct cause c = { 0 };

	snprintf(c.text, sizeof c.text, "%s", text);
	return c;
}

void cause_of_end(const siginfo_t *info, char *text, size_t size)
{
	if (info->si_code == CLD_EXITED)
		snprintf(text, size, "exit code %d", info->si_status);
	else
		snprintf(text, size, "killed by signal %d (%s)%s", info->si_status,
			 strsignal(info->si_status),
			 info->si_code == CLD_DUMPED ? ", core dumped" : "");
}
