/* SPDX-License-Identifier: MIT */
/* report.c: a list of diagnostics about a configuration.  The readers of settings add to it,
 * whoever started the reading prints it and decides what follows.  It owns its strings; it
 * neither exits nor judges. */
#include "report.h"

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

	if (r->count && strcmp(file_of(&r->items[r->count - 1]), file_of(d)) == 0)
		return r->items[r->count - 1].group;
	for (size_t i = 0; i < r->count; i++)
		if (r->items[i].group < group && strcmp(file_of(&r->items[i]), file_of(d)) == 0)
			group = r->items[i].group;
	return group;
}

void report_add(struct report *r, enum severity severity, struct origin at, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (severity == UWSGI_ERROR)
		r->errors++;
	if (r->count == r->capacity) {
		size_t wanted = r->capacity ? r->capacity * 2 : 8;
		struct diagnostic *grown = reallocarray(r->items, wanted, sizeof *grown);

		if (!grown)
			return;
		r->items = grown;
		r->capacity = wanted;
	}
	struct diagnostic d = {
		.severity = severity,
		.at = { at.file ? copy(r, at.file) : NULL, at.line },
		.number = r->count,
		.text = copy(r, text),
	};

	if (!d.text)
		return;
	d.group = group_of(r, &d);
	r->items[r->count++] = d;
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

void report_print(const struct report *r)
{
	static const char *const word[] = {
		[UWSGI_NOTE] = "note", [UWSGI_WARNING] = "warning", [UWSGI_ERROR] = "error"
	};

	for (size_t i = 0; i < r->count; i++) {
		const struct diagnostic *d = &r->items[i];
		const char *file = d->at.file ? d->at.file : "configuration";

		/* The severity stands behind the place, as editors expect it: not in front. */
		if (d->at.line > 0)
			uwsgi_log(UWSGI_NOTE, "%s:%d: %s: %s", file, d->at.line, word[d->severity],
				  d->text);
		else
			uwsgi_log(UWSGI_NOTE, "%s: %s: %s", file, word[d->severity], d->text);
	}
}
