/* SPDX-License-Identifier: MIT */
/* daemons.c: which attached programs run.  Those that end with the server are kept as services are;
 * of those with a pidfile only the file is looked at. */
#include "process/daemons.h"

#include "base/clock.h"
#include "process/minder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often a pidfile is read while nothing has to be started. */
enum { LOOK_MS = 1000 };
/* A command that ends within this may have gone to the background. */
enum { SOON_MS = 5000 };

/* Of so many others can see what they do. */
enum { SHOWN = 64 };

static struct daemon *daemon_with(struct kept *k)
{
	return (struct daemon *)((char *)k - offsetof(struct daemon, kept));
}

/* ---- what others see ---- */

size_t daemons_memory_size(void)
{
	return ring_memory_size(SHOWN, sizeof(struct daemon_status));
}

struct ring daemons_ring(void *memory)
{
	return (struct ring){ memory, SHOWN, sizeof(struct daemon_status) };
}

static struct daemon_status status_of(const struct daemon *d)
{
	struct daemon_status s = { .number = d->number,
				   .pid = d->pid,
				   .respawns = d->starts > 0 ? d->starts - 1 : 0 };

	snprintf(s.command, sizeof s.command, "%s", d->what.command);
	return s;
}

static void show(const struct daemon *d)
{
	const struct daemon_status s = status_of(d);

	ring_rewrite(&d->all->shown, d->row, &s);
}

static void hide(const struct daemon *d)
{
	const struct daemon_status none = { 0 };

	ring_rewrite(&d->all->shown, d->row, &none);
}

/* ---- one that ends with the server ---- */

static pid_t start(struct kept *k, struct slot *slot, struct error *e)
{
	struct daemon *d = daemon_with(k);

	snprintf(slot->name, sizeof slot->name, "%s", d->name);
	pid_t pid = d->all->fork(d->all->data, d);

	if (pid < 0)
		return uwsgi_error_set(e, "fork: %s", strerror(errno));
	uwsgi_log(UWSGI_NOTE, "%s (pid %ld) runs: %s", d->name, (long)pid, d->what.command);
	d->pid = pid;
	d->starts++;
	show(d);
	return pid;
}

/* To the minder, which has the whole group hear it. */
static void ask(struct kept *k, const struct slot *slot)
{
	kill(slot->pid, daemon_with(k)->what.stop_signal);
}

static void end(struct kept *k, const struct slot *slot)
{
	(void)k;
	minder_kill(slot->pid);
}

/* What it has started and left behind would go on without anybody's knowing.  Until it is reaped, no
 * other group has this number. */
static void on_end(struct kept *k, struct slot *slot, bool leaving)
{
	struct daemon *d = daemon_with(k);

	(void)leaving;
	kill(-slot->pid, SIGKILL);
	d->pid = 0;
	show(d);
}

static const struct kept_kind kind = {
	.fork = start, .ask = ask, .kill = end, .ended = on_end, .is_ready = true
};

static const struct slot *serving(const struct daemon *d)
{
	for (size_t i = 0; d->kept.running && i < d->kept.roster.slot_count; i++)
		if (d->kept.roster.slots[i].state == SLOT_SERVING)
			return &d->kept.roster.slots[i];
	return NULL;
}

static void start_anew(struct daemon *d)
{
	d->kept.wanted = ++d->all->starts;
}

static void on_touched(void *data, const char *file)
{
	struct daemon *d = data;

	uwsgi_log(UWSGI_NOTE, "%s: %s was touched; it is started anew", d->name, file);
	start_anew(d);
	d->all->wake(d->all->data);
}

static void reload(struct daemon *d)
{
	const struct slot *slot = serving(d);

	if (!d->what.reload_signal)
		start_anew(d);
	else if (slot)
		kill(slot->pid, d->what.reload_signal);
}

/* ---- one with a pidfile ---- */

/* The number in the file; 0: there is none.  Whose file it is may be anybody: nothing but a look is
 * done with the number. */
static pid_t read_pid(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char text[24] = "", *end_of;
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = read(fd, text, sizeof text - 1);
	close(fd);
	long pid = n > 0 ? strtol(text, &end_of, 10) : 0;

	return pid > 1 && pid <= 1L << 22 ? (pid_t)pid : 0;
}

static void launch(struct daemon *d, int64_t now_ms)
{
	d->starts++;
	d->start_at_ms = now_ms + (d->what.freq_s > 0 ? d->what.freq_s : 1) * 1000;
	if (d->all->fork(d->all->data, d) < 0)
		uwsgi_log(UWSGI_ERROR, "cannot start %s: fork: %s", d->name, strerror(errno));
	else
		uwsgi_log(UWSGI_NOTE, "%s: %s names no process that runs; starting: %s", d->name,
			  d->what.pidfile, d->what.command);
}

static void look(struct daemon *d, int64_t now_ms)
{
	pid_t pid = read_pid(d->what.pidfile);

	d->look_at_ms = now_ms + LOOK_MS;
	if (pid && kill(pid, 0) && errno == ESRCH)
		pid = 0;
	if (pid && pid != d->pid)
		uwsgi_log(UWSGI_NOTE, "%s (pid %ld) runs: %s", d->name, (long)pid, d->what.command);
	else if (!pid && d->pid)
		uwsgi_log(UWSGI_ERROR, "%s (pid %ld) is gone", d->name, (long)d->pid);
	if (pid != d->pid) {
		d->pid = pid;
		show(d);
	}
	if (!pid && now_ms >= d->start_at_ms)
		launch(d, now_ms);
}

/* ---- which are wanted ---- */

static struct daemon *find_same(struct daemons *all, const struct attached *what)
{
	struct daemon *d;

	TAILQ_FOREACH(d, &all->list, link)
		if (!d->named && (d->kept.wanted || d->what.pidfile) &&
		    attached_is_same(&d->what, what))
			return d;
	return NULL;
}

/* Takes over what. */
static struct daemon *make(struct daemons *all, const struct attached *what)
{
	struct daemon *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->all = all;
	d->what = *what;
	d->number = ++all->count;
	snprintf(d->name, sizeof d->name, "daemon %d", d->number);
	d->kept = (struct kept){ .kind = &kind,
				 .name = "daemon",
				 .longest_delay_ms = what->longest_delay_s * 1000,
				 .once = what->control };
	touch_init(&d->touch, all->loop, on_touched, d);
	if (what->touch && !what->pidfile) {
		const struct option_list files = { &d->what.touch, 1 };

		touch_watch(&d->touch, &files);
	}
	if (!what->pidfile)
		start_anew(d);
	TAILQ_INSERT_TAIL(&all->list, d, link);
	const struct daemon_status s = status_of(d);

	d->row = ring_write(&all->shown, &s);
	return d;
}

static void use_one(struct daemons *all, struct attached *what, int64_t mercy_ms)
{
	struct daemon *d = find_same(all, what);

	if (d) {
		attached_fini(what);
		if (!d->what.pidfile)
			reload(d);
	} else {
		d = make(all, what);
	}
	if (!d) {
		uwsgi_log(UWSGI_ERROR, "out of memory: %s is not started", what->command);
		attached_fini(what);
		return;
	}
	d->named = true;
	d->kept.mercy_ms = mercy_ms;
}

void daemons_use(struct daemons *all, const struct config *cfg, int64_t mercy_ms)
{
	size_t count;
	struct attached *wanted;
	struct daemon *d;

	if (cfg == all->used)
		return;
	all->used = cfg;
	wanted = attached_find(cfg, &count);
	TAILQ_FOREACH(d, &all->list, link)
		d->named = false;
	for (size_t i = 0; i < count; i++)
		use_one(all, &wanted[i], mercy_ms);
	free(wanted);
	TAILQ_FOREACH(d, &all->list, link)
		if (!d->named)
			d->kept.wanted = 0;
}

void daemons_dismiss(struct daemons *all, int64_t mercy_ms)
{
	struct daemon *d;

	TAILQ_FOREACH(d, &all->list, link) {
		if (!d->named)
			continue;
		d->named = false;
		d->kept.wanted = 0;
		d->kept.mercy_ms = mercy_ms;
	}
}

void daemons_hurry(struct daemons *all, int64_t now_ms)
{
	struct daemon *d;

	TAILQ_FOREACH(d, &all->list, link)
		kept_hurry(&d->kept, now_ms);
}

/* ---- life ---- */

void daemons_init(struct daemons *all, struct ring shown)
{
	TAILQ_INIT(&all->list);
	all->shown = shown;
}

static void forget(struct daemon *d)
{
	TAILQ_REMOVE(&d->all->list, d, link);
	hide(d);
	touch_watch(&d->touch, NULL);
	attached_fini(&d->what);
	free(d);
}

int64_t daemons_step(struct daemons *all, int64_t now_ms)
{
	struct daemon *d, *next;
	int64_t due_ms = 0;

	for (d = TAILQ_FIRST(&all->list); d; d = next) {
		next = TAILQ_NEXT(d, link);
		if (d->what.pidfile && d->named) {
			if (now_ms >= d->look_at_ms)
				look(d, now_ms);
			clock_keep_earlier(&due_ms, d->look_at_ms);
		}
		kept_step(&d->kept, now_ms, &due_ms);
		if (!d->named && !d->kept.running)
			forget(d);
	}
	return due_ms;
}

/* Said once.  It cannot be known: what has left the session is nobody's any more. */
static void doubt_foreground(const struct daemon *d, const siginfo_t *info, int64_t ran_ms)
{
	if (d->starts != 2 || ran_ms >= SOON_MS || info->si_code != CLD_EXITED || info->si_status)
		return;
	uwsgi_log(UWSGI_WARNING,
		  "%s: its command ends with 0 as soon as it is started; if it goes to the "
		  "background, each start adds another process there: keep it in the foreground, "
		  "or use smart-attach-daemon with its pidfile",
		  d->name);
}

bool daemons_ended(struct daemons *all, const siginfo_t *info, int64_t now_ms)
{
	struct daemon *d;

	TAILQ_FOREACH(d, &all->list, link) {
		struct slot *slot = kept_find(&d->kept, info->si_pid);
		char why[64];

		if (!slot)
			continue;
		int64_t ran_ms = now_ms - slot->since_ms;

		if (!kept_ended(&d->kept, slot, info, now_ms))
			return true;
		if (d->what.control) {
			snprintf(why, sizeof why, "%s has ended", d->name);
			all->end(all->data, why);
		} else {
			doubt_foreground(d, info, ran_ms);
		}
		return true;
	}
	return false;
}

bool daemons_are_settled(const struct daemons *all)
{
	const struct daemon *d;

	TAILQ_FOREACH(d, &all->list, link)
		if (!d->named || d->kept.running != d->kept.wanted)
			return false;
	return true;
}

static void carry_one(struct daemon *d, struct carry *c)
{
	carry_int(c, &d->number, 1, INT32_MAX);
	carry_text(c, d->name, sizeof d->name);
	carry_int(c, &d->pid, 0, INT32_MAX);
	d->starts = (unsigned)carry_count(c, d->starts, UINT32_MAX);
	carry_u64(c, &d->row);
	carry_ms(c, &d->start_at_ms);
	kept_carry(&d->kept, c);
	touch_carry(&d->touch, c);
}

/* All are named by this configuration, in any order. */
void daemons_carry(struct daemons *all, const struct config *cfg, struct carry *c)
{
	size_t count;
	struct attached *wanted = attached_find(cfg, &count);
	struct daemon *d;

	TAILQ_FOREACH(d, &all->list, link)
		d->named = false;
	if (carry_count(c, count, count) != count)
		carry_fail(c, "there are other programs beside the server");
	for (size_t i = 0; i < count; i++) {
		d = c->reading ? make(all, &wanted[i]) : find_same(all, &wanted[i]);
		if (d) {
			d->named = true;
			if (c->reading)
				hide(d); /* it has a row */
			carry_one(d, c);
		} else {
			carry_fail(c, "%s is not there", wanted[i].command);
		}
		if (!c->reading || !d)
			attached_fini(&wanted[i]);
	}
	free(wanted);
	TAILQ_FOREACH(d, &all->list, link)
		d->named = true;
	carry_u64(c, &all->starts);
	carry_int(c, &all->count, 0, INT32_MAX);
	all->used = cfg;
}

bool daemons_are_gone(const struct daemons *all)
{
	const struct daemon *d;

	TAILQ_FOREACH(d, &all->list, link)
		if (d->kept.running)
			return false;
	return true;
}

void daemons_fini(struct daemons *all)
{
	while (!TAILQ_EMPTY(&all->list))
		forget(TAILQ_FIRST(&all->list));
}
