/* SPDX-License-Identifier: MIT */
/* logic.c: conditions and loops around lines of a configuration.  reader.c passes every line
 * through here.  One table says which names are conditions and what they ask, one which are
 * loops and what they run over.  A block is decided where it is opened, once for each value that
 * %(_) has there; it holds the values with which its lines count. */
#include "settings/logic.h"

#include "base/owner.h"
#include "base/text.h"
#include "settings/expand.h"
#include "settings/source.h"

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A line that opens a block, for one of the values that %(_) has there. */
struct question {
	struct logic *logic;
	const struct directive *line;
	const char *text;  /* its value, with names replaced */
	const char *value; /* what %(_) will stand for; the text itself unless the answer sets it */
	bool failed;       /* it cannot be answered, and the report says why */
};

/* "for-times = 9x: not a number" */
UWSGI_PRINTF(3, 4)
static bool fail(const struct question *q, enum severity severity, const char *fmt, ...)
{
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	report_add(q->logic->reading->report, severity, q->line->at, "%s = %.200s: %s",
		   q->line->name, q->text, why);
	return false;
}

/* ---- conditions ---- */

static bool ask_variable(struct question *q)
{
	q->value = expand_variable(q->logic->reading, q->text);
	return q->value != NULL;
}

/* name, or name=value: whether some directive says so. */
static bool ask_option(struct question *q)
{
	struct reading *r = q->logic->reading;
	const char *equals = strchr(q->text, '=');
	char *name = arena_string(r->arena, q->text, strcspn(q->text, "="));
	struct directive *d = name ? directives_find(r->set, name) : NULL;

	if (d)
		d->used = true;
	for (; d; d = directives_next(r->set, d))
		if (!equals || (d->written && strcmp(expand(r, d->written), equals + 1) == 0))
			return true;
	return false;
}

/* Its type; 0: it is not there.  Relative names are seen from where the server was started,
 * wherever the process is by now. */
static mode_t type_of(const struct question *q)
{
	const struct reading *r = q->logic->reading;
	const char *path = source_absolute(r->arena, r->invocation->cwd, q->text);
	struct stat st;

	return path && *q->text && stat(path, &st) == 0 ? st.st_mode & S_IFMT : 0;
}

static bool ask_exists(struct question *q)
{
	return type_of(q) != 0;
}

static bool ask_file(struct question *q)
{
	return type_of(q) == S_IFREG;
}

static bool ask_folder(struct question *q)
{
	return type_of(q) == S_IFDIR;
}

static bool ask_reload(struct question *q)
{
	q->value = NULL;
	return q->logic->reading->invocation->is_reload;
}

static bool ask_plugin(struct question *q)
{
	const struct invocation *invocation = q->logic->reading->invocation;

	return invocation->has_plugin && invocation->has_plugin(invocation->plugins, q->text);
}

static bool ask_hostname(struct question *q)
{
	char name[256] = "";

	return gethostname(name, sizeof name - 1) == 0 && strcmp(name, q->text) == 0;
}

static bool ask_hostname_match(struct question *q)
{
	char name[256] = "";
	struct error e;
	struct pattern *pattern = uwsgi_pattern_new(q->text, &e);
	int matches = 0;

	if (pattern && gethostname(name, sizeof name - 1) == 0)
		matches = uwsgi_pattern_matches(pattern, (struct slice){ name, strlen(name) });
	if (matches < 0)
		uwsgi_error_set(&e, "%s: it takes too long with the name %s", q->text, name);
	q->failed = !pattern || matches < 0;
	if (q->failed)
		report_add(q->logic->reading->report, UWSGI_ERROR, q->line->at, "%s = %s",
			   q->line->name, e.text);
	uwsgi_pattern_free(pattern);
	return matches > 0;
}

static bool ask_user(struct question *q)
{
	struct error e;
	uid_t uid;
	gid_t gid;

	return owner_user(q->text, &uid, &gid, &e) == 0 && uid == getuid();
}

static bool ask_group(struct question *q)
{
	struct error e;
	gid_t gid;

	return owner_group(q->text, &gid, &e) == 0 && gid == getgid();
}

static const struct condition {
	const char *name; /* behind "if-" or "if", and behind "not-" */
	bool (*ask)(struct question *);
} conditions[] = {
	{ "env", ask_variable },      { "opt", ask_option },
	{ "exists", ask_exists },     { "file", ask_file },
	{ "dir", ask_folder },        { "directory", ask_folder },
	{ "reload", ask_reload },     { "plugin", ask_plugin },
	{ "hostname", ask_hostname }, { "hostname-match", ask_hostname_match },
	{ "uid", ask_user },          { "gid", ask_group },
};

static const char *behind(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(name, prefix, n) == 0 ? name + n : NULL;
}

/* if-env, ifenv, if-not-env, ifnotenv. */
static const struct condition *find_condition(const char *name, bool *wanted)
{
	const char *rest = behind(name, "if"), *negated;

	if (!rest)
		return NULL;
	rest += *rest == '-';
	negated = behind(rest, "not");
	*wanted = !negated;
	if (negated)
		rest = negated + (*negated == '-');
	for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
		if (strcmp(conditions[i].name, rest) == 0)
			return &conditions[i];
	return NULL;
}

/* ---- loops ---- */

/* False: no more can be taken; where memory is out, the arena tells. */
static bool add_value(const struct question *q, struct logic_values *v, const char *item)
{
	struct arena *arena = q->logic->reading->arena;

	if (v->count == LOGIC_VALUES)
		return fail(q, UWSGI_ERROR, "a loop runs at most %d times", LOGIC_VALUES);
	if (v->count == v->capacity) {
		size_t wanted = v->capacity ? v->capacity * 2 : 8;
		const char **grown = arena_alloc(arena, wanted * sizeof *grown);

		if (!grown)
			return false;
		if (v->count)
			memcpy(grown, v->items, v->count * sizeof *grown);
		v->items = grown;
		v->capacity = wanted;
	}
	v->items[v->count++] = item;
	return true;
}

/* The loop runs once more, with this text for %(_). */
static bool run_with(const struct question *q, const char *text, size_t n)
{
	struct logic *l = q->logic;
	const char *item = arena_string(l->reading->arena, text, n);

	return item && add_value(q, &l->open[l->depth].yes, item);
}

static bool run_words(const struct question *q)
{
	const char *text = q->text;

	for (;;) {
		text += strspn(text, " \t");
		size_t n = strcspn(text, " \t");

		if (n == 0)
			return true;
		if (!run_with(q, text, n))
			return false;
		text += n;
	}
}

/* The pattern with the folder before it, which stands for nothing but itself. */
static const char *pattern_from(const struct reading *r, const char *text)
{
	struct text escaped = { 0 };

	if (*text == '/')
		return text;
	for (const char *c = r->invocation->cwd; *c; c++)
		text_addf(&escaped, "%s%c", strchr("*?[\\", *c) ? "\\" : "", *c);
	text_addf(&escaped, "/%s", text);
	return text_take(&escaped, r->arena);
}

/* A pattern that fits nothing stands for itself, and folders end with a slash, as in uWSGI. */
static bool run_glob(const struct question *q)
{
	const struct reading *r = q->logic->reading;
	const char *pattern = pattern_from(r, q->text);
	size_t folder = *q->text == '/' ? 0 : strlen(r->invocation->cwd) + 1;
	bool whole = true;
	glob_t g;
	int failed = pattern ? glob(pattern, GLOB_MARK, NULL, &g) : GLOB_NOSPACE;

	if (failed == GLOB_NOMATCH)
		return run_with(q, q->text, strlen(q->text));
	if (failed)
		return fail(q, UWSGI_ERROR, "cannot be searched: %s", strerror(errno));
	for (size_t i = 0; whole && i < g.gl_pathc; i++)
		whole = run_with(q, g.gl_pathv[i] + folder, strlen(g.gl_pathv[i]) - folder);
	globfree(&g);
	return whole;
}

static bool run_times(const struct question *q)
{
	char *end, number[24];
	long long times = strtoll(q->text, &end, 10);

	if (end == q->text || *end)
		return fail(q, UWSGI_ERROR, "not a number");
	for (long long i = 1; i <= times; i++)
		if (!run_with(q, number, (size_t)snprintf(number, sizeof number, "%lld", i)))
			return false;
	return true;
}

/* Blanks stay; of an empty line nothing could be made. */
static bool run_lines(const struct question *q)
{
	const struct reading *r = q->logic->reading;
	const char *path = source_absolute(r->arena, r->invocation->cwd, q->text);
	struct error e;
	bool whole = true;
	size_t n, at = 0;

	if (!path)
		return false;
	char *bytes = source_read(path, &n, &e);
	if (!bytes)
		return fail(q, UWSGI_WARNING, "%s; the block is left out", e.text);
	while (whole && at < n) {
		const char *newline = memchr(bytes + at, '\n', n - at);
		size_t end = newline ? (size_t)(newline - bytes) : n, next = end + 1;

		while (end > at && bytes[end - 1] == '\r')
			end--;
		if (memchr(bytes + at, '\0', end - at))
			whole = fail(q, UWSGI_ERROR, "this is not a text file");
		else if (end > at)
			whole = run_with(q, bytes + at, end - at);
		at = next;
	}
	free(bytes);
	return whole;
}

static const struct loop {
	const char *name;
	bool (*run)(const struct question *); /* false: the block is left out */
} loops[] = {
	{ "for", run_words },
	{ "for-glob", run_glob },
	{ "for-times", run_times },
	{ "for-readline", run_lines },
};

static const struct loop *find_loop(const char *name)
{
	for (size_t i = 0; i < sizeof loops / sizeof *loops; i++)
		if (strcmp(loops[i].name, name) == 0)
			return &loops[i];
	return NULL;
}

/* ---- blocks ---- */

static bool is_end(const char *name, bool *of_loop)
{
	static const char *const ends[] = { "endif", "end-if", "endfor", "end-for" };

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (strcmp(ends[i], name) == 0) {
			*of_loop = i > 1;
			return true;
		}
	return false;
}

/* Outside of all blocks a line counts once, and nothing stands for %(_). */
static struct logic_values around(const struct logic *l)
{
	static const char *const nothing[1];

	return l->depth ? l->open[l->depth - 1].yes
			: (struct logic_values){ (const char **)(uintptr_t)nothing, 1, 1 };
}

/* False: the block is left out. */
static bool decide(struct logic *l, const struct directive *line)
{
	const struct logic_values outer = around(l);
	struct logic_block *block = &l->open[l->depth];
	const struct loop *loop = find_loop(line->name);
	bool wanted = true;
	const struct condition *condition = loop ? NULL : find_condition(line->name, &wanted);

	for (size_t i = 0; i < outer.count && !l->reading->set->full; i++) {
		const char *text = logic_expand(l, i, line->written ? line->written : "");

		if (!text)
			return false; /* memory is out, the arena tells */
		text = expand(l->reading, text);
		struct question q = { .logic = l, .line = line, .text = text, .value = text };
		if (loop) {
			if (!loop->run(&q))
				return false;
			continue;
		}
		bool holds = condition->ask(&q) == wanted;
		if (q.failed || !add_value(&q, holds ? &block->yes : &block->no,
					   holds && q.value ? q.value : outer.items[i]))
			return false;
	}
	return true;
}

/* A block inside one that does not count asks nothing: there are no values to ask with. */
static void open_block(struct logic *l, const struct directive *line)
{
	if (l->depth == LOGIC_DEPTH) {
		report_add(l->reading->report, UWSGI_ERROR, line->at,
			   "%s: more than %d blocks are open", line->name, LOGIC_DEPTH);
		return;
	}
	struct logic_block *block = &l->open[l->depth];
	*block = (struct logic_block){ .name = line->name,
				       .line = line->at.line,
				       .loop = find_loop(line->name) };
	if (!decide(l, line))
		block->yes.count = block->no.count = 0;
	l->depth++;
}

static void close_block(struct logic *l, const struct directive *line, bool of_loop)
{
	if (l->depth == 0) {
		report_add(l->reading->report, UWSGI_WARNING, line->at,
			   "%s: no block is open here; ignored", line->name);
		return;
	}
	const struct logic_block *block = &l->open[--l->depth];
	if (block->loop != of_loop)
		report_add(l->reading->report, UWSGI_WARNING, line->at,
			   "%s ends \"%s\" of line %d; write %s", line->name, block->name,
			   block->line, of_loop ? "endif" : "endfor");
}

static void turn_block(struct logic *l, const struct directive *line)
{
	struct logic_block *block = l->depth ? &l->open[l->depth - 1] : NULL;

	if (!block || block->loop || block->turned) {
		report_add(l->reading->report, UWSGI_WARNING, line->at,
			   "else: no condition is open here; ignored");
		return;
	}
	block->turned = true;
	block->yes = block->no;
}

bool logic_is_word(const char *name)
{
	bool ignored;

	return is_end(name, &ignored) || strcmp(name, "else") == 0 || find_loop(name) ||
	       find_condition(name, &ignored);
}

bool logic_line(struct logic *l, const struct directive *line)
{
	bool of_loop;

	if (!logic_is_word(line->name))
		return false;
	if (is_end(line->name, &of_loop))
		close_block(l, line, of_loop);
	else if (strcmp(line->name, "else") == 0)
		turn_block(l, line);
	else
		open_block(l, line);
	return true;
}

size_t logic_count(const struct logic *l)
{
	return around(l).count;
}

/* Only %(_) itself: sums may name what is not known yet. */
const char *logic_expand(const struct logic *l, size_t i, const char *text)
{
	static const char sign[] = "%(_)";
	const char *value = around(l).items[i], *at;
	struct text out = { 0 };

	if (!value || !strstr(text, sign))
		return text;
	for (; (at = strstr(text, sign)); text = at + sizeof sign - 1) {
		text_add(&out, (struct slice){ text, (size_t)(at - text) });
		text_add(&out, (struct slice){ value, strlen(value) });
	}
	text_add(&out, (struct slice){ text, strlen(text) });
	return text_take(&out, l->reading->arena);
}

void logic_end(const struct logic *l, const char *file)
{
	if (l->depth == 0)
		return;
	const struct logic_block *block = &l->open[l->depth - 1];
	report_add(l->reading->report, UWSGI_WARNING, (struct origin){ file, block->line },
		   "%s has no %s; it holds to the end of the file", block->name,
		   block->loop ? "endfor" : "endif");
}
