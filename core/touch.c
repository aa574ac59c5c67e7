/* SPDX-License-Identifier: MIT */
/* touch.c: compares times of change with those seen before.  The master asks it once a second;
 * what then happens is the master's business. */
#include "touch.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

static struct timespec changed_at(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mtim : (struct timespec){ 0 };
}

void touch_watch(struct touch *t, const struct option_list *files)
{
	free(t->seen);
	*t = (struct touch){ 0 };
	if (!files || files->count == 0)
		return;
	t->seen = calloc(files->count, sizeof *t->seen);
	if (!t->seen) {
		uwsgi_log(UWSGI_ERROR, "out of memory: %s and others are not watched",
			  files->items[0]);
		return;
	}
	t->files = files;
	for (size_t i = 0; i < files->count; i++)
		t->seen[i] = changed_at(files->items[i]);
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
