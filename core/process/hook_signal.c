/* SPDX-License-Identifier: MIT */
/* hook_signal.c: the names that uWSGI's functions for signals have, and what is done here. */
#include "process/hook_signal.h"

#include "settings/config.h"
#include "work/hooks.h"

/* Nobody has them: the kernel keeps these for itself, or they say that the master is broken. */
static const int refused[] = {
	SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT
};

static const struct {
	const char *name;
	enum signal_meaning meaning;
} functions[] = {
	{ "gracefully_kill_them_all", SIGNAL_STOPS },
	{ "kill_them_all", SIGNAL_STOPS_NOW },
	{ "grace_them_all", SIGNAL_RELOADS },
	{ "reap_them_all", SIGNAL_RELOADS },
	{ "stats", SIGNAL_PRINTS },
	{ "suspend_resume_them_all", SIGNAL_PAUSES },
};

static enum signal_meaning find(const char *name)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (strcmp(functions[i].name, name) == 0)
			return functions[i].meaning;
	return SIGNAL_USUAL;
}

static bool is_refused(int signal)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (refused[i] == signal)
			return true;
	return signal < 1 || signal >= NSIG;
}

void hook_signals_read(struct signal_meanings *m, const struct config *cfg)
{
	const char *function;
	size_t i = 0;
	int signal;

	*m = (struct signal_meanings){ 0 };
	while (hooks_next_signal(cfg, &i, &signal, &function))
		if (!is_refused(signal) && find(function) != SIGNAL_USUAL)
			m->of[signal] = (unsigned char)find(function);
}

void hook_signals_add(const struct signal_meanings *m, sigset_t *set)
{
	for (int signal = 1; signal < NSIG; signal++)
		if (m->of[signal] != SIGNAL_USUAL)
			sigaddset(set, signal);
}

enum signal_meaning hook_signals_meaning(const struct signal_meanings *m, int signal)
{
	return (enum signal_meaning)m->of[signal];
}

void hook_signals_check(const struct config *cfg, struct report *report)
{
	const char *const option = "hook-master-start";
	const struct option_list *hooks = uwsgi_config_setting(cfg, option);
	const char *function;
	size_t i = 0;
	int signal;

	while (hooks_next_signal(cfg, &i, &signal, &function)) {
		if (is_refused(signal))
			uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, option,
						hooks->items[i - 1],
						"the master takes no signal %d", signal);
		else if (find(function) == SIGNAL_USUAL)
			uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, option,
						hooks->items[i - 1],
						"the function %.64s is not here; there are "
						"gracefully_kill_them_all, kill_them_all, "
						"grace_them_all, reap_them_all, stats and "
						"suspend_resume_them_all",
						function);
	}
}
