/* SPDX-License-Identifier: MIT */
/* pattern.c: translates what people write of Perl's expressions into what regcomp(3) knows.
 * Options that take an expression call it. */
#include "base/pattern.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct pattern {
	regex_t regex;
	bool inverted; /* it matches where the expression does not */
};

static bool begins_with(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

/* "{2}", "{2,}", "{2,3}"; Perl takes any other brace as itself. */
static bool is_count(const char *p)
{
	size_t digits = strspn(++p, "0123456789");

	p += digits;
	if (*p == ',')
		p += 1 + strspn(p + 1, "0123456789");
	return digits > 0 && *p == '}';
}

/* to: twice the room of from, and more. */
static void translate(const char *from, char *to)
{
	for (bool first = true; *from; first = false) {
		if (begins_with(from, "\\d")) {
			to = stpcpy(to, "[0-9]");
			from += 2;
		} else if (begins_with(from, "\\D")) {
			to = stpcpy(to, "[^0-9]");
			from += 2;
		} else if (*from == '\\' && from[1]) {
			*to++ = *from++;
			*to++ = *from++;
		} else if (begins_with(from, "(?:")) {
			*to++ = '(';
			from += 3;
		} else if (*from == '{' && (first || !is_count(from))) {
			*to++ = '\\';
			*to++ = *from++;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* The one lookahead that logs need: lines without something. */
static char *take_inverted(const char *text)
{
	static const char before[] = "^((?!", after[] = ").)*$";
	size_t n = strlen(text), frame = sizeof before - 1 + sizeof after - 1;

	if (n <= frame || !begins_with(text, before) ||
	    strcmp(text + n - (sizeof after - 1), after) != 0)
		return NULL;
	return strndup(text + sizeof before - 1, n - frame);
}

static int compile(struct pattern *p, const char *text, struct error *e)
{
	int flags = REG_EXTENDED | REG_NOSUB;
	char *posix = malloc(4 * strlen(text) + 8), why[128];

	if (!posix)
		return uwsgi_error_set(e, "out of memory");
	if (begins_with(text, "(?i)")) {
		flags |= REG_ICASE;
		text += 4;
	}
	translate(text, posix);
	int failed = regcomp(&p->regex, posix, flags);
	free(posix);
	if (!failed)
		return 0;
	regerror(failed, &p->regex, why, sizeof why);
	return uwsgi_error_set(e, "%s: %s (this server knows POSIX extended regular expressions)",
			       text, why);
}

struct pattern *pattern_new(const char *text, struct error *e)
{
	struct pattern *p = calloc(1, sizeof *p);
	char *inside = take_inverted(text);

	if (!p) {
		uwsgi_error_set(e, "out of memory");
	} else {
		p->inverted = inside != NULL;
		if (compile(p, inside ? inside : text, e)) {
			free(p);
			p = NULL;
		}
	}
	free(inside);
	return p;
}

void pattern_free(struct pattern *p)
{
	if (!p)
		return;
	regfree(&p->regex);
	free(p);
}

bool pattern_matches(const struct pattern *p, const char *text)
{
	return (regexec(&p->regex, text, 0, NULL, 0) == 0) != p->inverted;
}
