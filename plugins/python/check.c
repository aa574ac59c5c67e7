/* SPDX-License-Identifier: MIT */
/* check.c: what can be said of an application's place before Python is started: --check asks.
 * Looks at names of files only. */
#include "internal.h"

#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether folder/name exists; folder may be a pattern, and both relative to chdir. */
static bool exists(const char *base, const char *folder, const char *name)
{
	char path[PATH_MAX];
	glob_t found;

	int n = snprintf(path, sizeof path, "%s%s%s/%s", *folder == '/' ? "" : base,
			 *folder == '/' ? "" : "/", folder, name);
	if (n < 0 || (size_t)n >= sizeof path)
		return false;
	bool any = glob(path, 0, NULL, &found) == 0;
	if (any)
		globfree(&found);
	return any;
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
	if (!s->module && s->file && !exists(base, ".", s->file) && access(s->file, R_OK))
		uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "wsgi-file",
				   "there is no such file below %s", base);
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
