/* SPDX-License-Identifier: MIT */
/* chores.c: what follows from a touched file, and from an order of a FIFO. */
#include "process/chores.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

struct chores_settings {
	struct option_list touch_reload, touch_chain, touch_exec;
};

static int valid_exec(const char *value, struct error *e)
{
	size_t n = strcspn(value, " \t");

	if (n && value[n + strspn(value + n, " \t")])
		return 0;
	return uwsgi_error_set(e, "expected FILE COMMAND");
}

#define AT(member) offsetof(struct chores_settings, member)
static const struct option rows[] = {
	{ .name = "touch-reload",
	  .type = OPT_LIST,
	  .offset = AT(touch_reload),
	  .unit = "FILE",
	  .help = "reload when this file is touched, or anything directly in this folder",
	  .example = "%p" },
	{ .name = "touch-workers-reload", .same_as = "touch-reload" },
	{ .name = "fs-reload", .same_as = "touch-reload" },
	{ .name = "fs-brutal-reload", .same_as = "touch-reload" },
	{ .name = "touch-chain-reload",
	  .type = OPT_LIST,
	  .offset = AT(touch_chain),
	  .unit = "FILE",
	  .help = "when this file is touched, with lazy-apps, replace one worker after the other, "
		  "each when the one before it serves; without, the same as touch-reload",
	  .example = "%p" },
	{ .name = "touch-exec",
	  .type = OPT_LIST,
	  .offset = AT(touch_exec),
	  .text = true,
	  .valid = valid_exec,
	  .unit = "FILE COMMAND",
	  .help = "run the command when this file is touched, or anything directly in this folder",
	  .example = "/srv/shop/deployed /usr/local/bin/warm-caches" },
};
#undef AT

const struct option_table chores_options = {
	.module = "touched files",
	.size = sizeof(struct chores_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

/* ---- touched files ---- */

static struct cause cause_of_touch(const char *file)
{
	struct cause cause = { .ticket = 0 };

	snprintf(cause.text, sizeof cause.text, "%.200s was touched", file);
	return cause;
}

static void on_reload_touched(void *data, const char *file)
{
	struct chores *c = data;
	const struct cause cause = cause_of_touch(file);

	succession_reload(c->succession, &cause);
	c->wake(c->data);
}

static void on_chain_touched(void *data, const char *file)
{
	struct chores *c = data;
	const struct cause cause = cause_of_touch(file);

	succession_chain_reload(c->succession, &cause);
	c->wake(c->data);
}

static void on_exec_touched(void *data, const char *item)
{
	struct chores *c = data;
	size_t n = strcspn(item, " \t");
	char why[256];
	const struct job_order order = { .command = item + n + strspn(item + n, " \t"),
					 .name = "touch-exec",
					 .why = why };

	snprintf(why, sizeof why, ", %.*s was touched", (int)(n < 200 ? n : 200), item);
	jobs_run(&c->jobs, &order, clock_monotonic_ms());
}

/* ---- orders ---- */

static void on_order(void *data, enum fifo_order order, const struct cause *cause)
{
	struct chores *c = data;
	struct succession *s = c->succession;

	switch (order) {
	case FIFO_RELOAD:
		succession_reload(s, cause);
		break;
	case FIFO_CHAIN_RELOAD:
		succession_chain_reload(s, cause);
		break;
	case FIFO_STOP:
	case FIFO_STOP_NOW:
		c->stop(c->data, cause, order == FIFO_STOP_NOW);
		break;
	case FIFO_MORE:
	case FIFO_FEWER:
		succession_resize(s, order == FIFO_MORE ? 1 : -1, cause);
		break;
	case FIFO_SLEEP:
		succession_sleep(s, cause);
		break;
	case FIFO_PAUSE:
		succession_pause(s, cause);
		break;
	case FIFO_REOPEN_LOG:
		logmaster_reopen(s->setup->log);
		break;
	case FIFO_ROTATE_LOG:
		logmaster_rotate(s->setup->log);
		break;
	case FIFO_STATUS:
		c->print(c->data);
		break;
	case FIFO_PIDFILES:
		uwsgi_log(UWSGI_NOTE, "%s: the master's pid never changes", cause->text);
		break;
	case FIFO_ELSEWHERE:
		uwsgi_log(UWSGI_WARNING, "%s: nothing here does that", cause->text);
		break;
	}
	c->wake(c->data);
}

/* ---- for the master ---- */

void chores_init(struct chores *c, struct ev_loop *loop, struct ring crons)
{
	c->jobs.data = c->data;
	jobs_init(&c->jobs);
	crons_init(&c->crons, &c->jobs, crons);
	fifo_init(&c->fifo, loop);
	c->fifo.ordered = on_order;
	c->fifo.data = c;
	touch_init(&c->reload, loop, on_reload_touched, c);
	touch_init(&c->chain, loop, on_chain_touched, c);
	touch_init(&c->exec, loop, on_exec_touched, c);
	c->exec.has_rest = true;
}

/* Orders are taken to the last: whoever stops the server may want it to be quicker. */
void chores_use(struct chores *c, const struct config *cfg)
{
	const struct chores_settings *s = cfg ? uwsgi_options(cfg, &chores_options) : NULL;

	touch_watch(&c->reload, s ? &s->touch_reload : NULL);
	touch_watch(&c->chain, s ? &s->touch_chain : NULL);
	touch_watch(&c->exec, s ? &s->touch_exec : NULL);
	if (!cfg)
		return;
	fifo_use(&c->fifo, cfg);
	crons_use(&c->crons, cfg);
}

/* Commands may need the server, so none runs before it serves, or when it stops. */
int64_t chores_step(struct chores *c, int64_t now_ms)
{
	const struct crons_now now = { .wall_ms = clock_read_ms(CLOCK_REALTIME),
				       .boot_ms = clock_read_ms(CLOCK_BOOTTIME),
				       .now_ms = now_ms };
	const struct succession *s = c->succession;
	int64_t due_ms = s->serving && !s->stopping ? crons_step(&c->crons, &now) : 0;

	/* Those that have just begun have deadlines, too. */
	clock_keep_earlier(&due_ms, jobs_step(&c->jobs, now_ms));
	return due_ms;
}

bool chores_ended(struct chores *c, const siginfo_t *info, int64_t now_ms)
{
	if (!jobs_ended(&c->jobs, info, now_ms))
		return false;
	crons_show(&c->crons);
	return true;
}

void chores_carry(struct chores *c, struct carry *carry)
{
	jobs_carry(&c->jobs, carry);
	crons_carry(&c->crons, carry);
	fifo_carry(&c->fifo, carry);
}

void chores_enter_child(struct chores *c)
{
	fifo_enter_child(&c->fifo);
}

void chores_fini(struct chores *c)
{
	fifo_fini(&c->fifo);
	crons_fini(&c->crons);
	jobs_fini(&c->jobs);
}
