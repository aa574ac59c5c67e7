/* SPDX-License-Identifier: MIT */
/* crons.c: looks once a minute which commands are due, and runs them.  When one is due is decided in
 * crontime.c. */
#include "process/crons.h"

#include "process/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MINUTE_MS = 60000 };

/* Of so many others can see what they do. */
enum { SHOWN = 64 };

/* ---- what others see ---- */

size_t crons_memory_size(void)
{
	return ring_memory_size(SHOWN, sizeof(struct cron_status));
}

struct ring crons_ring(void *memory)
{
	return (struct ring){ memory, SHOWN, sizeof(struct cron_status) };
}

void crons_show(struct crons *all)
{
	struct cron *c;

	TAILQ_FOREACH(c, &all->list, link) {
		const struct job *job = jobs_of(all->jobs, c->number);
		pid_t pid = job ? job->pid : 0;

		if (pid == c->shown.pid)
			continue;
		c->shown.pid = pid;
		ring_rewrite(&all->ring, c->row, &c->shown);
	}
}

/* ---- which there are ---- */

static struct cron *find_same(const struct crons *all, const struct crontab_entry *what)
{
	struct cron *c;

	TAILQ_FOREACH(c, &all->list, link)
		if (!c->named && c->what.unique == what->unique && !strcmp(c->text, what->text))
			return c;
	return NULL;
}

/* text is copied. */
static struct cron *make(struct crons *all, const char *text, bool unique)
{
	struct cron *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->text = strdup(text);
	if (!c->text) {
		free(c);
		return NULL;
	}
	c->what.unique = unique;
	TAILQ_INSERT_TAIL(&all->list, c, link);
	return c;
}

static struct cron *make_new(struct crons *all, const struct crontab_entry *what)
{
	struct cron *c = make(all, what->text, what->unique);

	if (!c)
		return NULL;
	c->number = ++all->count;
	c->row = ring_write(&all->ring, &c->shown);
	return c;
}

static void describe(struct cron *c)
{
	const struct crontime *when = &c->what.when;

	c->shown.number = c->number;
	c->shown.minute = when->minute;
	c->shown.hour = when->hour;
	c->shown.day = when->day;
	c->shown.month = when->month;
	c->shown.week = when->week;
	c->shown.unique = c->what.unique;
	snprintf(c->shown.command, sizeof c->shown.command, "%s", c->what.command);
}

static void use_one(struct crons *all, const struct crontab_entry *what)
{
	struct cron *c = find_same(all, what);

	if (!c)
		c = make_new(all, what);
	if (!c) {
		uwsgi_log(UWSGI_ERROR, "out of memory: %s does not run", what->command);
		return;
	}
	c->named = true;
	c->what = *what;
	c->what.command = c->text + (what->command - what->text);
	c->what.text = c->text;
	describe(c);
	ring_rewrite(&all->ring, c->row, &c->shown);
}

static void forget(struct crons *all, struct cron *c)
{
	const struct cron_status none = { 0 };

	TAILQ_REMOVE(&all->list, c, link);
	ring_rewrite(&all->ring, c->row, &none);
	free(c->text);
	free(c);
}

static void forget_unnamed(struct crons *all)
{
	struct cron *c, *next;

	for (c = TAILQ_FIRST(&all->list); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (!c->named)
			forget(all, c);
	}
}

/* The clock is the one that the application's own `env` speaks of.  Without commands it is the server's own
 * again: the applications of later generations inherit it. */
static void use_zone(const struct crons *all, const struct config *cfg)
{
	const char *zone = TAILQ_EMPTY(&all->list) ? NULL : environment_variable(cfg, "TZ");

	zone = zone ? zone : all->own_zone;
	if (zone)
		setenv("TZ", zone, 1);
	else
		unsetenv("TZ");
}

void crons_use(struct crons *all, const struct config *cfg)
{
	struct crontab_entry *wanted;
	struct cron *c;
	size_t count;

	if (cfg == all->used)
		return;
	all->used = cfg;
	TAILQ_FOREACH(c, &all->list, link)
		c->named = false;
	wanted = crontab_find(cfg, &count);
	for (size_t i = 0; i < count; i++)
		use_one(all, &wanted[i]);
	free(wanted);
	forget_unnamed(all);
	crons_show(all);
	use_zone(all, cfg);
}

/* What TZ is by now may be a configuration's. */
static void carry_zone(struct crons *all, struct carry *carry)
{
	char *zone = all->own_zone;
	size_t n = zone ? strlen(zone) : 0;

	carry_bytes(carry, &zone, &n, 1 << 16);
	if (!carry->reading)
		return;
	free(all->own_zone);
	all->own_zone = zone;
}

/* NULL: the next one is read. */
static void carry_one(struct crons *all, struct cron *c, struct carry *carry)
{
	char *text = c ? c->text : NULL;
	size_t n = text ? strlen(text) : 0;
	bool unique = c && c->what.unique;

	carry_bytes(carry, &text, &n, 1 << 20);
	carry_bool(carry, &unique);
	if (carry->reading) {
		c = make(all, text ? text : "", unique);
		free(text);
	}
	if (!c) {
		carry_fail(carry, "out of memory");
		return;
	}
	int64_t started_at = c->shown.started_at;

	carry_int(carry, &c->number, 1, INT32_MAX);
	carry_int(carry, &c->told, 0, INT32_MAX);
	carry_u64(carry, &c->row);
	carry_number(carry, &started_at, 0, INT64_MAX);
	c->shown.started_at = started_at;
}

void crons_carry(struct crons *all, struct carry *carry)
{
	struct cron *c;
	size_t count = 0;

	TAILQ_FOREACH(c, &all->list, link)
		count++;
	count = carry_count(carry, count, 65536);
	for (size_t i = 0; carry->reading && i < count && !carry->failed; i++)
		carry_one(all, NULL, carry);
	TAILQ_FOREACH(c, &all->list, link)
		if (!carry->reading)
			carry_one(all, c, carry);
	carry_int(carry, &all->count, 0, INT32_MAX);
	carry_bool(carry, &all->runs);
	carry_ms(carry, &all->clock.looked);
	carry_ms(carry, &all->clock.done);
	carry_ms(carry, &all->looked_ms);
	carry_zone(all, carry);
}

void crons_init(struct crons *all, struct jobs *jobs, struct ring ring)
{
	const char *zone = getenv("TZ");

	*all = (struct crons){ .jobs = jobs, .ring = ring, .own_zone = zone ? strdup(zone) : NULL };
	TAILQ_INIT(&all->list);
}

void crons_fini(struct crons *all)
{
	struct cron *c;

	TAILQ_FOREACH(c, &all->list, link)
		c->named = false;
	forget_unnamed(all);
	free(all->own_zone);
}

/* ---- time ---- */

/* One that is due since longer than a look may be late. */
static void tell_late(const struct crontime_span *span, int64_t due, char *text, size_t size)
{
	time_t at = (time_t)(due * 60);
	struct tm t;

	*text = '\0';
	if (due + 1 < span->until && localtime_r(&at, &t))
		strftime(text, size, ", due since %Y-%m-%d %H:%M", &t);
}

static void run(struct crons *all, struct cron *c, const char *why, const struct crons_now *now)
{
	const struct job *before = jobs_of(all->jobs, c->number);
	char name[24];

	snprintf(name, sizeof name, "cron %d", c->number);
	if (c->what.unique && before) {
		if (c->told != before->pid)
			uwsgi_log(UWSGI_WARNING, "%s is due, but pid %ld still runs (unique): %s",
				  name, (long)before->pid, c->what.command);
		c->told = before->pid;
		return;
	}
	const struct job_order order = { .command = c->what.command,
					 .name = name,
					 .number = c->number,
					 .limit_ms = c->what.limit_s * 1000,
					 .why = why };

	if (jobs_run(all->jobs, &order, now->now_ms) < 0)
		return;
	c->shown.started_at = now->wall_ms / 1000;
	crons_show(all);
}

static void look(struct crons *all, const struct crons_now *now)
{
	int64_t minute = now->wall_ms / MINUTE_MS, due;
	int64_t passed = (now->boot_ms - all->looked_ms + MINUTE_MS / 2) / MINUTE_MS;
	struct crontime_span span;
	struct cron *c;
	char why[64];

	if (!all->runs) {
		all->clock = (struct crontime_clock){ minute - 1, minute - 1 };
		passed = 1;
	}
	all->runs = true;
	if (minute == all->clock.looked)
		return;
	tzset(); /* the machine's zone may be another one now */
	all->looked_ms = now->boot_ms;
	span = crontime_look(&all->clock, minute, passed);
	TAILQ_FOREACH(c, &all->list, link) {
		if (!crontime_is_due(&c->what.when, &span, &due))
			continue;
		tell_late(&span, due, why, sizeof why);
		run(all, c, why, now);
	}
}

int64_t crons_step(struct crons *all, const struct crons_now *now)
{
	if (TAILQ_EMPTY(&all->list)) {
		all->runs = false;
		return 0;
	}
	look(all, now);
	return now->now_ms + MINUTE_MS - now->wall_ms % MINUTE_MS;
}
