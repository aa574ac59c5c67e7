/* SPDX-License-Identifier: MIT */
/* logic.h: the lines of a configuration that decide whether, and how often, others count:
 * if-env = X … else … endif, for = a b … endfor. */
#ifndef UWSGI_LOGIC_H
#define UWSGI_LOGIC_H

#include "base/arena.h"

enum { LOGIC_DEPTH = 16, LOGIC_VALUES = 10000 };

/* What %(_) stands for, once for each time that a line counts.  An item NULL: for nothing. */
struct logic_values {
	const char **items; /* in the arena */
	size_t count, capacity;
};

/* The blocks that are open in one file.  Zeroed at its start but for the arena. */
struct logic {
	struct arena *arena;
	int depth;
	struct {
		const char *name; /* the line that opened it */
		int line;
		bool loop, turned;           /* else was seen */
		struct logic_values yes, no; /* no: where the condition does not hold */
	} open[LOGIC_DEPTH];
};

/* What conditions and loops ask. */
struct logic_facts {
	const char *(*variable)(void *user, const char *name);           /* NULL: unset */
	bool (*is_set)(void *user, const char *name, const char *value); /* value NULL: any */
	bool (*has_plugin)(void *user, const char *name);
	/* The bytes of a file, to be freed. */
	char *(*read)(void *user, const char *path, size_t *n, struct error *);
	/* The text with the names in it replaced as far as they are known; in the arena. */
	const char *(*known)(void *user, const char *text);
	const char *cwd; /* relative paths are seen from here, wherever the process is by now */
	bool is_reload;
	void *user;
};

enum logic_verdict {
	LOGIC_NONE,     /* an ordinary line: it counts logic_count() times */
	LOGIC_DONE,     /* dealt with */
	LOGIC_DOUBTFUL, /* dealt with, and the sentence is a warning */
	LOGIC_WRONG,    /* the sentence is an error */
};

/* name must live as long as the logic does. */
enum logic_verdict logic_line(struct logic *, const struct logic_facts *, const char *name,
			      const char *value, int line, struct error *);

/* Whether such a line opens, turns or ends a block. */
bool logic_is_word(const char *name);

/* How often a line counts here. */
size_t logic_count(const struct logic *);
/* The text with each %(_) replaced for the i-th time; itself when nothing stands for it.  NULL
 * when memory is out. */
const char *logic_expand(const struct logic *, size_t i, const char *text);

/* At the end of the file: false, with a sentence and the line, when a block is still open. */
bool logic_end(const struct logic *, int *line, struct error *);

#endif
