/* SPDX-License-Identifier: MIT */
/* command_line.h: the words after the program's name, taken apart into options with their
 * values, files and commands. */
#ifndef UWSGI_COMMAND_LINE_H
#define UWSGI_COMMAND_LINE_H

#include "settings/catalogue.h"

/* What the binary is asked to do. */
enum command_kind {
	COMMAND_SERVE,
	COMMAND_HELP, /* argument: an option to explain, or NULL */
	COMMAND_HELP_ALL,
	COMMAND_HELP_JSON,
	COMMAND_MANIFEST,
	COMMAND_VERSION,
	COMMAND_CHECK, /* the configuration is named as for serving; argument: "json", or NULL */
	COMMAND_CHECK_APP,
	COMMAND_CHECK_TAKEOVER,
	COMMAND_SHOW_CONFIG, /* argument: the same */
	COMMAND_RELOAD,      /* argument: a pidfile */
	COMMAND_STOP,        /* argument: a pidfile */
	/* argument: "json", or NULL; operand: a pidfile */
	COMMAND_STATUS,
	COMMAND_TOP,
	COMMAND_MIGRATE, /* rest: words of another server's */
	/* how the two above wait */
	COMMAND_WAIT,
	COMMAND_NO_WAIT,
};

/* Longer than any reload or stop with usual mercies. */
#define COMMAND_WAIT_S "300"

struct command {
	enum command_kind kind;
	const char *argument; /* points into argv; "" where one is needed and none was given */
	const char *operand;  /* the last word that belongs to no option; NULL: none */
	const char *wait;     /* seconds, as they were written; NULL: not at all */
	char *const *rest;    /* what stands behind --migrate, up to the NULL of argv */
};

/* The last command among the words; behind --migrate none is looked for.  The catalogue tells which
 * word is another option's value. */
struct command command_line_find(const struct catalogue *, int argc, char **argv);

/* The commands as rows, for the help. */
struct command_row {
	const char *name;
	char letter;
	enum command_kind kind;
	enum arity arity;
	const char *word, *help;
	bool rare; /* not in the short help */
};
extern const struct command_row command_rows[];
extern const size_t command_row_count;

/* ---- one word after the other ---- */

enum word_kind {
	WORD_END,
	WORD_OPTION,  /* name, and value unless it stood alone */
	WORD_COMMAND, /* command, and value */
	WORD_OPERAND, /* value: not an option and not an option's value */
	WORD_BAD,     /* the sentence; the words after it can still be read */
};

struct word {
	enum word_kind kind;
	const struct command_row *command;
	char name[128];
	const char *value; /* points into argv */
	struct error e;
};

struct command_line {
	const struct catalogue *catalogue;
	int argc;
	char **argv;
	int at;              /* the next word */
	const char *letters; /* what is left of -MTp4; NULL: nothing */
	bool only_operands;  /* behind -- */
};

void command_line_init(struct command_line *, const struct catalogue *, int argc, char **argv);
enum word_kind command_line_next(struct command_line *, struct word *);

#endif
