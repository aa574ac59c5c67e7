/* SPDX-License-Identifier: MIT */
/* conditional.c: whether a client needs the file at all (RFC 9110 section 13).  Dates are read
 * without the C library, whose names of days and months are those of the application's locale. */
#include "static.h"

#include <string.h>

/* ---- dates ---- */

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Up to 6 words and numbers of a date, each apart. */
struct words {
	struct slice at[8];
	size_t count;
};

static bool is_between(char c)
{
	return c == ' ' || c == ',' || c == '-' || c == ':';
}

static bool split(struct slice s, struct words *w)
{
	w->count = 0;
	for (size_t i = 0; i < s.n;) {
		size_t n = 0;

		if (is_between(s.p[i])) {
			i++;
			continue;
		}
		while (i + n < s.n && !is_between(s.p[i + n]))
			n++;
		if (w->count == sizeof w->at / sizeof *w->at)
			return false;
		w->at[w->count++] = (struct slice){ s.p + i, n };
		i += n;
	}
	return true;
}

static bool number(struct slice s, int *n)
{
	*n = s.n <= 4 ? (int)uwsgi_number(s) : -1;
	return *n >= 0;
}

static bool month(struct slice s, int *n)
{
	for (*n = 0; s.n == 3 && *n < 12; ++*n)
		if (!memcmp(s.p, months + *n * 3, 3))
			return true;
	return false;
}

/* Two digits: not more than 50 years ahead. */
static int whole_year(int year, size_t digits)
{
	struct tm now;
	time_t t = time(NULL);

	if (digits != 2 || !gmtime_r(&t, &now))
		return year;
	year += (now.tm_year + 1900) / 100 * 100;
	return year > now.tm_year + 1900 + 50 ? year - 100 : year;
}

time_t date_parse(struct slice s)
{
	struct words w;
	struct tm tm = { 0 };

	if (!split(s, &w))
		return -1;
	/* "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", and asctime()'s
	 * "Sun Nov  6 08:49:37 1994". */
	bool is_asctime = w.count == 7;
	size_t day = is_asctime ? 2 : 1, name = is_asctime ? 1 : 2, clock = is_asctime ? 3 : 4,
	       year = is_asctime ? 6 : 3;

	if ((w.count != 8 || w.at[7].n != 3 || memcmp(w.at[7].p, "GMT", 3)) && !is_asctime)
		return -1;
	if (!number(w.at[day], &tm.tm_mday) || !month(w.at[name], &tm.tm_mon) ||
	    !number(w.at[year], &tm.tm_year) || !number(w.at[clock], &tm.tm_hour) ||
	    !number(w.at[clock + 1], &tm.tm_min) || !number(w.at[clock + 2], &tm.tm_sec))
		return -1;
	if (tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
	    tm.tm_sec > 60)
		return -1;
	tm.tm_year = whole_year(tm.tm_year, w.at[year].n) - 1900;
	return timegm(&tm);
}

/* ---- entity tags ---- */

/* The next one of a list; *weak: W/ stands before it.  False: there is none. */
static bool next_tag(struct slice *s, struct slice *tag, bool *weak)
{
	while (s->n > 0 && (*s->p == ' ' || *s->p == '\t' || *s->p == ',')) {
		s->p++;
		s->n--;
	}
	*weak = s->n > 2 && !memcmp(s->p, "W/", 2);
	if (*weak) {
		s->p += 2;
		s->n -= 2;
	}
	const char *end = s->n > 1 && *s->p == '"' ? memchr(s->p + 1, '"', s->n - 1) : NULL;

	if (!end)
		return false;
	*tag = (struct slice){ s->p, (size_t)(end - s->p) + 1 };
	s->n -= tag->n;
	s->p = end + 1;
	return true;
}

/* The file's own tag is strong; a weak one of the list counts for the weak comparison alone. */
static bool lists(struct slice list, struct slice etag, bool weak_too)
{
	struct slice tag;
	bool weak;

	if (list.n == 1 && *list.p == '*')
		return true;
	while (next_tag(&list, &tag, &weak))
		if (uwsgi_same(tag, etag) && (weak_too || !weak))
			return true;
	return false;
}

/* ---- the judgement ---- */

enum condition conditions_judge(const struct conditions *c, const struct validators *v)
{
	if (c->if_match.p) {
		if (!lists(c->if_match, v->etag, false))
			return PRECONDITION_FAILED;
	} else if (c->if_unmodified_since.p) {
		time_t since = date_parse(c->if_unmodified_since);

		if (since != -1 && v->modified > since)
			return PRECONDITION_FAILED;
	}
	if (c->if_none_match.p)
		return lists(c->if_none_match, v->etag, true) ? NOT_MODIFIED : CONDITION_TRUE;
	if (c->if_modified_since.p) {
		time_t since = date_parse(c->if_modified_since);

		if (since != -1 && v->modified <= since)
			return NOT_MODIFIED;
	}
	return CONDITION_TRUE;
}

bool conditions_allow_range(const struct conditions *c, const struct validators *v, time_t now)
{
	struct slice field = c->if_range;
	struct slice tag;
	bool weak;

	if (!field.p)
		return true;
	if (next_tag(&field, &tag, &weak))
		return !weak && uwsgi_same(tag, v->etag);
	/* A date that may be followed by another change within its second is a weak validator. */
	time_t since = date_parse(c->if_range);

	return since != -1 && since == v->modified && now > v->modified + 1;
}
