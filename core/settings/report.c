/* SPDX-License-Identifier: MIT */
/* report.c: a list of diagnostics about a configuration.  The readers of settings add to it,
 * whoever started the reading prints it and decides what follows.  It owns its strings; it
 * neither exits nor judges. */
#include "settings/report.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void report_init(struct report *r)
{
	*r = (struct report){ 0 };
	arena_init(&r->arena);
}

void report_fini(struct report *r)
{
	free(r->items);
	arena_fini(&r->arena);
	*r = (struct report){ 0 };
}

static const char *copy(struct report *r, const char *text)
{
	return arena_copy(&r->arena, (struct slice){ text, strlen(text) + 1 }).p;
}

static const char *file_of(const struct diagnostic *d)
{
	return d->at.file ? d->at.file : "";
}

static size_t group_of(const struct report *r, const struct diagnostic *d)
{
	size_t group = d->number;

	/* Most are about the file that the one before is about. */
	if (r->count && strcmp(file_of(&r->items[r->count - 1]), file_of(d)) == 0)
		return r->items[r->count - 1].group;
	for (size_t i = 0; i < r->count; i++)
		if (r->items[i].group < group && strcmp(file_of(&r->items[i]), file_of(d)) == 0)
			group = r->items[i].group;
	return group;
}

static struct diagnostic *grow(struct report *r)
{
	if (r->count == r->capacity) {
		size_t wanted = r->capacity ? r->capacity * 2 : 8;
		struct diagnostic *grown = reallocarray(r->items, wanted, sizeof *grown);

		if (!grown)
			return NULL;
		r->items = grown;
		r->capacity = wanted;
	}
	return &r->items[r->count];
}

UWSGI_PRINTF(5, 0)
static void append(struct report *r, enum severity severity, struct origin at, const char *option,
		   const char *fmt, va_list ap)
{
	char text[2048];

	vsnprintf(text, sizeof text, fmt, ap);
	if (severity == UWSGI_ERROR)
		r->errors++;
	struct diagnostic d = {
		.severity = severity,
		.at = { at.file ? copy(r, at.file) : NULL, at.line },
		.number = r->count,
		.option = option ? copy(r, option) : NULL,
		.text = copy(r, text),
	};
	struct diagnostic *place = d.text ? grow(r) : NULL;

	if (!place)
		return;
	d.group = group_of(r, &d);
	*place = d;
	r->count++;
}

void report_say(struct report *r, enum severity severity, struct origin at, const char *option,
		const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(r, severity, at, option, fmt, ap);
	va_end(ap);
}

void report_add(struct report *r, enum severity severity, struct origin at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(r, severity, at, NULL, fmt, ap);
	va_end(ap);
}

static int compare(const void *left, const void *right)
{
	const struct diagnostic *a = left, *b = right;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

void report_sort(struct report *r)
{
	if (r->count)
		qsort(r->items, r->count, sizeof *r->items, compare);
}

static int compare_severity(const void *left, const void *right)
{
	const struct diagnostic *a = left, *b = right;

	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	return compare(left, right);
}

void report_sort_by_severity(struct report *r)
{
	if (r->count)
		qsort(r->items, r->count, sizeof *r->items, compare_severity);
}

size_t report_count(const struct report *r, enum severity severity)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += r->items[i].severity == severity;
	return n;
}

static const char *const words[] = {
	[UWSGI_NOTE] = "note", [UWSGI_WARNING] = "warning", [UWSGI_ERROR] = "error"
};

void report_print(const struct report *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct diagnostic *d = &r->items[i];
		const char *file = d->at.file ? d->at.file : "configuration";

		if (d->severity == UWSGI_NOTE && !r->thorough)
			continue;
		/* The severity stands behind the place, as editors expect it: not in front. */
		if (d->at.line > 0)
			uwsgi_log(UWSGI_NOTE, "%s:%d: %s: %s", file, d->at.line, words[d->severity],
				  d->text);
		else
			uwsgi_log(UWSGI_NOTE, "%s: %s: %s", file, words[d->severity], d->text);
	}
	if (r->errors > report_count(r, UWSGI_ERROR))
		uwsgi_log(UWSGI_ERROR, "out of memory: not all errors can be named");
}

json_t *report_json_text(const char *text)
{
	json_t *string = text ? json_string(text) : json_null();

	return string ? string : json_string("(not UTF-8)");
}

void report_print_json(const struct report *r)
{
	json_t *list = json_array(), *all;

	for (size_t i = 0; i < r->count; i++) {
		const struct diagnostic *d = &r->items[i];

		json_array_append_new(
			list, json_pack("{s:s, s:o, s:o, s:o, s:o}", "severity", words[d->severity],
					"file", report_json_text(d->at.file), "line",
					d->at.line > 0 ? json_integer(d->at.line) : json_null(),
					"option", report_json_text(d->option), "message",
					report_json_text(d->text)));
	}
	all = json_pack("{s:i, s:i, s:o}", "errors", (int)r->errors, "warnings",
			(int)report_count(r, UWSGI_WARNING), "diagnostics", list);
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}
