/* SPDX-License-Identifier: MIT */
/* touch.c: looks once a second whether files have changed; what then happens is the caller's
 * business.  Not libev's ev_stat: that looks neither into folders nor behind links, and what
 * lies in /etc/uwsgi/apps-enabled is links. */
#include "process/touch.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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
	if (!t->carried) {
		*t = (struct touch){ .count = 0 };
		arena_init(&t->memory);
	}
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
		files[i] = arena_copy(memory,
				      (struct slice){ from->items[i], strlen(from->items[i]) + 1 })
				   .p;
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

/* Of what is read, name is the caller's, to be freed. */
static void carry_one(struct carry *c, char **name, struct timespec *seen)
{
	size_t n = c->reading ? 0 : strlen(*name);
	int64_t s = seen->tv_sec, ns = seen->tv_nsec;

	carry_bytes(c, name, &n, 1 << 20);
	carry_number(c, &s, INT64_MIN, INT64_MAX);
	carry_number(c, &ns, 0, 999999999);
	*seen = (struct timespec){ .tv_sec = s, .tv_nsec = ns };
}

static void receive(struct touch *t, size_t count, struct carry *c)
{
	arena_fini(&t->memory);
	arena_init(&t->memory);
	t->files = arena_alloc(&t->memory, count * sizeof *t->files);
	t->seen = arena_alloc(&t->memory, count * sizeof *t->seen);
	t->carried = true;
	for (t->count = 0; t->files && t->seen && t->count < count && !c->failed; t->count++) {
		char *name = NULL;

		t->seen[t->count] = (struct timespec){ 0 };
		carry_one(c, &name, &t->seen[t->count]);
		t->files[t->count] =
			arena_string(&t->memory, name ? name : "", name ? strlen(name) : 0);
		free(name);
	}
	if (t->memory.failed)
		carry_fail(c, "out of memory");
}

void touch_carry(struct touch *t, struct carry *c)
{
	size_t count = carry_count(c, t->count, 1 << 20);

	if (c->reading && count)
		receive(t, count, c);
	for (size_t i = 0; !c->reading && i < t->count; i++) {
		char *name = (char *)(uintptr_t)t->files[i];

		carry_one(c, &name, &t->seen[i]);
	}
}
