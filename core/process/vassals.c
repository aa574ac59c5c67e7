/* SPDX-License-Identifier: MIT */
/* vassals.c: which vassals run.  Each is kept as an attached program is; they take turns to start and
 * to reload, so that a hundred of them do not do it all at once.  The process of one is vassal.c's. */
#include "process/vassals.h"

#include "base/clock.h"
#include "base/hash.h"
#include "process/cause.h"
#include "process/privileges.h"
#include "process/vassal_talk.h"
#include "work/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* So many are shown to services and commands. */
enum { SHOWN = 1024 };
/* So many for each processor start or reload at the same time; one that takes long keeps others waiting
 * no longer than this. */
enum { AT_ONCE = 2, PATIENCE_MS = 5000 };
/* A vassal that has served for so long did not fail to start. */
enum { LOYAL_MS = 5000 };
/* An application may take any time to be imported: ten years. */
#define START_MS ((int64_t)315360000000)
/* What a vassal needs to end in the time that it has, before it is killed. */
enum { FAREWELL_MS = 2000 };

static struct vassal *vassal_with(struct kept *k)
{
	return (struct vassal *)((char *)k - offsetof(struct vassal, kept));
}

/* ---- what others see ---- */

size_t vassals_memory_size(void)
{
	return ring_memory_size(SHOWN, sizeof(struct vassal_status));
}

struct ring vassals_ring(void *memory)
{
	return (struct ring){ memory, SHOWN, sizeof(struct vassal_status) };
}

static void take_row(struct vassal *v)
{
	struct vassals *all = v->all;

	if (all->free_rows) {
		v->row = all->free_row[--all->free_rows];
		vassal_show(v);
	} else {
		v->row = ring_write(&all->shown, &v->shown);
	}
}

static void give_back_row(struct vassal *v)
{
	struct vassals *all = v->all;

	v->shown = (struct vassal_status){ 0 };
	vassal_show(v);
	if (all->free_rows < sizeof all->free_row / sizeof *all->free_row)
		all->free_row[all->free_rows++] = v->row;
}

/* ---- its life ---- */

static pid_t start(struct kept *k, struct slot *slot, struct error *e)
{
	struct vassal *v = vassal_with(k);
	int ends[2];

	snprintf(slot->name, sizeof slot->name, "%s", v->title);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return uwsgi_error_set(e, "socketpair: %s", strerror(errno));
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	v->channel.io.fd = ends[0];
	pid_t pid = v->all->fork(v->all->data, v, ends[1]);
	int why = errno;

	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		v->channel.io.fd = -1;
		return uwsgi_error_set(e, "fork: %s", strerror(why));
	}
	vassal_listen(v, ends[0]);
	uwsgi_log(UWSGI_NOTE, "%s (pid %ld) starts", v->title, (long)pid);
	v->reader = (struct allegiance_reader){ 0 };
	v->busy_since_ms = clock_monotonic_ms();
	v->heard_ms = 0;
	v->shown.pid = pid;
	v->shown.respawns = v->starts++;
	v->shown.started_us = clock_wall_us();
	v->shown.first_us = v->shown.first_us ? v->shown.first_us : v->shown.started_us;
	v->shown.again_us = 0;
	vassal_show_state(v, VASSAL_STARTING);
	return pid;
}

static void ask(struct kept *k, const struct slot *slot)
{
	struct vassal *v = vassal_with(k);

	if (v->all->at_once)
		kill(slot->pid, SIGINT);
	else
		vassal_tell(v, slot, ALLEGIANCE_STOP, SIGTERM);
	vassal_show_state(v, VASSAL_LEAVING);
}

/* Its workers end with it. */
static void end(struct kept *k, const struct slot *slot)
{
	(void)k;
	kill(slot->pid, SIGKILL);
}

/* How long one that failed waits. */
static int64_t delay_of(const struct vassal *v)
{
	const struct emperor_settings *s = v->all->settings;
	unsigned times = v->failures < 24 ? v->failures : 24;

	if (!s || !v->failures)
		return 0;
	int64_t delay_ms = s->throttle_ms << (times - 1);

	return delay_ms < s->max_throttle_ms ? delay_ms : s->max_throttle_ms;
}

/* What it has left behind in its session would go on, and nobody would know.  Until it is reaped, no
 * other group has this number. */
static void on_end(struct kept *k, struct slot *slot, bool leaving)
{
	struct vassal *v = vassal_with(k);
	int64_t now_ms = clock_monotonic_ms();

	vassal_hear(v);
	channel_close(&v->channel, v->all->loop);
	kill(-slot->pid, SIGKILL);
	if (leaving || (slot->state == SLOT_SERVING && now_ms - slot->since_ms >= LOYAL_MS))
		v->failures = 0;
	else
		v->failures++;
	k->own_delay_ms = delay_of(v);
	v->busy_since_ms = 0;
	v->shown.pid = 0;
	v->shown.inspect[0] = '\0';
	v->shown.again_us = k->own_delay_ms ? clock_wall_us() + k->own_delay_ms * 1000 : 0;
	vassal_show_state(v, VASSAL_WAITING);
}

static const struct kept_kind kind = { .fork = start, .ask = ask, .kill = end, .ended = on_end };

static void reload(struct vassal *v)
{
	const struct slot *slot = vassal_slot(v);

	if (!slot || slot->state == SLOT_LEAVING || slot->state == SLOT_KILLED)
		return;
	v->busy_since_ms = clock_monotonic_ms();
	vassal_tell(v, slot, ALLEGIANCE_RELOAD, SIGHUP);
	if (slot->state == SLOT_SERVING)
		vassal_show_state(v, VASSAL_RELOADING);
}

/* ---- which there are ---- */

static struct vassal *find(const struct vassals *all, const struct vassal_file *file)
{
	const char *folder = file->folder ? file->folder : "";
	struct vassal *v;

	TAILQ_FOREACH(v, &all->list, link)
		if (!strcmp(v->name, file->name) && !strcmp(v->folder, folder))
			return v;
	return NULL;
}

static void free_vassal(struct vassal *v)
{
	free(v->name);
	free(v->folder);
	free(v);
}

static struct vassal *make(struct vassals *all, const struct vassal_file *file)
{
	struct vassal *v = calloc(1, sizeof *v);

	if (!v)
		return NULL;
	v->name = strdup(file->name);
	v->folder = strdup(file->folder ? file->folder : "");
	if (!v->name || !v->folder) {
		free_vassal(v);
		return NULL;
	}
	v->all = all;
	v->channel.io.fd = -1;
	v->kept = (struct kept){ .kind = &kind,
				 .name = v->title,
				 .mercy_ms = all->mercy_ms + FAREWELL_MS,
				 .start_ms = START_MS };
	snprintf(v->title, sizeof v->title, "vassal %s", v->name);
	snprintf(v->shown.name, sizeof v->shown.name, "%s", v->name);
	snprintf(v->shown.folder, sizeof v->shown.folder, "%s", v->folder);
	TAILQ_INSERT_TAIL(&all->list, v, link);
	take_row(v);
	return v;
}

static void forget(struct vassal *v)
{
	TAILQ_REMOVE(&v->all->list, v, link);
	channel_close(&v->channel, v->all->loop);
	give_back_row(v);
	free_vassal(v);
}

/* As soon as it may, and as if it had never failed. */
static void start_anew(struct vassal *v)
{
	v->failures = 0;
	v->wants_start = true;
	v->wants_reload = false;
}

static bool has_changed(const struct vassal *v, const struct vassal_file *file)
{
	return !file->unknown &&
	       (v->inode != file->inode || v->changed.tv_sec != file->changed.tv_sec ||
		v->changed.tv_nsec != file->changed.tv_nsec);
}

static void note_change(struct vassal *v, const struct vassal_file *file)
{
	v->changed = file->changed;
	v->inode = file->inode;
	v->shown.changed_us = (long long)file->changed.tv_sec * 1000000;
	vassal_show(v);
}

static void on_found(void *data, const struct vassal_file *file)
{
	struct vassals *all = data;
	struct vassal *v = find(all, file);
	const struct slot *slot = v ? vassal_slot(v) : NULL;

	if (!v) {
		v = make(all, file);
		if (!v) {
			uwsgi_log(UWSGI_ERROR, "out of memory: vassal %s is not started",
				  file->name);
			return;
		}
		note_change(v, file);
		start_anew(v);
	} else if (!v->kept.wanted && !v->wants_start) {
		/* It came back while the vassal was ending. */
		note_change(v, file);
		start_anew(v);
	} else if (has_changed(v, file)) {
		note_change(v, file);
		uwsgi_log(UWSGI_NOTE, "%s: its file was touched; it %s", v->title,
			  slot ? "reloads" : "starts");
		if (slot)
			v->wants_reload = true;
		else
			start_anew(v);
	}
	v->found = true;
}

static void complain(struct vassals *all, const struct error *e)
{
	if (strcmp(all->complaint, e->text) == 0)
		return;
	snprintf(all->complaint, sizeof all->complaint, "%s", e->text);
	if (*e->text)
		uwsgi_log(UWSGI_WARNING, "%s", e->text);
}

static bool is_gone(const struct vassals *all, const struct vassal *v, struct error *e)
{
	const struct vassal_file file = { .name = v->name,
					  .folder = *v->folder ? v->folder : NULL };

	return emperor_lacks(all->settings, &file, e);
}

static void look(struct vassals *all)
{
	struct error e = { .text = "" }, why = { .text = "" };
	struct vassal *v;

	TAILQ_FOREACH(v, &all->list, link)
		v->found = false;
	emperor_look(all->settings, all->as_root, on_found, all, &e);
	TAILQ_FOREACH(v, &all->list, link) {
		if (v->found || !is_gone(all, v, &why))
			continue;
		if (v->kept.wanted || v->wants_start)
			uwsgi_log(UWSGI_NOTE, "%s: its file is gone; it ends", v->title);
		v->kept.wanted = 0;
		v->wants_start = v->wants_reload = false;
	}
	complain(all, *e.text ? &e : &why);
}

/* ---- what is due ---- */

static size_t count_busy(const struct vassals *all, int64_t now_ms, int64_t *due_ms)
{
	const struct vassal *v;
	size_t count = 0;

	TAILQ_FOREACH(v, &all->list, link) {
		int64_t until_ms = v->busy_since_ms + PATIENCE_MS;

		if (!v->busy_since_ms || until_ms <= now_ms)
			continue;
		count++;
		clock_keep_earlier(due_ms, until_ms);
	}
	return count;
}

/* Starts or reloads a vassal that wants it.  True: it counts as busy from now on. */
static bool take_turn(struct vassal *v, int64_t now_ms)
{
	if (v->wants_start) {
		v->kept.wanted = ++v->all->starts;
		/* One that waits to be started again does so now, and one that runs ends first. */
		if (v->kept.running && !vassal_slot(v)) {
			v->kept.running = v->kept.wanted;
			v->kept.roster.place[0].not_before_ms = now_ms;
			v->kept.roster.no_fork_before_ms = 0;
		}
	} else if (v->wants_reload) {
		reload(v);
	} else {
		return false;
	}
	v->wants_start = v->wants_reload = false;
	return true;
}

/* missed_ms: how long the emperor could hear nobody. */
static void listen_for_heartbeat(struct vassal *v, int64_t now_ms, int64_t missed_ms,
				 int64_t *due_ms)
{
	const struct emperor_settings *s = v->all->settings;

	if (!s || !v->heard_ms || !v->shown.pid)
		return;
	v->heard_ms += missed_ms;
	int64_t at_ms = v->heard_ms + s->required_heartbeat_s * 1000;

	if (now_ms < at_ms) {
		clock_keep_earlier(due_ms, at_ms);
		return;
	}
	uwsgi_log(UWSGI_ERROR, "%s (pid %ld) killed: no heartbeat for %lld s", v->title,
		  (long)v->shown.pid, s->required_heartbeat_s);
	kill(v->shown.pid, SIGKILL);
	v->heard_ms = 0;
}

int64_t vassals_step(struct vassals *all, int64_t now_ms)
{
	struct vassal *v, *next;
	int64_t due_ms = 0, turn_ms = 0;
	/* The emperor was stopped, or the whole machine: meanwhile it heard no heartbeat. */
	int64_t late_ms = all->due_ms && now_ms > all->due_ms ? now_ms - all->due_ms : 0;

	all->due_ms = 0;
	if (TAILQ_EMPTY(&all->list) && !all->settings)
		return 0;
	if (all->settings) {
		if (now_ms >= all->look_at_ms) {
			look(all);
			all->look_at_ms = now_ms + all->settings->freq_s * 1000;
		}
		clock_keep_earlier(&due_ms, all->look_at_ms);
	}
	size_t most = AT_ONCE * (size_t)sysconf(_SC_NPROCESSORS_ONLN);
	size_t busy = count_busy(all, now_ms, &turn_ms);

	for (v = TAILQ_FIRST(&all->list); v; v = next) {
		next = TAILQ_NEXT(v, link);
		listen_for_heartbeat(v, now_ms, late_ms, &due_ms);
		if (busy < most)
			busy += take_turn(v, now_ms);
		else if (v->wants_start || v->wants_reload)
			clock_keep_earlier(&due_ms, turn_ms);
		kept_step(&v->kept, now_ms, &due_ms);
		if (!v->kept.wanted && !v->kept.running && !v->wants_start)
			forget(v);
	}
	all->due_ms = due_ms;
	return due_ms;
}

/* ---- for the master ---- */

void vassals_init(struct vassals *all, struct ring shown)
{
	TAILQ_INIT(&all->list);
	all->shown = shown;
}

static uint64_t hash_list(uint64_t hash, const struct option_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		hash = hash_text(hash, list->items[i]);
	return hash_text(hash, "\n");
}

static uint64_t hash_additions(const struct emperor_settings *s)
{
	uint64_t hash = hash_list(HASH_NOTHING, &s->inherit_before);

	hash = hash_list(hash_list(hash, &s->include_before), &s->set);
	return hash_list(hash_list(hash, &s->inherit), &s->include);
}

static bool runs_as_root(const struct config *cfg)
{
	struct identity who;
	struct error e;

	if (geteuid() != 0)
		return false;
	return privileges_when(cfg) == PRIVILEGES_ALL || privileges_find(cfg, &who, &e) ||
	       who.uid == 0;
}

static void take_settings(struct vassals *all, const struct config *cfg)
{
	const struct emperor_settings *s = uwsgi_options(cfg, &emperor_options);

	all->used = cfg;
	all->made_of = hash_additions(s);
	all->settings = s->places.count ? s : NULL;
	all->as_root = runs_as_root(cfg);
}

void vassals_use(struct vassals *all, const struct config *cfg, int64_t mercy_ms)
{
	uint64_t before = all->made_of;
	struct vassal *v;

	if (cfg == all->used)
		return;
	take_settings(all, cfg);
	all->mercy_ms = mercy_ms;
	all->look_at_ms = 0;
	TAILQ_FOREACH(v, &all->list, link) {
		v->kept.mercy_ms = mercy_ms + FAREWELL_MS;
		if (all->made_of != before)
			start_anew(v);
		else
			v->wants_reload = !v->wants_start;
	}
	if (!all->settings)
		vassals_dismiss(all, mercy_ms);
}

void vassals_dismiss(struct vassals *all, int64_t mercy_ms)
{
	struct vassal *v;

	all->settings = NULL;
	all->at_once = mercy_ms <= 1000;
	TAILQ_FOREACH(v, &all->list, link) {
		v->wants_start = v->wants_reload = false;
		if (!v->kept.wanted)
			continue;
		v->kept.wanted = 0;
		v->kept.mercy_ms = mercy_ms + FAREWELL_MS;
	}
}

void vassals_hurry(struct vassals *all, int64_t now_ms)
{
	struct vassal *v;

	TAILQ_FOREACH(v, &all->list, link)
		kept_hurry(&v->kept, now_ms);
}

bool vassals_ended(struct vassals *all, const siginfo_t *info, int64_t now_ms)
{
	struct vassal *v;

	TAILQ_FOREACH(v, &all->list, link) {
		struct slot *slot = kept_find(&v->kept, info->si_pid);
		bool starts = slot && slot->state == SLOT_STARTING;

		if (!slot)
			continue;
		if (kept_ended(&v->kept, slot, info, now_ms)) {
			char how[64];

			cause_of_end(info, how, sizeof how);
			snprintf(v->shown.why, sizeof v->shown.why, "ended%s: %s",
				 starts ? " while it started" : "", how);
			vassal_show(v);
		}
		return true;
	}
	return false;
}

bool vassals_are_gone(const struct vassals *all)
{
	const struct vassal *v;

	TAILQ_FOREACH(v, &all->list, link)
		if (v->kept.running)
			return false;
	return true;
}

/* ---- to another program ---- */

enum { VASSALS_MAX = 65536 };

static void carry_process(struct vassal *v, struct carry *c)
{
	int fd = v->channel.io.fd;

	kept_carry(&v->kept, c);
	carry_fd(c, &fd);
	carry_bool(c, &v->wants_start);
	carry_bool(c, &v->wants_reload);
	carry_bool(c, &v->failed_reload);
	carry_ms(c, &v->busy_since_ms);
	carry_ms(c, &v->heard_ms);
	v->failures = (unsigned)carry_count(c, v->failures, UINT32_MAX);
	v->starts = (unsigned)carry_count(c, v->starts, UINT32_MAX);
	if (c->reading)
		vassal_listen(v, fd);
}

/* In its row, which it keeps, is what others see of it. */
static struct vassal *make_again(struct vassals *all, const struct vassal_file *file, uint64_t row)
{
	struct vassal_status shown;
	bool known = ring_read(&all->shown, row, &shown);

	all->free_row[0] = row;
	all->free_rows = 1;
	struct vassal *v = make(all, file);
	if (v && known)
		v->shown = shown;
	if (v)
		vassal_show(v);
	return v;
}

static void carry_one(struct vassals *all, struct vassal *v, struct carry *c)
{
	char name[4096] = "", folder[4096] = "";
	struct timespec changed = v ? v->changed : (struct timespec){ 0 };
	uint64_t inode = v ? v->inode : 0, row = v ? v->row : 0;

	if (v) {
		snprintf(name, sizeof name, "%s", v->name);
		snprintf(folder, sizeof folder, "%s", v->folder);
	}
	carry_text(c, name, sizeof name);
	carry_text(c, folder, sizeof folder);
	carry_timespec(c, &changed);
	carry_u64(c, &inode);
	carry_u64(c, &row);
	if (c->reading)
		v = make_again(all, &(struct vassal_file){ .name = name, .folder = folder }, row);
	if (!v) {
		carry_fail(c, "out of memory");
		return;
	}
	v->changed = changed;
	v->inode = (ino_t)inode;
	carry_process(v, c);
}

void vassals_carry(struct vassals *all, const struct config *cfg, struct carry *c)
{
	struct vassal *v;
	size_t count = 0;

	TAILQ_FOREACH(v, &all->list, link)
		count++;
	count = carry_count(c, count, VASSALS_MAX);
	carry_u64(c, &all->starts);
	carry_ms(c, &all->mercy_ms);
	for (size_t i = 0; c->reading && i < count && !c->failed; i++)
		carry_one(all, NULL, c);
	TAILQ_FOREACH(v, &all->list, link)
		if (!c->reading)
			carry_one(all, v, c);
	all->free_rows =
		carry_count(c, all->free_rows, sizeof all->free_row / sizeof *all->free_row);
	for (size_t i = 0; i < all->free_rows; i++)
		carry_u64(c, &all->free_row[i]);
	if (c->reading)
		take_settings(all, cfg);
}

void vassals_enter_child(struct vassals *all)
{
	const struct vassal *v;

	TAILQ_FOREACH(v, &all->list, link)
		if (v->channel.io.fd >= 0)
			close(v->channel.io.fd);
}

void vassals_print(const struct vassals *all)
{
	static const char *const states[] = { "waits", "starts", "serves", "reloads", "ends" };
	const struct vassal *v;

	TAILQ_FOREACH(v, &all->list, link)
		uwsgi_log(UWSGI_NOTE, "%s (pid %ld): %s%s%s", v->title, (long)v->shown.pid,
			  states[v->shown.state], v->shown.why[0] ? "; " : "", v->shown.why);
}

void vassals_fini(struct vassals *all)
{
	while (!TAILQ_EMPTY(&all->list))
		forget(TAILQ_FIRST(&all->list));
}
