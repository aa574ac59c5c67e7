/* SPDX-License-Identifier: MIT */
/* static.c: answers requests for files before the application is asked.  Here is which file a request
 * names; what is said of it stands in answer.c. */
#include "static.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static bool ends_with(struct slice s, const char *end)
{
	size_t n = strlen(end);

	return s.n >= n && !memcmp(s.p + s.n - n, end, n);
}

static bool ends_with_one(struct slice s, const struct option_list *ends)
{
	for (size_t i = 0; i < ends->count; i++)
		if (ends_with(s, ends->items[i]))
			return true;
	return false;
}

/* ---- precompressed files ---- */

static bool is_below(struct slice name, const char *folder)
{
	size_t n = strlen(folder);

	return name.n >= n && !memcmp(name.p, folder, n);
}

static bool may_be_compressed(const struct rules *r, struct slice name)
{
	const struct static_settings *s = r->settings;

	if (s->gzip_all || ends_with_one(name, &s->gzip_ext))
		return true;
	for (size_t i = 0; i < s->gzip_dirs.count; i++)
		if (is_below(name, s->gzip_dirs.items[i]))
			return true;
	for (size_t i = 0; i < r->gzip_count; i++)
		if (uwsgi_pattern_matches(r->gzip[i], name) == 1)
			return true;
	return false;
}

/* The file's best form for this client, in the place of the file. */
static void choose_variant(struct lane *lane, struct request *rq, struct found *found)
{
	static const struct {
		struct slice coding;
		const char *ending;
	} variants[] = { { SLICE("br"), ".br" },
			 { SLICE("zstd"), ".zst" },
			 { SLICE("gzip"), ".gz" } };
	const struct file *file = found->file;
	const char *path = file->name + file->root_length + 1;
	struct slice field = uwsgi_request_find(rq, SLICE("HTTP_ACCEPT_ENCODING"));
	char root[PATH_MAX], name[PATH_MAX];

	if (!lane->rules.has_variants || !may_be_compressed(&lane->rules, found->name))
		return;
	found->varies = true;
	for (size_t i = 0; field.n && i < sizeof variants / sizeof *variants; i++) {
		if (uwsgi_accept_coding(field, variants[i].coding) <= 0)
			continue;
		/* Of a map to one file, the path is empty. */
		int n = *path ? snprintf(name, sizeof name, "%s%s", path, variants[i].ending)
			      : snprintf(root, sizeof root, "%s%s", file->name, variants[i].ending);
		if (n >= PATH_MAX)
			return;
		struct file *variant = *path ? files_find(lane->files, file->name,
							  (struct slice){ name, (size_t)n })
					     : files_find(lane->files, root, SLICE(""));
		if (variant && !variant->is_folder) {
			found->file = variant;
			found->encoding = variants[i].coding;
			return;
		}
	}
}

/* ---- which file ---- */

static struct slice without_slashes(struct slice path)
{
	while (path.n > 0 && *path.p == '/') {
		path.p++;
		path.n--;
	}
	return path;
}

/* The first of static-index that is there. */
static struct file *find_index(struct lane *lane, const char *root, struct slice path)
{
	const struct static_settings *s = lane->rules.settings;
	const char *slash = path.n == 0 || path.p[path.n - 1] == '/' ? "" : "/";
	char name[PATH_MAX];

	for (size_t i = 0; i < s->indexes.count; i++) {
		int n = snprintf(name, sizeof name, "%.*s%s%s", (int)path.n, path.p, slash,
				 s->indexes.items[i]);
		struct file *f = n < PATH_MAX ? files_find(lane->files, root,
							   (struct slice){ name, (size_t)n })
					      : NULL;

		if (f && !f->is_folder &&
		    !ends_with_one((struct slice){ name, (size_t)n }, &s->skip_ext))
			return f;
	}
	return NULL;
}

enum answer { NOT_HERE, ANSWERED };

static enum answer answer_from(struct lane *lane, struct request *rq, struct response *rs,
			       const char *root, struct slice rest, struct slice whole_path)
{
	struct slice path = without_slashes(rest);
	char name[PATH_MAX];
	struct file *file;

	if (ends_with_one(path.n ? path : (struct slice){ root, strlen(root) },
			  &lane->rules.settings->skip_ext))
		return NOT_HERE;
	file = files_find(lane->files, root, path);
	if (file && file->is_folder) {
		file = find_index(lane, root, path);
		if (file && whole_path.p[whole_path.n - 1] != '/' && answer_with_slash(rq, rs))
			return ANSWERED;
	}
	size_t n = file ? file_name(file, name, sizeof name) : 0;
	if (n == 0)
		return NOT_HERE;
	struct found found = { .file = file, .name = { name, n } };

	choose_variant(lane, rq, &found);
	answer_with(lane, rq, rs, &found);
	return ANSWERED;
}

/* Behind the prefix of a map: nothing, or a slash.  False: the path is not below it. */
static bool rest_of(const struct place *place, struct slice path, struct slice *rest)
{
	size_t n = place->prefix.n;

	if (path.n < n || memcmp(path.p, place->prefix.p, n) || (path.n > n && path.p[n] != '/'))
		return false;
	*rest = place->keeps_prefix ? path : (struct slice){ path.p + n, path.n - n };
	return true;
}

static enum answer answer_from_docroot(struct lane *lane, struct request *rq, struct response *rs,
				       struct slice path)
{
	struct slice root = uwsgi_request_find(rq, SLICE("DOCUMENT_ROOT"));
	char text[PATH_MAX];

	if (root.n == 0 || root.n >= sizeof text || memchr(root.p, 0, root.n))
		return NOT_HERE;
	memcpy(text, root.p, root.n);
	text[root.n] = 0;
	return answer_from(lane, rq, rs, text, path, path);
}

static struct slice path_of(const struct rules *r, struct request *rq)
{
	struct slice path = uwsgi_request_find(rq, SLICE("PATH_INFO"));
	size_t split = 0;

	for (size_t i = 0; i < r->mount_count; i++) {
		struct slice m = r->mounts[i];

		if (m.n > split && path.n >= m.n && !memcmp(path.p, m.p, m.n) &&
		    (path.n == m.n || path.p[m.n] == '/'))
			split = m.n;
	}
	return (struct slice){ path.p + split, path.n - split };
}

static bool is_asked_for(const struct request *rq)
{
	struct slice method = uwsgi_request_find(rq, SLICE("REQUEST_METHOD"));

	return uwsgi_same(method, SLICE("GET")) || uwsgi_same(method, SLICE("HEAD"));
}

/* ---- which file a rule names ---- */

static void refuse_method(struct response *rs)
{
	uwsgi_response_start(rs, SLICE("405 Method Not Allowed"));
	uwsgi_response_header(rs, SLICE("Allow"), SLICE("GET, HEAD"));
	uwsgi_response_header(rs, SLICE("Content-Length"), SLICE("0"));
	uwsgi_response_end(rs);
}

/* named: as the action static of rules says it, a root and a path, each with a zero behind. */
static void answer_by_rule(struct lane *lane, struct request *rq, struct response *rs,
			   struct slice named)
{
	size_t root = strlen(named.p);
	struct slice rest = { named.p + root + 1, named.n - root - 2 };

	/* Nothing is said of the request's own path, so that a folder needs no slash. */
	if (!is_asked_for(rq))
		refuse_method(rs);
	else if (answer_from(lane, rq, rs, named.p, rest, SLICE("/")) != ANSWERED)
		uwsgi_response_refuse(rs, 404, (struct slice){ NULL, 0 });
}

/* ---- as a handler ---- */

static enum handled before(void *state, struct request *rq, struct response *rs, void **mine)
{
	struct lane *lane = state;
	const struct rules *r = &lane->rules;
	struct slice path = path_of(r, rq), rest;
	struct slice named =
		r->by_rules ? uwsgi_request_logvar(rq, SLICE("static")) : (struct slice){ NULL, 0 };

	(void)mine;
	if (named.p) {
		answer_by_rule(lane, rq, rs, named);
		return HANDLED_DONE;
	}
	if (path.n == 0 || !is_asked_for(rq))
		return HANDLED_NOT;
	if (r->settings->check_docroot && answer_from_docroot(lane, rq, rs, path) == ANSWERED)
		return HANDLED_DONE;
	for (size_t i = 0; i < r->place_count; i++)
		if (rest_of(&r->places[i], path, &rest) &&
		    answer_from(lane, rq, rs, r->places[i].folder, rest, path) == ANSWERED)
			return HANDLED_DONE;
	return HANDLED_NOT;
}

static bool wants(const struct config *cfg)
{
	const struct static_settings *s = uwsgi_options(cfg, &static_options);

	return s->maps.count || s->maps2.count || s->checks.count || s->check_docroot ||
	       uwsgi_config_has_action(cfg, SLICE("static"));
}

static void lane_stop(void *state)
{
	struct lane *lane = state;

	if (!lane)
		return;
	rules_fini(&lane->rules);
	files_free(lane->files);
	mime_free(lane->mime);
	free(lane);
}

static int lane_start(const struct handler_lane *at, void **state, struct error *e)
{
	struct lane *lane = calloc(1, sizeof *lane);

	*state = lane;
	if (!lane)
		return uwsgi_error_set(e, "out of memory");
	if (rules_init(&lane->rules, at->config, e))
		return -1;
	lane->files = files_new(&lane->rules.settings->safe);
	lane->mime = mime_new(&lane->rules.settings->mime_files);
	if (!lane->files || !lane->mime ||
	    getrandom(&lane->boundary, sizeof lane->boundary, 0) != sizeof lane->boundary)
		return uwsgi_error_set(e, "out of memory");
	return 0;
}

static const struct handler handler = {
	.name = "static",
	.order = 50,
	.wants = wants,
	.lane_start = lane_start,
	.lane_stop = lane_stop,
	.before = before,
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI,
	.name = "static",
	.options = &static_options,
	.handler = &handler,
};
