/* SPDX-License-Identifier: MIT */
/* services.c: starts services, again when they end unasked, and anew when their options change; a
 * roster for each decides when.  What such a process does is in service.c. */
#include "process/services.h"

#include "base/clock.h"
#include "base/hash.h"
#include "process/cause.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How long one may take to start, and to leave. */
enum { START_MS = 30000, MERCY_MS = 1000, MESSAGES_A_TURN = 64 };

static const struct service *service_of(const struct service_place *p)
{
	return p->plugin->service;
}

static struct watch *channel_of(struct service_place *p, const struct slot *slot)
{
	return &p->channel[slot - p->roster.slots];
}

/* ---- which are wanted ---- */

/* A number for what a configuration says to the options of a plugin. */
static uint64_t settings_of(const struct config *cfg, const struct plugin *plugin)
{
	const struct directives *set = config_directives(cfg);
	const struct catalogue *all = config_catalogue(cfg);
	uint64_t hash = HASH_NOTHING;
	struct option_at at;

	for (size_t i = 0; i < set->count; i++) {
		const struct directive *d = &set->items[i];

		if (d->placeholder || !catalogue_find(all, d->name, &at) ||
		    all->tables[at.table] != plugin->options)
			continue;
		hash = hash_text(hash_text(hash, at.row->name), d->value ? d->value : "");
	}
	return hash;
}

/* The same of the sockets, too, which each of its processes has open; never 0. */
static uint64_t sockets_of(const struct listeners *set, uint64_t hash)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct listener *l = &set->items[i];

		if (!l->internal)
			hash = hash_text(hash_text(hash_text(hash, l->option), l->text.address),
					 l->text.port);
	}
	return hash | 1;
}

static struct service_place *place_of(struct services *s, const struct plugin *plugin)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->places[i].plugin == plugin)
			return &s->places[i];
	s->places[s->count] = (struct service_place){ .all = s, .plugin = plugin };
	for (size_t i = 0; i < 2; i++)
		s->places[s->count].channel[i].io.fd = -1;
	return &s->places[s->count++];
}

/* more: how many others follow at once. */
static void tell_board(int channel, const struct scoreboard *b, size_t more)
{
	const struct message m = { .kind = MESSAGE_SCOREBOARD,
				   .slot = (int)more,
				   .value = (int64_t)b->slots,
				   .worker = (int)b->lanes };

	channel_send(channel, &m, b->memory.fd);
}

static void tell_boards(const struct services *s, int channel)
{
	const struct scoreboard *b;
	size_t count = 0;

	while (s->board(s->data, count))
		count++;
	for (size_t i = 0; i < count && (b = s->board(s->data, i)); i++)
		tell_board(channel, b, count - 1 - i);
}

void services_show(struct services *s, const struct scoreboard *board)
{
	for (size_t i = 0; i < s->count; i++)
		for (size_t k = 0; k < 2; k++)
			if (s->places[i].channel[k].io.fd >= 0)
				tell_board(s->places[i].channel[k].io.fd, board, 0);
}

void services_use(struct services *s, const struct config *cfg, const struct listeners *sockets,
		  const struct metrics *metrics)
{
	const uint64_t measured = metrics_definitions(metrics);

	for (size_t i = 0; i < s->loader->plugins.count; i++)
		if (s->loader->plugins.items[i]->service)
			place_of(s, s->loader->plugins.items[i]);
	for (size_t i = 0; i < s->count; i++) {
		struct service_place *p = &s->places[i];

		p->wanted = service_of(p)->wants(cfg)
				    ? sockets_of(sockets, settings_of(cfg, p->plugin) ^ measured)
				    : 0;
	}
}

bool services_give_orders(const struct loader *loader, const struct config *cfg)
{
	for (size_t i = 0; i < loader->plugins.count; i++) {
		const struct service *service = loader->plugins.items[i]->service;

		if (service && service->orders && service->wants(cfg) && service->orders(cfg))
			return true;
	}
	return false;
}

void services_dismiss(struct services *s)
{
	for (size_t i = 0; i < s->count; i++)
		s->places[i].wanted = 0;
}

/* ---- processes ---- */

static void on_message(struct service_place *p, struct slot *slot, const struct message *m, int fd)
{
	if (m->kind == MESSAGE_READY && slot->state == SLOT_STARTING) {
		roster_ready(&p->roster, slot, clock_monotonic_ms());
		uwsgi_log(UWSGI_NOTE, "%s (pid %ld) runs", slot->name, (long)slot->pid);
	} else if (m->kind == MESSAGE_FAILED) {
		uwsgi_log(UWSGI_ERROR, "%s: %s", slot->name, m->text);
	} else if (m->kind == MESSAGE_ORDER && fd >= 0) {
		p->all->relay(p->all->data, m, fd);
	}
	if (fd >= 0)
		close(fd);
}

static void on_channel(struct watch *w)
{
	struct service_place *p = w->data;
	struct slot *slot = &p->roster.slots[w - p->channel];
	struct message m;
	int fd;

	for (int i = 0; i < MESSAGES_A_TURN && channel_next(w, p->all->loop, &m, &fd); i++)
		on_message(p, slot, &m, fd);
	p->all->wake(p->all->data);
}

static void note_fork_failed(struct service_place *p, struct slot *slot, const char *why,
			     int64_t now_ms)
{
	channel_close(channel_of(p, slot), p->all->loop);
	int64_t delay_ms = roster_fork_failed(&p->roster, slot, now_ms);

	uwsgi_log(UWSGI_ERROR, "cannot start %s: %s; trying again in %.1f s", slot->name, why,
		  (double)delay_ms / 1000);
}

static void start(struct service_place *p, struct slot *slot, int64_t now_ms)
{
	struct services *s = p->all;
	struct error e;
	int other = channel_open(channel_of(p, slot), s->loop, on_channel, p, &e);

	if (other < 0) {
		note_fork_failed(p, slot, e.text, now_ms);
		return;
	}
	pid_t pid = s->fork(s->data, service_of(p), slot->name, other);
	int why = errno;

	close(other);
	if (pid < 0) {
		note_fork_failed(p, slot, strerror(why), now_ms);
		return;
	}
	roster_forked(&p->roster, slot, pid);
	tell_boards(s, channel_of(p, slot)->io.fd);
}

static void do_what_is_due(struct service_place *p, int64_t now_ms, int64_t *due_ms)
{
	const struct message leave = { .kind = MESSAGE_LEAVE, .mercy_ms = MERCY_MS };

	for (;;) {
		const struct roster_action a = roster_next(&p->roster, now_ms);

		switch (a.kind) {
		case ROSTER_FORK:
			start(p, a.slot, now_ms);
			break;
		case ROSTER_ASK:
			channel_send(channel_of(p, a.slot)->io.fd, &leave, -1);
			break;
		case ROSTER_KILL:
			uwsgi_log(UWSGI_WARNING, "%s (pid %ld) killed: it did not %s in time",
				  a.slot->name, (long)a.slot->pid,
				  a.was == SLOT_STARTING ? "start" : "leave");
			if (a.slot->pid > 0)
				kill(a.slot->pid, SIGKILL);
			break;
		case ROSTER_WAIT:
			clock_keep_earlier(due_ms, a.due_ms);
			return;
		}
	}
}

/* A service has addresses and files of its own, so its successor comes when it is gone. */
static void step(struct service_place *p, int64_t now_ms, int64_t *due_ms)
{
	const struct roster_row row = { .name = service_of(p)->name, .count = 1 };
	const struct roster_setup setup = { &row, 1, MERCY_MS, START_MS };
	struct error e;

	if (p->running && p->running != p->wanted && !p->roster.drained_by_ms)
		roster_drain(&p->roster, now_ms + MERCY_MS, false);
	if (p->running && p->roster.drained_by_ms && roster_is_vacant(&p->roster)) {
		roster_fini(&p->roster);
		p->running = 0;
	}
	if (!p->running && p->wanted) {
		if (roster_init(&p->roster, &setup, &e)) {
			uwsgi_log(UWSGI_ERROR, "cannot start %s: %s", row.name, e.text);
			return;
		}
		p->roster.open = true;
		p->running = p->wanted;
	}
	if (p->running)
		do_what_is_due(p, now_ms, due_ms);
}

int64_t services_step(struct services *s, int64_t now_ms)
{
	int64_t due_ms = 0;

	for (size_t i = 0; i < s->count; i++)
		step(&s->places[i], now_ms, &due_ms);
	return due_ms;
}

/* ---- ends ---- */

static struct slot *find(const struct service_place *p, pid_t pid)
{
	for (size_t i = 0; p->running && i < p->roster.slot_count; i++)
		if (p->roster.slots[i].pid == pid && p->roster.slots[i].state != SLOT_VACANT)
			return &p->roster.slots[i];
	return NULL;
}

static void on_end(struct service_place *p, struct slot *slot, const siginfo_t *info,
		   int64_t now_ms)
{
	struct watch *channel = channel_of(p, slot);
	char end[128], name[sizeof slot->name];
	struct message m;
	int64_t delay_ms;
	int fd;

	while (channel_next(channel, p->all->loop, &m, &fd))
		on_message(p, slot, &m, fd);
	channel_close(channel, p->all->loop);
	snprintf(name, sizeof name, "%s", slot->name);
	if (!roster_died(&p->roster, slot, now_ms, &delay_ms))
		return;
	cause_of_end(info, end, sizeof end);
	if (delay_ms)
		uwsgi_log(UWSGI_ERROR,
			  "%s (pid %ld) ended unexpectedly: %s; it keeps dying, so it "
			  "is started again in %.1f s",
			  name, (long)info->si_pid, end, (double)delay_ms / 1000);
	else
		uwsgi_log(UWSGI_ERROR, "%s (pid %ld) ended unexpectedly: %s; restarting", name,
			  (long)info->si_pid, end);
}

bool services_ended(struct services *s, const siginfo_t *info, int64_t now_ms)
{
	for (size_t i = 0; i < s->count; i++) {
		struct slot *slot = find(&s->places[i], info->si_pid);

		if (!slot)
			continue;
		on_end(&s->places[i], slot, info, now_ms);
		return true;
	}
	return false;
}

bool services_are_gone(const struct services *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->places[i].running)
			return false;
	return true;
}

void services_enter_child(struct services *s)
{
	for (size_t i = 0; i < s->count; i++)
		for (size_t k = 0; k < 2; k++)
			if (s->places[i].channel[k].io.fd >= 0)
				close(s->places[i].channel[k].io.fd);
}
