/* SPDX-License-Identifier: MIT */
/* otherfile.c: knows YAML and XML files by their names and tells how their first settings are
 * written in ini.  keys_file.c calls it for its sentence.  It is no parser of either. */
#include "settings/otherfile.h"

#include <ctype.h>
#include <string.h>

enum { LINES_SHOWN = 4 };

static const struct {
	const char *option, *format;
} options[] = {
	{ "xml", "XML" },
	{ "xmlconfig", "XML" },
	{ "yaml", "YAML" },
	{ "yml", "YAML" },
};

const char *otherfile_of_option(const char *name)
{
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (strcmp(options[i].option, name) == 0)
			return options[i].format;
	return NULL;
}

const char *otherfile_of_path(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? otherfile_of_option(dot + 1) : NULL;
}

static size_t name_length(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && (isalnum((unsigned char)p[n]) || p[n] == '-' || p[n] == '_'))
		n++;
	return n;
}

/* "key: value" or "<key>value</key>"; false: something else. */
static bool split(const char *p, const char *end, struct slice *name, struct slice *value)
{
	bool tag = p < end && *p == '<';

	p += tag;
	*name = (struct slice){ p, name_length(p, end) };
	p += name->n;
	if (name->n == 0 || p >= end || *p != (tag ? '>' : ':'))
		return false;
	p++;
	while (p < end && *p == ' ')
		p++;
	const char *close = tag ? memchr(p, '<', (size_t)(end - p)) : end;
	if (!close)
		return false;
	while (close > p && isspace((unsigned char)close[-1]))
		close--;
	*value = (struct slice){ p, (size_t)(close - p) };
	return value->n > 0;
}

void otherfile_as_ini(struct slice bytes, struct text *to)
{
	const char *p = bytes.p, *end = bytes.p + bytes.n;
	struct slice name, value;

	for (int shown = 0; p < end && shown <= LINES_SHOWN;) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *stop = newline ? newline : end;

		while (p < stop && isspace((unsigned char)*p))
			p++;
		if (split(p, stop, &name, &value) && shown++ < LINES_SHOWN)
			text_addf(to, "%s%.*s = %.*s", to->n ? "; " : "", (int)name.n, name.p,
				  (int)value.n, value.p);
		p = stop + 1;
		if (shown > LINES_SHOWN)
			text_addf(to, "; …");
	}
}
