/* SPDX-License-Identifier: MIT */
/* uwsgi_names.h: every name that uWSGI, with all its plugins, gives to options and plugins, but for the
 * options that work here, by subject: what is always so, is planned, or is left to others. */
#ifndef UWSGI_NAMES_H
#define UWSGI_NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum subject_status {
	/* Words of the ini language, and rows with `bare` which need a value in uWSGI. */
	SUBJECT_HERE,
	SUBJECT_ALWAYS,    /* it cannot be switched off: accepted, without effect */
	SUBJECT_PLANNED,   /* it has no effect yet */
	SUBJECT_ELSEWHERE, /* it will have none */
};

struct subject {
	enum subject_status status;
	const char *title; /* SUBJECT_PLANNED: the subsystem that is to come; else NULL */
	/* SUBJECT_ALWAYS: what is so; else what to use instead, or "".  No full stop. */
	const char *text;
	/* Options, sorted, a blank between two.  Behind a name that needs a value stands a '=',
	 * behind one that may have one a '?'. */
	const char *options;
	const char *plugins; /* that `plugin =` may name, likewise */
};
extern const struct subject uwsgi_subjects[];
extern const size_t uwsgi_subject_count;

enum arity { ARITY_NONE, ARITY_OPTIONAL, ARITY_REQUIRED };
extern const char *const arity_words[]; /* "none", as files for programs have it */

struct uwsgi_name {
	char name[64];
	enum arity arity;
};

/* The next of the names; *names, which begins as a subject's options or plugins, moves behind it.
 * False at the end. */
bool uwsgi_names_next(const char **names, struct uwsgi_name *);

/* The subject of an option, and whether it takes a value (arity may be NULL).  NULL: it has none. */
const struct subject *uwsgi_names_find(const char *option, enum arity *arity);
/* The option without a row that uWSGI's short form means; NULL: none. */
const char *uwsgi_names_of_letter(char letter);
/* The short form of an option; 0: it has none. */
char uwsgi_names_letter(const char *option);
/* NULL: uWSGI has no such plugin either. */
const struct subject *uwsgi_names_plugin(const char *plugin);

#endif
