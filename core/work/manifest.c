/* SPDX-License-Identifier: MIT */
/* manifest.c: the list of the build's plugins with their names and options, a word and its values a
 * line.  `make` has the server write it; the loader reads it at each start. */
#include "work/manifest.h"

#include "settings/catalogue.h"
#include "settings/source.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

static void write_words(FILE *f, const char *word, const char *first, const char *const *more)
{
	fprintf(f, "%s", word);
	if (first)
		fprintf(f, " %s", first);
	for (size_t i = 0; more && more[i]; i++)
		fprintf(f, " %s", more[i]);
	fprintf(f, "\n");
}

void manifest_write(FILE *f, const struct plugin *const *plugins, size_t count)
{
	fprintf(f, "manifest %u\n", UWSGI_ABI);
	for (size_t i = 0; i < count; i++) {
		const struct plugin *p = plugins[i];

		write_words(f, "plugin", p->name, p->aliases);
		if (p->protocol)
			write_words(f, "protocol", p->protocol->name, p->protocol->aliases);
		if (p->app)
			write_words(f, "application", NULL, NULL);
		for (size_t k = 0; p->options && k < p->options->count; k++) {
			const struct option *row = &p->options->rows[k];

			if (row->same_as)
				fprintf(f, "alias %s %s\n", row->name, row->same_as);
			else
				fprintf(f, "option %s %s %c\n", row->name,
					arity_words[catalogue_arity(row)],
					row->letter ? row->letter : '-');
		}
	}
}

/* ---- reading ---- */

static bool has(const char *const *names, const char *name)
{
	for (size_t i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void take_words(char *line, const char **names)
{
	char *word;

	for (size_t n = 0; n < MANIFEST_NAMES && (word = strsep(&line, " "));)
		names[n++] = word;
}

/* The rows of one plugin grow, as they are few. */
static struct option *add_row(struct described *d)
{
	struct option *rows = reallocarray((void *)(uintptr_t)d->options.rows, d->options.count + 1,
					   sizeof *rows);

	if (!rows)
		return NULL;
	d->options.rows = rows;
	rows += d->options.count++;
	*rows = (struct option){ 0 };
	return rows;
}

static bool read_option(struct described *d, char *rest)
{
	const char *name = strsep(&rest, " "), *arity = strsep(&rest, " ");
	struct option *row = rest ? add_row(d) : NULL;

	if (!row)
		return false;
	row->name = name;
	row->letter = *rest == '-' ? '\0' : *rest;
	row->type = strcmp(arity, arity_words[ARITY_NONE]) ? OPT_STRING : OPT_FLAG;
	row->bare = strcmp(arity, arity_words[ARITY_OPTIONAL]) ? NULL : "";
	return true;
}

static bool read_alias(struct described *d, char *rest)
{
	const char *name = strsep(&rest, " ");
	struct option *row = rest ? add_row(d) : NULL;

	if (!row)
		return false;
	row->name = name;
	row->same_as = rest;
	return true;
}

static bool read_line(struct manifest *m, char *line)
{
	const char *word = strsep(&line, " ");
	struct described *d = m->count ? &m->items[m->count - 1] : NULL;

	if (!strcmp(word, "plugin")) {
		if (!line || m->count == MANIFEST_PLUGINS)
			return false;
		d = &m->items[m->count++];
		*d = (struct described){ .name = strsep(&line, " ") };
		d->options.module = d->name;
		take_words(line, d->aliases);
		return true;
	}
	if (!d)
		return false;
	if (!strcmp(word, "protocol"))
		take_words(line, d->protocols);
	else if (!strcmp(word, "application"))
		d->runs_applications = true;
	else if (!strcmp(word, "option"))
		return read_option(d, line);
	else if (!strcmp(word, "alias"))
		return read_alias(d, line);
	return true;
}

int manifest_read(struct manifest *m, const char *path)
{
	struct error e;
	size_t n;
	char first[32], *bytes = source_read(path, &n, &e);

	*m = (struct manifest){ .text = bytes ? strndup(bytes, n) : NULL };
	free(bytes);
	char *rest = m->text, *line = strsep(&rest, "\n");

	snprintf(first, sizeof first, "manifest %u", UWSGI_ABI);
	bool good = line && !strcmp(line, first);
	while (good && (line = strsep(&rest, "\n")))
		good = !*line || read_line(m, line);
	if (good)
		return 0;
	manifest_fini(m);
	return -1;
}

void manifest_fini(struct manifest *m)
{
	for (size_t i = 0; i < m->count; i++)
		free((void *)(uintptr_t)m->items[i].options.rows);
	free(m->text);
	*m = (struct manifest){ 0 };
}

const struct described *manifest_plugin(const struct manifest *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->items[i].name, name) || has(m->items[i].aliases, name))
			return &m->items[i];
	return NULL;
}

const struct described *manifest_protocol(const struct manifest *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (has(m->items[i].protocols, name))
			return &m->items[i];
	return NULL;
}

const struct described *manifest_option(const struct manifest *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		for (size_t k = 0; k < m->items[i].options.count; k++)
			if (!strcmp(m->items[i].options.rows[k].name, name))
				return &m->items[i];
	return NULL;
}
