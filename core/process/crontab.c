/* SPDX-License-Identifier: MIT */
/* crontab.c: reads cron and its relatives. */
#include "process/crontab.h"

#include "settings/keys.h"

#include <stdlib.h>
#include <string.h>

struct crontab_settings {
	struct option_list plain, unique, keyed;
	long long limit_s;
};

/* ---- KEY=VALUE,KEY=VALUE COMMAND ---- */

static int set_time(const struct key *key, void *to, const char *value, struct error *e)
{
	struct crontab_entry *c = to;

	return crontime_set(&c->when, (enum crontime_field)key->offset, value, e);
}

#define AT(member) offsetof(struct crontab_entry, member)
static const struct key key_rows[] = {
	{ "minute", set_time, CRONTIME_MINUTE },  { "hour", set_time, CRONTIME_HOUR },
	{ "day", set_time, CRONTIME_DAY },        { "month", set_time, CRONTIME_MONTH },
	{ "week", set_time, CRONTIME_WEEK },      { "unique", key_flag, AT(unique) },
	{ "harakiri", key_seconds, AT(limit_s) }, { "legion", NULL, 0 },
};
#undef AT
static const struct keys keys = { key_rows, sizeof key_rows / sizeof *key_rows };

/* The part with the keys. */
static struct slice keys_of(const char *text)
{
	text += strspn(text, " \t");
	return (struct slice){ text, strcspn(text, " \t") };
}

static int read_keyed(struct crontab_entry *c, struct error *e)
{
	struct slice from = keys_of(c->text);

	c->command = from.p + from.n + strspn(from.p + from.n, " \t");
	if (!*c->command || !memchr(from.p, '=', from.n))
		return uwsgi_error_set(e, "expected KEY=VALUE,KEY=VALUE COMMAND");
	char *pairs = strndup(from.p, from.n);
	if (!pairs)
		return uwsgi_error_set(e, "out of memory");
	crontime_init(&c->when);
	int failed = keys_read(&keys, pairs, c, e);
	free(pairs);
	return failed;
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

	for (size_t i = 0; i < s->keyed.count; i++)
		keys_doubt(&keys, keys_of(s->keyed.items[i]), cfg, report, "cron2",
			   s->keyed.items[i], ": the command runs on each machine");
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
