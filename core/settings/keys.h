/* SPDX-License-Identifier: MIT */
/* keys.h: all that a user set, in the order in which it counts, from the environment, the
 * command line and ini files. */
#ifndef UWSGI_KEYS_H
#define UWSGI_KEYS_H

#include "base/arena.h"
#include "settings/catalogue.h"
#include "settings/invocation.h"
#include "settings/lookup.h"
#include "settings/report.h"

enum key_source { KEY_ENVIRONMENT, KEY_COMMAND_LINE, KEY_FILE };

struct key {
	const char *name;
	const char *value; /* NULL: the name stood alone */
	struct origin at;
	enum key_source source;
	bool placeholder; /* said to be one: needs no option */
	bool used;        /* some %(name) asks for it; kept at the first key of a name */
	enum { KEY_RAW, KEY_UNDER_WAY, KEY_EXPANDED } state;
	size_t next; /* of the same name; 0: none */
	size_t last; /* of the same name; kept at the first one */
};

struct keys {
	struct key *items; /* the array is the keys' own, all strings are in the arena */
	size_t count, capacity;
	struct lookup names; /* each with its first key */
	const char *file;    /* the first file that was read, as it was named; NULL: none */
};

/* What reading needs to know, and where it puts strings and complaints. */
struct keys_context {
	const struct invocation *invocation;
	const struct catalogue *catalogue;
	struct arena *arena; /* failed: the keys are not all there */
	struct report *report;
	bool preview; /* commands in values are not run */
};

/* Reads and expands everything; the rest of the world is only looked at. */
void keys_read(struct keys *, const struct keys_context *);
void keys_fini(struct keys *);

/* The first key of a name, whose value is its meaning; NULL: nobody sets it. */
struct key *keys_find(const struct keys *, const char *name);
struct key *keys_next(const struct keys *, const struct key *);

#endif
