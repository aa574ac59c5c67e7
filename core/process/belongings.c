/* SPDX-License-Identifier: MIT */
/* belongings.c: what a generation owns: made before its first process, freed after its last one, and
 * closed in children that are to have none of it. */
#include "process/emperor.h"
#include "process/generation.h"
#include "work/applications.h"
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

static int prepare(struct generation *g, struct error *e)
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
	const struct scoreboard_setup board = { .totals = g->host->totals,
						.generation = g->number,
						.workers = processes,
						.slots = g->roster.slot_count,
						.lanes = (size_t)s->threads };
	if (define_metrics(g, e) || scoreboard_init(&g->scoreboard, &board, e) ||
	    elastic_init(g, e) || (processes * s->threads > 1 && migrate_open(&g->neighbours, e)))
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

struct generation *generation_new(const struct generation_host *host, struct config *cfg,
				  struct listeners *listeners, const struct listeners *kept,
				  int number, struct error *e)
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
	if (prepare(g, e)) {
		generation_free(g, kept, true);
		return NULL;
	}
	return g;
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
