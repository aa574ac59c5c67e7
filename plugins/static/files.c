/* SPDX-License-Identifier: MIT */
/* files.c: what was looked up a moment ago, open: the next requests for it cost no look-up.
 * Also that there is nothing, which is what most requests for the application find.  A lane's own;
 * bounded, the oldest goes first.  What is lent stays until it is given back. */
#include "static.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEPT_MOST = 256, HASHES = 512, FRESH_MS = 1000 };

LIST_HEAD(file_list, file);
TAILQ_HEAD(file_queue, file);

struct files {
	const struct option_list *safe;
	struct file_list by_hash[HASHES];
	struct file_queue by_age; /* the oldest first */
	size_t count;
	int64_t told_ms; /* when a link that leads out was last said in the log; 0: never */
};

static void free_file(struct file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f);
}

static void drop(struct files *files, struct file *f)
{
	LIST_REMOVE(f, same_hash);
	TAILQ_REMOVE(&files->by_age, f, age);
	files->count--;
	f->kept = false;
	if (!f->lent)
		free_file(f);
}

static void give_back(struct loan *loan)
{
	struct file *f = (struct file *)loan;

	if (--f->lent == 0 && !f->kept)
		free_file(f);
}

void *file_lend(struct file *f)
{
	f->lent++;
	return uwsgi_loan(&f->loan);
}

struct files *files_new(const struct option_list *safe)
{
	struct files *files = calloc(1, sizeof *files);

	if (!files)
		return NULL;
	files->safe = safe;
	TAILQ_INIT(&files->by_age);
	return files;
}

void files_free(struct files *files)
{
	if (!files)
		return;
	while (!TAILQ_EMPTY(&files->by_age))
		drop(files, TAILQ_FIRST(&files->by_age));
	free(files);
}

size_t file_name(const struct file *f, char *name, size_t size)
{
	const char *path = f->name + f->root_length + 1;
	int n = snprintf(name, size, *path ? "%s/%s" : "%s", f->name, path);

	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

/* ---- looking it up ---- */

static uint64_t hash_of(const char *root, struct slice path)
{
	uint64_t hash = 14695981039346656037u;

	for (; *root; root++)
		hash = (hash ^ (unsigned char)*root) * 1099511628211u;
	hash *= 1099511628211u;
	for (size_t i = 0; i < path.n; i++)
		hash = (hash ^ (unsigned char)path.p[i]) * 1099511628211u;
	return hash ^ hash >> 29;
}

static struct file *find_kept(struct files *files, uint64_t hash, const char *root,
			      struct slice path)
{
	struct file *f;

	LIST_FOREACH(f, &files->by_hash[hash % HASHES], same_hash) {
		const char *its = f->name + f->root_length + 1;

		if (f->hash == hash && !strcmp(f->name, root) && !strncmp(its, path.p, path.n) &&
		    !its[path.n])
			return f;
	}
	return NULL;
}

static struct file *new_file(uint64_t hash, const char *root, struct slice path)
{
	size_t root_length = strlen(root);
	struct file *f = calloc(1, sizeof *f + root_length + path.n + 2);

	if (!f)
		return NULL;
	f->loan.release = give_back;
	f->hash = hash;
	f->fd = -1;
	f->root_length = root_length;
	memcpy(f->name, root, root_length);
	memcpy(f->name + root_length + 1, path.p, path.n);
	return f;
}

static void describe(struct file *f, const struct stat *st)
{
	int n = snprintf(f->etag, sizeof f->etag, "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "%08lx\"",
			 (uint64_t)st->st_ino, (uint64_t)st->st_size, (uint64_t)st->st_mtim.tv_sec,
			 (unsigned long)st->st_mtim.tv_nsec);

	f->etag_length = (size_t)n;
	f->size = st->st_size;
	f->changed = st->st_mtim;
	uwsgi_http_date(st->st_mtim.tv_sec, f->date);
}

static void tell_leads_out(struct files *files, const struct file *f)
{
	char path[512];
	const char *its = f->name + f->root_length + 1;

	if (files->told_ms && f->looked_ms - files->told_ms < 60000)
		return;
	files->told_ms = f->looked_ms;
	uwsgi_escape(path, sizeof path, (struct slice){ its, strlen(its) });
	uwsgi_log(UWSGI_WARNING,
		  "%s is not served: a link leads out of %s; static-safe can allow where to", path,
		  f->name);
}

static void look(struct files *files, struct file *f)
{
	struct stat st;

	f->fd = beneath_open(f->name, f->name + f->root_length + 1, files->safe);
	if (f->fd < 0) {
		if (errno == EXDEV)
			tell_leads_out(files, f);
		return;
	}
	bool is_known = fstat(f->fd, &st) == 0;

	f->is_folder = is_known && S_ISDIR(st.st_mode);
	if (is_known && S_ISREG(st.st_mode)) {
		describe(f, &st);
		return;
	}
	close(f->fd);
	f->fd = -1;
}

/* Another name may be there for up to a second; of this file, size and tag are always those that its
 * bytes have now. */
static bool is_fresh(const struct file *f, int64_t now)
{
	struct stat st;

	if (now - f->looked_ms > FRESH_MS)
		return false;
	return f->fd < 0 ||
	       (fstat(f->fd, &st) == 0 && st.st_size == f->size &&
		st.st_mtim.tv_sec == f->changed.tv_sec && st.st_mtim.tv_nsec == f->changed.tv_nsec);
}

/* A segment ".." would be followed by the kernel as far as the root: clients have no use for one. */
static bool has_dots(struct slice path)
{
	for (size_t i = 0; i + 1 < path.n; i++)
		if (path.p[i] == '.' && path.p[i + 1] == '.' && (i == 0 || path.p[i - 1] == '/') &&
		    (i + 2 == path.n || path.p[i + 2] == '/'))
			return true;
	return false;
}

struct file *files_find(struct files *files, const char *root, struct slice path)
{
	if (path.n >= PATH_MAX || (path.n && memchr(path.p, 0, path.n)) || has_dots(path))
		return NULL;
	int64_t now = uwsgi_now_ms();
	uint64_t hash = hash_of(root, path);
	struct file *f = find_kept(files, hash, root, path);

	if (f && !is_fresh(f, now)) {
		drop(files, f);
		f = NULL;
	}
	if (!f) {
		if (files->count == KEPT_MOST)
			drop(files, TAILQ_FIRST(&files->by_age));
		f = new_file(hash, root, path);
		if (!f)
			return NULL;
		f->looked_ms = now;
		look(files, f);
		f->kept = true;
		LIST_INSERT_HEAD(&files->by_hash[hash % HASHES], f, same_hash);
		TAILQ_INSERT_TAIL(&files->by_age, f, age);
		files->count++;
	}
	return f->fd >= 0 || f->is_folder ? f : NULL;
}
