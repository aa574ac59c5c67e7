/* SPDX-License-Identifier: MIT */
/* touch.c: compares times of change with those seen before.  The master asks it once a second;
 * what then happens is the master's business. */
#include "touch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

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

static struct timespec changed_at(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return (struct timespec){ 0 };
	return S_ISDIR(st.st_mode) ? latest_inside(path, st.st_mtim) : st.st_mtim;
}

/* What is known of a file that both lists have. */
static struct timespec seen_before(const struct touch *t, const char *file)
{
	for (size_t i = 0; t->files && i < t->files->count; i++)
		if (strcmp(t->files->items[i], file) == 0)
			return t->seen[i];
	return changed_at(file);
}

void touch_watch(struct touch *t, const struct option_list *files)
{
	struct touch next = { 0 };

	if (files && files->count > 0) {
		next.seen = calloc(files->count, sizeof *next.seen);
		if (next.seen)
			next.files = files;
		else
			uwsgi_log(UWSGI_ERROR, "out of memory: %s and others are not watched",
				  files->items[0]);
	}
	for (size_t i = 0; next.files && i < files->count; i++)
		next.seen[i] = seen_before(t, files->items[i]);
	free(t->seen);
	*t = next;
}

const char *touch_fired(struct touch *t)
{
	for (size_t i = 0; t->files && i < t->files->count; i++) {
		struct timespec now = changed_at(t->files->items[i]), *seen = &t->seen[i];
		bool differs = now.tv_sec != seen->tv_sec || now.tv_nsec != seen->tv_nsec;

		*seen = now;
		if (differs && now.tv_sec)
			return t->files->items[i];
	}
	return NULL;
}
