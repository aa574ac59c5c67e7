/* SPDX-License-Identifier: MIT */
/* logic.c: conditions and loops around lines of a configuration.  keys.c passes every line
 * through here.  One table says which names are conditions and what they ask, one which are
 * loops and what they run over.  A block is decided where it is opened, once for each value that
 * %(_) has there; it holds the values with which its lines count. */
#include "settings/logic.h"

#include "base/pattern.h"
#include "base/text.h"

#include <errno.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- conditions ---- */

struct question {
	struct arena *arena;
	const struct logic_facts *facts;
	const char *text;
	const char *value; /* what %(_) will stand for; the text itself unless the answer sets it */
	struct error *e;
	bool failed; /* it cannot be answered: the sentence says why */
};

static bool ask_variable(struct question *q)
{
	q->value = q->facts->variable(q->facts->user, q->text);
	return q->value != NULL;
}

static bool ask_option(struct question *q)
{
	char name[128];
	size_t n = strcspn(q->text, "=");

	if (n >= sizeof name)
		return false;
	memcpy(name, q->text, n);
	name[n] = '\0';
	return q->facts->is_set(q->facts->user, name, q->text[n] ? q->text + n + 1 : NULL);
}

/* The path as it is seen from where the server was started.  NULL when memory is out. */
static const char *seen_from_start(struct arena *arena, const char *cwd, const char *path)
{
	struct text absolute = { 0 };

	if (*path == '/' || !*path)
		return path;
	text_addf(&absolute, "%s/%s", cwd, path);
	return text_take(&absolute, arena);
}

/* Its type; 0: it is not there. */
static mode_t type_of(const struct question *q)
{
	const char *path = seen_from_start(q->arena, q->facts->cwd, q->text);
	struct stat st;

	return path && stat(path, &st) == 0 ? st.st_mode & S_IFMT : 0;
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
	return q->facts->is_reload;
}

static bool ask_plugin(struct question *q)
{
	return q->facts->has_plugin(q->facts->user, q->text);
}

static bool ask_hostname(struct question *q)
{
	char name[256] = "";

	return gethostname(name, sizeof name - 1) == 0 && strcmp(name, q->text) == 0;
}

static bool ask_hostname_match(struct question *q)
{
	char name[256] = "";
	struct pattern *pattern = pattern_new(q->text, q->e);
	int matches = 0;

	if (pattern && gethostname(name, sizeof name - 1) == 0)
		matches = pattern_matches(pattern, (struct slice){ name, strlen(name) });
	if (matches < 0)
		uwsgi_error_set(q->e, "%s: it takes too long with the name %s", q->text, name);
	q->failed = !pattern || matches < 0;
	pattern_free(pattern);
	return matches > 0;
}

/* A number, or what the name of a user or group stands for. */
static bool is_id(const char *text, unsigned id, bool named, unsigned of_name)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	return *text && !*end ? number == id : named && of_name == id;
}

static bool ask_user(struct question *q)
{
	const struct passwd *user = getpwnam(q->text);

	return is_id(q->text, getuid(), user, user ? user->pw_uid : 0);
}

static bool ask_group(struct question *q)
{
	const struct group *group = getgrnam(q->text);

	return is_id(q->text, getgid(), group, group ? group->gr_gid : 0);
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

/* ---- values ---- */

static bool add_value(struct logic *l, struct logic_values *v, const char *item, struct error *e)
{
	if (v->count == LOGIC_VALUES) {
		uwsgi_error_set(e, "a loop runs at most %d times", LOGIC_VALUES);
		return false;
	}
	if (v->count == v->capacity) {
		size_t wanted = v->capacity ? v->capacity * 2 : 8;
		const char **grown = arena_alloc(l->arena, wanted * sizeof *grown);

		if (!grown) {
			uwsgi_error_set(e, "out of memory");
			return false;
		}
		if (v->count)
			memcpy(grown, v->items, v->count * sizeof *grown);
		v->items = grown;
		v->capacity = wanted;
	}
	v->items[v->count++] = item;
	return true;
}

static bool add_copy(struct logic *l, struct logic_values *v, const char *text, size_t n,
		     struct error *e)
{
	struct slice copy = arena_copy(l->arena, (struct slice){ text, n + 1 });

	if (!copy.p) {
		uwsgi_error_set(e, "out of memory");
		return false;
	}
	((char *)(uintptr_t)copy.p)[n] = '\0';
	return add_value(l, v, copy.p, e);
}

/* ---- loops ---- */

struct loop {
	struct logic *logic;
	const struct logic_facts *facts;
	struct logic_values *to;
	struct error *e;
	enum logic_verdict fault;
};

static bool run_words(struct loop *l, const char *text)
{
	for (;;) {
		text += strspn(text, " \t");
		size_t n = strcspn(text, " \t");

		if (n == 0)
			return true;
		if (!add_copy(l->logic, l->to, text, n, l->e))
			return false;
		text += n;
	}
}

/* The pattern with the folder before it, which stands for nothing but itself. */
static const char *pattern_from(const struct loop *l, const char *text)
{
	struct text escaped = { 0 };

	if (*text == '/')
		return text;
	for (const char *c = l->facts->cwd; *c; c++)
		text_addf(&escaped, "%s%c", strchr("*?[\\", *c) ? "\\" : "", *c);
	text_addf(&escaped, "/%s", text);
	return text_take(&escaped, l->logic->arena);
}

/* A pattern that fits nothing stands for itself, and folders end with a slash, as in uWSGI. */
static bool run_glob(struct loop *l, const char *text)
{
	const char *pattern = pattern_from(l, text);
	size_t folder = *text == '/' ? 0 : strlen(l->facts->cwd) + 1;
	glob_t g;
	bool whole = true;
	int failed = pattern ? glob(pattern, GLOB_MARK, NULL, &g) : GLOB_NOSPACE;

	if (failed == GLOB_NOMATCH)
		return add_copy(l->logic, l->to, text, strlen(text), l->e);
	if (failed) {
		uwsgi_error_set(l->e, "cannot be searched: %s", strerror(errno));
		return false;
	}
	for (size_t i = 0; whole && i < g.gl_pathc; i++) {
		const char *found = g.gl_pathv[i] + folder;

		whole = add_copy(l->logic, l->to, found, strlen(found), l->e);
	}
	globfree(&g);
	return whole;
}

static bool run_times(struct loop *l, const char *text)
{
	char *end, number[24];
	long long times = strtoll(text, &end, 10);

	if (end == text || *end) {
		uwsgi_error_set(l->e, "not a number");
		return false;
	}
	for (long long i = 1; i <= times; i++) {
		int n = snprintf(number, sizeof number, "%lld", i);

		if (!add_copy(l->logic, l->to, number, (size_t)n, l->e))
			return false;
	}
	return true;
}

/* Blanks stay; of an empty line nothing could be made. */
static bool run_lines(struct loop *l, const char *path)
{
	size_t n, at = 0;
	char *bytes = l->facts->read(l->facts->user, path, &n, l->e);
	bool whole = true;

	if (!bytes) {
		l->fault = LOGIC_DOUBTFUL;
		return false;
	}
	while (whole && at < n) {
		const char *newline = memchr(bytes + at, '\n', n - at);
		size_t end = newline ? (size_t)(newline - bytes) : n, next = end + 1;

		while (end > at && bytes[end - 1] == '\r')
			end--;
		if (memchr(bytes + at, '\0', end - at)) {
			uwsgi_error_set(l->e, "this is not a text file");
			whole = false;
		} else if (end > at) {
			whole = add_copy(l->logic, l->to, bytes + at, end - at, l->e);
		}
		at = next;
	}
	free(bytes);
	return whole;
}

static const struct loop_kind {
	const char *name;
	bool (*run)(struct loop *, const char *text);
} loops[] = {
	{ "for", run_words },
	{ "for-glob", run_glob },
	{ "for-times", run_times },
	{ "for-readline", run_lines },
};

static const struct loop_kind *find_loop(const char *name)
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

/* "for-times = 9x: not a number" */
static enum logic_verdict fail(enum logic_verdict verdict, const char *name, const char *text,
			       struct error *e)
{
	struct error why = *e;

	uwsgi_error_set(e, "%s = %.200s: %s%s", name, text, why.text,
			verdict == LOGIC_DOUBTFUL ? "; the block is left out" : "");
	return verdict;
}

static const char *replace(const struct logic *l, const struct logic_facts *facts, size_t i,
			   const char *text)
{
	const char *with = logic_expand(l, i, text);

	return with ? facts->known(facts->user, with) : NULL;
}

static enum logic_verdict decide(struct logic *l, const struct logic_facts *facts, const char *name,
				 const char *value, int at, struct error *e)
{
	const struct logic_values outer = around(l);
	struct logic_values *yes = &l->open[at].yes, *no = &l->open[at].no;
	const struct loop_kind *loop = find_loop(name);
	bool wanted = true;
	const struct condition *condition = loop ? NULL : find_condition(name, &wanted);

	for (size_t i = 0; i < outer.count; i++) {
		const char *text = replace(l, facts, i, value);
		struct loop run = { l, facts, yes, e, LOGIC_WRONG };
		struct question q = { l->arena, facts, text, text, e, false };

		if (!text)
			return LOGIC_DONE; /* memory is out, the arena tells */
		if (loop) {
			if (!loop->run(&run, text))
				return fail(run.fault, name, text, e);
			continue;
		}
		bool holds = condition->ask(&q) == wanted;
		if (q.failed) {
			const struct error why = *e;

			uwsgi_error_set(e, "%s = %s", name, why.text);
			return LOGIC_WRONG;
		}
		const char *stands = holds && q.value ? q.value : outer.items[i];
		if (!add_value(l, holds ? yes : no, stands, e))
			return fail(LOGIC_WRONG, name, text, e);
	}
	return LOGIC_DONE;
}

/* A block inside one that does not count asks nothing: there are no values to ask with. */
static enum logic_verdict open_block(struct logic *l, const struct logic_facts *facts,
				     const char *name, const char *value, int line, struct error *e)
{
	int at = l->depth;

	if (at == LOGIC_DEPTH) {
		uwsgi_error_set(e, "%s: more than %d blocks are open", name, LOGIC_DEPTH);
		return LOGIC_WRONG;
	}
	memset(&l->open[at], 0, sizeof l->open[at]);
	l->open[at].name = name;
	l->open[at].line = line;
	l->open[at].loop = find_loop(name) != NULL;
	enum logic_verdict verdict = decide(l, facts, name, value, at, e);
	if (verdict != LOGIC_DONE)
		l->open[at].yes.count = l->open[at].no.count = 0;
	l->depth++;
	return verdict;
}

static enum logic_verdict close_block(struct logic *l, const char *name, bool of_loop,
				      struct error *e)
{
	if (l->depth == 0) {
		uwsgi_error_set(e, "%s: no block is open here; ignored", name);
		return LOGIC_DOUBTFUL;
	}
	l->depth--;
	if (l->open[l->depth].loop == of_loop)
		return LOGIC_DONE;
	uwsgi_error_set(e, "%s ends \"%s\" of line %d; write %s", name, l->open[l->depth].name,
			l->open[l->depth].line, of_loop ? "endif" : "endfor");
	return LOGIC_DOUBTFUL;
}

static enum logic_verdict turn_block(struct logic *l, struct error *e)
{
	if (l->depth == 0 || l->open[l->depth - 1].loop || l->open[l->depth - 1].turned) {
		uwsgi_error_set(e, "else: no condition is open here; ignored");
		return LOGIC_DOUBTFUL;
	}
	l->open[l->depth - 1].turned = true;
	l->open[l->depth - 1].yes = l->open[l->depth - 1].no;
	return LOGIC_DONE;
}

bool logic_is_word(const char *name)
{
	bool ignored;

	return is_end(name, &ignored) || strcmp(name, "else") == 0 || find_loop(name) ||
	       find_condition(name, &ignored);
}

enum logic_verdict logic_line(struct logic *l, const struct logic_facts *facts, const char *name,
			      const char *value, int line, struct error *e)
{
	bool ignored;

	if (is_end(name, &ignored))
		return close_block(l, name, ignored, e);
	if (strcmp(name, "else") == 0)
		return turn_block(l, e);
	if (find_loop(name) || find_condition(name, &ignored))
		return open_block(l, facts, name, value, line, e);
	return LOGIC_NONE;
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
	return text_take(&out, l->arena);
}

bool logic_end(const struct logic *l, int *line, struct error *e)
{
	if (l->depth == 0)
		return true;
	*line = l->open[l->depth - 1].line;
	uwsgi_error_set(e, "%s has no %s; it holds to the end of the file",
			l->open[l->depth - 1].name,
			l->open[l->depth - 1].loop ? "endfor" : "endif");
	return false;
}
