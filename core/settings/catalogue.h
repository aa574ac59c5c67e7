/* SPDX-License-Identifier: MIT */
/* catalogue.h: all option tables together, as a user sees them: one set of names. */
#ifndef UWSGI_CATALOGUE_H
#define UWSGI_CATALOGUE_H

#include "settings/lookup.h"
#include <uwsgi/plugin.h>
#include "settings/uwsgi_names.h"

struct catalogue {
	const struct option_table *const *tables;
	size_t count;
	struct lookup
		names; /* each with its table, by catalogue_index(); empty: all are searched */
};

/* For who looks up many names.  False: memory is out. */
bool catalogue_index(struct catalogue *);
void catalogue_fini(struct catalogue *);

/* A row that holds a value, never an alias. */
struct option_at {
	size_t table;
	const struct option *row;
};

bool catalogue_find(const struct catalogue *, const char *name, struct option_at *);
/* A name that can be set, aliases too. */
struct candidate {
	const char *name;
	const struct option *row; /* NULL: one of uWSGI's that is accepted, without effect */
	/* where the next one is: all zeroes at first */
	size_t table, index;
	const char *names;
	struct uwsgi_name known; /* without a row: its arity */
};
/* False at the end. */
bool catalogue_next(const struct catalogue *, struct candidate *);

/* Whether the name is followed by a value on the command line. */
enum arity catalogue_arity(const struct option *row);

/* An option of the tables, or one that uWSGI has besides. */
struct named {
	char name[128]; /* never an alias of another row */
	enum arity arity;
};

bool catalogue_name(const struct catalogue *, const char *name, struct named *);
bool catalogue_name_letter(const struct catalogue *, char letter, struct named *);
/* The only option whose name, or an alias of it, begins so. */
bool catalogue_name_prefix(const struct catalogue *, const char *prefix, struct named *);

/* "; did you mean …?" or a better hint for a name that nobody knows; "" when there is none.
 * is_word says which names no table has and the ini language knows. */
void catalogue_hint(const struct catalogue *, const char *name, bool (*is_word)(const char *name),
		    char *hint, size_t size);

#endif
