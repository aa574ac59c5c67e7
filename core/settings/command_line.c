/* SPDX-License-Identifier: MIT */
/* command_line.c: takes argv apart: --name value, --name=value, -p 4, -p4, -MT, files.  main()
 * asks it for the command, reader.c for the options.  Which option has a value is said by the
 * option tables, else by the names that uWSGI has.  It reads no file and sets nothing. */
#include "settings/command_line.h"

#include "settings/logic.h"
#include "settings/option.h"

#include <stdio.h>
#include <string.h>

const struct command_row command_rows[] = {
	{ "help", 'h', COMMAND_HELP, ARITY_OPTIONAL, "[OPTION]", "this help, or what OPTION means",
	  false },
	{ "usage", 0, COMMAND_HELP, ARITY_OPTIONAL, "[OPTION]", "the same as --help", true },
	{ "help-all", 0, COMMAND_HELP_ALL, ARITY_NONE, "", "all options", false },
	{ "help-json", 0, COMMAND_HELP_JSON, ARITY_NONE, "",
	  "all options and commands as JSON, of which manual pages and the like are made", true },
	{ "plugin-manifest", 0, COMMAND_MANIFEST, ARITY_NONE, "",
	  "which plugin of the build has which options, for the server itself", true },
	{ "check-takeover", 0, COMMAND_CHECK_TAKEOVER, ARITY_REQUIRED, "DESCRIPTOR",
	  "whether this program can go on where a running server is, for the server itself", true },
	{ "version", 0, COMMAND_VERSION, ARITY_NONE, "", "the version", false },
	{ "check", 0, COMMAND_CHECK, ARITY_NONE, "[=json]",
	  "report all that is wrong with the configuration; its plugins are loaded and its "
	  "@(exec://) is run",
	  false },
	{ "check-app", 0, COMMAND_CHECK_APP, ARITY_NONE, "", "the same, and import the application",
	  false },
	{ "show-config", 0, COMMAND_SHOW_CONFIG, ARITY_NONE, "[=json]",
	  "print all settings, and where each is from, but for secrets", false },
	{ "migrate", 0, COMMAND_MIGRATE, ARITY_NONE, "FILE|COMMAND",
	  "an ini file of another server's settings", false },
	{ "reload", 0, COMMAND_RELOAD, ARITY_REQUIRED, "PIDFILE",
	  "reload this server, and wait: 0 when the new workers serve, else 1 and the reason",
	  false },
	{ "stop", 0, COMMAND_STOP, ARITY_REQUIRED, "PIDFILE",
	  "stop the server and wait until it has ended", false },
	{ "status", 0, COMMAND_STATUS, ARITY_NONE, "[=json] PIDFILE",
	  "what that server does; --top: live", false },
	{ "top", 0, COMMAND_TOP, ARITY_NONE, "PIDFILE",
	  "what it does, again each second; q ends it", true },
	{ "wait", 0, COMMAND_WAIT, ARITY_REQUIRED, "SECONDS",
	  "how long --reload and --stop wait at most; 300 without it", true },
	{ "no-wait", 0, COMMAND_NO_WAIT, ARITY_NONE, "", "--reload and --stop only send the signal",
	  true },
};
const size_t command_row_count = sizeof command_rows / sizeof *command_rows;

void command_line_init(struct command_line *c, const struct catalogue *catalogue, int argc,
		       char **argv)
{
	*c = (struct command_line){ .catalogue = catalogue, .argc = argc, .argv = argv, .at = 1 };
}

static const struct command_row *find_command(const char *name)
{
	for (size_t i = 0; i < command_row_count; i++)
		if (strcmp(command_rows[i].name, name) == 0)
			return &command_rows[i];
	return NULL;
}

static const struct command_row *find_command_letter(char letter)
{
	for (size_t i = 0; i < command_row_count; i++)
		if (command_rows[i].letter == letter)
			return &command_rows[i];
	return NULL;
}

static enum word_kind bad(struct word *w)
{
	return w->kind = WORD_BAD;
}

static const char *next_word(struct command_line *c)
{
	return c->at < c->argc ? c->argv[c->at] : NULL;
}

/* --master true: uWSGI takes this for a file called true; nobody means that. */
static bool is_boolean(const char *word)
{
	return word && option_boolean(word) >= 0 && strcmp(word, "0") != 0 &&
	       strcmp(word, "1") != 0;
}

/* uWSGI takes any word for the value: --pyargv "--site one".  One that is an option itself stands
 * there because the value was forgotten. */
static bool is_option(const struct command_line *c, const char *word)
{
	char name[sizeof((struct word *)0)->name];
	struct named named;
	size_t n = strncmp(word, "--", 2) == 0 ? strcspn(word + 2, "=") : 0;

	if (n == 0 || n >= sizeof name)
		return false;
	memcpy(name, word + 2, n);
	name[n] = '\0';
	return find_command(name) || catalogue_name(c->catalogue, name, &named);
}

/* The value of the option in w, given the text that stands at its name (=value, or behind its
 * letter), NULL when there is none. */
static enum word_kind take_value(struct command_line *c, struct word *w, enum arity arity,
				 const char *attached)
{
	const char *next = next_word(c);

	w->kind = w->command ? WORD_COMMAND : WORD_OPTION;
	w->value = attached;
	if (attached)
		return w->kind;
	if (arity == ARITY_REQUIRED) {
		if (!next || is_option(c, next)) {
			uwsgi_error_set(&w->e, "--%s needs a value", w->name);
			if (next)
				uwsgi_error_set(&w->e,
						"--%s needs a value; if %s is the value, "
						"write --%s=%s",
						w->name, next, w->name, next);
			return bad(w);
		}
		w->value = next;
		c->at++;
	} else if (arity == ARITY_NONE && !w->command && is_boolean(next)) {
		w->value = next;
		c->at++;
	} else if (w->command && arity == ARITY_OPTIONAL && next && *next != '-') {
		w->value = next;
		c->at++;
	}
	return w->kind;
}

static enum word_kind unknown_option(const struct command_line *c, struct word *w)
{
	char hint[256];

	catalogue_hint(c->catalogue, w->name, logic_is_word, hint, sizeof hint);
	uwsgi_error_set(&w->e, "unknown option --%s%s", w->name, hint);
	return bad(w);
}

static enum word_kind take_long(struct command_line *c, struct word *w, const char *text)
{
	struct named named;
	size_t n = strcspn(text, "=");
	const char *attached = text[n] ? text + n + 1 : NULL;

	if (n >= sizeof w->name) {
		uwsgi_error_set(&w->e, "unknown option --%.*s…", (int)sizeof w->name - 1, text);
		return bad(w);
	}
	memcpy(w->name, text, n);
	w->name[n] = '\0';
	w->command = find_command(w->name);
	if (w->command)
		return take_value(c, w, w->command->arity, attached);
	if (catalogue_name(c->catalogue, w->name, &named))
		return take_value(c, w, named.arity, attached);
	if (n > 1 && catalogue_name_prefix(c->catalogue, w->name, &named)) {
		snprintf(w->name, sizeof w->name, "%s", named.name);
		return take_value(c, w, named.arity, attached);
	}
	return unknown_option(c, w);
}

static enum word_kind take_letter(struct command_line *c, struct word *w)
{
	struct named named;
	char letter = *c->letters;
	const char *rest = c->letters[1] ? c->letters + 1 : NULL;

	c->letters = NULL;
	w->command = find_command_letter(letter);
	if (w->command) {
		snprintf(w->name, sizeof w->name, "%s", w->command->name);
		c->letters = rest;
		return take_value(c, w, ARITY_NONE, NULL);
	}
	if (!catalogue_name_letter(c->catalogue, letter, &named)) {
		c->letters = rest;
		uwsgi_error_set(&w->e, "unknown option -%c", letter);
		return bad(w);
	}
	snprintf(w->name, sizeof w->name, "%s", named.name);
	if (named.arity == ARITY_NONE) {
		/* The next letter is an option of its own. */
		c->letters = rest;
		return rest ? (w->kind = WORD_OPTION) : take_value(c, w, ARITY_NONE, NULL);
	}
	return take_value(c, w, named.arity, rest);
}

enum word_kind command_line_next(struct command_line *c, struct word *w)
{
	const char *text;

	w->command = NULL;
	w->name[0] = '\0';
	w->value = NULL;
	if (c->letters)
		return take_letter(c, w);
	while ((text = next_word(c))) {
		c->at++;
		if (c->only_operands || text[0] != '-' || !text[1]) {
			w->value = text;
			return w->kind = WORD_OPERAND;
		}
		if (text[1] != '-') {
			c->letters = text + 1;
			return take_letter(c, w);
		}
		if (text[2])
			return take_long(c, w, text + 2);
		c->only_operands = true;
	}
	return w->kind = WORD_END;
}

struct command command_line_find(const struct catalogue *catalogue, int argc, char **argv)
{
	struct command found = { .kind = COMMAND_SERVE, .wait = COMMAND_WAIT_S };
	struct command_line c;
	struct word w;

	command_line_init(&c, catalogue, argc, argv);
	while (command_line_next(&c, &w) != WORD_END) {
		if (w.kind == WORD_OPERAND)
			found.operand = w.value;
		if (!w.command)
			continue;
		const char *value = w.command->arity == ARITY_REQUIRED && !w.value ? "" : w.value;

		if (w.command->kind == COMMAND_WAIT) {
			found.wait = value;
		} else if (w.command->kind == COMMAND_NO_WAIT) {
			found.wait = NULL;
		} else {
			found.kind = w.command->kind;
			found.argument = value;
		}
		if (w.command->kind == COMMAND_MIGRATE) {
			found.rest = argv + c.at;
			break;
		}
	}
	return found;
}
