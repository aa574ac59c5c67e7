/* SPDX-License-Identifier: MIT */
/* belongings.c: what a generation owns: made before its first process, freed after its last one, and
 * closed in children that are to have none of it. */
#include "process/emperor.h"
#include "process/generation.h"
#include "work/applications.h"
#include "wire/passed.h"
#include "work/worker.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- metrics ---- */

static size_t count_sockets(const struct listeners *all)
{
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++)
		count += !all->items[i].service && !all->items[i].internal;
	return count;
}

/* What the plugins say that there is to be measured and counted. */
static int define_metrics(struct generation *g, struct error *e)
{
	const struct loader *l = g->host->loader;

	metrics_init(&g->metrics);
	for (size_t i = 0; l && i < l->plugins.count; i++) {
		const struct service *s = l->plugins.items[i]->service;

		if (s && s->define && s->wants(g->config))
			s->define(g->config, count_sockets(&g->listeners), &g->metrics);
	}
	if (!g->metrics.count)
		return 0;
	return metrics_settle(&g->metrics, e) || cells_take(g->host->cells, &g->metrics, e) ? -1
											    : 0;
}

/* What a generation takes over from the program before this one. */
struct taken {
	int number;
	struct carry *from;
	int scoreboard; /* its memory */
};

static int open_scoreboard(struct generation *g, const struct taken *taken, struct error *e)
{
	const struct worker_settings *s = uwsgi_options(g->config, &worker_options);
	const int workers = g->roster.workers;
	const struct scoreboard_setup board = { .totals = g->host->totals,
						.generation = g->number,
						.workers = workers,
						.slots = g->roster.slot_count,
						.lanes = (size_t)s->threads };

	if (taken)
		return scoreboard_take_over(&g->scoreboard, &board, taken->scoreboard,
					    taken->from->rehearsal, e);
	/* Its workers have this queue; nobody else needs it. */
	if (workers * s->threads > 1 && migrate_open(&g->neighbours, e))
		return -1;
	return scoreboard_init(&g->scoreboard, &board, e);
}

static int prepare(struct generation *g, const struct taken *taken, struct error *e)
{
	const struct worker_settings *s = uwsgi_options(g->config, &worker_options);
	const struct gateway *gateway = listeners_gateway(&g->listeners);
	struct gateway_needs needs = { 0 };

	if (gateway)
		gateway->needs(g->config, &needs);
	const int processes = g->is_bare ? 0 : (int)s->processes;
	const struct roster_row rows[] = {
		{ .name = "worker", .count = processes, .by_zygote = true },
		{ .name = gateway ? gateway->name : "", .count = needs.processes },
	};
	const struct roster_setup roster = {
		.rows = rows,
		.row_count = sizeof rows / sizeof *rows,
		.mercy_ms = g->limits->worker_mercy_s * 1000,
		.start_ms = g->limits->reload_timeout_s * 1000,
	};
	if (roster_init(&g->roster, &roster, e))
		return -1;
	if (define_metrics(g, e) || open_scoreboard(g, taken, e) || elastic_init(g, e))
		return -1;
	g->slot_channel = calloc(g->roster.slot_count, sizeof *g->slot_channel);
	if (!g->slot_channel)
		return uwsgi_error_set(e, "out of memory");
	for (size_t i = 0; i < g->roster.slot_count; i++)
		g->slot_channel[i].io.fd = -1;
	return 0;
}

int generation_check(const struct loader *ld, const struct config *cfg,
		     const struct listeners *listeners, struct error *e)
{
	if (!listeners_take_nothing(listeners))
		return applications_find(ld, cfg, e) ? 0 : -1;
	if (emperor_is_named(cfg))
		return 0;
	return uwsgi_error_set(e, "nothing to listen on");
}

static struct generation *make(const struct generation_host *host, struct config *cfg,
			       struct listeners *listeners, const struct listeners *kept,
			       int number, const struct taken *taken, struct error *e)
{
	struct generation *g = calloc(1, sizeof *g);

	if (!g) {
		listeners_close(listeners, kept, true);
		config_free(cfg);
		uwsgi_error_set(e, "out of memory");
		return NULL;
	}
	*g = (struct generation){
		.number = number,
		.host = host,
		.config = cfg,
		.listeners = *listeners,
		.limits = uwsgi_options(cfg, &limits_options),
		.is_bare = emperor_is_named(cfg) && listeners_take_nothing(listeners),
		.neighbours = MIGRATE_NO_QUEUE,
		.zygote_channel = { .io.fd = -1 },
		.began_ms = host->calls->now_ms(),
	};
	*listeners = (struct listeners){ 0 };
	if (prepare(g, taken, e)) {
		generation_free(g, kept, !taken);
		return NULL;
	}
	return g;
}

struct generation *generation_new(const struct generation_host *host, struct config *cfg,
				  struct listeners *listeners, const struct listeners *kept,
				  int number, struct error *e)
{
	return make(host, cfg, listeners, kept, number, NULL, e);
}

void generation_free(struct generation *g, const struct listeners *kept, bool unlink_paths)
{
	channel_close(&g->zygote_channel, g->host->loop);
	migrate_close(&g->neighbours);
	listeners_close(&g->listeners, kept, unlink_paths);
	elastic_fini(g);
	roster_fini(&g->roster);
	if (g->scoreboard.board)
		scoreboard_show(&g->scoreboard, STAGE_GONE);
	scoreboard_fini(&g->scoreboard);
	if (g->metrics.count)
		cells_give_back(g->host->cells, &g->metrics);
	metrics_fini(&g->metrics);
	config_free(g->config);
	free(g->slot_channel);
	free(g);
}

/* Who asks a service, and says a password for that, is not to be heard by the application. */
static void close_services(struct listeners *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (!set->items[i].service)
			continue;
		close(set->items[i].fd);
		set->items[i].fd = -1;
	}
}

/* A socket that stayed open there would go on taking connections that nobody accepts. */
void generation_close_in_child(struct generation *g, const struct generation *own)
{
	if (g->zygote_channel.io.fd >= 0)
		close(g->zygote_channel.io.fd);
	for (size_t i = 0; i < g->roster.slot_count; i++)
		if (g->slot_channel[i].io.fd >= 0)
			close(g->slot_channel[i].io.fd);
	if (g == own) {
		close_services(&g->listeners);
		return;
	}
	migrate_close(&g->neighbours);
	listeners_close(&g->listeners, own ? &own->listeners : NULL, false);
	scoreboard_fini(&g->scoreboard);
}

/* ---- to another program ---- */

static void carry_channels(struct generation *g, struct carry *c)
{
	carry_int(c, &g->zygote, 0, INT32_MAX);
	carry_fd(c, &g->zygote_channel.io.fd);
	for (size_t i = 0; i < g->roster.slot_count; i++)
		carry_fd(c, &g->slot_channel[i].io.fd);
}

static void carry_life(struct generation *g, struct carry *c)
{
	int state = (int)g->state;

	carry_int(c, &state, GENERATION_STARTING, GENERATION_DRAINING);
	g->state = (enum generation_state)state;
	carry_ms(c, &g->began_ms);
	carry_ms(c, &g->limits_at_ms);
	carry_bool(c, &g->is_last);
	carry_ms(c, &g->end_ms);
	carry_bool(c, &g->is_reload);
	carry_bool(c, &g->awaited);
	carry_bool(c, &g->late);
	carry_bool(c, &g->zygote_killed);
	carry_bool(c, &g->failed);
	carry_bool(c, &g->elastic.paused);
	carry_int(c, &g->elastic.before_pause, 0, INT32_MAX);
	carry_bool(c, &g->wants_reload);
	carry_int(c, &g->exit_code, 0, 255);
	carry_text(c, g->said, sizeof g->said);
	carry_text(c, g->why, sizeof g->why);
}

static void carry_belongings(struct generation *g, struct carry *c)
{
	roster_carry(&g->roster, c);
	carry_channels(g, c);
	carry_life(g, c);
}

void generation_carry(struct generation *g, struct carry *c)
{
	struct directives set = *config_directives(g->config);
	struct arena unused;

	arena_init(&unused);
	carry_int(c, &g->number, 1, INT32_MAX);
	directives_carry(&set, &unused, c);
	passed_carry(&g->listeners, c);
	if (g->scoreboard.memory.own < 0)
		carry_fail(c, "the memory that workers and master share cannot be handed over");
	carry_fd(c, &g->scoreboard.memory.own);
	carry_belongings(g, c);
	arena_fini(&unused);
}

/* What the settings say of the sockets that are open.  Owns cfg. */
static struct generation *assemble(const struct generation_host *host, const struct taken *taken,
				   struct config *cfg, const struct listeners *open,
				   struct error *e)
{
	struct listeners listeners;

	if (listeners_open(&listeners, cfg, &host->loader->plugins, open, e)) {
		config_free(cfg);
		return NULL;
	}
	if (listeners.count != open->count)
		carry_fail(taken->from, "there are %zu sockets, and the settings name %zu",
			   open->count, listeners.count);
	return make(host, cfg, &listeners, open, taken->number, taken, e);
}

struct generation *generation_receive(const struct generation_host *host, struct carry *c,
				      struct config *(*load)(void *data, const struct directives *,
							     struct error *),
				      void *data)
{
	struct taken taken = { .from = c };
	struct directives set = { 0 };
	struct listeners open = { 0 };
	struct generation *g = NULL;
	struct arena words;
	struct error e;

	arena_init(&words);
	carry_int(c, &taken.number, 1, INT32_MAX);
	directives_carry(&set, &words, c);
	passed_carry(&open, c);
	carry_fd(c, &taken.scoreboard);
	struct config *cfg = c->failed ? NULL : load(data, &set, &e);

	if (cfg)
		g = assemble(host, &taken, cfg, &open, &e);
	if (g) {
		carry_belongings(g, c);
		atomic_store(&g->scoreboard.board->wanted, roster_wanted(&g->roster));
	} else {
		carry_fail(c, "%s", e.text);
	}
	free(open.items);
	directives_fini(&set);
	arena_fini(&words);
	return g;
}
