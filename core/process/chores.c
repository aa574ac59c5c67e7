/* SPDX-License-Identifier: MIT */
/* chores.c: what follows from a touched file, and from an order of a FIFO. */
#include "process/chores.h"

#include "base/clock.h"
#include "settings/config.h"
#include "work/hook_action.h"

#include <stdio.h>
#include <string.h>

struct chores_settings {
	struct option_list touch_reload, touch_chain, touch_exec, touch_hook;
};

/* What stands behind the file in "FILE COMMAND". */
static const char *behind_file(const char *value)
{
	size_t n = strcspn(value, " \t");

	return value + n + strspn(value + n, " \t");
}

static int valid_exec(const char *value, struct error *e)
{
	if (strcspn(value, " \t") && *behind_file(value))
		return 0;
	return uwsgi_error_set(e, "expected FILE COMMAND");
}

static int valid_hook(const char *value, struct error *e)
{
	if (strcspn(value, " \t") && *behind_file(value))
		return hook_action_check(hook_action_text(behind_file(value)), e);
	return uwsgi_error_set(e, "expected FILE ACTION:WORDS");
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
	{ .name = "hook-touch",
	  .type = OPT_LIST,
	  .offset = AT(touch_hook),
	  .text = true,
	  .valid = valid_hook,
	  .unit = "FILE ACTION:WORDS",
	  .help = "do an action of a hook, in a process of its own, when this file is touched, or "
		  "anything directly in this folder",
	  .example = "/srv/shop/deployed unlink:/srv/shop/cache.db" },
};
#undef AT

static void check(const struct config *cfg, struct report *report)
{
	static const char *const vain[] = { "cd",     "chdir",  "exit",  "putenv",
					    "setgid", "setuid", "umask", "unix_signal" };
	const struct chores_settings *s = uwsgi_options(cfg, &chores_options);

	for (size_t i = 0; i < s->touch_hook.count; i++) {
		const char *item = s->touch_hook.items[i];
		const char *action = hook_action_text(behind_file(item));
		const char *instead = hook_action_instead(action);

		if (instead)
			uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, "hook-touch", item,
						"the action is left out: %s", instead);
		for (size_t k = 0; k < sizeof vain / sizeof *vain; k++)
			if (hook_action_is(action, vain[k]))
				uwsgi_config_doubt_item(
					cfg, report, UWSGI_WARNING, "hook-touch", item,
					"%s changes a process that ends with it", vain[k]);
	}
}

const struct option_table chores_options = {
	.module = "touched files",
	.size = sizeof(struct chores_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
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

static void run_touched(struct chores *c, const char *item, const char *option, bool is_action)
{
	int n = (int)strcspn(item, " \t");
	char why[256];
	const struct job_order order = {
		.command = behind_file(item), .name = option, .is_action = is_action, .why = why
	};

	snprintf(why, sizeof why, ", %.*s was touched", n < 200 ? n : 200, item);
	jobs_run(&c->jobs, &order, clock_monotonic_ms());
}

static void on_exec_touched(void *data, const char *item)
{
	run_touched(data, item, "touch-exec", false);
}

static void on_hook_touched(void *data, const char *item)
{
	run_touched(data, item, "hook-touch", true);
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
	touch_init(&c->hook, loop, on_hook_touched, c);
	c->exec.has_rest = true;
	c->hook.has_rest = true;
}

/* Orders are taken to the last: a stop may have to be made quicker. */
void chores_use(struct chores *c, const struct config *cfg)
{
	const struct chores_settings *s = cfg ? uwsgi_options(cfg, &chores_options) : NULL;

	touch_watch(&c->reload, s ? &s->touch_reload : NULL);
	touch_watch(&c->chain, s ? &s->touch_chain : NULL);
	touch_watch(&c->exec, s ? &s->touch_exec : NULL);
	touch_watch(&c->hook, s ? &s->touch_hook : NULL);
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
	touch_carry(&c->reload, carry);
	touch_carry(&c->chain, carry);
	touch_carry(&c->exec, carry);
	touch_carry(&c->hook, carry);
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
