/* SPDX-License-Identifier: MIT */
/* mime.c: the media type of a file by its name's ending, from files in the form of mime.types: a type
 * and behind it the endings.  Of several types for an ending the first counts. */
#include "static.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const usual[] = { "/etc/mime.types", "/etc/apache2/mime.types" };

struct entry {
	struct slice ending, type;
	size_t order; /* of its arrival */
};

/* What sites are made of, for a system that has none of these files. */
static const struct entry builtin[] = {
#define TYPE(e, t)                                                                                 \
	{                                                                                          \
		SLICE(e), SLICE(t), 0                                                              \
	}
	TYPE("avif", "image/avif"),
	TYPE("bin", "application/octet-stream"),
	TYPE("css", "text/css"),
	TYPE("csv", "text/csv"),
	TYPE("gif", "image/gif"),
	TYPE("gz", "application/gzip"),
	TYPE("htm", "text/html"),
	TYPE("html", "text/html"),
	TYPE("ico", "image/vnd.microsoft.icon"),
	TYPE("jpeg", "image/jpeg"),
	TYPE("jpg", "image/jpeg"),
	TYPE("js", "text/javascript"),
	TYPE("json", "application/json"),
	TYPE("map", "application/json"),
	TYPE("md", "text/markdown"),
	TYPE("mjs", "text/javascript"),
	TYPE("mp3", "audio/mpeg"),
	TYPE("mp4", "video/mp4"),
	TYPE("otf", "font/otf"),
	TYPE("pdf", "application/pdf"),
	TYPE("png", "image/png"),
	TYPE("svg", "image/svg+xml"),
	TYPE("ttf", "font/ttf"),
	TYPE("txt", "text/plain"),
	TYPE("wasm", "application/wasm"),
	TYPE("webm", "video/webm"),
	TYPE("webmanifest", "application/manifest+json"),
	TYPE("webp", "image/webp"),
	TYPE("woff", "font/woff"),
	TYPE("woff2", "font/woff2"),
	TYPE("xml", "application/xml"),
	TYPE("zip", "application/zip"),
};

struct text {
	struct text *next;
	char bytes[];
};

struct mime {
	struct text *texts; /* of the files, which the entries lie in */
	struct entry *entries;
	size_t count, capacity;
};

static int compare(struct slice a, struct slice b)
{
	int order = strncasecmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int by_ending(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = compare(x->ending, y->ending);

	return order ? order : (x->order > y->order) - (x->order < y->order);
}

/* *s goes behind it. */
static struct slice next_word(struct slice *s)
{
	static const char blanks[] = " \t\r";
	struct slice word;
	size_t n = 0;

	while (s->n > 0 && strchr(blanks, *s->p)) {
		s->p++;
		s->n--;
	}
	while (n < s->n && !strchr(blanks, s->p[n]))
		n++;
	word = (struct slice){ s->p, n };
	s->p += n;
	s->n -= n;
	return word;
}

static bool add(struct mime *m, struct slice ending, struct slice type)
{
	if (m->count == m->capacity) {
		size_t wanted = m->capacity ? m->capacity * 2 : 256;
		struct entry *grown = realloc(m->entries, wanted * sizeof *grown);

		if (!grown)
			return false;
		m->entries = grown;
		m->capacity = wanted;
	}
	m->entries[m->count] = (struct entry){ ending, type, m->count };
	m->count++;
	return true;
}

static bool add_line(struct mime *m, struct slice line)
{
	struct slice type = next_word(&line), ending;

	if (type.n == 0 || *type.p == '#')
		return true;
	while ((ending = next_word(&line)).n > 0)
		if (!add(m, ending, type))
			return false;
	return true;
}

static bool add_text(struct mime *m, struct slice text)
{
	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;

		if (!add_line(m, (struct slice){ text.p, n }))
			return false;
		text.p += n + (end != NULL);
		text.n -= n + (end != NULL);
	}
	return true;
}

/* A file that is not there adds nothing.  False: no memory. */
static bool add_file(struct mime *m, const char *path)
{
	enum { MOST = 4 << 20 };
	FILE *f = fopen(path, "re");
	struct stat st;

	if (!f)
		return true;
	size_t n = fstat(fileno(f), &st) ? 0 : st.st_size < MOST ? (size_t)st.st_size : MOST;
	struct text *text = malloc(sizeof *text + n);
	if (text) {
		text->next = m->texts;
		m->texts = text;
		n = fread(text->bytes, 1, n, f);
	}
	fclose(f);
	return text && add_text(m, (struct slice){ text->bytes, n });
}

/* Sorted, and of each ending the first. */
static void sort(struct mime *m)
{
	size_t kept = 0;

	qsort(m->entries, m->count, sizeof *m->entries, by_ending);
	for (size_t i = 0; i < m->count; i++)
		if (kept == 0 || compare(m->entries[kept - 1].ending, m->entries[i].ending))
			m->entries[kept++] = m->entries[i];
	m->count = kept;
}

static bool fill(struct mime *m, const struct option_list *files)
{
	bool fits = true;

	for (size_t i = 0; fits && i < files->count; i++)
		fits = add_file(m, files->items[i]);
	for (size_t i = 0; fits && files->count == 0 && i < sizeof usual / sizeof *usual; i++)
		fits = add_file(m, usual[i]);
	for (size_t i = 0; fits && i < sizeof builtin / sizeof *builtin; i++)
		fits = add(m, builtin[i].ending, builtin[i].type);
	return fits;
}

struct mime *mime_new(const struct option_list *files)
{
	struct mime *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	if (!fill(m, files)) {
		mime_free(m);
		return NULL;
	}
	sort(m);
	return m;
}

void mime_free(struct mime *m)
{
	if (!m)
		return;
	for (struct text *t = m->texts, *next; t; t = next) {
		next = t->next;
		free(t);
	}
	free(m->entries);
	free(m);
}

struct slice mime_type(const struct mime *m, struct slice name)
{
	const char *dot = memrchr(name.p, '.', name.n), *slash = memrchr(name.p, '/', name.n);

	if (!dot || (slash && slash > dot))
		return (struct slice){ NULL, 0 };
	const struct slice ending = { dot + 1, (size_t)(name.p + name.n - dot) - 1 };
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(m->entries[middle].ending, ending);

		if (order == 0)
			return m->entries[middle].type;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return (struct slice){ NULL, 0 };
}
