/* SPDX-License-Identifier: MIT */
/* settings.c: the options of compression. */
#include "gzip.h"

/* The next word of a list; n 0: there is none. */
static struct slice next_word(const char **text)
{
	const char *begin = *text + strspn(*text, ", \t");
	size_t n = strcspn(begin, ", \t");

	*text = begin + n;
	return (struct slice){ begin, n };
}

static int valid_types(const char *text, struct error *e)
{
	struct slice word;

	while ((word = next_word(&text)).n > 0) {
		const char *star = memchr(word.p, '*', word.n);
		size_t behind = star ? word.n - (size_t)(star - word.p) - 1 : 0;

		if ((star && memchr(star + 1, '*', behind)) ||
		    (!star && !memchr(word.p, '/', word.n)))
			return uwsgi_error_set(e,
					       "expected media types, such as text/css, with one "
					       "* at most: text/*");
	}
	return 0;
}

#define AT(member) offsetof(struct gzip_settings, member)
static const struct option rows[] = {
	{ .name = "gzip",
	  .type = OPT_FLAG,
	  .offset = AT(on),
	  .initial = "false",
	  .help = "compress answers of these types for clients that accept it" },
	{ .name = "gzip-types",
	  .type = OPT_LIST,
	  .offset = AT(types),
	  .initial = "text/* *+json *+xml application/json application/javascript "
		     "application/xml application/wasm",
	  .valid = valid_types,
	  .unit = "TYPES",
	  .help = "the media types that gzip compresses, parted by blanks; * stands for anything",
	  .example = "text/html text/css application/json" },
	{ .name = "gzip-min-length",
	  .type = OPT_SIZE,
	  .offset = AT(min_length),
	  .initial = "256",
	  .help = "gzip leaves shorter answers as they are" },
	{ .name = "gzip-max-length",
	  .type = OPT_SIZE,
	  .offset = AT(max_length),
	  .initial = "8m",
	  .help = "answers that are known to be longer are never compressed, since nothing else runs in "
		  "the thread meanwhile" },
	{ .name = "gzip-level",
	  .type = OPT_INT,
	  .offset = AT(level),
	  .initial = "4",
	  .min = 1,
	  .max = 9,
	  .help = "how hard the compressor tries: 1 is quickest, 9 makes the smallest answers" },
	{ .name = "http-auto-gzip",
	  .type = OPT_FLAG,
	  .offset = AT(asks),
	  .initial = "false",
	  .help = "compress answers for which the application says uWSGI-Encoding: gzip",
	  .differs =
		  "only behind http, and only where there is no Content-Length; here everywhere" },
};

const struct option_table gzip_options = {
	.module = "compression",
	.size = sizeof(struct gzip_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

/* ---- media types ---- */

static bool fits(struct slice pattern, struct slice type)
{
	const char *star = memchr(pattern.p, '*', pattern.n);

	if (!star)
		return uwsgi_same_name(pattern, type);
	struct slice begin = { pattern.p, (size_t)(star - pattern.p) };
	struct slice end = { star + 1, pattern.n - begin.n - 1 };

	return type.n >= begin.n + end.n &&
	       uwsgi_same_name((struct slice){ type.p, begin.n }, begin) &&
	       uwsgi_same_name((struct slice){ type.p + type.n - end.n, end.n }, end);
}

bool gzip_has_type(const struct gzip_settings *s, struct slice content_type)
{
	struct slice type = content_type, word;

	for (type.n = 0; type.n < content_type.n; type.n++)
		if (memchr("; \t", type.p[type.n], 3))
			break;
	for (size_t i = 0; type.n > 0 && i < s->types.count; i++) {
		const char *text = s->types.items[i];

		while ((word = next_word(&text)).n > 0)
			if (fits(word, type))
				return true;
	}
	return false;
}
