/* SPDX-License-Identifier: MIT */
/* logic.c: conditions around lines of an ini file.  keys.c passes every line through here.  A
 * table says which names open a block and what they ask; loops and the conditions that this
 * server does not have are skipped to their end, with a warning. */
#include "logic.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct question {
	const struct logic_facts *facts;
	const char *text;
	const char *value; /* what %(_) will stand for; the text itself unless the answer sets it */
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

static bool ask_exists(struct question *q)
{
	struct stat st;

	return stat(q->text, &st) == 0;
}

static bool ask_file(struct question *q)
{
	struct stat st;

	return stat(q->text, &st) == 0 && S_ISREG(st.st_mode);
}

static bool ask_folder(struct question *q)
{
	struct stat st;

	return stat(q->text, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool ask_hostname(struct question *q)
{
	char name[256] = "";

	return gethostname(name, sizeof name - 1) == 0 && strcmp(name, q->text) == 0;
}

static const struct {
	const char *name;
	bool (*ask)(struct question *);
	bool wanted;
} conditions[] = {
	{ "if-env", ask_variable, true },      { "ifenv", ask_variable, true },
	{ "if-not-env", ask_variable, false }, { "if-opt", ask_option, true },
	{ "if-not-opt", ask_option, false },   { "if-exists", ask_exists, true },
	{ "ifexists", ask_exists, true },      { "if-not-exists", ask_exists, false },
	{ "if-file", ask_file, true },         { "if-not-file", ask_file, false },
	{ "if-dir", ask_folder, true },        { "ifdir", ask_folder, true },
	{ "if-directory", ask_folder, true },  { "if-not-dir", ask_folder, false },
	{ "if-hostname", ask_hostname, true }, { "if-not-hostname", ask_hostname, false },
};

/* They open a block as well, but what they say is not understood. */
static const char *const unsupported[] = {
	"for",
	"for-glob",
	"for-times",
	"for-readline",
	"if-plugin",
	"ifplugin",
	"if-not-plugin",
	"if-reload",
	"if-not-reload",
	"if-hostname-match",
	"if-not-hostname-match",
};

static const char *const ends[] = { "endif", "end-if", "endfor", "end-for" };

static bool is_one_of(const char *name, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

static bool is_skipping(const struct logic *l)
{
	return l->depth > 0 && l->open[l->depth - 1].skip;
}

/* A block inside one that does not count does not count either, whatever it asks. */
static enum logic_verdict open_block(struct logic *l, const char *name, const char *value, int line,
				     bool skip, struct error *e)
{
	if (l->depth == LOGIC_DEPTH) {
		uwsgi_error_set(e, "%s: blocks are nested too deep; ignored", name);
		return LOGIC_DOUBTFUL;
	}
	skip = skip || is_skipping(l);
	l->open[l->depth].name = name;
	l->open[l->depth].value = value;
	l->open[l->depth].line = line;
	l->open[l->depth].skip = skip;
	l->depth++;
	return LOGIC_DONE;
}

enum logic_verdict logic_line(struct logic *l, const struct logic_facts *facts, const char *name,
			      const char *value, int line, struct error *e)
{
	struct question q = { facts, value, value };

	if (is_one_of(name, ends, sizeof ends / sizeof *ends)) {
		if (l->depth == 0) {
			uwsgi_error_set(e, "%s: no block is open here; ignored", name);
			return LOGIC_DOUBTFUL;
		}
		l->depth--;
		return LOGIC_DONE;
	}
	for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
		if (strcmp(conditions[i].name, name) != 0)
			continue;
		bool counts = !is_skipping(l) && conditions[i].ask(&q) == conditions[i].wanted;

		return open_block(l, name, q.value, line, !counts, e);
	}
	if (is_one_of(name, unsupported, sizeof unsupported / sizeof *unsupported)) {
		bool silent = is_skipping(l);

		if (open_block(l, name, value, line, true, e) == LOGIC_DOUBTFUL)
			return LOGIC_DOUBTFUL;
		uwsgi_error_set(e, "\"%s\" is not supported here; its block is ignored", name);
		return silent ? LOGIC_DONE : LOGIC_DOUBTFUL;
	}
	return is_skipping(l) ? LOGIC_DONE : LOGIC_NONE;
}

const char *logic_value(const struct logic *l)
{
	return l->depth > 0 ? l->open[l->depth - 1].value : NULL;
}

bool logic_end(const struct logic *l, int *line, struct error *e)
{
	if (l->depth == 0)
		return true;
	const char *name = l->open[l->depth - 1].name;

	*line = l->open[l->depth - 1].line;
	uwsgi_error_set(e, "%s has no %s; it holds to the end of the file", name,
			strncmp(name, "for", 3) == 0 ? "endfor" : "endif");
	return false;
}
