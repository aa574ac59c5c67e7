/* SPDX-License-Identifier: MIT */
/* catalogue.c: looks names and letters up in all option tables at once, follows aliases, and
 * finds what a mistyped name may have meant.  The readers of settings call it.  Pure; the
 * tables are their modules'. */
#include "catalogue.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct option *find_in(const struct option_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	return NULL;
}

bool catalogue_index(struct catalogue *c)
{
	for (size_t t = 0; t < c->count; t++)
		for (size_t i = 0; i < c->tables[t]->count; i++)
			if (!lookup_add(&c->names, c->tables[t]->rows[i].name, t))
				return false;
	return true;
}

void catalogue_fini(struct catalogue *c)
{
	lookup_fini(&c->names);
}

bool catalogue_find(const struct catalogue *c, const char *name, struct option_at *at)
{
	size_t from = c->names.count ? lookup_find(&c->names, name) : 0;

	for (size_t t = from; t < c->count; t++) {
		const struct option *row = find_in(c->tables[t], name);

		if (!row)
			continue;
		if (row->same_as) {
			const struct option *same = find_in(c->tables[t], row->same_as);

			if (!same)
				return catalogue_find(c, row->same_as, at);
			assert(!same->same_as);
			row = same;
		}
		*at = (struct option_at){ t, row };
		return true;
	}
	return false;
}

bool catalogue_find_letter(const struct catalogue *c, char letter, struct option_at *at)
{
	for (size_t t = 0; t < c->count; t++)
		for (size_t i = 0; i < c->tables[t]->count; i++)
			if (c->tables[t]->rows[i].letter == letter)
				return catalogue_find(c, c->tables[t]->rows[i].name, at);
	return false;
}

bool catalogue_find_prefix(const struct catalogue *c, const char *prefix, struct option_at *at)
{
	struct option_at found = { 0 }, this;
	size_t length = strlen(prefix);

	for (size_t t = 0; t < c->count; t++)
		for (size_t i = 0; i < c->tables[t]->count; i++) {
			const char *name = c->tables[t]->rows[i].name;

			if (strncmp(name, prefix, length) != 0 || !catalogue_find(c, name, &this))
				continue;
			if (found.row && found.row != this.row)
				return false;
			found = this;
		}
	*at = found;
	return found.row != NULL;
}

enum arity catalogue_arity(const struct option *row)
{
	const struct uwsgi_name *known =
		row->type == OPT_ALWAYS ? uwsgi_names_find(row->name) : NULL;

	/* What is always on here may have a number in uWSGI: http-keepalive 75. */
	if (known)
		return known->arity;
	if (row->type == OPT_FLAG || row->type == OPT_ALWAYS)
		return ARITY_NONE;
	return row->bare ? ARITY_OPTIONAL : ARITY_REQUIRED;
}

/* ---- what a mistyped name may have meant ---- */

/* Names that people write and no spelling distance explains, seen in public files. */
static const struct {
	const char *name, *hint;
} misremembered[] = {
	{ "application", "; the name of the callable is set with \"callable\"" },
	{ "b", "; did you mean \"buffer-size\"?" },
	{ "chmod-sock", "; did you mean \"chmod-socket\"?" },
	{ "chown", "; did you mean \"chown-socket\"?" },
	{ "group", "; did you mean \"gid\"?" },
	{ "gui", "; did you mean \"gid\"?" },
	{ "log", "; did you mean \"logto\"?" },
	{ "logfile", "; did you mean \"logto\"?" },
	{ "logging", "; did you mean \"disable-logging\"?" },
	{ "pid", "; did you mean \"pidfile\"?" },
	{ "port", "; did you mean \"http-socket\"?" },
	{ "process", "; did you mean \"processes\"?" },
	{ "strict-mode", "; did you mean \"strict\"?" },
	{ "thread", "; did you mean \"threads\"?" },
	{ "user", "; did you mean \"uid\"?" },
	{ "worker", "; did you mean \"workers\"?" },
	{ "zuid", "; did you mean \"uid\"?" },
};

enum { NAME_MAX_COMPARED = 48 };

static char fold(char c)
{
	return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that lead from a to b, where
 * capitals and underscores count as what they stand for. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[3][NAME_MAX_COMPARED + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > NAME_MAX_COMPARED || m > NAME_MAX_COMPARED)
		return NAME_MAX_COMPARED;
	for (size_t j = 0; j <= m; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			bool same = fold(a[i - 1]) == fold(b[j - 1]);

			now[j] = least(before[j] + 1, now[j - 1] + 1);
			now[j] = least(now[j], before[j - 1] + !same);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]))
				now[j] = least(now[j], earlier[j - 2] + 1);
		}
	}
	return row[n % 3][m];
}

/* Which letters a name has.  One slip changes two of them at most. */
static unsigned letters_of(const char *name)
{
	unsigned letters = 0;

	for (; *name; name++)
		letters |= 1u << (fold(*name) & 31);
	return letters;
}

/* The distance, or at least limit: most names differ too much in length or letters to be
 * compared. */
static unsigned distance_below(const char *a, const char *b, unsigned limit)
{
	size_t n = strlen(a), m = strlen(b);

	if (limit == 0 || (n > m ? n - m : m - n) >= limit)
		return limit;
	if (__builtin_popcount(letters_of(a) ^ letters_of(b)) > 2 * ((int)limit - 1))
		return limit;
	return distance(a, b);
}

struct nearest {
	const char *wanted, *name;
	unsigned distance; /* of name; at first, one more than is allowed */
};

/* One slip is a typing error; more are one only in a long name. */
static unsigned allowed_slips(size_t length)
{
	return length < 3 ? 0 : length < 8 ? 1 : length < 14 ? 2 : 3;
}

static void consider(struct nearest *n, const char *name)
{
	size_t wanted = strlen(n->wanted);
	bool begins = wanted >= 4 && strncmp(name, n->wanted, wanted) == 0;
	unsigned d = begins ? 1 : distance_below(n->wanted, name, n->distance);

	if (d < n->distance) {
		n->distance = d;
		n->name = name;
	}
}

/* What can be used comes first; of what uWSGI has besides, only what is very near is named. */
static const char *find_nearest(const struct catalogue *c, const char *name)
{
	size_t known;
	struct nearest n = { .wanted = name, .distance = allowed_slips(strlen(name)) + 1 };
	const struct uwsgi_name *names = uwsgi_names_all(&known);

	for (size_t t = 0; t < c->count; t++)
		for (size_t i = 0; i < c->tables[t]->count; i++)
			consider(&n, c->tables[t]->rows[i].name);
	for (size_t i = 0; !n.name && n.distance > 1 && i < known; i++)
		if (distance_below(name, names[i].name, 2) < 2)
			n.name = names[i].name;
	return n.name;
}

/* "env A=b" lost its first '=', "threads: 4" has another sign for it: the key begins with the
 * name of an option. */
static bool hint_lost_equals(const struct catalogue *c, const char *name, char *hint, size_t size)
{
	struct option_at at;
	char first[NAME_MAX_COMPARED + 1];
	size_t n = strcspn(name, " \t:");

	if (!name[n] || n > NAME_MAX_COMPARED)
		return false;
	memcpy(first, name, n);
	first[n] = '\0';
	if (!catalogue_find(c, first, &at) && !uwsgi_names_find(first))
		return false;
	snprintf(hint, size, "; did you mean \"%s = %s\"?", first,
		 name + n + strspn(name + n, " \t:"));
	return true;
}

void catalogue_hint(const struct catalogue *c, const char *name, char *hint, size_t size)
{
	struct option_at at;

	hint[0] = '\0';
	for (size_t i = 0; i < sizeof misremembered / sizeof *misremembered; i++)
		if (strcmp(misremembered[i].name, name) == 0) {
			snprintf(hint, size, "%s", misremembered[i].hint);
			return;
		}
	if (hint_lost_equals(c, name, hint, size))
		return;
	const char *nearest = find_nearest(c, name);

	if (!nearest)
		return;
	if (catalogue_find(c, nearest, &at))
		snprintf(hint, size, "; did you mean \"%s\"?", nearest);
	else
		snprintf(hint, size, "; \"%s\" is uWSGI's, but not supported here", nearest);
}
