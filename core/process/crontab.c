/* SPDX-License-Identifier: MIT */
/* crontab.c: reads cron and its relatives. */
#include "process/crontab.h"

#include "base/slice.h"
#include "settings/nearest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct crontab_settings {
	struct option_list plain, unique, keyed;
	long long limit_s;
};

/* ---- NAME=VALUE,NAME=VALUE COMMAND ---- */

enum key { KEY_UNIQUE = CRONTIME_FIELDS, KEY_HARAKIRI, KEY_LEGION, KEYS };

static const char *const keys[KEYS] = {
	[CRONTIME_MINUTE] = "minute", [CRONTIME_HOUR] = "hour", [CRONTIME_DAY] = "day",
	[CRONTIME_MONTH] = "month",   [CRONTIME_WEEK] = "week", [KEY_UNIQUE] = "unique",
	[KEY_HARAKIRI] = "harakiri",  [KEY_LEGION] = "legion",
};

static int find_key(const char *name, struct error *e)
{
	for (int i = 0; i < KEYS; i++)
		if (!strcmp(keys[i], name))
			return i;
	return nearest_refuse("key", slice_of(name), keys, KEYS, e);
}

static int set_limit(struct crontab_entry *c, const char *value, struct error *e)
{
	char *end;

	c->limit_s = strtoll(value, &end, 10);
	if (end != value && !*end && c->limit_s >= 0 && c->limit_s <= 86400LL * 365)
		return 0;
	return uwsgi_error_set(e, "harakiri: \"%.20s\" is no number of seconds", value);
}

static int set_key(struct crontab_entry *c, const char *name, const char *value, struct error *e)
{
	int key = find_key(name, e);

	if (key < 0)
		return -1;
	if (key < CRONTIME_FIELDS)
		return crontime_set(&c->when, (enum crontime_field)key, value, e);
	if (key == KEY_HARAKIRI)
		return set_limit(c, value, e);
	if (key == KEY_UNIQUE)
		c->unique = strcmp(value, "0") != 0 && strcasecmp(value, "false") != 0;
	return 0;
}

static int read_keyed(struct crontab_entry *c, struct error *e)
{
	const char *text = c->text + strspn(c->text, " \t"), *end = text + strcspn(text, " \t");
	char pair[96];

	crontime_init(&c->when);
	for (; text < end; text += text < end && *text == ',') {
		size_t n = strcspn(text, ", \t");

		snprintf(pair, sizeof pair, "%.*s", (int)n, text);
		char *equals = strchr(pair, '=');

		if (!equals || n >= sizeof pair)
			return uwsgi_error_set(e, "expected KEY=VALUE,KEY=VALUE COMMAND");
		*equals = '\0';
		if (set_key(c, pair, equals + 1, e))
			return -1;
		text += n;
	}
	c->command = end + strspn(end, " \t");
	return *c->command ? 0 : uwsgi_error_set(e, "expected KEY=VALUE,KEY=VALUE COMMAND");
}

/* ---- options ---- */

static int valid_plain(const char *value, struct error *e)
{
	struct crontime when;
	const char *command;

	return crontime_read(&when, value, &command, e);
}

static int valid_keyed(const char *value, struct error *e)
{
	struct crontab_entry c = { .text = value };

	return read_keyed(&c, e);
}

#define AT(member) offsetof(struct crontab_settings, member)
static const struct option rows[] = {
	{ .name = "cron",
	  .type = OPT_LIST,
	  .offset = AT(plain),
	  .text = true,
	  .valid = valid_plain,
	  .unit = "MINUTE HOUR DAY MONTH WEEKDAY COMMAND",
	  .help = "run the command at these times: -1 is any, -5 each that 5 divides; Sunday is 0 or "
		  "7; where both days are given, one of them is enough",
	  .example = "59 2 -1 -1 -1 /usr/local/bin/backup",
	  .differs = "what would have run on a machine that slept does not run, and a time that "
		     "summer time leaves out or repeats is left out or repeated" },
	{ .name = "unique-cron",
	  .type = OPT_LIST,
	  .offset = AT(unique),
	  .text = true,
	  .valid = valid_plain,
	  .unit = "MINUTE HOUR DAY MONTH WEEKDAY COMMAND",
	  .help = "as cron, but not while the command still runs from the last time",
	  .example = "-5 -1 -1 -1 -1 /usr/local/bin/fetch" },
	{ .name = "cron2",
	  .type = OPT_LIST,
	  .offset = AT(keyed),
	  .text = true,
	  .valid = valid_keyed,
	  .unit = "KEY=VALUE,... COMMAND",
	  .help = "as cron, with keys: minute, hour, day, month and week, -1 if not given; unique; "
		  "harakiri, seconds after which it is killed",
	  .example = "minute=-5,unique=1,harakiri=120 /usr/local/bin/fetch" },
	{ .name = "cron-harakiri",
	  .type = OPT_SECONDS,
	  .offset = AT(limit_s),
	  .initial = "0",
	  .max = 86400LL * 365,
	  .help = "kill commands of cron, and all that they have started, that run longer than this; "
		  "0: never",
	  .example = "600" },
};
#undef AT

static void check(const struct config *cfg, struct report *report)
{
	const struct crontab_settings *s = uwsgi_options(cfg, &crontab_options);

	for (size_t i = 0; i < s->keyed.count; i++) {
		const char *value = s->keyed.items[i], *at = strstr(value, "legion=");

		if (at && at < value + strcspn(value, " \t") && (at == value || at[-1] == ','))
			uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "cron2",
					   "the key legion does nothing here: the command runs on "
					   "each machine");
	}
}

const struct option_table crontab_options = {
	.module = "cron",
	.size = sizeof(struct crontab_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};

/* ---- all of them ---- */

static void add(struct crontab_entry *all, size_t *count, const struct crontab_settings *s,
		const struct option_list *list)
{
	struct error e;

	for (size_t i = 0; i < list->count; i++) {
		struct crontab_entry *c = &all[*count];

		*c = (struct crontab_entry){ .text = list->items[i],
					     .unique = list == &s->unique,
					     .limit_s = s->limit_s };
		if (list == &s->keyed ? read_keyed(c, &e)
				      : crontime_read(&c->when, c->text, &c->command, &e))
			/* It was checked before. */
			uwsgi_log(UWSGI_ERROR, "%s does not run: %s", c->text, e.text);
		else
			(*count)++;
	}
}

struct crontab_entry *crontab_find(const struct config *cfg, size_t *count)
{
	const struct crontab_settings *s = uwsgi_options(cfg, &crontab_options);
	size_t most = s->plain.count + s->unique.count + s->keyed.count;
	struct crontab_entry *all = most ? calloc(most, sizeof *all) : NULL;

	*count = 0;
	if (!all) {
		if (most)
			uwsgi_log(UWSGI_ERROR, "out of memory: no command of cron runs");
		return NULL;
	}
	add(all, count, s, &s->plain);
	add(all, count, s, &s->unique);
	add(all, count, s, &s->keyed);
	return all;
}
