/* SPDX-License-Identifier: MIT */
/* services.c: which services run, and what the master and they say to each other.  When each is
 * started is decided in kept.c, what such a process does is in service.c. */
#include "process/services.h"

#include "base/clock.h"
#include "base/hash.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How long one may take to start, and to leave. */
enum { START_MS = 30000, MERCY_MS = 1000, MESSAGES_A_TURN = 64, BEAT_MS = 1000 };

static const struct kept_kind kind;

static const struct service *service_of(const struct service_place *p)
{
	return p->plugin->service;
}

static struct watch *channel_of(struct service_place *p, const struct slot *slot)
{
	return &p->channel[slot - p->kept.roster.slots];
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
	s->places[s->count] = (struct service_place){
		.kept = { .kind = &kind,
			  .name = plugin->service->name,
			  .mercy_ms = MERCY_MS,
			  .start_ms = START_MS },
		.all = s,
		.plugin = plugin,
	};
	for (size_t i = 0; i < 2; i++)
		s->places[s->count].channel[i].io.fd = -1;
	return &s->places[s->count++];
}

static void settle_places(struct services *s)
{
	for (size_t i = 0; i < s->loader->plugins.count; i++)
		if (s->loader->plugins.items[i]->service)
			place_of(s, s->loader->plugins.items[i]);
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

	settle_places(s);
	for (size_t i = 0; i < s->count; i++) {
		struct service_place *p = &s->places[i];

		p->kept.wanted =
			service_of(p)->wants(cfg)
				? sockets_of(sockets, settings_of(cfg, p->plugin) ^ measured)
				: 0;
	}
}

bool services_are_wanted(const struct loader *loader, const struct config *cfg)
{
	for (size_t i = 0; i < loader->plugins.count; i++) {
		const struct service *service = loader->plugins.items[i]->service;

		if (service && service->wants(cfg))
			return true;
	}
	return false;
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

int services_want_spans(const struct loader *loader, const struct config *cfg)
{
	int most = 0;

	for (size_t i = 0; i < loader->plugins.count; i++) {
		const struct service *service = loader->plugins.items[i]->service;
		int percent =
			service && service->spans && service->wants(cfg) ? service->spans(cfg) : 0;

		most = percent > most ? percent : most;
	}
	return most;
}

void services_dismiss(struct services *s)
{
	for (size_t i = 0; i < s->count; i++)
		s->places[i].kept.wanted = 0;
}

/* ---- processes ---- */

static void on_message(struct service_place *p, struct slot *slot, const struct message *m, int fd)
{
	if (m->kind == MESSAGE_READY && slot->state == SLOT_STARTING) {
		roster_ready(&p->kept.roster, slot, clock_monotonic_ms());
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
	struct slot *slot = &p->kept.roster.slots[w - p->channel];
	struct message m;
	int fd;

	for (int i = 0; i < MESSAGES_A_TURN && channel_next(w, p->all->loop, &m, &fd); i++)
		on_message(p, slot, &m, fd);
	p->all->wake(p->all->data);
}

static struct service_place *place_with(struct kept *k)
{
	return (struct service_place *)((char *)k - offsetof(struct service_place, kept));
}

static pid_t start(struct kept *k, struct slot *slot, struct error *e)
{
	struct service_place *p = place_with(k);
	struct services *s = p->all;
	struct watch *channel = channel_of(p, slot);
	int other = channel_open(channel, s->loop, on_channel, p, e);

	if (other < 0)
		return -1;
	pid_t pid = s->fork(s->data, service_of(p), slot->name, other);
	int why = errno;

	close(other);
	if (pid < 0) {
		channel_close(channel, s->loop);
		return uwsgi_error_set(e, "%s", strerror(why));
	}
	tell_boards(s, channel->io.fd);
	return pid;
}

static void ask(struct kept *k, const struct slot *slot)
{
	const struct message leave = { .kind = MESSAGE_LEAVE, .mercy_ms = MERCY_MS };

	channel_send(channel_of(place_with(k), slot)->io.fd, &leave, -1);
}

static void end(struct kept *k, const struct slot *slot)
{
	(void)k;
	kill(slot->pid, SIGKILL);
}

/* What it has said is heard. */
static void on_end(struct kept *k, struct slot *slot, bool leaving)
{
	struct service_place *p = place_with(k);
	struct watch *channel = channel_of(p, slot);
	struct message m;
	int fd;

	(void)leaving;
	while (channel_next(channel, p->all->loop, &m, &fd))
		on_message(p, slot, &m, fd);
	channel_close(channel, p->all->loop);
}

static const struct kept_kind kind = { .fork = start, .ask = ask, .kill = end, .ended = on_end };

int64_t services_step(struct services *s, int64_t now_ms)
{
	int64_t due_ms = 0;

	for (size_t i = 0; i < s->count; i++)
		kept_step(&s->places[i].kept, now_ms, &due_ms);
	if (services_are_gone(s))
		return due_ms;
	atomic_store(s->beat_ms, now_ms);
	clock_keep_earlier(&due_ms, now_ms + BEAT_MS);
	return due_ms;
}

/* ---- ends ---- */

const char *services_name(const struct services *s, pid_t pid)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct slot *slot = kept_find(&s->places[i].kept, pid);

		if (slot)
			return slot->name;
	}
	return NULL;
}

bool services_ended(struct services *s, const siginfo_t *info, int64_t now_ms)
{
	for (size_t i = 0; i < s->count; i++) {
		struct slot *slot = kept_find(&s->places[i].kept, info->si_pid);

		if (!slot)
			continue;
		kept_ended(&s->places[i].kept, slot, info, now_ms);
		return true;
	}
	return false;
}

static void carry_place(struct service_place *p, struct carry *c)
{
	/* sockets_of() is odd: no configuration wants this one, so what runs is replaced. */
	enum { OLD = 2 };

	kept_carry(&p->kept, c);
	for (size_t i = 0; i < 2; i++) {
		struct watch *channel = &p->channel[i];

		carry_fd(c, &channel->io.fd);
		if (c->reading)
			watch_begin(channel, p->all->loop, channel->io.fd, on_channel, p);
	}
	if (c->reading && p->kept.running)
		p->kept.running = OLD;
}

static struct service_place *place_named(struct services *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->places[i].plugin->name, name) == 0)
			return &s->places[i];
	return NULL;
}

/* p: to be written; NULL: the one whose name is read. */
static void carry_named(struct services *s, struct service_place *p, struct carry *c)
{
	char name[64];

	snprintf(name, sizeof name, "%s", p ? p->plugin->name : "");
	carry_text(c, name, sizeof name);
	p = p ? p : place_named(s, name);
	if (p)
		carry_place(p, c);
	else
		carry_fail(c, "there is no service of a plugin %s", name);
}

/* Only those that run: of a plugin that no configuration names any more, the other program has none. */
void services_carry(struct services *s, struct carry *c)
{
	size_t running = 0;

	for (size_t i = 0; i < s->count; i++)
		running += s->places[i].kept.running != 0;
	running = carry_count(c, running, LOADER_MAX);
	if (c->reading)
		settle_places(s);
	for (size_t i = 0; c->reading && i < running && !c->failed; i++)
		carry_named(s, NULL, c);
	for (size_t i = 0; !c->reading && i < s->count; i++)
		if (s->places[i].kept.running)
			carry_named(s, &s->places[i], c);
}

bool services_are_gone(const struct services *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->places[i].kept.running)
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
