/* SPDX-License-Identifier: MIT */
/* applications.c: finds the application that a configuration names.  Several, each below a path of its
 * own, are joined to one, so that nothing else in the server knows of more than one: what a lane does
 * with an application, it does with each of them.  A block that one of them lends is marked with its
 * number, by which it comes back to it. */
#include "work/applications.h"

#include "exchange/request.h"
#include "exchange/response.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The mark is in bits 1 and 2 of the owner: bit 0 is that of handlers' loans, and what malloc() gives is
 * aligned to 8. */
enum { MOUNTED_MAX = 3, MARK_SHIFT = 1, MARK_BITS = MOUNTED_MAX << MARK_SHIFT };

struct part {
	struct slice path; /* "/c"; "" for what is below no other one's */
	const struct app *app;
};

/* What is joined in this process: an application's functions are not told which one they are of. */
static struct part parts[MOUNTED_MAX + 1];
static size_t part_count;
static char name[256]; /* "python, constant below /c" */

struct lane {
	void *states[MOUNTED_MAX + 1];
	size_t started;
	atomic_size_t running; /* whose handle() waits */
};

/* ---- which one ---- */

/* Of the longest path; part_count: none. */
static size_t find(struct slice path)
{
	size_t best = part_count;

	for (size_t i = 0; i < part_count; i++)
		if ((!parts[i].path.n || uwsgi_is_below(path, parts[i].path)) &&
		    (best == part_count || parts[i].path.n > parts[best].path.n))
			best = i;
	return best;
}

/* What the application is mounted at goes from PATH_INFO to SCRIPT_NAME (RFC 3875, section 4.1.13). */
static bool split_path(struct request *rq, struct slice path, struct slice mount)
{
	struct slice script = uwsgi_request_find(rq, SLICE("SCRIPT_NAME"));
	char *both = uwsgi_request_alloc(rq, script.n + mount.n + 1);

	if (!both)
		return false;
	if (script.n)
		memcpy(both, script.p, script.n);
	memcpy(both + script.n, mount.p, mount.n);
	return uwsgi_request_var(rq, SLICE("SCRIPT_NAME"),
				 (struct slice){ both, script.n + mount.n }) &&
	       uwsgi_request_var(rq, SLICE("PATH_INFO"),
				 (struct slice){ path.p + mount.n, path.n - mount.n });
}

static void handle(void *state, struct request *rq, struct response *rs)
{
	struct slice path = uwsgi_request_find(rq, SLICE("PATH_INFO"));
	struct lane *lane = state;
	size_t i = find(path);

	if (i == part_count) {
		uwsgi_response_refuse(rs, 404, SLICE(""));
		return;
	}
	if (parts[i].path.n && !split_path(rq, path, parts[i].path)) {
		uwsgi_response_fail(rs, SLICE("out of memory"));
		return;
	}
	rs->lender = i << MARK_SHIFT;
	atomic_store_explicit(&lane->running, i, memory_order_relaxed);
	parts[i].app->handle(lane->states[i], rq, rs);
}

/* Runs of one application stay together: it may take a lock for each call. */
static void release(void *state, void *const *owners, size_t count)
{
	const struct lane *lane = state;

	for (size_t from = 0, to; from < count; from = to) {
		uintptr_t mark = (uintptr_t)owners[from] & MARK_BITS;
		void *own[32];
		size_t n = 0;

		for (to = from; to < count && n < sizeof own / sizeof *own &&
				((uintptr_t)owners[to] & MARK_BITS) == mark;
		     to++)
			own[n++] = (void *)((uintptr_t)owners[to] - mark);
		parts[mark >> MARK_SHIFT].app->release(lane->states[mark >> MARK_SHIFT], own, n);
	}
}

/* ---- all of them, one after the other ---- */

static int init(const struct config *cfg, const struct worker_info *info, struct error *e)
{
	for (size_t i = 0; i < part_count; i++)
		if (parts[i].app->init(cfg, info, e))
			return -1;
	return 0;
}

/* One that cannot be loaded answers 500 below its own path; the others are loaded. */
static int load(const struct config *cfg, struct error *e)
{
	int failed = 0;

	for (size_t i = 0; i < part_count; i++)
		failed = parts[i].app->load(cfg, e) ? -1 : failed;
	return failed;
}

static void fork_before(void)
{
	for (size_t i = 0; i < part_count; i++)
		parts[i].app->fork_before();
}

static void fork_parent(void)
{
	for (size_t i = part_count; i-- > 0;)
		parts[i].app->fork_parent();
}

static void fork_child(const struct worker_info *info)
{
	for (size_t i = part_count; i-- > 0;)
		parts[i].app->fork_child(info);
}

static int worker_start(struct error *e)
{
	for (size_t i = 0; i < part_count; i++)
		if (parts[i].app->worker_start(e))
			return -1;
	return 0;
}

static int lane_start(int number, void **state, struct error *e)
{
	struct lane *lane = calloc(1, sizeof *lane);

	*state = lane;
	if (!lane)
		return uwsgi_error_set(e, "out of memory");
	for (; lane->started < part_count; lane->started++)
		if (parts[lane->started].app->lane_start(number, &lane->states[lane->started], e))
			return -1;
	return 0;
}

static void lane_stop(void *state)
{
	struct lane *lane = state;

	for (size_t i = lane ? lane->started : 0; i-- > 0;)
		parts[i].app->lane_stop(lane->states[i]);
	free(lane);
}

static void pause_running(void *state)
{
	const struct lane *lane = state;

	parts[lane->running].app->pause(lane->states[lane->running]);
}

static void resume_running(void *state)
{
	const struct lane *lane = state;

	parts[lane->running].app->resume(lane->states[lane->running]);
}

/* Each is asked, since it counts from the last time that it was. */
static bool changed(void *state, char *what, size_t size)
{
	const struct lane *lane = state;
	bool any = false;

	for (size_t i = 0; i < part_count; i++)
		if (parts[i].app->changed && parts[i].app->changed(lane->states[i], what, size))
			any = true;
	return any;
}

/* The least of them. */
static long long interval_s(const struct config *cfg)
{
	long long least = 0;

	for (size_t i = 0; i < part_count; i++) {
		long long s = parts[i].app->interval_s ? parts[i].app->interval_s(cfg) : 0;

		least = s > 0 && (least == 0 || s < least) ? s : least;
	}
	return least;
}

static void worker_stop(long long mercy_ms)
{
	for (size_t i = 0; i < part_count; i++)
		parts[i].app->worker_stop(mercy_ms);
}

/* The first that can be looked into: the others run no code of a language. */
static void examine(const struct order *order, int fd)
{
	static const char none[] = "!the application's language cannot be looked into\n\n";

	for (size_t i = 0; i < part_count; i++)
		if (parts[i].app->examine) {
			parts[i].app->examine(order, fd);
			return;
		}
	send(fd, none, sizeof none - 1, MSG_NOSIGNAL);
}

static size_t where(void *state, char *text, size_t size)
{
	const struct lane *lane = state;
	const struct app *app = parts[lane->running].app;

	return app->where ? app->where(lane->states[lane->running], text, size) : 0;
}

static const struct app joined = {
	.name = name,
	.init = init,
	.load = load,
	.fork_before = fork_before,
	.fork_parent = fork_parent,
	.fork_child = fork_child,
	.worker_start = worker_start,
	.lane_start = lane_start,
	.handle = handle,
	.changed = changed,
	.interval_s = interval_s,
	.pause = pause_running,
	.resume = resume_running,
	.release = release,
	.lane_stop = lane_stop,
	.worker_stop = worker_stop,
	.examine = examine,
	.where = where,
};

/* others NULL: what is below none of the paths is not found. */
static const struct app *join(const struct app *others, const struct part *mounted, size_t count)
{
	size_t n = (size_t)snprintf(name, sizeof name, "%s", others ? others->name : "none");

	for (part_count = 0; part_count < count; part_count++) {
		const struct part *m = &mounted[part_count];

		parts[part_count] = *m;
		if (n < sizeof name)
			n += (size_t)snprintf(name + n, sizeof name - n, ", %s below %.*s",
					      m->app->name, (int)m->path.n, m->path.p);
	}
	if (others)
		parts[part_count++] = (struct part){ SLICE(""), others };
	return &joined;
}

/* ---- of a configuration ---- */

static const struct app *find_named(const struct loader *ld, const char *plugin)
{
	for (size_t i = 0; i < ld->plugins.count; i++)
		if (ld->items[i]->app && loader_answers_to(ld->items[i], plugin))
			return &ld->apps[i];
	return NULL;
}

static int check_shares(const struct config *cfg, const struct app *app, struct error *e)
{
	return app->drives && app->drives(cfg)
		       ? uwsgi_error_set(e,
					 "mount-plugin: %s runs its requests side by side, and "
					 "cannot share a server",
					 app->name)
		       : 0;
}

/* How many; -1 with what is wrong. */
static int find_mounted(const struct loader *ld, const struct config *cfg,
			struct part mounted[MOUNTED_MAX], struct error *e)
{
	const struct option_list *list = uwsgi_config_setting(cfg, "mount-plugin");
	size_t count = list->count;

	if (count > MOUNTED_MAX)
		return uwsgi_error_set(e, "mount-plugin: there may be %d of them", MOUNTED_MAX);
	for (size_t i = 0; i < count; i++) {
		const char *text = list->items[i], *equals = strchr(text, '=');

		mounted[i].path = (struct slice){ text, (size_t)(equals - text) };
		mounted[i].app = find_named(ld, equals + 1);
		if (!mounted[i].app)
			return uwsgi_error_set(e,
					       "mount-plugin = %s: no plugin of this name runs "
					       "applications",
					       text);
		if (check_shares(cfg, mounted[i].app, e))
			return -1;
	}
	return (int)count;
}

static bool is_mounted(const struct part *mounted, int count, const struct app *app)
{
	for (int i = 0; i < count; i++)
		if (mounted[i].app == app)
			return true;
	return false;
}

const struct app *applications_find(const struct loader *ld, const struct config *cfg,
				    struct error *e)
{
	const struct app *first = NULL, *wanted = NULL;
	struct part mounted[MOUNTED_MAX];
	int count = find_mounted(ld, cfg, mounted, e);

	for (size_t i = 0; count >= 0 && i < ld->plugins.count; i++) {
		const struct app *app = &ld->apps[i];

		if (!ld->items[i]->app || is_mounted(mounted, count, app))
			continue;
		first = first ? first : app;
		if (app->wants && !app->wants(cfg))
			continue;
		if (wanted)
			count = uwsgi_error_set(e,
						"applications of %s and of %s are named: "
						"mount-plugin gives one of them a path",
						wanted->name, app->name);
		wanted = app;
	}
	if (count > 0 && wanted && check_shares(cfg, wanted, e))
		return NULL;
	if (count > 0)
		return join(wanted, mounted, (size_t)count);
	if (count == 0 && !first)
		uwsgi_error_set(e, "no plugin that runs applications is loaded (python)");
	return count < 0 ? NULL : wanted ? wanted : first;
}
