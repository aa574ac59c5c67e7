/* SPDX-License-Identifier: MIT */
/* logic.h: the lines of an ini file that decide whether others count: if-env = X … endif. */
#ifndef UWSGI_LOGIC_H
#define UWSGI_LOGIC_H

#include "plugin.h"

enum { LOGIC_DEPTH = 16 };

/* The blocks that are open in one file.  Zeroed at its start. */
struct logic {
	int depth;
	struct {
		const char *name;  /* the line that opened it */
		const char *value; /* what %(_) stands for inside; NULL: nothing */
		int line;
		bool skip;
	} open[LOGIC_DEPTH];
};

/* What conditions ask. */
struct logic_facts {
	const char *(*variable)(void *user, const char *name);           /* NULL: unset */
	bool (*is_set)(void *user, const char *name, const char *value); /* value NULL: any */
	void *user;
};

enum logic_verdict {
	LOGIC_NONE,     /* an ordinary line that counts */
	LOGIC_DONE,     /* dealt with, or in a block that does not count */
	LOGIC_DOUBTFUL, /* dealt with, and the sentence is a warning */
};

/* name and value must live as long as the logic does. */
enum logic_verdict logic_line(struct logic *, const struct logic_facts *, const char *name,
			      const char *value, int line, struct error *);

/* What %(_) stands for here; NULL outside of blocks. */
const char *logic_value(const struct logic *);

/* At the end of the file: false, with a sentence and the line, when a block is still open. */
bool logic_end(const struct logic *, int *line, struct error *);

#endif
