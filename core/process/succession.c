/* SPDX-License-Identifier: MIT */
/* succession.c: begins generations, lets the one that is ready take over, gives up those that fail,
 * and frees those that are gone.  What is said of it is announce.c's; signals and the loop are
 * master.c's. */
#include "process/succession.h"

#include "base/clock.h"
#include "process/emperor.h"
#include "process/master.h"
#include "process/observe.h"
#include "work/applications.h"
#include "work/worker.h"

#include <stdio.h>

/* INT and QUIT: what is running may take that long to end by itself. */
#define STOP_NOW_S 1
/* A lost zygote that cannot be replaced: first after this, then each time after twice as long. */
#define RETRY_MS 1000
#define LONGEST_RETRY_MS 60000
/* One that lived less than this is not replaced at once, either. */
#define YOUNG_MS 10000

static const struct master_settings *settings_of(const struct generation *g)
{
	return uwsgi_options(g->config, &master_options);
}

static void put_in_force(const struct succession *s, const struct config *cfg)
{
	s->setup->in_force(s->setup->data, cfg);
}

/* ---- the list ---- */

/* The newest first, and each knows the sockets of the older ones. */
static void link_sockets(struct succession *s)
{
	for (struct generation *g = s->generations; g; g = g->next)
		g->listeners.older = g->next ? &g->next->listeners : NULL;
}

static const struct listeners *open_sockets(const struct succession *s)
{
	return s->generations ? &s->generations->listeners : NULL;
}

static int begin(struct succession *s, struct config *cfg, struct listeners *listeners,
		 struct error *e)
{
	struct generation *g =
		generation_new(s->host, cfg, listeners, open_sockets(s), s->count + 1, e);

	if (!g)
		return -1;
	s->count++;
	g->is_reload = s->serving != NULL;
	if (s->serving)
		elastic_follow(g, s->serving);
	g->awaited = s->setup->announcer->starter >= 0;
	g->next = s->generations;
	s->generations = g;
	link_sockets(s);
	if (generation_start(g, e)) {
		s->generations = g->next;
		generation_free(g, open_sockets(s), true);
		return -1;
	}
	s->starting = g;
	s->setup->begun(s->setup->data, g);
	return 0;
}

/* True: one was freed, and another may be finished by that. */
static bool free_gone(struct succession *s, struct generation *g)
{
	struct generation **at = &s->generations;

	/* The serving one goes last, so that what its paths become is decided by its settings. */
	if (g == s->serving && (g->next || g != s->generations))
		return false;
	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	link_sockets(s);
	/* While another one serves, the paths that only this one had bound are of no use. */
	bool unlink_paths = settings_of(g)->vacuum || (s->serving && s->serving != g);
	if (s->serving == g)
		s->serving = NULL;
	generation_free(g, open_sockets(s), unlink_paths);
	return true;
}

/* ---- stopping ---- */

/* There is nothing to go on with. */
static void end_server(struct succession *s, int exit_code)
{
	s->exit_code = exit_code;
	s->stopping = true;
	put_in_force(s, NULL);
	for (struct generation *g = s->generations; g; g = g->next)
		generation_kill(g);
}

/* It serves on, for clients and load balancers that do not know yet. */
static void begin_drain(struct succession *s, const struct generation *main)
{
	const struct drain_settings *d = uwsgi_options(main->config, &drain_options);
	int64_t now_ms = clock_monotonic_ms();

	s->tells = s->setup->drains(s->setup->data, main->config);
	if (s->paused) {
		s->paused = false;
		s->resume_by_ms = now_ms + main->limits->reload_mercy_s * 1000;
		elastic_pause(s->serving, false,
			      "the server stops, and serves the connections that waited");
	}
	generation_withdraw(s->serving);
	if (s->starting)
		generation_drain(s->starting, main->limits->reload_mercy_s, s->serving);
	drain_begin(&s->drain, now_ms, d->delay_s * 1000, s->tells || s->resume_by_ms);
}

void succession_stop(struct succession *s, const struct cause *cause, bool now)
{
	if (s->stopping) {
		uwsgi_log(UWSGI_NOTE, "%s again: ending at once", cause->text);
		end_server(s, s->exit_code);
		return;
	}
	struct generation *main = s->serving ? s->serving : s->generations;
	const struct drain_settings *d = uwsgi_options(main->config, &drain_options);
	const long long mercy_s = now ? STOP_NOW_S : main->limits->reload_mercy_s;
	bool drains = !now && main->state == GENERATION_SERVING;

	s->stopping = true;
	s->at_once = now;
	s->mercy_ms = mercy_s * 1000;
	put_in_force(s, NULL);
	announce_stopping(s->setup->announcer, cause, drains ? d : NULL, mercy_s);
	if (drains)
		begin_drain(s, main);
	else
		drain_hurry(&s->drain, clock_monotonic_ms());
	s->starting = NULL;
}

void succession_told(struct succession *s)
{
	s->tells = false;
}

/* In a server that was paused there have to be workers first, if any can come. */
static bool has_resumed(const struct succession *s, int64_t now_ms, int64_t *due_ms)
{
	const struct generation *g = s->serving;

	if (s->resume_by_ms <= now_ms ||
	    (g && (roster_is_ready(&g->roster) || !generation_can_fork(g))))
		return true;
	clock_keep_earlier(due_ms, s->resume_by_ms);
	return false;
}

/* No new connection can come. */
static void ask_all_to_leave(struct succession *s)
{
	migrate_end(&s->host->workers_left);
	migrate_end(&s->host->gateways_left);
	for (struct generation *g = s->generations; g; g = g->next)
		generation_drain(g, s->at_once ? STOP_NOW_S : g->limits->reload_mercy_s, NULL);
}

/* ---- reloading ---- */

static int64_t repair_delay(unsigned failed)
{
	int64_t delay_ms = (int64_t)RETRY_MS << (failed < 8 ? failed : 8);

	return delay_ms < LONGEST_RETRY_MS ? delay_ms : LONGEST_RETRY_MS;
}

static void reload_failed(struct succession *s, const char *why)
{
	atomic_fetch_add(&s->host->totals->failed_reloads, 1);
	announce_reload_failed(s->setup->announcer, why);
	if (s->serving && !generation_can_fork(s->serving))
		s->repair_at_ms = clock_monotonic_ms() + repair_delay(s->failed_repairs++);
}

static const char *first_error(const struct report *report)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->items[i].severity == UWSGI_ERROR)
			return report->items[i].text;
	return "it cannot be read";
}

/* quietly: only the reason counts. */
static struct config *load(const struct succession *s, const struct invocation *invocation,
			   bool quietly, struct error *e)
{
	struct report report;

	report_init(&report);
	report.again = true;
	struct config *cfg = s->setup->load(invocation, s->setup->loader, &report);
	if (!quietly)
		report_print(&report);
	if (!cfg)
		uwsgi_error_set(e, "the configuration has errors%s%s", quietly ? ": " : "",
				quietly ? first_error(&report) : "");
	report_fini(&report);
	return cfg;
}

/* The configuration that a reload is made of; NULL with the reason. */
static struct config *load_anew(const struct succession *s, bool quietly, struct error *e)
{
	struct invocation invocation = *s->setup->invocation;

	invocation.is_reload = true;
	struct config *cfg = load(s, &invocation, quietly, e);
	if (!cfg)
		return NULL;
	if (!quietly)
		config_print(cfg);
	if (config_exit(cfg) >= 0)
		uwsgi_error_set(e, "the configuration now says exit = %d", config_exit(cfg));
	else
		return cfg;
	config_free(cfg);
	return NULL;
}

/* Up to the new generation's zygote.  Returns -1 with the reason. */
static int begin_reload(struct succession *s, struct error *e)
{
	const struct succession_setup *setup = s->setup;
	struct listeners listeners;
	struct config *cfg = load_anew(s, false, e);

	if (!cfg)
		return -1;
	if (listeners_open(&listeners, cfg, &s->host->loader->plugins, open_sockets(s), e)) {
		config_free(cfg);
		return -1;
	}
	if (generation_check(s->host->loader, cfg, &listeners, e)) {
		listeners_close(&listeners, open_sockets(s), true);
		config_free(cfg);
		return -1;
	}
	logmaster_expect(setup->log, cfg);
	return begin(s, cfg, &listeners, e);
}

void succession_go_on(struct succession *s, const struct cause *cause)
{
	struct error e;

	s->waits = false;
	if (s->stopping)
		return;
	announce_reload(s->setup->announcer, cause);
	if (begin_reload(s, &e))
		reload_failed(s, e.text);
}

static void reload(struct succession *s, const struct cause *cause)
{
	s->reload_wanted = false;
	s->waits = s->setup->replace && s->setup->replace(s->setup->data, cause);
	if (!s->waits)
		succession_go_on(s, cause);
}

void succession_reload(struct succession *s, const struct cause *cause)
{
	if (!announce_asked(s->setup->announcer, cause))
		return;
	if (s->stopping) {
		announce_is_stopping(s->setup->announcer);
		return;
	}
	/* Whoever asks does not want to wait for a first generation that may never be complete:
	 * it goes on as the one that serves. */
	if (!s->serving) {
		s->serving = s->starting;
		s->starting = NULL;
	}
	if (settings_of(s->serving)->exit_on_reload) {
		struct cause with_option = *cause;

		snprintf(with_option.text, sizeof with_option.text, "%.200s, exit-on-reload",
			 cause->text);
		announce_stopping_instead(s->setup->announcer);
		succession_stop(s, &with_option, false);
	} else if (s->starting || s->waits) {
		s->reload_wanted = true;
		s->wanted_by = *cause;
		announce_reload_queued(cause);
	} else {
		reload(s, cause);
	}
}

void succession_chain_reload(struct succession *s, const struct cause *cause)
{
	const struct worker_settings *w =
		s->serving ? uwsgi_options(s->serving->config, &worker_options) : NULL;

	/* Else the application is imported once for all, and a reload that is under way does it. */
	if (s->stopping || s->starting || s->waits || !w || !w->lazy_apps ||
	    s->serving->state != GENERATION_SERVING) {
		succession_reload(s, cause);
		return;
	}
	announce_chain_reload(s->setup->announcer, cause);
	rolling_begin(s->serving);
}

/* ---- news ---- */

static void use(const struct succession *s, const struct config *cfg)
{
	put_in_force(s, cfg);
	logmaster_use(s->setup->log, cfg);
}

static void on_first_ready(struct succession *s, struct generation *g)
{
	s->serving = g;
	atomic_store(&s->host->totals->generation, g->number);
	if (s->starting == g)
		s->starting = NULL;
	announce_serving(s->setup->announcer, g, false);
}

/* Without gateways in the new generation, nobody would take what the old ones give away: they learn
 * that when they try.  Later generations have a queue of their own. */
static void renew_gateways_queue(struct succession *s)
{
	struct error e;

	migrate_end(&s->host->gateways_left);
	migrate_close(&s->host->gateways_left);
	if (migrate_open(&s->host->gateways_left, &e))
		uwsgi_log(UWSGI_ERROR, "%s; routers will close their clients' connections", e.text);
}

static void on_generation_ready(struct succession *s, struct generation *g)
{
	struct generation *old = s->serving;

	s->setup->serves(s->setup->data, g->config);
	if (!old || old == g) {
		on_first_ready(s, g);
		return;
	}
	s->serving = g;
	s->starting = NULL;
	atomic_store(&s->host->totals->generation, g->number);
	atomic_fetch_add(&s->host->totals->reloads, 1);
	/* It was said while this one started. */
	if (s->paused != g->elastic.paused)
		elastic_pause(g, s->paused, s->paused ? "the server is paused" : "it goes on");
	use(s, g->config);
	listeners_apply(&g->listeners, &old->listeners);
	announce_serving(s->setup->announcer, g, true);
	if (!listeners_gateway(&g->listeners))
		renew_gateways_queue(s);
	generation_drain(old, old->limits->reload_mercy_s, g);
}

static void on_generation_failed(struct succession *s, struct generation *g)
{
	if (s->starting == g) {
		s->starting = NULL;
		if (s->serving) {
			reload_failed(s, g->why);
			return;
		}
	} else if (s->starting) {
		/* A first one that was not waited for: what started beside it goes on. */
		s->serving = NULL;
		use(s, s->starting->config);
		uwsgi_log(UWSGI_ERROR, "%s; going on with the reload", g->why);
		return;
	}
	announce_failed_start(s->setup->announcer, g->why);
	end_server(s, g->exit_code);
}

/* The serving generation's zygote is lost, or its application was changed. */
static void on_reload_wanted(struct succession *s, const struct generation *g)
{
	struct cause cause = cause_of(g->why);
	int64_t now_ms = clock_monotonic_ms();

	if (generation_can_fork(g)) {
		succession_reload(s, &cause);
		return;
	}
	uwsgi_log(UWSGI_ERROR,
		  "%s; no worker can be started until the application is imported again", g->why);
	if (now_ms - g->began_ms >= YOUNG_MS)
		s->failed_repairs = 0;
	/* The first one may be an accident. */
	s->repair_at_ms = now_ms + (s->failed_repairs ? repair_delay(s->failed_repairs - 1) : 0);
	s->failed_repairs++;
}

/* Whenever the serving generation has no zygote and none is on its way, there is a time at which
 * one is made.  True: that was now. */
static bool repair(struct succession *s, int64_t *due_ms)
{
	const struct cause cause = cause_of("the process that workers are forked from was lost");

	if (s->stopping || s->starting || s->waits || !s->serving ||
	    generation_can_fork(s->serving))
		return false;
	if (s->repair_at_ms > clock_monotonic_ms()) {
		clock_keep_earlier(due_ms, s->repair_at_ms);
		return false;
	}
	reload(s, &cause);
	return true;
}

static void on_rolled(struct succession *s, const struct generation *g)
{
	const struct rolling *r = &g->rolling;

	atomic_fetch_add(r->why[0] ? &s->host->totals->failed_reloads : &s->host->totals->reloads,
			 1);
	if (g == s->serving)
		announce_chain_reloaded(s->setup->announcer, r->done, r->why);
}

static void on_idle(struct succession *s, const struct generation *g)
{
	const struct cause cause = cause_of("no request for so long as idle says (die-on-idle)");

	/* During a reload somebody is there who wants it to serve. */
	if (g == s->serving && !s->starting && !s->stopping)
		succession_stop(s, &cause, false);
}

/* ---- time ---- */

/* True: something has changed that others may depend on. */
static bool step_generation(struct succession *s, struct generation *g, int64_t *due_ms)
{
	int64_t own_due_ms;
	enum generation_news news = generation_step(g, &own_due_ms);

	clock_keep_earlier(due_ms, own_due_ms);
	switch (news) {
	case GENERATION_QUIET:
		return false;
	case GENERATION_READY:
		on_generation_ready(s, g);
		return true;
	case GENERATION_FAILED:
		on_generation_failed(s, g);
		return true;
	case GENERATION_WANTS_RELOAD:
		if (g == s->serving)
			on_reload_wanted(s, g);
		return true;
	case GENERATION_ROLLED:
		on_rolled(s, g);
		return true;
	case GENERATION_IDLE:
		on_idle(s, g);
		return true;
	case GENERATION_GONE:
		break;
	}
	return free_gone(s, g);
}

int64_t succession_step(struct succession *s)
{
	bool again;
	int64_t due_ms;

	do {
		struct generation *g = s->generations, *next;

		again = false;
		due_ms = 0;
		for (; g; g = next) {
			next = g->next;
			again = step_generation(s, g, &due_ms) || again;
		}
		if (s->reload_wanted && !s->starting && !s->waits && !s->stopping) {
			reload(s, &s->wanted_by);
			again = true;
		}
		int64_t now_ms = clock_monotonic_ms();
		if (!s->tells && has_resumed(s, now_ms, &due_ms))
			drain_told(&s->drain, now_ms);
		if (drain_step(&s->drain, open_sockets(s), now_ms, &due_ms)) {
			ask_all_to_leave(s);
			again = true;
		}
		again = repair(s, &due_ms) || again;
	} while (again);
	return due_ms;
}

/* ---- for the master ---- */

void succession_init(struct succession *s, const struct succession_setup *setup,
		     struct generation_host *host)
{
	*s = (struct succession){ .setup = setup, .host = host, .mercy_ms = STOP_NOW_S * 1000 };
}

int succession_begin(struct succession *s, struct config *cfg, struct listeners *listeners,
		     struct error *e)
{
	if (begin(s, cfg, listeners, e))
		return -1;
	put_in_force(s, s->generations->config);
	return 0;
}

void succession_ended(struct succession *s, const siginfo_t *info)
{
	struct generation *g = s->generations;

	while (g && !generation_ended(g, info))
		g = g->next;
}

const char *succession_name(const struct succession *s, pid_t pid)
{
	for (const struct generation *g = s->generations; g; g = g->next) {
		if (g->zygote == pid)
			return "the process that workers are forked from";
		for (size_t i = 0; i < g->roster.slot_count; i++)
			if (g->roster.slots[i].pid == pid &&
			    g->roster.slots[i].state != SLOT_VACANT)
				return g->roster.slots[i].name;
	}
	return NULL;
}

const struct config *succession_config(const struct succession *s)
{
	const struct generation *g = s->serving ? s->serving : s->generations;

	return g ? g->config : NULL;
}

const struct scoreboard *succession_scoreboard(const struct succession *s, size_t i)
{
	const struct generation *g = s->generations;

	while (g && i-- > 0)
		g = g->next;
	return g ? &g->scoreboard : NULL;
}

const struct listeners *succession_listeners(const struct succession *s)
{
	const struct generation *g = s->serving ? s->serving : s->generations;

	return g ? &g->listeners : NULL;
}

const struct metrics *succession_metrics(const struct succession *s)
{
	const struct generation *g = s->serving ? s->serving : s->generations;

	return g ? &g->metrics : NULL;
}

void succession_resize(struct succession *s, int by, const struct cause *cause)
{
	if (s->serving && !s->stopping)
		elastic_resize(s->serving, by, cause->text);
}

void succession_sleep(struct succession *s, const struct cause *cause)
{
	if (s->serving && !s->stopping)
		elastic_sleep(s->serving, cause->text);
}

void succession_pause(struct succession *s, const struct cause *cause)
{
	if (!s->serving || s->stopping)
		return;
	s->paused = !s->paused;
	uwsgi_log(UWSGI_NOTE, "%s: %s", cause->text,
		  s->paused ? "paused; running requests are finished, new connections wait"
			    : "going on");
	elastic_pause(s->serving, s->paused, cause->text);
}

void succession_print_status(const struct succession *s)
{
	for (const struct generation *g = s->generations; g; g = g->next)
		observe_print(g);
}

/* What `own` shares with others stays open, and nothing else. */
void succession_enter_child(struct succession *s, const struct generation *own)
{
	for (struct generation *g = s->generations; g; g = g->next)
		g->listeners.older = NULL;
	for (struct generation *g = s->generations; g; g = g->next)
		generation_close_in_child(g, own);
}

/* ---- to another program ---- */

/* More than ever drain at the same time. */
enum { GENERATIONS_MAX = 1000 };

static struct config *load_given(void *data, const struct directives *given, struct error *e)
{
	const struct succession *s = data;
	struct invocation invocation = *s->setup->invocation;

	invocation.given = given;
	return load(s, &invocation, true, e);
}

static void receive(struct succession *s, size_t count, size_t serving, struct carry *c)
{
	struct generation **at = &s->generations;

	for (size_t i = 0; i < count && !c->failed; i++) {
		*at = generation_receive(s->host, c, load_given, s);
		if (*at && i == serving)
			s->serving = *at;
		if (*at)
			at = &(*at)->next;
	}
	link_sockets(s);
}

/* None is starting then, and one serves. */
void succession_carry(struct succession *s, struct carry *c)
{
	size_t count = 0, serving = 0;

	for (struct generation *g = s->generations; g; g = g->next) {
		if (g == s->serving)
			serving = count;
		count++;
	}
	carry_int(c, &s->count, 1, INT32_MAX);
	carry_bool(c, &s->reload_wanted);
	carry_bool(c, &s->paused);
	carry_text(c, s->wanted_by.text, sizeof s->wanted_by.text);
	count = carry_count(c, count, GENERATIONS_MAX);
	serving = carry_count(c, serving, count - 1);
	if (c->reading)
		receive(s, count, serving, c);
	for (struct generation *g = s->generations; !c->reading && g; g = g->next)
		generation_carry(g, c);
	if (c->reading && !s->serving)
		carry_fail(c, "no generation serves");
}

void succession_resume(struct succession *s, const struct cause *cause)
{
	for (struct generation *g = s->generations; g; g = g->next)
		generation_resume(g);
	put_in_force(s, s->serving->config);
	succession_go_on(s, cause);
}

int succession_rehearse(struct succession *s, struct error *e)
{
	struct config *cfg = load_anew(s, true, e);
	/* Without sockets an emperor needs none. */
	bool fits = cfg && (emperor_is_named(cfg) || applications_find(s->host->loader, cfg, e));

	config_free(cfg);
	return fits ? 0 : -1;
}
