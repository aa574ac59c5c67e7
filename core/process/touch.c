/* SPDX-License-Identifier: MIT */
/* touch.c: looks once a second whether files have changed; what then happens is the caller's
 * business.  Not libev's ev_stat: that looks neither into folders nor behind links, and what
 * lies in /etc/uwsgi/apps-enabled is links. */
#include "process/touch.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* Between two looks. */
#define EACH_S 1.

static bool is_later(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

static struct timespec latest_inside(const char *folder, struct timespec latest)
{
	const struct dirent *entry;
	struct stat st;
	DIR *d = opendir(folder);

	while (d && (entry = readdir(d)))
		if (fstatat(dirfd(d), entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
		    is_later(st.st_mtim, latest))
			latest = st.st_mtim;
	if (d)
		closedir(d);
	return latest;
}

static struct timespec changed_at(const struct touch *t, const char *file)
{
	size_t n = t->has_rest ? strcspn(file, " \t") : strlen(file);
	char path[PATH_MAX];
	struct stat st;

	if ((size_t)snprintf(path, sizeof path, "%.*s", (int)n, file) >= sizeof path ||
	    stat(path, &st))
		return (struct timespec){ 0 };
	return S_ISDIR(st.st_mode) ? latest_inside(path, st.st_mtim) : st.st_mtim;
}

/* The next file from *at on that was touched or made since it was looked at last.  NULL: none. */
static const char *fired(struct touch *t, size_t *at)
{
	while (*at < t->count) {
		size_t i = (*at)++;
		struct timespec now = changed_at(t, t->files[i]), *seen = &t->seen[i];
		bool differs = now.tv_sec != seen->tv_sec || now.tv_nsec != seen->tv_nsec;

		*seen = now;
		if (differs && now.tv_sec)
			return t->files[i];
	}
	return NULL;
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct touch *t = w->data;
	const char *file;
	size_t at = 0;

	(void)loop;
	(void)events;
	/* Each file once: one that is written all the time must not keep the master here. */
	do {
		file = fired(t, &at);
		if (file)
			t->touched(t->data, file);
	} while (file && t->has_rest);
}

void touch_init(struct touch *t, struct ev_loop *loop,
		void (*touched)(void *data, const char *file), void *data)
{
	t->loop = loop;
	t->touched = touched;
	t->data = data;
	ev_timer_init(&t->timer, on_timer, EACH_S, EACH_S);
	t->timer.data = t;
}

/* What is known of a file that both lists have. */
static struct timespec seen_before(const struct touch *t, const char *file)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->files[i], file) == 0)
			return t->seen[i];
	return changed_at(t, file);
}

/* False: no memory. */
static bool copy(const struct touch *t, const struct option_list *from, struct arena *memory,
		 const char **files, struct timespec *seen)
{
	for (size_t i = 0; files && seen && i < from->count; i++) {
		files[i] = arena_string(memory, from->items[i], strlen(from->items[i]));
		if (files[i])
			seen[i] = seen_before(t, files[i]);
	}
	return !memory->failed;
}

void touch_watch(struct touch *t, const struct option_list *list)
{
	size_t count = list ? list->count : 0;
	struct arena memory;

	arena_init(&memory);
	const char **files = count ? arena_alloc(&memory, count * sizeof *files) : NULL;
	struct timespec *seen = count ? arena_alloc(&memory, count * sizeof *seen) : NULL;
	if (count && !copy(t, list, &memory, files, seen)) {
		uwsgi_log(UWSGI_ERROR, "out of memory: %s and others are not watched",
			  list->items[0]);
		count = 0;
	}
	arena_fini(&t->memory);
	t->memory = memory;
	t->files = files;
	t->seen = seen;
	t->count = count;
	ev_timer_stop(t->loop, &t->timer);
	if (count) {
		ev_timer_set(&t->timer, EACH_S, EACH_S);
		ev_timer_start(t->loop, &t->timer);
	}
}

/* For so many, in the place of what is there.  False: no memory. */
static bool make_room(struct touch *t, size_t count)
{
	t->count = 0;
	arena_fini(&t->memory);
	t->files = arena_alloc(&t->memory, count * sizeof *t->files);
	t->seen = arena_alloc(&t->memory, count * sizeof *t->seen);
	return t->files && t->seen;
}

void touch_carry(struct touch *t, struct carry *c)
{
	size_t count = carry_count(c, t->count, 1 << 20);
	bool receives = c->reading && count > 0;

	if (receives && !make_room(t, count))
		carry_fail(c, "out of memory");
	for (size_t i = 0; i < count && !c->failed; i++) {
		carry_string(c, &t->files[i], &t->memory);
		carry_timespec(c, &t->seen[i]);
	}
	if (receives && !c->failed)
		t->count = count;
}
