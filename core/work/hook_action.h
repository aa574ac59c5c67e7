/* SPDX-License-Identifier: MIT */
/* hook_action.h: one thing that a hook does, as it is written: "chmod:/run/shop 770". */
#ifndef UWSGI_HOOK_ACTION_H
#define UWSGI_HOOK_ACTION_H

#include <uwsgi/plugin.h>

struct hook_limits {
	long long file_s, interface_s, socket_s; /* how long one waits for such a thing */
	int64_t by_ms;                           /* as shell_run()'s, for its commands */
};

/* Without a "!" before it, which hides it from the log; what the log shows of it. */
const char *hook_action_text(const char *written);
const char *hook_action_shown(const char *written);
/* Whether it can be understood; -1 with what is wrong. */
int hook_action_check(const char *text, struct error *);
/* What to use in its place, where it is uWSGI's and not here; else NULL. */
const char *hook_action_instead(const char *text);
/* "exec", "chmod" … */
bool hook_action_is(const char *text, const char *name);
/* 0: done, or not here; -1 with the reason; 1 and more: the process is to end, with an exit code that is
 * less by one. */
int hook_action_run(const char *text, const struct hook_limits *, struct error *);

#endif
