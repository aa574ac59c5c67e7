/* SPDX-License-Identifier: MIT */
/* attached.c: reads attach-daemon and its relatives. */
#include "process/attached.h"

#include "base/owner.h"
#include "base/slice.h"
#include "settings/config.h"
#include "settings/keys.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* How often a pidfile is looked at. */
enum { FREQ_S = 10 };

struct attached_settings {
	struct option_list plain, control, keyed, smart, smart_background;
	bool have_stdin;
};

/* ---- KEY=VALUE,KEY=VALUE ---- */

#define AT(member) offsetof(struct attached, member)
static const struct key key_rows[] = {
	{ "cmd", key_text, AT(command) },
	{ "command", key_text, AT(command) },
	{ "exec", key_text, AT(command) },
	{ "pidfile", key_text, AT(pidfile) },
	{ "freq", key_seconds, AT(freq_s) },
	{ "daemonize", key_flag, AT(daemonizes) },
	{ "daemon", key_flag, AT(daemonizes) },
	{ "control", key_flag, AT(control) },
	{ "touch", key_text, AT(touch) },
	{ "stopsignal", key_signal, AT(stop_signal) },
	{ "stop_signal", key_signal, AT(stop_signal) },
	{ "reloadsignal", key_signal, AT(reload_signal) },
	{ "reload_signal", key_signal, AT(reload_signal) },
	{ "stdin", key_flag, AT(has_stdin) },
	{ "uid", key_text, AT(user) },
	{ "gid", key_text, AT(group) },
	{ "chdir", key_text, AT(folder) },
	{ "max_throttle", key_seconds, AT(longest_delay_s) },
	{ "ns_pid", NULL, 0 },
	{ "legion", NULL, 0 },
	{ "notifypid", NULL, 0 },
};
#undef AT
static const struct keys keys = { key_rows, sizeof key_rows / sizeof *key_rows };

static int read_pairs(struct attached *a, struct error *e)
{
	if (keys_read(&keys, a->text, a, e))
		return -1;
	return a->command && *a->command ? 0 : uwsgi_error_set(e, "expected cmd=COMMAND");
}

/* "PIDFILE COMMAND", "PIDFILE,FREQ COMMAND" */
static int read_smart(struct attached *a, struct error *e)
{
	static const struct key freq = { "freq", key_seconds, offsetof(struct attached, freq_s) };
	char *blank = strchr(a->text, ' '), *comma;

	if (!blank || blank == a->text || !blank[1])
		return uwsgi_error_set(e, "expected PIDFILE COMMAND");
	*blank = '\0';
	a->pidfile = a->text;
	a->command = blank + 1;
	comma = strchr(a->text, ',');
	if (!comma)
		return 0;
	*comma = '\0';
	return key_seconds(&freq, a, comma + 1, e);
}

enum form { FORM_PLAIN, FORM_CONTROL, FORM_KEYED, FORM_SMART, FORM_SMART_BACKGROUND };

static int read_attached(struct attached *a, enum form form, const char *value, struct error *e)
{
	*a = (struct attached){ .text = strdup(value),
				.size = strlen(value) + 1,
				.freq_s = FREQ_S,
				.stop_signal = SIGTERM,
				.control = form == FORM_CONTROL,
				.daemonizes = form == FORM_SMART_BACKGROUND };
	if (!a->text)
		return uwsgi_error_set(e, "out of memory");
	if (form == FORM_KEYED)
		return read_pairs(a, e);
	if (form == FORM_SMART || form == FORM_SMART_BACKGROUND)
		return read_smart(a, e);
	a->command = a->text;
	return *a->text ? 0 : uwsgi_error_set(e, "expected COMMAND");
}

bool attached_is_same(const struct attached *a, const struct attached *b)
{
	return a->size == b->size && !memcmp(a->text, b->text, a->size) &&
	       a->control == b->control && a->daemonizes == b->daemonizes &&
	       a->has_stdin == b->has_stdin && !a->pidfile == !b->pidfile;
}

void attached_fini(struct attached *a)
{
	free(a->text);
}

/* ---- options ---- */

static int check_value(enum form form, const char *value, struct error *e)
{
	struct attached a;
	int result = read_attached(&a, form, value, e);
	uid_t uid;
	gid_t gid;

	if (result == 0 && a.user)
		result = owner_user(a.user, &uid, &gid, e);
	if (result == 0 && a.group)
		result = owner_group(a.group, &gid, e);
	attached_fini(&a);
	return result;
}

static int valid_plain(const char *value, struct error *e)
{
	return check_value(FORM_PLAIN, value, e);
}

static int valid_keyed(const char *value, struct error *e)
{
	return check_value(FORM_KEYED, value, e);
}

static int valid_smart(const char *value, struct error *e)
{
	return check_value(FORM_SMART, value, e);
}

#define AT(member) offsetof(struct attached_settings, member)
static const struct option rows[] = {
	{ .name = "attach-daemon",
	  .type = OPT_LIST,
	  .offset = AT(plain),
	  .text = true,
	  .valid = valid_plain,
	  .unit = "COMMAND",
	  .help = "run this command beside the workers: it is started again when it ends and at "
		  "each reload, and ended with the server, with all that it has started",
	  .example = "celery -A shop worker",
	  .differs = "what the command has started stays when it is killed or the master is" },
	{ .name = "attach-control-daemon",
	  .type = OPT_LIST,
	  .offset = AT(control),
	  .text = true,
	  .valid = valid_plain,
	  .unit = "COMMAND",
	  .help = "as attach-daemon, and the server ends when the command does",
	  .example = "/usr/local/bin/main-loop" },
	{ .name = "attach-daemon2",
	  .type = OPT_LIST,
	  .offset = AT(keyed),
	  .text = true,
	  .valid = valid_keyed,
	  .unit = "KEY=VALUE,...",
	  .help = "as attach-daemon, with keys: cmd, control, stopsignal, reloadsignal (sent at a "
		  "reload, instead of a new start), touch (a file: when it is touched, it is started "
		  "anew), max_throttle (the longest delay before another start, in seconds), "
		  "chdir, uid, gid, stdin, pidfile, freq, daemonize; a comma in a value has a "
		  "backslash before it",
	  .example = "cmd=celery -A shop worker,stopsignal=QUIT" },
	{ .name = "smart-attach-daemon",
	  .type = OPT_LIST,
	  .offset = AT(smart),
	  .text = true,
	  .valid = valid_smart,
	  .unit = "PIDFILE COMMAND",
	  .help = "see to it that the process runs whose number is in this file: the command starts "
		  "it, which writes the file, at most every 10 seconds, or as PIDFILE,SECONDS "
		  "says; it goes on when the server ends",
	  .example = "/run/memcached.pid memcached -d -P /run/memcached.pid" },
	{ .name = "smart-attach-daemon2",
	  .type = OPT_LIST,
	  .offset = AT(smart_background),
	  .text = true,
	  .valid = valid_smart,
	  .unit = "PIDFILE COMMAND",
	  .help = "as smart-attach-daemon, for a command that stays in the foreground: the server "
		  "writes the file",
	  .example = "/run/memcached.pid memcached" },
	{ .name = "daemons-honour-stdin",
	  .type = OPT_FLAG,
	  .offset = AT(have_stdin),
	  .initial = "false",
	  .help = "the commands have the server's standard input; else /dev/null" },
};
#undef AT

static void check(const struct config *cfg, struct report *report)
{
	const struct attached_settings *s = uwsgi_options(cfg, &attached_options);
	struct attached a;
	struct error e;

	for (size_t i = 0; i < s->keyed.count; i++) {
		const char *item = s->keyed.items[i];

		keys_doubt(&keys, slice_of(item), cfg, report, "attach-daemon2", item, "");
		if (read_attached(&a, FORM_KEYED, item, &e) == 0 && a.pidfile &&
		    (a.control || a.touch || a.reload_signal))
			uwsgi_config_doubt_item(
				cfg, report, UWSGI_WARNING, "attach-daemon2", item,
				"control, touch and reloadsignal do nothing for a "
				"command with a pidfile, which the server leaves alone");
		attached_fini(&a);
	}
}

const struct option_table attached_options = {
	.module = "attached programs",
	.size = sizeof(struct attached_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};

/* ---- all of them ---- */

static void add(struct attached *all, size_t *count, enum form form, const struct option_list *list)
{
	struct error e;

	for (size_t i = 0; i < list->count; i++) {
		if (read_attached(&all[*count], form, list->items[i], &e) == 0) {
			(*count)++;
			continue;
		}
		/* It was checked before. */
		uwsgi_log(UWSGI_ERROR, "%s is not started: %s", list->items[i], e.text);
		attached_fini(&all[*count]);
	}
}

struct attached *attached_find(const struct config *cfg, size_t *count)
{
	const struct attached_settings *s = uwsgi_options(cfg, &attached_options);
	size_t most = s->plain.count + s->control.count + s->keyed.count + s->smart.count +
		      s->smart_background.count;
	struct attached *all = most ? calloc(most, sizeof *all) : NULL;

	*count = 0;
	if (!all) {
		if (most)
			uwsgi_log(UWSGI_ERROR, "out of memory: no attached program is started");
		return NULL;
	}
	add(all, count, FORM_SMART_BACKGROUND, &s->smart_background);
	add(all, count, FORM_SMART, &s->smart);
	add(all, count, FORM_CONTROL, &s->control);
	add(all, count, FORM_PLAIN, &s->plain);
	add(all, count, FORM_KEYED, &s->keyed);
	for (size_t i = 0; i < *count; i++)
		all[i].has_stdin = all[i].has_stdin || s->have_stdin;
	return all;
}
