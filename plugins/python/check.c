/* SPDX-License-Identifier: MIT */
/* check.c: what can be said of an application's place before Python is started: --check asks.
 * Looks at names of files only. */
#include "internal.h"

#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a path that may be a pattern, and relative to chdir.  *folder: it is one. */
static bool is_there(const char *base, const char *path, bool *folder)
{
	char full[PATH_MAX];
	struct stat st;
	glob_t found;

	int n = snprintf(full, sizeof full, "%s%s%s", *path == '/' ? "" : base,
			 *path == '/' ? "" : "/", path);
	if (n < 0 || (size_t)n >= sizeof full || glob(full, 0, NULL, &found))
		return false;
	*folder = stat(found.gl_pathv[0], &st) == 0 && S_ISDIR(st.st_mode);
	globfree(&found);
	return true;
}

static bool exists(const char *base, const char *folder, const char *name)
{
	char path[PATH_MAX];
	bool is_folder;
	int n = snprintf(path, sizeof path, "%s/%s", folder, name);

	return n >= 0 && (size_t)n < sizeof path && is_there(base, path, &is_folder);
}

/* A package, a module, or one that is compiled. */
static bool holds(const char *base, const char *folder, const char *module)
{
	static const char *const ends[] = { "", ".py", ".*.so", ".so" };
	char name[256];

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		snprintf(name, sizeof name, "%.*s%s", (int)strcspn(module, ".:"), module, ends[i]);
		if (exists(base, folder, name))
			return true;
	}
	return false;
}

static bool is_findable(const struct python_settings *s, const char *base)
{
	static const char *const usual[] = {
		"/usr/lib/python3*/dist-packages",
		"/usr/local/lib/python3*/dist-packages",
		"/usr/lib/python3*/site-packages",
		"/usr/local/lib/python3*/site-packages",
		"/usr/lib/python3*",
	};
	char packages[PATH_MAX], own[PATH_MAX / 2];
	const char *home = home_of(s, own, sizeof own);

	if (holds(base, ".", s->module))
		return true;
	for (size_t i = 0; i < s->path.count; i++)
		if (holds(base, s->path.items[i], s->module))
			return true;
	snprintf(packages, sizeof packages, "%s/lib*/python3*/site-packages", home ? home : "");
	if (home && holds(base, packages, s->module))
		return true;
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		if (holds(base, usual[i], s->module))
			return true;
	return getenv("PYTHONPATH") != NULL;
}

/* item: the option's value, of which file is the name. */
static void check_file(const struct config *cfg, struct report *report, const char *option,
		       const char *item, const char *file, const char *base)
{
	bool folder;

	if (!is_there(base, file, &folder))
		uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, option, item,
					"there is no such file below %s", base);
	else if (folder)
		uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, option, item,
					"this is a folder, and no file with an application");
}

/* /path=file.py */
static void check_mount(const struct config *cfg, struct report *report, const char *mount,
			const char *base)
{
	const char *file = strchr(mount, '=');
	size_t n = file ? strlen(++file) : 0;

	if (n > 3 && strcmp(file + n - 3, ".py") == 0)
		check_file(cfg, report, "mount", mount, file, base);
}

static void check_path(const struct config *cfg, const struct python_settings *s,
		       struct report *report, const char *base)
{
	bool folder;

	for (size_t i = 0; i < s->path.count; i++)
		if (!is_there(base, s->path.items[i], &folder))
			uwsgi_config_doubt_item(
				cfg, report, UWSGI_WARNING, "pythonpath", s->path.items[i],
				"there is nothing of this name, seen from %s", base);
}

static void check_place(const struct config *cfg, const struct python_settings *s,
			struct report *report)
{
	const char *const *chdir = uwsgi_config_setting(cfg, "chdir");
	char base[PATH_MAX];

	if (*chdir && **chdir)
		snprintf(base, sizeof base, "%s", *chdir);
	else if (!getcwd(base, sizeof base))
		return;
	if (access(base, X_OK))
		return; /* another check says so */
	if (s->module && !is_findable(s, base))
		uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "module",
				   "neither %s nor pythonpath nor the installed packages hold it; "
				   "set chdir or pythonpath to the folder that does",
				   base);
	if (!s->module && s->file)
		check_file(cfg, report, "wsgi-file", s->file, s->file, base);
	for (size_t i = 0; i < s->mounts.count; i++)
		check_mount(cfg, report, s->mounts.items[i], base);
	check_path(cfg, s, report, base);
}

/* The sentence without the "home = path" that it begins with. */
static const char *behind(const char *sentence, const char *path)
{
	const char *at = strstr(sentence, path);

	return at ? at + strlen(path) + strspn(at + strlen(path), ": /") : sentence;
}

/* For a home that the configuration does not say: with the path. */
static const char *from(const char *sentence, const char *path)
{
	const char *at = strstr(sentence, path);

	return at ? at : sentence;
}

static bool names_application(const struct python_settings *s)
{
	return s->module || s->file || s->code || s->paste || s->mounts.count > 0;
}

bool check_wants(const struct config *cfg)
{
	return names_application(uwsgi_options(cfg, &python_options));
}

static void check_hosts(const struct config *cfg, const struct python_settings *s,
			struct report *report)
{
	for (size_t i = 0; i < s->mounts.count && !s->vhost && !s->vhost_host; i++)
		if (s->mounts.items[i][strcspn(s->mounts.items[i], "|=")] == '|') {
			uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, "mount",
						s->mounts.items[i],
						"%s is for one host, which needs vhost-host = true",
						s->mounts.items[i]);
			return;
		}
}

void check_settings(const struct config *cfg, struct report *report)
{
	const struct python_settings *s = uwsgi_options(cfg, &python_options);
	char own[PATH_MAX];
	struct error e;

	if (s->module && s->file)
		uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "wsgi-file",
				   "module = %s is served, not this file; leave one of them out",
				   s->module);
	check_hosts(cfg, s, report);
	if (!uwsgi_config_thorough(report))
		return;
	if (!names_application(s) && !uwsgi_config_has(cfg, "emperor"))
		uwsgi_config_doubt(
			cfg, report, UWSGI_NOTE, "module",
			"no application is named; write module = package.wsgi:application "
			"or wsgi-file = /path/app.py");
	const char *home = home_of(s, own, sizeof own);
	if (home && home_check(home, &e))
		uwsgi_config_doubt(cfg, report, UWSGI_ERROR, "home", "%s",
				   s->home ? behind(e.text, home) : from(e.text, home));
	check_place(cfg, s, report);
}
