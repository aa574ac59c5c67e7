/* SPDX-License-Identifier: MIT */
/* accept.c: what Accept-Encoding says of a content coding (RFC 9110 sections 12.4.2 and 12.5.3). */
#include <uwsgi/plugin.h>

static struct slice trim(struct slice s)
{
	while (s.n > 0 && (*s.p == ' ' || *s.p == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* What stands before the mark, without blanks around it; *rest is what stands behind. */
static struct slice split(struct slice *rest, char mark)
{
	const char *end = rest->n ? memchr(rest->p, mark, rest->n) : NULL;
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	struct slice first = { rest->p, n };

	n += end != NULL;
	*rest = (struct slice){ rest->p + n, rest->n - n };
	return trim(first);
}

/* "0.5" in thousandths; what is no such number counts as 0, since it may have meant that. */
static int thousandths(struct slice s)
{
	int value = 0, unit = 1000;

	if (s.n == 0 || s.n > 5 || (s.n > 1 && s.p[1] != '.'))
		return 0;
	for (size_t i = 0; i < s.n; i += i ? 1 : 2, unit /= 10) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return 0;
		value += (s.p[i] - '0') * unit;
	}
	return value <= 1000 ? value : 0;
}

static int weight(struct slice parameter)
{
	if (parameter.n == 0)
		return 1000;
	if (parameter.n < 2 || (parameter.p[0] | 0x20) != 'q' || parameter.p[1] != '=')
		return 0;
	return thousandths((struct slice){ parameter.p + 2, parameter.n - 2 });
}

/* Section 8.4.1: some have an older name, too. */
static bool is_coding(struct slice name, struct slice coding)
{
	if (name.n == coding.n + 2 && (name.p[0] | 0x20) == 'x' && name.p[1] == '-')
		name = (struct slice){ name.p + 2, coding.n };
	return uwsgi_same_name(name, coding);
}

int uwsgi_accept_coding(struct slice field, struct slice coding)
{
	int others = -1;

	while (field.n > 0) {
		struct slice one = split(&field, ','), name = split(&one, ';');

		if (name.n == 0)
			continue;
		if (is_coding(name, coding))
			return weight(trim(one));
		if (uwsgi_same(name, SLICE("*")))
			others = weight(trim(one));
	}
	return others;
}
