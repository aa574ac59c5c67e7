/* SPDX-License-Identifier: MIT */
/* lint.c: what people run into, one function each; a table says when each is looked for.
 * Called for each configuration that is loaded.  Reads settings, paths and the environment, and
 * changes nothing.  What only one module knows is in that module's check(). */
#include "settings/lint.h"

#include "settings/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long long number(const struct config *c, const char *option)
{
	const long long *n = uwsgi_config_setting(c, option);

	return n ? *n : 0;
}

static const char *string(const struct config *c, const char *option)
{
	const char *const *s = uwsgi_config_setting(c, option);

	return s ? *s : NULL;
}

static bool is_set(const struct config *c, const char *option)
{
	return config_directive(c, option) != NULL;
}

/* ---- limits ---- */

static void find_short_mercy(const struct config *c, struct report *r)
{
	static const char *const mercies[] = { "reload-mercy", "worker-reload-mercy" };
	long long harakiri = (number(c, "harakiri") + 999) / 1000;

	for (size_t i = 0; i < sizeof mercies / sizeof *mercies; i++) {
		long long mercy = number(c, mercies[i]);

		if (harakiri <= mercy)
			continue;
		uwsgi_config_doubt(
			c, r, UWSGI_WARNING, "harakiri",
			"requests may run longer than %s (%lld) lets them: a reload ends "
			"them; write %s = %lld",
			mercies[i], mercy, mercies[i], harakiri);
		return;
	}
}

/* ---- sockets ---- */

/* An address to listen on, of any option.  The next one is looked for from the directive at. */
struct place {
	const char *option, *text;
	size_t at;
};

static bool listens(const struct config *c, const struct directive *d)
{
	struct option_at at;

	return !d->placeholder && d->value && *d->value &&
	       catalogue_find(config_catalogue(c), d->name, &at) && at.row->listen &&
	       uwsgi_config_setting(c, d->name);
}

/* The next one; *p begins as zeroes. */
static bool next_place(const struct config *c, struct place *p)
{
	while (uwsgi_config_next(c, &p->at, &p->option, &p->text))
		if (listens(c, &config_directives(c)->items[p->at - 1]))
			return true;
	return false;
}

/* Finds an address that an earlier option, or an earlier use of this one, has. */
static void find_twins(const struct config *c, struct report *r)
{
	for (struct place p = { 0 }; next_place(c, &p);) {
		struct place twin = { 0 };

		while (next_place(c, &twin) && strcmp(twin.text, p.text) != 0)
			;
		if (twin.at != p.at)
			uwsgi_config_doubt_at(c, r, UWSGI_ERROR, p.at,
					      "%s has this address already; give each its own",
					      twin.option);
	}
}

static void find_nobody_listens(const struct config *c, struct report *r)
{
	if (!next_place(c, &(struct place){ 0 }) && !uwsgi_config_has(c, "emperor"))
		uwsgi_config_doubt(c, r, UWSGI_NOTE, "socket",
				   "nothing to listen on; write http-socket = :8000, or socket = "
				   "/path behind nginx");
}

/* "127.0.0.1", "localhost", "8080": one half of an address is the name of a UNIX socket. */
static void find_half_addresses(const struct config *c, struct report *r)
{
	for (struct place p = { 0 }; next_place(c, &p);) {
		bool port = strspn(p.text, "0123456789") == strlen(p.text);
		bool host = strspn(p.text, "0123456789.") == strlen(p.text) ||
			    strcmp(p.text, "localhost") == 0;

		if (port || host)
			uwsgi_config_doubt_at(c, r, UWSGI_WARNING, p.at,
					      "this is a UNIX socket of the name %s; for TCP "
					      "write %s%s%s",
					      p.text, port ? ":" : "", p.text, port ? "" : ":8000");
	}
}

/* What browsers and load balancers speak HTTP to. */
static void find_http_port(const struct config *c, struct report *r)
{
	static const char *const ports[] = { "80", "8000", "8080", "5000", "3000" };
	const struct option_list *list = uwsgi_config_setting(c, "socket");
	const int *protocol = uwsgi_config_setting(c, "protocol");

	for (size_t i = 0; protocol && *protocol == 0 && i < list->count; i++) {
		const char *colon = strrchr(list->items[i], ':');

		for (size_t p = 0; colon && p < sizeof ports / sizeof *ports; p++)
			if (strcmp(colon + 1, ports[p]) == 0)
				uwsgi_config_doubt_item(
					c, r, UWSGI_NOTE, "socket", list->items[i],
					"uwsgi packets are spoken here: nginx needs uwsgi_pass; "
					"for browsers, curl and proxy_pass write http-socket = %s",
					list->items[i]);
	}
}

/* The folder of a path that is seen from base.  False: it is base itself, or the root. */
static bool folder_of(const char *base, const char *path, char *folder, size_t size)
{
	const char *slash = strrchr(path, '/');
	bool below = *path != '/' && base;

	return slash && slash != path &&
	       snprintf(folder, size, "%s%s%.*s", below ? base : "", below ? "/" : "",
			(int)(slash - path), path) < (int)size;
}

/* A folder that this user may not look into may be there. */
static bool is_missing(const char *folder)
{
	struct stat st;

	return stat(folder, &st) ? errno != EACCES : !S_ISDIR(st.st_mode);
}

static void find_foreign_folder(const struct config *c, struct report *r, size_t at,
				const char *folder)
{
	if (!is_missing(folder) && access(folder, W_OK | X_OK))
		uwsgi_config_doubt_at(c, r, UWSGI_WARNING, at,
				      "user %u may not write to %s; choose another folder%s",
				      (unsigned)geteuid(), folder,
				      geteuid() == 0 ? "" : ", or start as root with uid");
}

/* As who opens it says it. */
static void find_no_socket(const struct config *c, struct report *r, size_t at, const char *path)
{
	const char *base = *path != '/' ? string(c, "chdir") : NULL;
	char full[4096];
	struct stat st;

	snprintf(full, sizeof full, "%s%s%s", base ? base : "", base ? "/" : "", path);
	if (lstat(full, &st) == 0 && !S_ISSOCK(st.st_mode))
		uwsgi_config_doubt_at(
			c, r, UWSGI_ERROR, at,
			"exists and is not a socket; remove it or choose another path");
}

/* Sockets are opened in chdir. */
static void find_folders_of_sockets(const struct config *c, struct report *r)
{
	char folder[4096];

	for (struct place p = { 0 }; next_place(c, &p);) {
		const char *path = strncmp(p.text, "unix:", 5) == 0 ? p.text + 5 : p.text;
		bool elsewhere = *path != '/' && string(c, "force-cwd");

		if (elsewhere || strchr(path, ':') || *path == '@')
			continue;
		find_no_socket(c, r, p.at, path);
		if (!folder_of(string(c, "chdir"), path, folder, sizeof folder))
			continue;
		if (is_missing(folder))
			uwsgi_config_doubt_at(c, r, UWSGI_WARNING, p.at,
					      "there is no folder %s; make it, or let the service "
					      "manager do so (RuntimeDirectory=)",
					      folder);
		find_foreign_folder(c, r, p.at, folder);
	}
}

static size_t last_of(const struct config *c, const char *option)
{
	return (size_t)(config_directive(c, option) - config_directives(c)->items) + 1;
}

/* check_files() finds the folders that are missing. */
static void find_folders_of_files(const struct config *c, struct report *r)
{
	static const char *const files[] = { "pidfile", "safe-pidfile", "logto", "daemonize" };
	char folder[4096];

	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (string(c, files[i]) &&
		    folder_of(NULL, string(c, files[i]), folder, sizeof folder))
			find_foreign_folder(c, r, last_of(c, files[i]), folder);
}

/* ---- the world around ---- */

static bool is_in_container(void)
{
	return access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0 ||
	       getpid() == 1;
}

static void find_background(const struct config *c, struct report *r)
{
	if (!string(c, "daemonize") || r->again)
		return;
	if (getenv("INVOCATION_ID") || getenv("NOTIFY_SOCKET"))
		uwsgi_config_doubt(
			c, r, UWSGI_WARNING, "daemonize",
			"systemd waits for a process that stays in the foreground; leave "
			"it out and use logto, or systemd's journal");
	else if (is_in_container())
		uwsgi_config_doubt(c, r, UWSGI_WARNING, "daemonize",
				   "a container ends with its first process; leave it out, and log "
				   "to standard error");
	if (string(c, "logto"))
		uwsgi_config_doubt(c, r, UWSGI_NOTE, "daemonize",
				   "logto says where the log goes; this file stays empty");
}

static void find_powerless_user(const struct config *c, struct report *r)
{
	if (geteuid() != 0 && is_set(c, "uid"))
		uwsgi_config_doubt(
			c, r, UWSGI_NOTE, "uid",
			"only root can become another user; without root the server stays "
			"who starts it");
}

static void find_missing_folder(const struct config *c, struct report *r)
{
	static const char *const folders[] = { "force-cwd", "chdir", "chdir2", "chroot" };
	bool moves = false; /* a relative one is seen from another folder */

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		const char *path = string(c, folders[i]);

		if (path && (*path == '/' || !moves) && is_missing(path))
			uwsgi_config_doubt(c, r, UWSGI_WARNING, folders[i],
					   "there is no such folder on this machine");
		moves = moves || path;
	}
	const struct option_list *list = uwsgi_config_setting(c, "envdir");

	for (size_t i = 0; list && i < list->count; i++)
		if ((*list->items[i] == '/' || !moves) && is_missing(list->items[i]))
			uwsgi_config_doubt_item(c, r, UWSGI_WARNING, "envdir", list->items[i],
						"there is no such folder on this machine");
}

/* ---- logs ---- */

static void find_useless_format(const struct config *c, struct report *r)
{
	if (uwsgi_config_has(c, "disable-logging") && is_set(c, "log-format") &&
	    !uwsgi_config_has(c, "log-4xx") && !uwsgi_config_has(c, "log-5xx"))
		uwsgi_config_doubt(c, r, UWSGI_NOTE, "log-format",
				   "disable-logging is set, so no request is logged");
}

static const struct {
	void (*find)(const struct config *, struct report *);
	bool thorough; /* for --check only: a start finds it out by itself, or lives with it */
} lints[] = {
	{ find_short_mercy, false },
	{ find_background, false },
	{ find_twins, false },
	{ find_nobody_listens, true },
	{ find_half_addresses, false },
	{ find_http_port, true },
	{ find_folders_of_sockets, true },
	{ find_folders_of_files, true },
	{ find_powerless_user, true },
	{ find_missing_folder, true },
	{ find_useless_format, true },
};

static void find_all(const struct config *c, struct report *r)
{
	for (size_t i = 0; i < sizeof lints / sizeof *lints; i++)
		if (!lints[i].thorough || r->thorough)
			lints[i].find(c, r);
}

const struct option_table lint_table = { .module = "lint", .size = 1, .check = find_all };
