/* SPDX-License-Identifier: MIT */
/* attached.c: reads attach-daemon and its relatives. */
#include "process/attached.h"

#include "base/owner.h"
#include "base/signalname.h"
#include "base/slice.h"
#include "settings/nearest.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How often a pidfile is looked at. */
enum { FREQ_S = 10 };

struct attached_settings {
	struct option_list plain, control, keyed, smart, smart_background;
	bool have_stdin;
};

/* ---- words ---- */

static int read_number(const char *text, long long most, long long *number, struct error *e)
{
	char *end;

	*number = strtoll(text, &end, 10);
	if (end != text && !*end && *number >= 0 && *number <= most)
		return 0;
	return uwsgi_error_set(e, "\"%.64s\" is no number from 0 to %lld", text, most);
}

/* ---- NAME=VALUE,NAME=VALUE ---- */

enum key_type { KEY_TEXT, KEY_FLAG, KEY_SECONDS, KEY_SIGNAL, KEY_IGNORED };

#define AT(member) offsetof(struct attached, member)
static const struct key {
	const char *name;
	enum key_type type;
	size_t offset;
} keys[] = {
	{ "cmd", KEY_TEXT, AT(command) },
	{ "command", KEY_TEXT, AT(command) },
	{ "exec", KEY_TEXT, AT(command) },
	{ "pidfile", KEY_TEXT, AT(pidfile) },
	{ "freq", KEY_SECONDS, AT(freq_s) },
	{ "daemonize", KEY_FLAG, AT(daemonizes) },
	{ "daemon", KEY_FLAG, AT(daemonizes) },
	{ "control", KEY_FLAG, AT(control) },
	{ "touch", KEY_TEXT, AT(touch) },
	{ "stopsignal", KEY_SIGNAL, AT(stop_signal) },
	{ "stop_signal", KEY_SIGNAL, AT(stop_signal) },
	{ "reloadsignal", KEY_SIGNAL, AT(reload_signal) },
	{ "reload_signal", KEY_SIGNAL, AT(reload_signal) },
	{ "stdin", KEY_FLAG, AT(has_stdin) },
	{ "uid", KEY_TEXT, AT(user) },
	{ "gid", KEY_TEXT, AT(group) },
	{ "chdir", KEY_TEXT, AT(folder) },
	{ "max_throttle", KEY_SECONDS, AT(longest_delay_s) },
	{ "ns_pid", KEY_IGNORED, 0 },
	{ "legion", KEY_IGNORED, 0 },
	{ "notifypid", KEY_IGNORED, 0 },
};
#undef AT
enum { KEYS = sizeof keys / sizeof *keys };

static const struct key *find_key(const char *name, struct error *e)
{
	const char *names[KEYS];

	for (size_t i = 0; i < KEYS; i++) {
		if (!strcmp(keys[i].name, name))
			return &keys[i];
		names[i] = keys[i].name;
	}
	nearest_refuse("key", slice_of(name), names, KEYS, e);
	return NULL;
}

static int set_key(struct attached *a, const struct key *key, const char *value, struct error *e)
{
	void *at = (char *)a + key->offset;
	int failed = 0;

	switch (key->type) {
	case KEY_TEXT:
		*(const char **)at = value;
		break;
	case KEY_FLAG:
		*(bool *)at = strcmp(value, "0") != 0 && strcasecmp(value, "false") != 0;
		break;
	case KEY_SECONDS:
		failed = read_number(value, 86400LL * 365, at, e);
		break;
	case KEY_SIGNAL:
		failed = signalname_read(value, at, e);
		break;
	case KEY_IGNORED:
		break;
	}
	return failed;
}

/* Ends the pair that begins at text, and returns the next one; NULL: it is the last.  A comma that
 * belongs to a value has a backslash before it, which is taken out. */
static char *cut_pair(char *text)
{
	char *to = text;

	for (; *text && *text != ','; text++) {
		if (text[0] == '\\' && text[1] == ',')
			text++;
		*to++ = *text;
	}
	char *next = *text ? text + 1 : NULL;

	*to = '\0';
	return next;
}

static int read_pairs(struct attached *a, struct error *e)
{
	for (char *pair = a->text, *next; pair; pair = next) {
		next = cut_pair(pair);
		char *equals = strchr(pair, '=');

		if (equals)
			*equals = '\0';
		const struct key *key = find_key(pair, e);

		if (!key || set_key(a, key, equals ? equals + 1 : "1", e))
			return -1;
	}
	return a->command && *a->command ? 0 : uwsgi_error_set(e, "expected cmd=COMMAND");
}

/* "PIDFILE COMMAND", "PIDFILE,FREQ COMMAND" */
static int read_smart(struct attached *a, struct error *e)
{
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
	return read_number(comma + 1, 86400, &a->freq_s, e);
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

static void tell_left_out(const struct config *cfg, struct report *report, const char *value)
{
	static const char *const left_out[] = { "ns_pid=", "legion=", "notifypid=" };

	for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++) {
		const char *at = strstr(value, left_out[i]);

		if (at && (at == value || at[-1] == ','))
			uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "attach-daemon2",
					   "the key %.*s does nothing here",
					   (int)strlen(left_out[i]) - 1, left_out[i]);
	}
}

static void check(const struct config *cfg, struct report *report)
{
	const struct attached_settings *s = uwsgi_options(cfg, &attached_options);
	struct attached a;
	struct error e;

	for (size_t i = 0; i < s->keyed.count; i++) {
		tell_left_out(cfg, report, s->keyed.items[i]);
		if (read_attached(&a, FORM_KEYED, s->keyed.items[i], &e) == 0 && a.pidfile &&
		    (a.control || a.touch || a.reload_signal))
			uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "attach-daemon2",
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
