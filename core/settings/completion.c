/* SPDX-License-Identifier: MIT */
/* completion.c: prints what bash and zsh have to know of the command line: names, and what kind of
 * value follows.  Made from the option tables; `make install` keeps what it prints. */
#include "settings/completion.h"

#include "settings/catalogue.h"
#include "settings/command_line.h"
#include "settings/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What follows a name, by the word that the help has for it. */
enum value { VALUE_NONE, VALUE_ANY, VALUE_FILE, VALUE_FOLDER, VALUE_INI, VALUE_CHOICE };

static enum value value_of(const struct option *row, enum arity arity)
{
	const char *word = row ? option_word(row) : "";

	if (arity != ARITY_REQUIRED)
		return VALUE_NONE;
	if (!row)
		return VALUE_ANY;
	if (row->type == OPT_CHOICE)
		return VALUE_CHOICE;
	if (strcmp(row->name, "ini") == 0)
		return VALUE_INI;
	if (strcmp(word, "FILE") == 0)
		return VALUE_FILE;
	return strcmp(word, "FOLDER") == 0 ? VALUE_FOLDER : VALUE_ANY;
}

/* For each name that is accepted, aliases too, the row that holds its value; NULL: none does. */
static void each_name(const struct catalogue *c,
		      void (*visit)(const char *name, const struct option *row, enum arity))
{
	struct option_at at;

	for (struct candidate n = { 0 }; catalogue_next(c, &n);)
		if (!n.row)
			visit(n.name, NULL, n.known.arity);
		else if (catalogue_find(c, n.name, &at))
			visit(n.name, at.row, catalogue_arity(at.row));
}

/* ---- bash ---- */

static void bash_word(const char *name, const struct option *row, enum arity arity)
{
	(void)row;
	(void)arity;
	printf(" --%s", name);
}

static void bash_case(const char *name, const struct option *row, enum arity arity)
{
	static const char *const reply[] = {
		[VALUE_FILE] = "compgen -f",
		[VALUE_FOLDER] = "compgen -d",
		[VALUE_INI] = "compgen -f",
		[VALUE_ANY] = "compgen -f",
	};
	enum value value = value_of(row, arity);

	if (value == VALUE_NONE)
		return;
	printf("\t--%s) COMPREPLY=($(", name);
	if (value == VALUE_CHOICE) {
		printf("compgen -W '");
		for (int i = 0; row->choices[i]; i++)
			printf("%s%s", i ? " " : "", row->choices[i]);
		printf("'");
	} else {
		printf("%s", reply[value]);
	}
	printf(" -- \"$cur\")); return ;;\n");
}

static void print_bash(const struct catalogue *c)
{
	printf("# bash completion of uwsgi; made by uwsgi --completion bash\n"
	       "_uwsgi()\n{\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	       "\tCOMPREPLY=()\n"
	       "\tcase $prev in\n");
	each_name(c, bash_case);
	printf("\t--reload|--stop) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
	       "\tesac\n"
	       "\tcase $cur in\n\t-*) COMPREPLY=($(compgen -W \"");
	for (size_t i = 0; i < command_row_count; i++)
		printf(" --%s", command_rows[i].name);
	each_name(c, bash_word);
	printf("\" -- \"$cur\")) ;;\n"
	       "\t*) COMPREPLY=($(compgen -f -X '!*.ini' -- \"$cur\") $(compgen -d -- \"$cur\")) "
	       ";;\n"
	       "\tesac\n}\n"
	       "complete -o filenames -F _uwsgi uwsgi\n");
}

/* ---- zsh ---- */

/* Inside '…[…]': quotes and brackets end it, a colon separates. */
static void zsh_text(const char *text)
{
	for (; *text; text++) {
		if (strchr("[]:\\", *text))
			putchar('\\');
		if (*text == '\'')
			printf("'\\'");
		putchar(*text);
	}
}

static void zsh_spec(const char *name, const struct option *row, enum arity arity)
{
	static const char *const action[] = {
		[VALUE_ANY] = "_files",
		[VALUE_FILE] = "_files",
		[VALUE_FOLDER] = "_files -/",
		[VALUE_INI] = "_files -g \"*.ini\"",
	};
	enum value value = value_of(row, arity);

	printf("\t'*--%s[", name);
	zsh_text(row ? row->help : "no effect here");
	putchar(']');
	if (value == VALUE_CHOICE) {
		printf(":value:(");
		for (int i = 0; row->choices[i]; i++)
			printf("%s%s", i ? " " : "", row->choices[i]);
		putchar(')');
	} else if (value != VALUE_NONE) {
		putchar(':');
		zsh_text(row ? option_word(row) : "VALUE");
		printf(":%s", action[value]);
	}
	printf("' \\\n");
}

static void print_zsh(const struct catalogue *c)
{
	printf("#compdef uwsgi\n"
	       "# zsh completion of uwsgi; made by uwsgi --completion zsh\n"
	       "_arguments \\\n");
	for (size_t i = 0; i < command_row_count; i++) {
		printf("\t'--%s[", command_rows[i].name);
		zsh_text(command_rows[i].help);
		printf("]%s' \\\n", command_rows[i].arity == ARITY_REQUIRED ? ":file:_files" : "");
	}
	each_name(c, zsh_spec);
	printf("\t'*:configuration:_files -g \"*.ini\"'\n");
}

int completion_print(const struct option_table *const *tables, size_t count, const char *shell)
{
	const struct catalogue c = { .tables = tables, .count = count };

	if (strcmp(shell, "bash") == 0) {
		print_bash(&c);
	} else if (strcmp(shell, "zsh") == 0) {
		print_zsh(&c);
	} else {
		fprintf(stderr, "--completion: expected bash or zsh\n");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
