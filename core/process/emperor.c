/* SPDX-License-Identifier: MIT */
/* emperor.c: the options of an emperor, the look into its folders, the command line of a vassal.  What
 * runs is vassals.c's. */
#include "process/emperor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- options ---- */

static const char *without_scheme(const char *place)
{
	static const char *const own[] = { "dir://", "glob://" };

	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (strncmp(place, own[i], strlen(own[i])) == 0)
			return place + strlen(own[i]);
	return place;
}

static int valid_place(const char *value, struct error *e)
{
	const char *place = without_scheme(value);

	if (strstr(place, "://"))
		return uwsgi_error_set(e, "expected a folder, or a pattern of files such as "
					  "/srv/*/uwsgi.ini");
	return *place ? 0 : uwsgi_error_set(e, "expected a folder or a pattern");
}

#define AT(member) offsetof(struct emperor_settings, member)
static const struct option rows[] = {
	{ .name = "emperor",
	  .type = OPT_LIST,
	  .offset = AT(places),
	  .unit = "FOLDER|PATTERN",
	  .valid = valid_place,
	  .help = "run a server, a vassal, for each configuration file of this folder (.ini, "
		  ".json), or for each file that the pattern finds: it starts when the file "
		  "appears, reloads when that is touched, and ends when it is gone",
	  .example = "/etc/uwsgi/vassals",
	  .differs = "a vassal that cannot reload is gone" },
	{ .name = "emperor-freq",
	  .type = OPT_SECONDS,
	  .offset = AT(freq_s),
	  .initial = "3",
	  .min = 1,
	  .max = 86400,
	  .help = "how often to look at the files of vassals" },
	{ .name = "emperor-nofollow",
	  .type = OPT_FLAG,
	  .offset = AT(nofollow),
	  .initial = "false",
	  .help = "where the file of a vassal is a symbolic link, look at when that was made, not "
		  "at the file behind it" },
	{ .name = "emperor-extra-extension",
	  .type = OPT_LIST,
	  .offset = AT(endings),
	  .unit = "ENDING",
	  .help = "in the folders of emperor, files with this ending are vassals, too",
	  .example = ".conf" },
	{ .name = "emperor-extra-ext", .same_as = "emperor-extra-extension" },
	{ .name = "emperor-throttle",
	  .type = OPT_INT,
	  .offset = AT(throttle_ms),
	  .initial = "1000",
	  .max = 86400000,
	  .unit = "MILLISECONDS",
	  .help = "how long to wait before starting again a vassal that ended before it served, or "
		  "soon after; the wait doubles each time, until its file is touched",
	  .differs = "the delay grows by this each time, and vassals wait for one another" },
	{ .name = "emperor-max-throttle",
	  .type = OPT_INT,
	  .offset = AT(max_throttle_ms),
	  .initial = "180000",
	  .max = 86400000,
	  .unit = "MILLISECONDS",
	  .help = "the longest wait before a vassal is started again" },
	{ .name = "emperor-required-heartbeat",
	  .type = OPT_SECONDS,
	  .offset = AT(required_heartbeat_s),
	  .initial = "30",
	  .min = 1,
	  .max = 86400,
	  .help = "kill a vassal with heartbeat that has sent none for this long, and start it "
		  "again" },
	{ .name = "heartbeat",
	  .type = OPT_SECONDS,
	  .offset = AT(heartbeat_s),
	  .initial = "0",
	  .max = 86400,
	  .help = "how often to tell the emperor that started this server that it is alive; 0: "
		  "never",
	  .example = "10",
	  .differs = "the workers tell it" },
	{ .name = "vassals-include-before",
	  .type = OPT_LIST,
	  .offset = AT(include_before),
	  .unit = "FILE",
	  .help = "each vassal reads this file before its own",
	  .example = "/etc/uwsgi/defaults.ini" },
	{ .name = "vassals-include",
	  .type = OPT_LIST,
	  .offset = AT(include),
	  .unit = "FILE",
	  .help = "each vassal reads this file after its own",
	  .example = "/etc/uwsgi/all.ini" },
	{ .name = "vassals-inherit-before",
	  .type = OPT_LIST,
	  .offset = AT(inherit_before),
	  .unit = "FILE",
	  .help = "as vassals-include-before, but as a template (inherit)",
	  .example = "/etc/uwsgi/defaults.ini" },
	{ .name = "vassals-inherit",
	  .type = OPT_LIST,
	  .offset = AT(inherit),
	  .unit = "FILE",
	  .help = "as vassals-include, but as a template (inherit)",
	  .example = "/etc/uwsgi/all.ini" },
	{ .name = "vassal-set",
	  .type = OPT_LIST,
	  .offset = AT(set),
	  .unit = "NAME=VALUE",
	  .help = "each vassal has this option or placeholder",
	  .example = "processes=2" },
	{ .name = "vassals-set", .same_as = "vassal-set" },
};
#undef AT

const struct option_table emperor_options = {
	.module = "emperor",
	.size = sizeof(struct emperor_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

bool emperor_is_named(const struct config *cfg)
{
	return uwsgi_config_has(cfg, "emperor");
}

long long emperor_heartbeat_s(const struct config *cfg)
{
	return ((const struct emperor_settings *)uwsgi_options(cfg, &emperor_options))->heartbeat_s;
}

/* ---- the look ---- */

struct look {
	const struct emperor_settings *settings;
	void (*found)(void *data, const struct vassal_file *);
	void *data;
	bool as_root;
	enum emperor_sight sight;
	struct error *error;
};

/* Else it may be there, and cannot be read just now. */
static bool means_absence(int why)
{
	return why == ENOENT || why == ENOTDIR;
}

static void miss(struct look *l, const char *place, int why)
{
	enum emperor_sight sight = means_absence(why) ? EMPEROR_MISSES_FOLDER : EMPEROR_SAW_PART;

	if (sight <= l->sight)
		return;
	l->sight = sight;
	uwsgi_error_set(l->error, "emperor = %s: %s", place, strerror(why));
}

/* Whoever may write it can run anything as root. */
static void judge_owner(struct look *l, const char *folder, const char *name, const struct stat *st)
{
	bool others = st->st_uid != 0 || st->st_mode & S_IWOTH ||
		      (st->st_mode & S_IWGRP && st->st_gid != 0);

	if (!l->as_root || !others || l->sight >= EMPEROR_IS_EXPOSED)
		return;
	l->sight = EMPEROR_IS_EXPOSED;
	uwsgi_error_set(l->error,
			"emperor: %s%s%s: not only root may write it, and what it says is done as "
			"root: change its owner, or set uid for the emperor",
			folder ? folder : "", folder && name ? "/" : "", name ? name : "");
}

/* Not a FIFO, whose reader would wait, nor /dev/null.  A link is seen as such with emperor-nofollow only. */
static bool may_be_read(const struct stat *st)
{
	return S_ISREG(st->st_mode) || S_ISLNK(st->st_mode);
}

enum presence { PRESENT, ABSENT, UNKNOWN };

/* folder: an open one that name is seen from, or AT_FDCWD.  Of an unknown file, errno says why. */
static enum presence see(const struct emperor_settings *s, int folder, const char *name,
			 struct stat *st)
{
	if (fstatat(folder, name, st, s->nofollow ? AT_SYMLINK_NOFOLLOW : 0))
		return means_absence(errno) ? ABSENT : UNKNOWN;
	return may_be_read(st) ? PRESENT : ABSENT;
}

static void tell(struct look *l, int folder, struct vassal_file *file)
{
	struct stat st;
	enum presence presence = see(l->settings, folder, file->name, &st);

	if (presence == ABSENT)
		return;
	file->unknown = presence == UNKNOWN;
	if (presence == PRESENT) {
		file->changed = st.st_mtim;
		file->inode = st.st_ino;
		/* The mode of a link says nothing: it is always 0777. */
		if (!S_ISLNK(st.st_mode) || fstatat(folder, file->name, &st, 0) == 0)
			judge_owner(l, file->folder, file->name, &st);
	}
	l->found(l->data, file);
}

static bool ends_with(const char *name, const char *ending)
{
	size_t n = strlen(name), m = strlen(ending);

	return n > m && strcmp(name + n - m, ending) == 0;
}

/* Those of formats that are not read here are vassals, too: each says so in its first line. */
static bool is_configuration(const struct emperor_settings *s, const char *name)
{
	static const char *const endings[] = { ".ini", ".json", ".js", ".xml", ".yml", ".yaml" };

	if (*name == '.')
		return false;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		if (ends_with(name, endings[i]))
			return true;
	for (size_t i = 0; i < s->endings.count; i++)
		if (ends_with(name, s->endings.items[i]))
			return true;
	return false;
}

static void look_into(struct look *l, const char *folder, DIR *d)
{
	const struct dirent *entry;
	struct stat st;

	if (fstat(dirfd(d), &st) == 0)
		judge_owner(l, folder, NULL, &st);
	errno = 0;
	while ((entry = readdir(d))) {
		struct vassal_file file = { .name = entry->d_name, .folder = folder };

		if (is_configuration(l->settings, entry->d_name))
			tell(l, dirfd(d), &file);
		errno = 0;
	}
	if (errno)
		miss(l, folder, errno);
}

/* glob() passes over a folder that cannot be read, unless it is to end there.  errno has the reason. */
static int find_files(struct look *l, const char *pattern, glob_t *found)
{
	errno = 0;
	int why = glob(pattern, GLOB_ERR, NULL, found);

	if (why != GLOB_ABORTED)
		return why;
	if (!means_absence(errno))
		miss(l, pattern, errno ? errno : EIO);
	return glob(pattern, 0, NULL, found);
}

static void look_for(struct look *l, const char *pattern)
{
	glob_t found;
	int why = find_files(l, pattern, &found);

	for (size_t i = 0; why == 0 && i < found.gl_pathc; i++) {
		struct vassal_file file = { .name = found.gl_pathv[i] };

		tell(l, AT_FDCWD, &file);
	}
	if (why == 0)
		globfree(&found);
	else if (why == GLOB_NOSPACE)
		miss(l, pattern, ENOMEM);
	else if (why == GLOB_NOMATCH && !strpbrk(pattern, "*?["))
		miss(l, pattern, ENOENT);
}

enum emperor_sight emperor_look(const struct emperor_settings *s, bool as_root,
				void (*found)(void *data, const struct vassal_file *), void *data,
				struct error *e)
{
	struct look l = { s, found, data, as_root, EMPEROR_SAW_ALL, e };

	for (size_t i = 0; i < s->places.count; i++) {
		const char *place = without_scheme(s->places.items[i]);
		DIR *d = opendir(place);

		if (d) {
			look_into(&l, place, d);
			closedir(d);
		} else if (means_absence(errno)) {
			look_for(&l, place);
		} else {
			miss(&l, place, errno);
		}
	}
	return l.sight;
}

static bool is_named(const struct emperor_settings *s, const struct vassal_file *file)
{
	if (file->folder && !is_configuration(s, file->name))
		return false;
	for (size_t i = 0; i < s->places.count; i++) {
		const char *place = without_scheme(s->places.items[i]);

		if (file->folder ? strcmp(place, file->folder) == 0
				 : fnmatch(place, file->name, FNM_PATHNAME | FNM_PERIOD) == 0)
			return true;
	}
	return false;
}

bool emperor_lacks(const struct emperor_settings *s, const struct vassal_file *file,
		   struct error *e)
{
	char path[PATH_MAX];
	struct stat st;

	if (!is_named(s, file))
		return true;
	snprintf(path, sizeof path, "%s%s%s", file->folder ? file->folder : "",
		 file->folder ? "/" : "", file->name);
	enum presence presence = see(s, AT_FDCWD, path, &st);

	if (presence == UNKNOWN)
		uwsgi_error_set(e, "%s: %s", path, strerror(errno));
	return presence == ABSENT && (!file->folder || stat(file->folder, &st) == 0);
}

/* ---- the command line ---- */

static size_t add(const char **to, size_t n, const char *option, const struct option_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		to[n++] = option;
		to[n++] = list->items[i];
	}
	return n;
}

/* Of two that set the same the last one wins: in uWSGI's order. */
const char **emperor_arguments(const struct emperor_settings *s, const char *program,
			       const char *file)
{
	size_t most = s->inherit_before.count + s->include_before.count + s->set.count +
		      s->inherit.count + s->include.count + 1;
	const char **list = calloc(2 * most + 2, sizeof *list);
	size_t n = 0;

	if (!list)
		return NULL;
	list[n++] = program;
	n = add(list, n, "--inherit", &s->inherit_before);
	n = add(list, n, "--include", &s->include_before);
	n = add(list, n, "--set", &s->set);
	list[n++] = ends_with(file, ".ini") ? "--ini" : "--config";
	list[n++] = file;
	n = add(list, n, "--inherit", &s->inherit);
	add(list, n, "--include", &s->include);
	return list;
}
