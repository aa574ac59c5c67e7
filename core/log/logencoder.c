/* SPDX-License-Identifier: MIT */
/* logencoder.c: the encoders that uWSGI has built in, but for those that compress.  logstream.c
 * calls them for each line. */
#include "log/logencoder.h"

#include "base/clock.h"
#include "base/log.h"

#include <string.h>

static struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static bool equals(struct slice s, const char *word)
{
	return strlen(word) == s.n && memcmp(s.p, word, s.n) == 0;
}

static void add_prefix(const struct logencoder *e, struct slice line, struct text *to)
{
	text_add(to, slice_of(e->arguments));
	text_add(to, line);
}

static void add_suffix(const struct logencoder *e, struct slice line, struct text *to)
{
	text_add(to, line);
	text_add(to, slice_of(e->arguments));
}

static void add_newline(const struct logencoder *e, struct slice line, struct text *to)
{
	(void)e;
	text_add(to, line);
	text_add(to, SLICE("\n"));
}

/* ---- formats ---- */

static void add_json(struct slice s, struct text *to)
{
	char part[512];

	/* In parts that fit, whatever becomes of them. */
	for (size_t i = 0, n; i < s.n; i += n) {
		struct logline l;

		n = s.n - i < 64 ? s.n - i : 64;
		while (n > 1 && i + n < s.n && ((unsigned char)s.p[i + n] & 0xc0) == 0x80)
			n--; /* not inside a character */
		logline_init(&l, part, sizeof part);
		logline_quoted(&l, (struct slice){ s.p + i, n });
		text_add(to, (struct slice){ l.p, l.n });
	}
}

static void add_strftime(struct slice format, struct text *to)
{
	char text[64], when[256];
	struct logline l;

	if (format.n >= sizeof text)
		return;
	memcpy(text, format.p, format.n);
	text[format.n] = '\0';
	logline_init(&l, when, sizeof when);
	logline_time(&l, text, clock_wall_us());
	text_add(to, (struct slice){ l.p, l.n });
}

static void add_variable(struct slice name, struct slice line, bool json, struct text *to)
{
	long long now_us = (long long)clock_wall_us();
	struct slice bare = line;

	if (bare.n && bare.p[bare.n - 1] == '\n')
		bare.n--;
	if (equals(name, "msg"))
		json ? add_json(bare, to) : text_add(to, bare);
	else if (equals(name, "msgnl"))
		json ? add_json(line, to) : text_add(to, line);
	else if (equals(name, "unix"))
		text_addf(to, "%lld", now_us / 1000000);
	else if (equals(name, "micros"))
		text_addf(to, "%lld", now_us);
	else if (name.n > 9 && memcmp(name.p, "strftime:", 9) == 0)
		add_strftime((struct slice){ name.p + 9, name.n - 9 }, to);
}

static void add_formatted(const char *format, struct slice line, bool json, struct text *to)
{
	const char *begin, *end;

	while ((begin = strstr(format, "${")) && (end = strchr(begin, '}'))) {
		text_add(to, (struct slice){ format, (size_t)(begin - format) });
		add_variable((struct slice){ begin + 2, (size_t)(end - begin - 2) }, line, json,
			     to);
		format = end + 1;
	}
	text_add(to, slice_of(format));
}

static void add_format(const struct logencoder *e, struct slice line, struct text *to)
{
	add_formatted(e->arguments, line, false, to);
}

static void add_json_format(const struct logencoder *e, struct slice line, struct text *to)
{
	add_formatted(e->arguments, line, true, to);
}

/* ---- the chain ---- */

int logencoder_parse(struct logencoder *e, const char *value, struct error *error)
{
	static const struct {
		const char *name;
		void (*encode)(const struct logencoder *, struct slice, struct text *);
	} encoders[] = {
		{ "prefix", add_prefix }, { "suffix", add_suffix },    { "nl", add_newline },
		{ "format", add_format }, { "json", add_json_format },
	};
	struct slice name = { value, strcspn(value, ": ") };
	const char *rest = value + name.n;

	*e = (struct logencoder){ .arguments = "" };
	if (*rest == ':') {
		e->logger = (struct slice){ rest + 1, strcspn(rest + 1, " ") };
		rest = e->logger.p + e->logger.n;
	}
	if (*rest == ' ')
		e->arguments = rest + 1;
	for (size_t i = 0; i < sizeof encoders / sizeof *encoders; i++)
		if (equals(name, encoders[i].name))
			e->encode = encoders[i].encode;
	return e->encode ? 0
			 : uwsgi_error_set(error,
					   "there is no encoder \"%.*s\" here: prefix, suffix, "
					   "nl, format and json are",
					   (int)name.n, name.p);
}

static bool is_for(const struct logencoder *e, struct slice logger)
{
	return e->logger.n == 0 ||
	       (e->logger.n == logger.n && memcmp(e->logger.p, logger.p, logger.n) == 0);
}

void logencoder_run(const struct logencoder *encoders, size_t count, struct slice logger,
		    struct slice line, struct text *to, struct text scratch[2])
{
	int turn = 0;

	/* One encoder's line lies where the next one does not write. */
	for (size_t i = 0; i < count; i++) {
		struct text *into = &scratch[turn];

		if (!is_for(&encoders[i], logger))
			continue;
		into->n = 0;
		encoders[i].encode(&encoders[i], line, into);
		line = (struct slice){ into->p, into->n };
		turn = !turn;
	}
	text_add(to, line);
}
