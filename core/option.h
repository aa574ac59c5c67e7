/* SPDX-License-Identifier: MIT */
/* option.h: the words of one option, read as its row says and stored in its module's struct. */
#ifndef UWSGI_OPTION_H
#define UWSGI_OPTION_H

#include "arena.h"
#include "plugin.h"

enum option_verdict {
	OPTION_STORED,
	OPTION_DOUBTFUL, /* uWSGI takes it, and so do we, or the option keeps its value: the
			  * sentence says which; warn and go on */
	OPTION_REFUSED,  /* nothing was stored; the sentence says what to write instead */
};

/* row is never an alias.  value NULL: the name stood alone.  Strings and lists are stored as
 * pointers to value, which must live as long as settings; the arrays of lists come from the
 * arena.  Sentences begin with the option as it was written ("processes = 0: must be …"). */
enum option_verdict option_store(const struct option *row, void *settings, const char *value,
				 struct arena *, struct error *);

/* Takes a list's items away: what a user lists stands in the place of the default. */
void option_clear_list(const struct option *row, void *settings);

/* 1: one of true yes on 1, 0: one of false no off 0, in any case of letters; -1: neither. */
int option_boolean(const char *text);

/* What a value looks like, for the help: "NUMBER", "SECONDS", "" for flags. */
const char *option_word(const struct option *row);

#endif
