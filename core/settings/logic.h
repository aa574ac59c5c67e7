/* SPDX-License-Identifier: MIT */
/* logic.h: the lines of a configuration that decide whether, and how often, others count:
 * if-env = X … else … endif, for = a b … endfor. */
#ifndef UWSGI_LOGIC_H
#define UWSGI_LOGIC_H

#include "settings/directives.h"

enum { LOGIC_DEPTH = 16, LOGIC_VALUES = 10000 };

/* What %(_) stands for, once for each time that a line counts.  An item NULL: for nothing. */
struct logic_values {
	const char **items; /* in the arena */
	size_t count, capacity;
};

/* The blocks that are open in one file.  Zeroed at its start but for the reading. */
struct logic {
	struct reading *reading;
	int depth;
	struct logic_block {
		const char *name; /* the line that opened it */
		int line;
		bool loop, turned;           /* else was seen */
		struct logic_values yes, no; /* no: where the condition does not hold */
	} open[LOGIC_DEPTH];
};

/* Whether the line opens, turns or ends a block, which is done then; what is wrong with it is in
 * the report.  Its name must live as long as the logic does. */
bool logic_line(struct logic *, const struct directive *line);
/* Whether such a line has this name. */
bool logic_is_word(const char *name);

/* How often any other line counts here. */
size_t logic_count(const struct logic *);
/* The text with each %(_) replaced for the i-th time; itself when nothing stands for it.  NULL
 * when memory is out. */
const char *logic_expand(const struct logic *, size_t i, const char *text);

/* At the end of the file: reports a block that is still open. */
void logic_end(const struct logic *, const char *file);

#endif
