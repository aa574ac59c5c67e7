/* SPDX-License-Identifier: MIT */
/* option.h: the words of one option, read as its row says and stored in its module's struct. */
#ifndef UWSGI_OPTION_H
#define UWSGI_OPTION_H

#include "base/arena.h"
#include <uwsgi/plugin.h>

enum option_verdict {
	OPTION_STORED,
	OPTION_DOUBTFUL, /* uWSGI takes it, and so do we, or the option keeps its value: the
			  * sentence says which; warn and go on */
	OPTION_REFUSED,  /* nothing was stored; the sentence says what to write instead */
};

/* row is never an alias; name is what the user called it, for the sentence ("processes = 0:
 * must be from 1 to 1024").  value NULL: the name stood alone.  Strings and lists are stored
 * as pointers to value, which must live as long as settings; the arrays of lists come from
 * the arena. */
enum option_verdict option_store(const struct option *row, void *settings, const char *name,
				 const char *value, struct arena *, struct error *);
/* The row's initial value, by the same parser.  A default that does not parse is the
 * programmer's fault: asserted. */
void option_store_initial(const struct option *row, void *settings, struct arena *);

/* Takes a list's items away: what a user lists stands in the place of the default. */
void option_clear_list(const struct option *row, void *settings);

/* 1: one of true yes on 1, 0: one of false no off 0, in any case of letters; -1: neither. */
int option_boolean(const char *text);

/* What a value looks like, for the help: "NUMBER", "SECONDS", "" for flags. */
const char *option_word(const struct option *row);

#endif
