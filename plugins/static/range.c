/* SPDX-License-Identifier: MIT */
/* range.c: which parts of a file a request asks for (RFC 9110 section 14). */
#include "static.h"

#include <string.h>
#include <strings.h>

static void skip_blanks(struct slice *s)
{
	while (s->n > 0 && (*s->p == ' ' || *s->p == '\t')) {
		s->p++;
		s->n--;
	}
}

/* More than fits is the largest there is.  False: no digit is there. */
static bool take_number(struct slice *s, int64_t *number)
{
	int64_t n = 0;
	bool any = false;

	for (; s->n > 0 && *s->p >= '0' && *s->p <= '9'; s->p++, s->n--, any = true)
		n = n > (INT64_MAX - 9) / 10 ? INT64_MAX : n * 10 + (*s->p - '0');
	*number = n;
	return any;
}

static bool take(struct slice *s, char c)
{
	if (s->n == 0 || *s->p != c)
		return false;
	s->p++;
	s->n--;
	return true;
}

/* One range-spec.  length 0: it lies behind the end. */
static bool take_range(struct slice *s, int64_t size, struct range *r)
{
	int64_t first, last;
	bool has_first = take_number(s, &first);

	if (!take(s, '-'))
		return false;
	bool has_last = take_number(s, &last);

	if (!has_first && !has_last)
		return false;
	if (!has_first) { /* the last so many bytes */
		first = last < size ? size - last : 0;
		last = size - 1;
	} else if (!has_last || last >= size) {
		if (has_last && last < first)
			return false;
		last = size - 1;
	} else if (last < first) {
		return false;
	}
	*r = (struct range){ first, first <= last ? last - first + 1 : 0 };
	return true;
}

int ranges_parse(struct slice s, int64_t size, struct range found[RANGES_MAX])
{
	int64_t sum = 0;
	int count = 0, said = 0;

	if (s.n < 6 || strncasecmp(s.p, "bytes=", 6))
		return -1;
	s.p += 6;
	s.n -= 6;
	for (bool more = true; more;) {
		struct range r;

		skip_blanks(&s);
		if (said++ == RANGES_MAX || !take_range(&s, size, &r))
			return -1;
		if (r.length > 0) {
			found[count++] = r;
			sum += r.length;
		}
		skip_blanks(&s);
		more = take(&s, ',');
	}
	/* Ranges that overlap would make an answer larger than the file (section 14.2). */
	return s.n > 0 || (count > 1 && sum > size) ? -1 : count;
}
