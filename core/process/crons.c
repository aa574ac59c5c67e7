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

static struct cron *make(struct crons *all, const struct crontab_entry *what)
{
	struct cron *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->text = strdup(what->text);
	if (!c->text) {
		free(c);
		return NULL;
	}
	c->number = ++all->count;
	c->shown = (struct cron_status){ .number = c->number,
					 .minute = what->when.minute,
					 .hour = what->when.hour,
					 .day = what->when.day,
					 .month = what->when.month,
					 .week = what->when.week,
					 .unique = what->unique };
	snprintf(c->shown.command, sizeof c->shown.command, "%s", what->command);
	c->row = ring_write(&all->ring, &c->shown);
	TAILQ_INSERT_TAIL(&all->list, c, link);
	return c;
}

static void use_one(struct crons *all, const struct crontab_entry *what)
{
	struct cron *c = find_same(all, what);

	if (!c)
		c = make(all, what);
	if (!c) {
		uwsgi_log(UWSGI_ERROR, "out of memory: %s does not run", what->command);
		return;
	}
	c->named = true;
	c->what = *what;
	c->what.command = c->text + (what->command - what->text);
	c->what.text = c->text;
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

/* The clock is the one that the application's own `env` speaks of. */
static void use_zone(const struct crons *all, const struct config *cfg)
{
	const char *zone = environment_variable(cfg, "TZ");

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
	if (count)
		use_zone(all, cfg);
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
			uwsgi_log(UWSGI_WARNING, "%s is due, but pid %ld runs still (unique): %s",
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
