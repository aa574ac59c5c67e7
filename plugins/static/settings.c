/* SPDX-License-Identifier: MIT */
/* settings.c: the options of static files, and the rules that they make. */
#include "static.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static int valid_map(const char *text, struct error *e)
{
	const char *equals = strchr(text, '=');

	if (equals && equals[1])
		return 0;
	return uwsgi_error_set(
		e, "expected /path=FOLDER: the files of FOLDER are answered below /path");
}

/* "expression seconds", or with = between the two. */
static const char *find_seconds(const char *text)
{
	const char *blank = strrchr(text, ' '), *equals = strrchr(text, '=');

	return blank ? blank : equals;
}

static int valid_seconds(const char *text, struct error *e)
{
	const char *at = find_seconds(text);
	char *end;

	if (at && at > text && at[1] >= '0' && at[1] <= '9' && (strtoll(at + 1, &end, 10), !*end))
		return 0;
	return uwsgi_error_set(e, "expected what it is for and seconds: \"\\.css$ 3600\"");
}

static struct pattern *compile(const char *text, size_t n, struct error *e)
{
	char *expression = strndup(text, n);
	struct pattern *p = NULL;

	if (expression)
		p = uwsgi_pattern_new(expression, e);
	else
		uwsgi_error_set(e, "out of memory");
	free(expression);
	return p;
}

static int valid_pattern(const char *text, size_t n, struct error *e)
{
	struct pattern *p = compile(text, n, e);

	uwsgi_pattern_free(p);
	return p ? 0 : -1;
}

static int valid_expires(const char *text, struct error *e)
{
	if (valid_seconds(text, e))
		return -1;
	return valid_pattern(text, (size_t)(find_seconds(text) - text), e);
}

static int valid_gzip(const char *text, struct error *e)
{
	return valid_pattern(text, strlen(text), e);
}

static const struct {
	const char *name;
	enum serve_mode mode;
} serve_modes[] = {
	{ "send", SERVE_SEND },
	{ "nginx", SERVE_ACCEL_REDIRECT },
	{ "x-accel-redirect", SERVE_ACCEL_REDIRECT },
	{ "x-sendfile", SERVE_SENDFILE },
};

static int find_serve_mode(const char *text)
{
	for (size_t i = 0; i < sizeof serve_modes / sizeof *serve_modes; i++)
		if (!strcasecmp(text, serve_modes[i].name))
			return (int)serve_modes[i].mode;
	return -1;
}

#define AT(member) offsetof(struct static_settings, member)
#define EXPIRES_ROW(option, key, from_mtime, what, check, sample)                                  \
	{                                                                                          \
		.name = option, .type = OPT_LIST, .offset = AT(expires[key][from_mtime]),          \
		.valid = check, .unit = "WHAT SECONDS", .help = what, .example = sample            \
	}
#define EXPIRES(option, key, what, check, sample)                                                  \
	EXPIRES_ROW(option, key, 0, what, check, sample),                                          \
		EXPIRES_ROW(option "-mtime", key, 1,                                               \
			    "as " option ", counted from the file's last change", check, sample)
static const struct option rows[] = {
	{ .name = "static-map",
	  .type = OPT_LIST,
	  .offset = AT(maps),
	  .valid = valid_map,
	  .unit = "PATH=FOLDER",
	  .help = "answer GET and HEAD below this path with the files of a folder, or with one file; "
		  "what is not there goes on to the application",
	  .example = "/static=/srv/myapp/static",
	  .differs = "/static is a prefix of /static-files, too; here it ends at a slash" },
	{ .name = "static-map2",
	  .type = OPT_LIST,
	  .offset = AT(maps2),
	  .valid = valid_map,
	  .unit = "PATH=FOLDER",
	  .help = "as static-map, with the whole path below the folder",
	  .example = "/static=/srv/myapp" },
	{ .name = "check-static",
	  .type = OPT_LIST,
	  .offset = AT(checks),
	  .unit = "FOLDER",
	  .help = "look for a file of the request's path below this folder before the application is "
		  "asked",
	  .example = "/srv/myapp/public" },
	{ .name = "static-check", .same_as = "check-static" },
	{ .name = "check-static-docroot",
	  .type = OPT_FLAG,
	  .offset = AT(check_docroot),
	  .initial = "false",
	  .help = "as check-static, below the folder that the web server sends as DOCUMENT_ROOT" },
	{ .name = "static-index",
	  .type = OPT_LIST,
	  .offset = AT(indexes),
	  .unit = "NAME",
	  .help = "the file that is answered for a folder; the first that is there",
	  .example = "index.html",
	  .differs = "/folder is answered like /folder/; here it is redirected there, so that the "
		     "page's links work" },
	{ .name = "static-safe",
	  .type = OPT_LIST,
	  .offset = AT(safe),
	  .unit = "FOLDER",
	  .help = "links may lead out of their folder to here",
	  .example = "/srv/shared" },
	{ .name = "static-skip-ext",
	  .type = OPT_LIST,
	  .offset = AT(skip_ext),
	  .unit = "ENDING",
	  .help = "names that end so are the application's",
	  .example = ".php" },
	EXPIRES("static-expires", KEY_FILE,
		"Expires and Cache-Control for files whose name, with its folder, matches this expression",
		valid_expires, "\\.css$ 3600"),
	EXPIRES("static-expires-path-info", KEY_PATH_INFO,
		"Expires and Cache-Control where PATH_INFO matches this expression", valid_expires,
		"^/static/ 3600"),
	EXPIRES("static-expires-uri", KEY_URI,
		"Expires and Cache-Control where REQUEST_URI, which has the query, matches this expression",
		valid_expires, "\\?v= 31536000"),
	EXPIRES("static-expires-type", KEY_TYPE, "Expires and Cache-Control for a media type",
		valid_seconds, "image/png=86400"),
	{ .name = "static-gzip",
	  .type = OPT_LIST,
	  .offset = AT(gzip),
	  .valid = valid_gzip,
	  .unit = "EXPRESSION",
	  .help = "for files whose name, with its folder, matches: name.br, name.zst or name.gz instead, "
		  "if it is there and the client accepts it",
	  .example = "\\.(css|js)$",
	  .differs = "only name.gz" },
	{ .name = "static-gzip-all",
	  .type = OPT_FLAG,
	  .offset = AT(gzip_all),
	  .initial = "false",
	  .help = "as static-gzip, for every file" },
	{ .name = "static-gzip-dir",
	  .type = OPT_LIST,
	  .offset = AT(gzip_dirs),
	  .unit = "FOLDER",
	  .help = "as static-gzip, for the files below this folder",
	  .example = "/srv/myapp/static" },
	{ .name = "static-gzip-prefix", .same_as = "static-gzip-dir" },
	{ .name = "static-gzip-ext",
	  .type = OPT_LIST,
	  .offset = AT(gzip_ext),
	  .unit = "ENDING",
	  .help = "as static-gzip, for names that end so",
	  .example = ".css" },
	{ .name = "static-gzip-suffix", .same_as = "static-gzip-ext" },
	{ .name = "honour-range",
	  .type = OPT_FLAG,
	  .offset = AT(ranges),
	  .initial = "true",
	  .help = "answer requests for parts of a file with them; false: with all of it",
	  .differs = "false by default, and of several ranges the first" },
	{ .name = "mimefile",
	  .type = OPT_LIST,
	  .offset = AT(mime_files),
	  .unit = "FILE",
	  .help = "media types and the endings of names that have them; /etc/mime.types by default",
	  .example = "/etc/mime.types" },
	{ .name = "mime-file", .same_as = "mimefile" },
	{ .name = "file-serve-mode",
	  .type = OPT_STRING,
	  .offset = AT(serve_mode),
	  .initial = "send",
	  .unit = "MODE",
	  .help = "send: the server sends the file; x-accel-redirect (nginx), x-sendfile (Apache): it "
		  "tells the web server in this header which file to send",
	  .example = "x-sendfile" },
	{ .name = "fileserve-mode", .same_as = "file-serve-mode" },
};

/* For --check only: what is not there may come later.  Folders are seen from chdir. */
static void look_for(const struct config *cfg, struct report *report, const char *option,
		     const char *item, const char *folder)
{
	const char *const *chdir = uwsgi_config_setting(cfg, "chdir");
	bool below = *folder != '/' && *chdir;
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s%s%s", below ? *chdir : "", below ? "/" : "", folder);
	if (access(path, F_OK))
		uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, option, item, "there is no %s",
					path);
}

static void look_for_mapped(const struct config *cfg, struct report *report, const char *option,
			    const struct option_list *maps)
{
	for (size_t i = 0; i < maps->count; i++)
		look_for(cfg, report, option, maps->items[i], strchr(maps->items[i], '=') + 1);
}

static void check(const struct config *cfg, struct report *report)
{
	const struct static_settings *s = uwsgi_options(cfg, &static_options);

	if (find_serve_mode(s->serve_mode) < 0)
		uwsgi_config_doubt(
			cfg, report, UWSGI_WARNING, "file-serve-mode",
			"\"%s\" is neither x-accel-redirect (nginx) nor x-sendfile: the server "
			"sends the files itself",
			s->serve_mode);
	if (!uwsgi_config_thorough(report))
		return;
	for (size_t i = 0; i < s->mime_files.count; i++)
		look_for(cfg, report, "mimefile", s->mime_files.items[i], s->mime_files.items[i]);
	for (size_t i = 0; i < s->checks.count; i++)
		look_for(cfg, report, "check-static", s->checks.items[i], s->checks.items[i]);
	look_for_mapped(cfg, report, "static-map", &s->maps);
	look_for_mapped(cfg, report, "static-map2", &s->maps2);
}

const struct option_table static_options = {
	.module = "static",
	.size = sizeof(struct static_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};

/* ---- rules ---- */

static void add_map(struct rules *r, const char *text, bool keeps_prefix)
{
	const char *equals = strchr(text, '=');
	size_t n = (size_t)(equals - text);

	while (n > 0 && text[n - 1] == '/')
		n--;
	r->places[r->place_count++] = (struct place){ { text, n }, equals + 1, keeps_prefix };
}

static int make_places(struct rules *r, struct error *e)
{
	const struct static_settings *s = r->settings;

	r->places = calloc(s->checks.count + s->maps.count + s->maps2.count + 1, sizeof *r->places);
	if (!r->places)
		return uwsgi_error_set(e, "out of memory");
	for (size_t i = 0; i < s->checks.count; i++)
		r->places[r->place_count++] =
			(struct place){ SLICE(""), s->checks.items[i], false };
	for (size_t i = 0; i < s->maps.count; i++)
		add_map(r, s->maps.items[i], false);
	for (size_t i = 0; i < s->maps2.count; i++)
		add_map(r, s->maps2.items[i], true);
	return 0;
}

static int add_expires(struct rules *r, enum expires_key key, bool from_mtime, const char *text,
		       struct error *e)
{
	const char *at = find_seconds(text);
	struct expires_rule *rule = &r->expires[r->expires_count];

	*rule = (struct expires_rule){ .key = key,
				       .from_mtime = from_mtime,
				       .type = { text, (size_t)(at - text) },
				       .seconds = strtoll(at + 1, NULL, 10) };
	if (key != KEY_TYPE) {
		rule->pattern = compile(rule->type.p, rule->type.n, e);
		if (!rule->pattern)
			return -1;
	}
	r->expires_count++;
	return 0;
}

static int make_expires(struct rules *r, struct error *e)
{
	const struct static_settings *s = r->settings;
	size_t count = 0;

	for (size_t key = 0; key < EXPIRES_KEYS; key++)
		count += s->expires[key][0].count + s->expires[key][1].count;
	r->expires = count ? calloc(count, sizeof *r->expires) : NULL;
	if (count && !r->expires)
		return uwsgi_error_set(e, "out of memory");
	for (size_t key = 0; key < EXPIRES_KEYS; key++)
		for (size_t from = 0; from < 2; from++)
			for (size_t i = 0; i < s->expires[key][from].count; i++)
				if (add_expires(r, key, from == 1, s->expires[key][from].items[i],
						e))
					return -1;
	return 0;
}

static int make_gzip(struct rules *r, struct error *e)
{
	const struct option_list *list = &r->settings->gzip;

	r->gzip = list->count ? calloc(list->count, sizeof *r->gzip) : NULL;
	if (list->count && !r->gzip)
		return uwsgi_error_set(e, "out of memory");
	for (size_t i = 0; i < list->count; i++) {
		r->gzip[i] = uwsgi_pattern_new(list->items[i], e);
		if (!r->gzip[i])
			return -1;
		r->gzip_count++;
	}
	return 0;
}

/* "/path=application": what the application has as SCRIPT_NAME is no part of a file's path. */
static int take_mounts(struct rules *r, const struct config *cfg, struct error *e)
{
	const struct option_list *mounts = uwsgi_config_setting(cfg, "mount");

	if (!uwsgi_config_has(cfg, "mount") || !uwsgi_config_has(cfg, "manage-script-name"))
		return 0;
	r->mounts = calloc(mounts->count, sizeof *r->mounts);
	if (!r->mounts)
		return uwsgi_error_set(e, "out of memory");
	for (size_t i = 0; i < mounts->count; i++) {
		const char *path = mounts->items[i];
		size_t n = strcspn(path, "=|");

		if (path[n] == '|') /* for one host only, whose requests are not told apart here */
			continue;
		while (n > 0 && path[n - 1] == '/')
			n--;
		if (n > 0)
			r->mounts[r->mount_count++] = (struct slice){ path, n };
	}
	return 0;
}

int rules_init(struct rules *r, const struct config *cfg, struct error *e)
{
	const struct static_settings *s = uwsgi_options(cfg, &static_options);
	int mode = find_serve_mode(s->serve_mode);

	*r = (struct rules){ .settings = s,
			     .serve_mode = mode < 0 ? SERVE_SEND : (enum serve_mode)mode,
			     .by_rules = uwsgi_config_has_action(cfg, SLICE("static")),
			     .has_variants = s->gzip_all || s->gzip.count || s->gzip_dirs.count ||
					     s->gzip_ext.count };
	return make_places(r, e) || make_expires(r, e) || make_gzip(r, e) || take_mounts(r, cfg, e)
		       ? -1
		       : 0;
}

void rules_fini(struct rules *r)
{
	for (size_t i = 0; i < r->gzip_count; i++)
		uwsgi_pattern_free(r->gzip[i]);
	for (size_t i = 0; i < r->expires_count; i++)
		uwsgi_pattern_free(r->expires[i].pattern);
	free(r->gzip);
	free(r->expires);
	free(r->places);
	free(r->mounts);
}
