/* SPDX-License-Identifier: MIT */
/* hooks.c: which hooks there are, and doing all of a phase.  Each process calls it where it comes to
 * one; what an action does is hook_action.c's. */
#include "work/hooks.h"

#include "settings/config.h"
#include "work/hook_wait.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct hooks_settings {
	struct option_list hooks[HOOK_PHASES], mounts[HOOK_PHASES], umounts[HOOK_PHASES];
	struct option_list commands[HOOK_PHASES];
	struct option_list interfaces, items, files, folders, mountpoints, sockets;
	long long interface_s, item_s, socket_s;
};

static const char *const phase_names[HOOK_PHASES] = {
	[HOOK_ASAP] = "asap",
	[HOOK_PRE_JAIL] = "pre-jail",
	[HOOK_POST_JAIL] = "post-jail",
	[HOOK_IN_JAIL] = "in-jail",
	[HOOK_AS_ROOT] = "as-root",
	[HOOK_AS_USER] = "as-user",
	[HOOK_MASTER_START] = "master-start",
	[HOOK_PRE_APP] = "pre-app",
	[HOOK_POST_APP] = "post-app",
	[HOOK_POST_FORK] = "post-fork",
	[HOOK_ACCEPTING] = "accepting",
	[HOOK_ACCEPTING_ONCE] = "accepting-once",
	[HOOK_ACCEPTING1] = "accepting1",
	[HOOK_ACCEPTING1_ONCE] = "accepting1-once",
	[HOOK_AS_GATEWAY] = "as-gateway",
	[HOOK_AT_EXIT] = "as-user-atexit",
};

/* ---- options ---- */

static int valid_hook(const char *value, struct error *e)
{
	return hook_action_check(hook_action_text(value), e);
}

/* What a value of mount-as-root and the like is as an action.  NULL: it is too long. */
static const char *as_action(const char *name, const char *value, char *buffer, size_t size)
{
	return (size_t)snprintf(buffer, size, "%s:%s", name, value) < size ? buffer : NULL;
}

static int check_as(const char *name, const char *value, struct error *e)
{
	char buffer[8192];
	const char *text = as_action(name, value, buffer, sizeof buffer);

	return text ? hook_action_check(text, e) : uwsgi_error_set(e, "it is too long");
}

static int valid_mount(const char *value, struct error *e)
{
	return check_as("mount", value, e);
}

static int valid_umount(const char *value, struct error *e)
{
	return check_as("umount", value, e);
}

static int valid_command(const char *value, struct error *e)
{
	return check_as("exec", value, e);
}

#define AT(member) offsetof(struct hooks_settings, member)
#define ROW(kind, at, check, unit_, example_, phase_name, help_)                                   \
	{                                                                                          \
		.name = kind phase_name, .type = OPT_LIST, .offset = (at), .text = true,           \
		.valid = (check), .unit = (unit_), .help = (help_), .example = (example_)          \
	}
#define HOOK(phase, name, when)                                                                    \
	ROW("hook-", AT(hooks[(phase)]), valid_hook, "ACTION:WORDS",                               \
	    "exec:/usr/local/bin/prepare", name,                                                   \
	    "do this " when ": exec:COMMAND, write:FILE TEXT, mkdir:FOLDER …")
#define EXEC(phase, name, when)                                                                    \
	ROW("exec-", AT(commands[(phase)]), valid_command, "COMMAND", "/usr/local/bin/prepare",    \
	    name, "run this command " when)
#define MOUNT(phase, name, when)                                                                   \
	ROW("mount-", AT(mounts[(phase)]), valid_mount, "KIND SOURCE FOLDER [FLAGS [DATA]]",       \
	    "tmpfs none /srv/shop/tmp nosuid,nodev", name, "mount this " when),                    \
		ROW("umount-", AT(umounts[(phase)]), valid_umount, "FOLDER [FLAGS]",               \
		    "/srv/shop/tmp", name, "unmount this " when)
#define HOOK_EXEC(phase, name, when) HOOK(phase, name, when), EXEC(phase, name, when)
#define EVERY(phase, name, when) HOOK_EXEC(phase, name, when), MOUNT(phase, name, when)

static const struct option rows[] = {
	EVERY(HOOK_ASAP, "asap", "when the configuration is read, before all else"),
	EVERY(HOOK_PRE_JAIL, "pre-jail", "before the root folder and the user are changed"),
	EVERY(HOOK_POST_JAIL, "post-jail", "after pre-jail; there are no jails here"),
	EVERY(HOOK_IN_JAIL, "in-jail", "after post-jail; there are no jails here"),
	EVERY(HOOK_AS_ROOT, "as-root", "before root is given up; without root it is left out"),
	HOOK_EXEC(HOOK_AS_USER, "as-user", "when root is given up"),
	HOOK(HOOK_MASTER_START, "master-start", "when the master starts"),
	HOOK_EXEC(HOOK_PRE_APP, "pre-app",
		  "before the application is imported, at each reload, too"),
	HOOK_EXEC(HOOK_POST_APP, "post-app",
		  "when the application is imported, at each reload, too"),
	HOOK(HOOK_POST_FORK, "post-fork", "in each new worker"),
	HOOK(HOOK_ACCEPTING, "accepting", "in each worker when it accepts requests"),
	HOOK(HOOK_ACCEPTING_ONCE, "accepting-once",
	     "in each worker when it accepts requests, unless it replaces another"),
	HOOK(HOOK_ACCEPTING1, "accepting1", "in worker 1 when it accepts requests"),
	HOOK(HOOK_ACCEPTING1_ONCE, "accepting1-once",
	     "in the first worker 1 when it accepts requests"),
	HOOK(HOOK_AS_GATEWAY, "as-gateway", "in each process of the http router"),
	HOOK_EXEC(HOOK_AT_EXIT, "as-user-atexit", "when the server has ended"),
	{ .name = "wait-for-interface",
	  .type = OPT_LIST,
	  .offset = AT(interfaces),
	  .unit = "INTERFACE",
	  .help = "wait until there is this network interface, before root is given up",
	  .example = "eth0" },
	{ .name = "wait-interface", .same_as = "wait-for-interface" },
	{ .name = "wait-for-iface", .same_as = "wait-for-interface" },
	{ .name = "wait-iface", .same_as = "wait-for-interface" },
	{ .name = "wait-for-interface-timeout",
	  .type = OPT_SECONDS,
	  .offset = AT(interface_s),
	  .initial = "60",
	  .max = 86400,
	  .help = "how long the server waits for each interface before it gives up" },
	{ .name = "wait-interface-timeout", .same_as = "wait-for-interface-timeout" },
	{ .name = "wait-for-iface-timeout", .same_as = "wait-for-interface-timeout" },
	{ .name = "wait-iface-timeout", .same_as = "wait-for-interface-timeout" },
	{ .name = "wait-for-fs",
	  .type = OPT_LIST,
	  .offset = AT(items),
	  .unit = "PATH",
	  .help = "wait until there is a file or folder of this name, before root is given up",
	  .example = "/srv/shop" },
	{ .name = "wait-for-file",
	  .type = OPT_LIST,
	  .offset = AT(files),
	  .unit = "FILE",
	  .help = "wait until there is this file, before root is given up",
	  .example = "/srv/shop/ready" },
	{ .name = "wait-for-dir",
	  .type = OPT_LIST,
	  .offset = AT(folders),
	  .unit = "FOLDER",
	  .help = "wait until there is this folder, before root is given up",
	  .example = "/srv/shop" },
	{ .name = "wait-for-mountpoint",
	  .type = OPT_LIST,
	  .offset = AT(mountpoints),
	  .unit = "FOLDER",
	  .help = "wait until something is mounted on this folder, before root is given up",
	  .example = "/srv/shop/media" },
	{ .name = "wait-for-fs-timeout",
	  .type = OPT_SECONDS,
	  .offset = AT(item_s),
	  .initial = "60",
	  .max = 86400,
	  .help = "how long the server waits for each file, folder and mount before it gives up" },
	{ .name = "wait-for-socket",
	  .type = OPT_LIST,
	  .offset = AT(sockets),
	  .unit = "ADDRESS",
	  .help = "wait until connections are accepted at this address, before the application is "
		  "imported, at each reload, too",
	  .example = "127.0.0.1:5432" },
	{ .name = "wait-for-socket-timeout",
	  .type = OPT_SECONDS,
	  .offset = AT(socket_s),
	  .initial = "60",
	  .max = 86400,
	  .help = "how long the server waits for each socket before it gives up" },
};
#undef EVERY
#undef HOOK_EXEC
#undef MOUNT
#undef EXEC
#undef HOOK
#undef ROW
#undef AT

static bool is_before_master(enum hook_phase phase)
{
	return phase <= HOOK_AS_USER;
}

static void check_hook(const struct config *cfg, struct report *report, enum hook_phase phase,
		       const char *written)
{
	const char *text = hook_action_text(written);
	const char *instead = hook_action_instead(text);
	char option[32];

	snprintf(option, sizeof option, "hook-%s", phase_names[phase]);
	if (instead)
		uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, option, written,
					"the action %.*s is left out: %s", (int)strcspn(text, ":"),
					text, instead);
	if (hook_action_is(text, "unix_signal") && phase != HOOK_MASTER_START)
		uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, option, written,
					"unix_signal works in hook-master-start only");
	if (hook_action_is(text, "exit") && !is_before_master(phase))
		uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, option, written,
					"exit works before the master starts only");
	if (hook_action_is(text, "alarm") && (phase <= HOOK_MASTER_START || phase == HOOK_AT_EXIT))
		uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, option, written,
					"alarm works while the master runs only");
}

static void check(const struct config *cfg, struct report *report)
{
	const struct hooks_settings *s = uwsgi_options(cfg, &hooks_options);

	for (int phase = 0; phase < HOOK_PHASES; phase++)
		for (size_t i = 0; i < s->hooks[phase].count; i++)
			check_hook(cfg, report, (enum hook_phase)phase,
				   s->hooks[phase].items[i]);
}

const struct option_table hooks_options = {
	.module = "hooks",
	.size = sizeof(struct hooks_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};

/* ---- doing ---- */

struct run {
	enum hook_phase phase;
	struct hook_limits limits;
};

static struct hook_limits limits_of(const struct hooks_settings *s)
{
	return (struct hook_limits){ .file_s = s->item_s,
				     .interface_s = s->interface_s,
				     .socket_s = s->socket_s };
}

/* kind: "hook", whose text is the action as it is, or "mount", "umount", "exec". */
static int run_one(const struct run *r, const char *kind, const char *written, struct error *e)
{
	bool is_hook = strcmp(kind, "hook") == 0;
	const char *phase = phase_names[r->phase];
	const char *shown = is_hook ? hook_action_shown(written) : written;
	const char *text = hook_action_text(written);
	char buffer[8192];
	struct error why;

	if (!is_hook && !(text = as_action(kind, written, buffer, sizeof buffer)))
		return uwsgi_error_set(e, "%s-%s: it is too long", kind, phase);
	uwsgi_log(UWSGI_NOTE, "%s-%s: %s", kind, phase, shown);
	int end = hook_action_run(text, &r->limits, &why);

	if (end > 0 && !is_before_master(r->phase))
		return 0;
	if (end > 0)
		uwsgi_error_set(&why, "it ends the process");
	if (end)
		uwsgi_error_set(e, "%s-%s = %.400s: %s", kind, phase, shown, why.text);
	return end;
}

static int run_list(const struct run *r, const char *kind, const struct option_list *list,
		    struct error *e)
{
	int end = 0;

	for (size_t i = 0; i < list->count && !end; i++)
		end = run_one(r, kind, list->items[i], e);
	return end;
}

static size_t count_of(const struct hooks_settings *s, enum hook_phase phase)
{
	return s->hooks[phase].count + s->mounts[phase].count + s->umounts[phase].count +
	       s->commands[phase].count;
}

bool hooks_come_first(const struct config *cfg)
{
	const struct hooks_settings *s = uwsgi_options(cfg, &hooks_options);
	size_t count = s->items.count + s->files.count + s->folders.count + s->mountpoints.count;

	for (int phase = 0; is_before_master((enum hook_phase)phase); phase++)
		count += count_of(s, (enum hook_phase)phase);
	return count > 0;
}

int hooks_run(const struct config *cfg, enum hook_phase phase, struct error *e)
{
	const struct hooks_settings *s = uwsgi_options(cfg, &hooks_options);
	const struct run r = { phase, limits_of(s) };
	int end;

	if (phase == HOOK_AS_ROOT && geteuid() != 0) {
		if (count_of(s, phase) > 0)
			uwsgi_log(UWSGI_NOTE, "hooks of as-root are left out: the server was "
					      "started as another user");
		return 0;
	}
	if ((end = run_list(&r, "hook", &s->hooks[phase], e)) ||
	    (end = run_list(&r, "mount", &s->mounts[phase], e)) ||
	    (end = run_list(&r, "umount", &s->umounts[phase], e)))
		return end;
	return run_list(&r, "exec", &s->commands[phase], e);
}

int hooks_run_accepting(const struct config *cfg, int worker, bool first, struct error *e)
{
	if (hooks_run(cfg, HOOK_ACCEPTING, e) || (first && hooks_run(cfg, HOOK_ACCEPTING_ONCE, e)))
		return -1;
	if (worker != 1)
		return 0;
	return hooks_run(cfg, HOOK_ACCEPTING1, e) ||
			       (first && hooks_run(cfg, HOOK_ACCEPTING1_ONCE, e))
		       ? -1
		       : 0;
}

/* ---- waiting ---- */

static int wait_for_all(const char *option, enum hook_awaited what, const struct option_list *list,
			long long seconds, struct error *e)
{
	struct error why;

	for (size_t i = 0; i < list->count; i++)
		if (hook_wait(what, list->items[i], seconds, &why))
			return uwsgi_error_set(e, "%s: %s", option, why.text);
	return 0;
}

int hooks_wait(const struct config *cfg, struct error *e)
{
	const struct hooks_settings *s = uwsgi_options(cfg, &hooks_options);

	return wait_for_all("wait-for-interface", AWAIT_INTERFACE, &s->interfaces, s->interface_s,
			    e) ||
			       wait_for_all("wait-for-fs", AWAIT_ANY, &s->items, s->item_s, e) ||
			       wait_for_all("wait-for-file", AWAIT_FILE, &s->files, s->item_s, e) ||
			       wait_for_all("wait-for-dir", AWAIT_FOLDER, &s->folders, s->item_s,
					    e) ||
			       wait_for_all("wait-for-mountpoint", AWAIT_MOUNT, &s->mountpoints,
					    s->item_s, e)
		       ? -1
		       : 0;
}

int hooks_wait_for_sockets(const struct config *cfg, struct error *e)
{
	const struct hooks_settings *s = uwsgi_options(cfg, &hooks_options);

	return wait_for_all("wait-for-socket", AWAIT_SOCKET, &s->sockets, s->socket_s, e);
}

/* ---- the end ---- */

static struct option_list copy_list(struct arena *memory, const struct option_list *from)
{
	const char **items = arena_alloc(memory, from->count * sizeof *items);

	for (size_t i = 0; items && i < from->count; i++)
		items[i] = arena_string(memory, from->items[i], strlen(from->items[i]));
	return (struct option_list){ items, items ? from->count : 0 };
}

void hooks_keep(struct hooks_kept *kept, const struct config *cfg)
{
	const struct hooks_settings *s = uwsgi_options(cfg, &hooks_options);

	hooks_forget(kept);
	kept->limits = limits_of(s);
	kept->hooks = copy_list(&kept->memory, &s->hooks[HOOK_AT_EXIT]);
	kept->commands = copy_list(&kept->memory, &s->commands[HOOK_AT_EXIT]);
	if (!kept->memory.failed)
		return;
	uwsgi_log(UWSGI_ERROR, "out of memory: hook-as-user-atexit and exec-as-user-atexit "
			       "will not run");
	hooks_forget(kept);
}

static void run_each(const struct run *r, const char *kind, const struct option_list *list)
{
	struct error e;

	for (size_t i = 0; i < list->count; i++)
		if (run_one(r, kind, list->items[i], &e) < 0)
			uwsgi_log(UWSGI_ERROR, "%s", e.text);
}

void hooks_run_kept(struct hooks_kept *kept, int64_t by_ms)
{
	struct run r = { HOOK_AT_EXIT, kept->limits };

	r.limits.by_ms = by_ms;
	run_each(&r, "hook", &kept->hooks);
	run_each(&r, "exec", &kept->commands);
}

void hooks_forget(struct hooks_kept *kept)
{
	arena_fini(&kept->memory);
	*kept = (struct hooks_kept){ 0 };
}

/* ---- signals ---- */

bool hooks_next_signal(const struct config *cfg, size_t *i, int *signal, const char **function)
{
	const struct hooks_settings *s = uwsgi_options(cfg, &hooks_options);
	const struct option_list *list = &s->hooks[HOOK_MASTER_START];

	while (*i < list->count) {
		const char *text = hook_action_text(list->items[(*i)++]);
		char *end;

		if (!hook_action_is(text, "unix_signal"))
			continue;
		*signal = (int)strtol(text + sizeof "unix_signal", &end, 10);
		*function = end + strspn(end, " ");
		return true;
	}
	return false;
}
