/* SPDX-License-Identifier: MIT */
/* directives.h: all that a user set, in the order in which it counts. */
#ifndef UWSGI_DIRECTIVES_H
#define UWSGI_DIRECTIVES_H

#include "base/arena.h"
#include "base/carry.h"
#include "settings/catalogue.h"
#include "settings/invocation.h"
#include "settings/lookup.h"
#include "settings/report.h"

struct directive {
	const char *name;
	const char *written; /* NULL: the name stood alone */
	const char *value;   /* the same with all names replaced; expand_all() sets it */
	struct origin at;
	bool from_environment; /* where UWSGI_ may also begin a name of the application */
	bool placeholder;      /* said to be one: needs no option */
	bool used;             /* some %(name) asks for it; kept at the first one of a name */
	bool under_way;        /* being expanded: a name in it that leads back here means nothing */
	size_t expanded_at;    /* how many directives there were when value was found */
	size_t next, last;     /* of the same name, 0: none; last is kept at the first one */
};

struct directives {
	struct directive *items; /* the array is their own, all strings are in the arena */
	size_t count, capacity;
	struct lookup names; /* each with its first directive */
	const char *file;    /* the first file that was read, as it was named; NULL: none */
	size_t bytes;        /* of all names and values, also of those on the way to others */
	bool full;           /* there are too many, and it was said */
};

/* Everything that is read is read with this at hand. */
struct reading {
	const struct invocation *invocation;
	const struct catalogue *catalogue;
	struct arena *arena; /* failed: not everything was kept */
	struct report *report;
	struct directives *set;  /* what was read so far */
	bool preview;            /* commands in values are not run */
	bool whole;              /* everything was read: what is not defined now never will be */
	const struct file *file; /* the one being read; NULL: none */
	int files;               /* sections read so far, one for each time */
	int depth;               /* how many names are being replaced inside one another */
};

/* Copies the directive behind the others.  NULL when there is no room, which the report or the
 * arena says; valid until the next one is added. */
struct directive *directives_add(struct reading *, const struct directive *);
/* Whether so many bytes more may be kept; when that is too much, says so once, and that is all. */
bool directives_fit(struct reading *, size_t bytes, struct origin);
/* To another program, where they are only to be read again (struct invocation): without the index.  What
 * is read has its strings in the arena. */
void directives_carry(struct directives *, struct arena *, struct carry *);
void directives_fini(struct directives *);

/* The first one of a name, whose value is what the name means; NULL: nobody sets it. */
struct directive *directives_find(const struct directives *, const char *name);
/* The next one of the same name. */
struct directive *directives_next(const struct directives *, const struct directive *);

#endif
