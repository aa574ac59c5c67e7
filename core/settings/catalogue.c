/* SPDX-License-Identifier: MIT */
/* catalogue.c: looks names and letters up in all option tables at once, follows aliases, and
 * finds what a mistyped name may have meant.  The readers of settings call it.  Pure; the
 * tables are their modules'. */
#include "settings/catalogue.h"

#include "settings/nearest.h"

#include <assert.h>
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

/* Whether its options can be set, without effect. */
static bool is_accepted(const struct subject *s)
{
	return s->status == SUBJECT_ALWAYS || s->status == SUBJECT_PLANNED;
}

bool catalogue_next(const struct catalogue *c, struct candidate *n)
{
	for (; n->table < c->count; n->table++, n->index = 0)
		if (n->index < c->tables[n->table]->count) {
			n->row = &c->tables[n->table]->rows[n->index++];
			n->name = n->row->name;
			return true;
		}
	n->row = NULL;
	n->name = n->known.name;
	for (; n->index < uwsgi_subject_count; n->index++, n->names = NULL) {
		const struct subject *s = &uwsgi_subjects[n->index];

		if (!n->names)
			n->names = s->options;
		if (is_accepted(s) && uwsgi_names_next(&n->names, &n->known))
			return true;
	}
	return false;
}

enum arity catalogue_arity(const struct option *row)
{
	enum arity arity;

	/* A name that may stand alone in a file takes the next word where it does so in uWSGI. */
	if (row->bare && uwsgi_names_find(row->name, &arity) && arity == ARITY_REQUIRED)
		return arity;
	if (row->type == OPT_FLAG)
		return ARITY_NONE;
	return row->bare ? ARITY_OPTIONAL : ARITY_REQUIRED;
}

bool catalogue_name(const struct catalogue *c, const char *name, struct named *named)
{
	struct option_at at;

	if (catalogue_find(c, name, &at)) {
		named->arity = catalogue_arity(at.row);
		name = at.row->name;
	} else if (!uwsgi_names_find(name, &named->arity)) {
		return false;
	}
	snprintf(named->name, sizeof named->name, "%s", name);
	return true;
}

bool catalogue_name_letter(const struct catalogue *c, char letter, struct named *named)
{
	const char *known = uwsgi_names_of_letter(letter);

	for (size_t t = 0; t < c->count; t++)
		for (size_t i = 0; i < c->tables[t]->count; i++)
			if (c->tables[t]->rows[i].letter == letter)
				return catalogue_name(c, c->tables[t]->rows[i].name, named);
	return known && catalogue_name(c, known, named);
}

/* False: it is a second option that the prefix may mean. */
static bool take_only(const struct catalogue *c, const char *name, struct named *found)
{
	struct named this;

	if (!catalogue_name(c, name, &this) ||
	    (*found->name && strcmp(found->name, this.name) != 0))
		return false;
	*found = this;
	return true;
}

bool catalogue_name_prefix(const struct catalogue *c, const char *prefix, struct named *found)
{
	size_t length = strlen(prefix);

	found->name[0] = '\0';
	for (struct candidate n = { 0 }; catalogue_next(c, &n);)
		if (strncmp(n.name, prefix, length) == 0 && !take_only(c, n.name, found))
			return false;
	return *found->name;
}

/* ---- what a mistyped name may have meant ---- */

/* Names that people write and no spelling distance explains, seen in public files. */
/* clang-format off */
static const struct {
	const char *name, *meant;
} misremembered[] = {
	{ "application", "callable" }, { "b", "buffer-size" }, { "chmod-sock", "chmod-socket" },
	{ "chown", "chown-socket" }, { "completion", "help-json" }, { "group", "gid" },
	{ "gui", "gid" }, { "help-man", "help-json" }, { "help-markdown", "help-json" },
	{ "log", "logto" },
	{ "logfile", "logto" }, { "logging", "disable-logging" }, { "pid", "pidfile" },
	{ "port", "http-socket" }, { "process", "processes" }, { "strict-mode", "strict" },
	{ "thread", "threads" }, { "user", "uid" }, { "worker", "workers" }, { "zuid", "uid" },
};
/* clang-format on */

/* What can be set comes first; of what uWSGI has besides, only what is very near is named. */
static struct nearest find_nearest(const struct catalogue *c, const char *name)
{
	struct nearest near = nearest_to(name);
	struct uwsgi_name known;

	for (struct candidate n = { 0 }; catalogue_next(c, &n);)
		nearest_consider(&near, n.name);
	if (*near.name)
		return near;
	nearest_allow_one_slip(&near);
	for (size_t i = 0; i < uwsgi_subject_count; i++) {
		const char *names = uwsgi_subjects[i].options;

		while (uwsgi_names_next(&names, &known))
			nearest_consider(&near, known.name);
	}
	return near;
}

/* "env A=b" lost its first '=', "threads: 4" has another sign for it: the key begins with the
 * name of an option. */
static bool hint_lost_equals(const struct catalogue *c, const char *name, char *hint, size_t size)
{
	struct named named;
	char first[64];
	size_t n = strcspn(name, " \t:");

	if (!name[n] || n >= sizeof first)
		return false;
	memcpy(first, name, n);
	first[n] = '\0';
	if (!catalogue_name(c, first, &named))
		return false;
	snprintf(hint, size, "; did you mean \"%s = %s\"?", first,
		 name + n + strspn(name + n, " \t:"));
	return true;
}

void catalogue_hint(const struct catalogue *c, const char *name, bool (*is_word)(const char *name),
		    char *hint, size_t size)
{
	struct option_at at;

	hint[0] = '\0';
	for (size_t i = 0; i < sizeof misremembered / sizeof *misremembered; i++)
		if (strcmp(misremembered[i].name, name) == 0) {
			snprintf(hint, size, "; did you mean \"%s\"?", misremembered[i].meant);
			return;
		}
	if (hint_lost_equals(c, name, hint, size))
		return;
	struct nearest n = find_nearest(c, name);
	if (!*n.name)
		return;
	const struct subject *subject = uwsgi_names_find(n.name, NULL);

	if (catalogue_find(c, n.name, &at) || is_word(n.name) || (subject && is_accepted(subject)))
		snprintf(hint, size, "; did you mean \"%s\"?", n.name);
	else
		snprintf(hint, size, "; \"%s\" is uWSGI's, but not supported here", n.name);
}
