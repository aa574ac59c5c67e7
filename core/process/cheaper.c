/* SPDX-License-Identifier: MIT */
/* cheaper.c: the rules by which workers are added and removed: uWSGI's algorithms, as its
 * documentation describes them, counted in lanes instead of processes.  A look is a second. */
#include "process/cheaper.h"

#include "base/memory.h"
#include "settings/config.h"

#include <stddef.h>

#define AT(member) offsetof(struct cheaper_settings, member)
static const char *const algos[] = { [CHEAPER_SPARE] = "spare",
				     [CHEAPER_SPARE2] = "spare2",
				     [CHEAPER_BACKLOG] = "backlog",
				     [CHEAPER_BUSYNESS] = "busyness",
				     [CHEAPER_MANUAL] = "manual",
				     [CHEAPER_BACKLOG2] = "backlog2",
				     NULL };

static const struct option rows[] = {
	{ .name = "cheaper",
	  .type = OPT_INT,
	  .offset = AT(least),
	  .initial = "0",
	  .max = 1000,
	  .help = "run no more workers than the load needs: at least this many, and at most "
		  "processes; 0: always all of them",
	  .differs = "one that is not less than processes ends the start" },
	{ .name = "cheaper-initial",
	  .type = OPT_INT,
	  .offset = AT(initial),
	  .initial = "0",
	  .max = 1000,
	  .help = "workers that the server starts with; 0: as many as cheaper says",
	  .differs = "a reload begins with it, too; here it begins with as many as run" },
	{ .name = "cheaper-step",
	  .type = OPT_INT,
	  .offset = AT(step),
	  .initial = "1",
	  .min = 1,
	  .max = 1000,
	  .help = "how many workers are added at once" },
	{ .name = "cheaper-algo",
	  .type = OPT_CHOICE,
	  .offset = AT(algo),
	  .initial = "spare",
	  .choices = algos,
	  .help = "by what workers are added and removed: spare, whether one is free; spare2, "
		  "whether cheaper of them are; backlog and backlog2, how many connections wait; "
		  "busyness, the share of time that they run requests; manual, the signals TTIN "
		  "and TTOU alone (docs/scaling.md)",
	  .differs = "another name is taken for spare" },
	{ .name = "cheaper-overload",
	  .type = OPT_SECONDS,
	  .offset = AT(overload_s),
	  .initial = "3",
	  .max = 86400,
	  .help = "spare: how long no worker may be free until one is added; busyness: the time "
		  "over which the share is measured; backlog: how many connections may wait" },
	{ .name = "cheaper-idle",
	  .type = OPT_SECONDS,
	  .offset = AT(idle_s),
	  .initial = "10",
	  .min = 1,
	  .max = 86400,
	  .help = "spare2: how long there must be too many free workers until one is removed" },
	{ .name = "cheaper-rss-limit-soft",
	  .type = OPT_SIZE,
	  .offset = AT(rss_soft),
	  .initial = "0",
	  .help = "add no worker when all together hold so much resident memory; 0: whatever they "
		  "hold",
	  .differs = "needs memory-report" },
	{ .name = "cheaper-rss-limit-hard",
	  .type = OPT_SIZE,
	  .offset = AT(rss_hard),
	  .initial = "0",
	  .help = "remove a worker, down to cheaper, when all together hold so much resident "
		  "memory; 0: never",
	  .differs = "needs memory-report" },
	{ .name = "cheaper-busyness-max",
	  .type = OPT_INT,
	  .offset = AT(max),
	  .initial = "50",
	  .max = 100,
	  .unit = "%",
	  .help = "busyness: add workers when they run requests for more of their time" },
	{ .name = "cheaper-busyness-min",
	  .type = OPT_INT,
	  .offset = AT(min),
	  .initial = "25",
	  .max = 100,
	  .unit = "%",
	  .help = "busyness: remove a worker when they have run requests for less of their time, "
		  "for cheaper-busyness-multiplier times cheaper-overload" },
	{ .name = "cheaper-busyness-multiplier",
	  .type = OPT_INT,
	  .offset = AT(multiplier),
	  .initial = "10",
	  .min = 1,
	  .max = 86400,
	  .help = "busyness: how many times cheaper-overload the load must be low until a worker is "
		  "removed" },
	{ .name = "cheaper-busyness-penalty",
	  .type = OPT_INT,
	  .offset = AT(penalty),
	  .initial = "2",
	  .max = 86400,
	  .help = "busyness: how much cheaper-busyness-multiplier grows when a worker was removed "
		  "and soon added again" },
	{ .name = "cheaper-busyness-verbose",
	  .type = OPT_FLAG,
	  .offset = AT(verbose),
	  .initial = "false",
	  .help = "busyness: log what was measured, each time" },
	{ .name = "cheaper-busyness-backlog-alert",
	  .type = OPT_INT,
	  .offset = AT(alert),
	  .initial = "33",
	  .max = 1 << 20,
	  .help = "busyness: add workers at once when more connections wait; 0: never" },
	{ .name = "cheaper-busyness-backlog-multiplier",
	  .type = OPT_INT,
	  .offset = AT(alert_multiplier),
	  .initial = "3",
	  .min = 1,
	  .max = 86400,
	  .help = "busyness: cheaper-busyness-multiplier for workers that were added because "
		  "connections waited" },
	{ .name = "cheaper-busyness-backlog-step",
	  .type = OPT_INT,
	  .offset = AT(alert_step),
	  .initial = "1",
	  .min = 1,
	  .max = 1000,
	  .help = "busyness: how many workers are added when connections wait" },
	{ .name = "cheaper-busyness-backlog-nonzero",
	  .type = OPT_SECONDS,
	  .offset = AT(nonzero_s),
	  .initial = "60",
	  .max = 86400,
	  .help = "busyness: add workers when connections have waited for so long, however few; 0: "
		  "never" },
	{ .name = "cheap",
	  .type = OPT_FLAG,
	  .offset = AT(cheap),
	  .initial = "false",
	  .help = "start without workers, with the application imported; the first connection "
		  "starts them" },
	{ .name = "idle",
	  .type = OPT_SECONDS,
	  .offset = AT(sleep_s),
	  .initial = "0",
	  .max = 86400LL * 365,
	  .help = "end all workers after so long without a request; the next connection starts them "
		  "again; 0: never" },
	{ .name = "die-on-idle",
	  .type = OPT_FLAG,
	  .offset = AT(die_on_idle),
	  .initial = "false",
	  .help = "stop the server instead, after idle" },
};
#undef AT

static const char *const busyness_alone[] = {
	"cheaper-busyness-max",
	"cheaper-busyness-min",
	"cheaper-busyness-multiplier",
	"cheaper-busyness-penalty",
	"cheaper-busyness-verbose",
	"cheaper-busyness-backlog-alert",
	"cheaper-busyness-backlog-step",
	"cheaper-busyness-backlog-multiplier",
	"cheaper-busyness-backlog-nonzero",
};

static void doubt_useless(const struct config *cfg, struct report *report,
			  const struct cheaper_settings *s)
{
	static const char *const of_cheaper[] = {
		"cheaper-initial",  "cheaper-step",           "cheaper-algo",
		"cheaper-overload", "cheaper-rss-limit-soft", "cheaper-rss-limit-hard"
	};
	size_t n = sizeof of_cheaper / sizeof *of_cheaper;

	for (size_t i = 0; !s->least && i < n; i++)
		if (config_directive(cfg, of_cheaper[i]))
			uwsgi_config_doubt(cfg, report, UWSGI_NOTE, of_cheaper[i],
					   "does nothing without cheaper: all workers always run");
	n = sizeof busyness_alone / sizeof *busyness_alone;
	for (size_t i = 0; s->algo != CHEAPER_BUSYNESS && i < n; i++)
		if (config_directive(cfg, busyness_alone[i]))
			uwsgi_config_doubt(cfg, report, UWSGI_NOTE, busyness_alone[i],
					   "does nothing without cheaper-algo = busyness");
	if (s->die_on_idle && !s->sleep_s)
		uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "die-on-idle",
				   "does nothing without idle, which says after how long");
}

static void check(const struct config *cfg, struct report *report)
{
	const struct cheaper_settings *s = uwsgi_options(cfg, &cheaper_options);
	const long long *processes = uwsgi_config_setting(cfg, "processes");

	doubt_useless(cfg, report, s);
	if (!s->least || !processes)
		return;
	if (s->least >= *processes)
		uwsgi_config_doubt(
			cfg, report, UWSGI_WARNING, "cheaper",
			"must be less than processes (%lld), as it is the least of them; "
			"all of them always run",
			*processes);
	else if (s->initial && (s->initial < s->least || s->initial > *processes))
		uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "cheaper-initial",
				   "must be between cheaper (%lld) and processes (%lld); taken as "
				   "%lld",
				   s->least, *processes,
				   s->initial < s->least ? s->least : *processes);
	if (s->algo == CHEAPER_BUSYNESS && s->min >= s->max)
		uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "cheaper-busyness-min",
				   "must be less than cheaper-busyness-max (%lld): workers would "
				   "come and go",
				   s->max);
	if (s->rss_hard && s->rss_soft >= s->rss_hard)
		uwsgi_config_doubt(
			cfg, report, UWSGI_WARNING, "cheaper-rss-limit-soft",
			"must be less than cheaper-rss-limit-hard: workers would come and "
			"go");
}

const struct option_table cheaper_options = {
	.module = "cheaper",
	.size = sizeof(struct cheaper_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};

/* ---- bounds ---- */

static long long least_of(const struct cheaper_settings *s, int most)
{
	return s->least && s->least < most ? s->least : most;
}

int cheaper_initial(const struct cheaper_settings *s, int most)
{
	long long least = least_of(s, most);

	if (s->initial <= least || least == most)
		return (int)least;
	return s->initial < most ? (int)s->initial : most;
}

int cheaper_bound(const struct cheaper_settings *s, const struct cheaper_view *v, long long change)
{
	long long least = least_of(s, v->most), to = v->workers + change;

	to = to > v->most ? v->most : to < least ? least : to;
	/* Below the least, which only happens without any worker, removing one must not add some. */
	return change < 0 && to > v->workers ? 0 : (int)(to - v->workers);
}

/* ---- the algorithms: what they would, and why ---- */

static long long spare(const struct cheaper_settings *s, struct cheaper *c,
		       const struct cheaper_view *v, struct error *why)
{
	if (v->free == 0)
		c->overloaded++;
	else if (c->overloaded > 0)
		c->overloaded--;
	if (c->overloaded > s->overload_s) {
		uwsgi_error_set(why, "none was free for %d s (cheaper-overload %lld)",
				c->overloaded, s->overload_s);
		c->overloaded = 0;
		return s->step;
	}
	if (c->overloaded > 0 || v->idle <= s->least)
		return 0;
	uwsgi_error_set(why, "%d ran nothing (cheaper %lld)", v->idle, s->least);
	return -1;
}

static long long spare2(const struct cheaper_settings *s, struct cheaper *c,
			const struct cheaper_view *v, struct error *why)
{
	long long missing = s->least - v->idle;

	if (missing > 0) {
		c->idle = 0;
		uwsgi_error_set(why, "only %d ran nothing (cheaper %lld)", v->idle, s->least);
		return missing < s->step ? missing : s->step;
	}
	c->idle = missing < 0 ? c->idle + 1 : 0;
	if (c->idle < s->idle_s)
		return 0;
	uwsgi_error_set(why, "more than %lld ran nothing for %d s (cheaper-idle %lld)", s->least,
			c->idle, s->idle_s);
	c->idle = 0;
	return -1;
}

static long long backlog(const struct cheaper_settings *s, const struct cheaper_view *v,
			 struct error *why)
{
	if (v->waiting > s->overload_s) {
		uwsgi_error_set(why, "%lld connections wait (cheaper-overload %lld)", v->waiting,
				s->overload_s);
		return s->step;
	}
	if (v->waiting > 0 || v->idle == 0)
		return 0;
	uwsgi_error_set(why, "no connection waits, and %d ran nothing", v->idle);
	return -1;
}

/* Connections that wait are a reason to add workers before the window is over. */
static bool is_alert(const struct cheaper_settings *s, struct cheaper *c,
		     const struct cheaper_view *v, struct error *why)
{
	c->waited = v->waiting > 0 ? c->waited + 1 : 0;
	if (s->alert && v->waiting > s->alert) {
		uwsgi_error_set(why, "%lld connections wait (cheaper-busyness-backlog-alert %lld)",
				v->waiting, s->alert);
		return true;
	}
	if (!s->nonzero_s || c->waited <= s->nonzero_s)
		return false;
	uwsgi_error_set(why,
			"connections have waited for %d s (cheaper-busyness-backlog-nonzero %lld)",
			c->waited, s->nonzero_s);
	c->waited = 0;
	return true;
}

/* Over the window that ends with this look. */
static long long judge_busyness(const struct cheaper_settings *s, struct cheaper *c,
				const struct cheaper_view *v, struct error *why)
{
	long long wanted = (c->alerted ? s->alert_multiplier : s->multiplier) + c->penalty;

	c->since_removed += c->since_removed > 0;
	if (c->busyness > s->max) {
		/* A worker that is missed now was removed too soon. */
		if (c->since_removed && c->since_removed <= wanted)
			c->penalty += (int)s->penalty;
		c->since_removed = c->low = 0;
		uwsgi_error_set(why, "busy for %d %% of the last %d s (cheaper-busyness-max %lld)",
				c->busyness, c->looks, s->max);
		return s->step;
	}
	if (c->since_removed > wanted)
		c->since_removed = c->penalty = 0;
	c->low = c->busyness < s->min ? c->low + 1 : 0;
	if (c->low < wanted || cheaper_bound(s, v, -1) == 0)
		return 0;
	uwsgi_error_set(why, "busy for less than %lld %% of %d times %d s (cheaper-busyness-min)",
			s->min, c->low, c->looks);
	c->low = 0;
	c->since_removed = 1;
	c->alerted -= c->alerted > 0;
	return -1;
}

static long long busyness(const struct cheaper_settings *s, struct cheaper *c,
			  const struct cheaper_view *v, struct error *why)
{
	c->told = false;
	c->looks++;
	c->elapsed_us += v->elapsed_us * v->lanes;
	c->ran_us += v->ran_us;
	if (is_alert(s, c, v, why)) {
		c->alerted += cheaper_bound(s, v, s->alert_step);
		c->low = 0;
		return s->alert_step;
	}
	if (c->looks < s->overload_s)
		return 0;
	long long share = c->elapsed_us > 0 ? 100 * c->ran_us / c->elapsed_us : 0;
	c->busyness = share > 100 ? 100 : (int)share;
	c->told = true;
	long long change = judge_busyness(s, c, v, why);
	c->looks = 0;
	c->elapsed_us = c->ran_us = 0;
	return change;
}

static long long ask(const struct cheaper_settings *s, struct cheaper *c,
		     const struct cheaper_view *v, struct error *why)
{
	switch ((enum cheaper_algo)s->algo) {
	case CHEAPER_SPARE:
		return spare(s, c, v, why);
	case CHEAPER_SPARE2:
		return spare2(s, c, v, why);
	case CHEAPER_BACKLOG:
	case CHEAPER_BACKLOG2:
		return backlog(s, v, why);
	case CHEAPER_BUSYNESS:
		return busyness(s, c, v, why);
	case CHEAPER_MANUAL:
		break;
	}
	return 0;
}

/* ---- memory ---- */

static int mind_memory(const struct cheaper_settings *s, struct cheaper *c,
		       const struct cheaper_view *v, int change, struct error *why)
{
	bool soft = s->rss_soft && v->resident >= (uint64_t)s->rss_soft;
	bool hard = s->rss_hard && v->resident >= (uint64_t)s->rss_hard;
	int fewer = hard ? cheaper_bound(s, v, -1) : 0;
	bool held = change > 0 && (soft || hard);

	if (fewer < 0) {
		uwsgi_error_set(why, "they hold %lld MB of memory (cheaper-rss-limit-hard %lld MB)",
				memory_mb(v->resident), memory_mb((uint64_t)s->rss_hard));
		return fewer;
	}
	if (held && !c->held)
		uwsgi_error_set(
			why, "another one is wanted, but they hold %lld MB of memory (%s %lld MB)",
			memory_mb(v->resident),
			soft ? "cheaper-rss-limit-soft" : "cheaper-rss-limit-hard",
			memory_mb((uint64_t)(soft ? s->rss_soft : s->rss_hard)));
	else if (held)
		why->text[0] = '\0';
	if (held || !soft)
		c->held = held;
	return held ? 0 : change;
}

int cheaper_decide(const struct cheaper_settings *s, struct cheaper *c,
		   const struct cheaper_view *v, struct error *why)
{
	why->text[0] = '\0';
	/* Those that were asked for and do not accept yet are to show first what they change. */
	if (least_of(s, v->most) == v->most || v->workers == 0 || v->serving < v->workers)
		return 0;
	int change = cheaper_bound(s, v, ask(s, c, v, why));
	if (!change)
		why->text[0] = '\0';
	return mind_memory(s, c, v, change, why);
}
