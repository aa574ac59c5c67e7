/* SPDX-License-Identifier: MIT */
/* jsonfile.c: a JSON file in memory, read through libjansson.  reader.c calls it.  It gives
 * the same lines as inifile.c, and opens no file. */
#include "settings/jsonfile.h"

#include <jansson.h>
#include <stdio.h>

struct walk {
	struct ini_line line;
	void (*visit)(void *user, const struct ini_line *);
	void *user;
	struct error *e;
};

static int visit_value(const struct walk *w, const json_t *value)
{
	struct ini_line line = w->line;
	char number[64];

	switch (json_typeof(value)) {
	case JSON_STRING:
		line.value = json_string_value(value);
		break;
	case JSON_INTEGER:
		snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		line.value = number;
		break;
	case JSON_REAL:
		snprintf(number, sizeof number, "%.15g", json_real_value(value));
		line.value = number;
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		line.value = json_is_true(value) ? "true" : "false";
		break;
	default:
		return uwsgi_error_set(
			w->e,
			"\"%s\": the value of an option is a string, a number, true, "
			"false or a list of them",
			line.name);
	}
	w->visit(w->user, &line);
	return 0;
}

static int visit_member(const struct walk *w, const json_t *value)
{
	if (!json_is_array(value))
		return visit_value(w, value);
	for (size_t i = 0; i < json_array_size(value); i++)
		if (visit_value(w, json_array_get(value, i)))
			return -1;
	return 0;
}

static int visit_section(struct walk *w, json_t *section)
{
	const char *name;
	json_t *value;

	w->visit(w->user, &w->line);
	json_object_foreach(section, name, value)
	{
		w->line.name = name;
		if (visit_member(w, value))
			return -1;
	}
	w->line.name = NULL;
	return 0;
}

int jsonfile_read(struct slice bytes, void (*visit)(void *user, const struct ini_line *),
		  void *user, int *line, struct error *e)
{
	struct walk w = { .visit = visit, .user = user, .e = e };
	json_error_t fault;
	json_t *all = json_loadb(bytes.p, bytes.n, 0, &fault), *section;
	const char *name;
	int failed = 0;

	*line = all ? 0 : fault.line;
	if (!all)
		return uwsgi_error_set(e, "%s", fault.text);
	if (!json_is_object(all))
		failed = uwsgi_error_set(e, "expected {\"uwsgi\": {\"option\": \"value\"}}");
	json_object_foreach(all, name, section)
	{
		w.line.section = name;
		if (!failed && json_is_object(section))
			failed = visit_section(&w, section);
	}
	json_decref(all);
	return failed;
}
