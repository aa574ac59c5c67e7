/* SPDX-License-Identifier: MIT */
/* target.c: the request-target in its four forms (RFC 9112 section 3.2), and the path that the
 * application sees: percent-decoded, without dot segments (RFC 3986 section 5.2.4). */
#include "http.h"

#include <strings.h>

static bool refuse(struct http_refusal *r, int status, const char *why)
{
	*r = (struct http_refusal){ status, why };
	return false;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(struct slice in, char *to, size_t *n, struct http_refusal *r)
{
	*n = 0;
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] != '%') {
			to[(*n)++] = in.p[i];
			continue;
		}
		int high = in.n - i > 2 ? hex(in.p[i + 1]) : -1;
		int low = high >= 0 ? hex(in.p[i + 2]) : -1;

		if (low < 0)
			return refuse(r, 400, "a malformed percent-encoding in the path");
		if (high + low == 0)
			return refuse(r, 400, "a NUL in the path");
		to[(*n)++] = (char)(high << 4 | low);
		i += 2;
	}
	return true;
}

/* In place; p begins with '/'.  ".." at the root stays there. */
static size_t remove_dot_segments(char *p, size_t n)
{
	size_t out = 0, i = 0;

	while (i < n) {
		size_t end = i + 1;

		while (end < n && p[end] != '/')
			end++;
		size_t length = end - i - 1; /* of the segment behind the slash */
		bool last = end == n;
		if (length == 1 && p[i + 1] == '.') {
			if (last)
				p[out++] = '/';
		} else if (length == 2 && p[i + 1] == '.' && p[i + 2] == '.') {
			while (out > 0 && p[--out] != '/')
				;
			if (last)
				p[out++] = '/';
		} else {
			memmove(p + out, p + i, end - i);
			out += end - i;
		}
		i = end;
	}
	return out;
}

static bool needs_work(struct slice path)
{
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] == '%' || (path.p[i] == '.' && i > 0 && path.p[i - 1] == '/'))
			return true;
	return false;
}

static bool read_path(struct slice path, struct request *rq, struct http_target *t,
		      struct http_refusal *r)
{
	t->path = path;
	if (!needs_work(path))
		return true;
	size_t n;
	char *p = uwsgi_request_alloc(rq, path.n);
	if (!p)
		return refuse(r, 500, "out of memory");
	if (!decode(path, p, &n, r))
		return false;
	t->path = (struct slice){ p, remove_dot_segments(p, n) };
	return true;
}

static bool read_origin_form(struct slice s, struct request *rq, struct http_target *t,
			     struct http_refusal *r)
{
	const char *mark = memchr(s.p, '?', s.n);
	size_t n = mark ? (size_t)(mark - s.p) : s.n;
	const char *fragment = memchr(s.p, '#', s.n);

	if (fragment)
		return refuse(r, 400, "a fragment in the request target");
	if (mark)
		t->query = (struct slice){ mark + 1, s.n - n - 1 };
	return read_path((struct slice){ s.p, n }, rq, t, r);
}

/* "http://host:port/path?query"; the path may be missing. */
static bool read_absolute_form(struct slice s, size_t scheme, struct request *rq,
			       struct http_target *t, struct http_refusal *r)
{
	struct slice rest = { s.p + scheme, s.n - scheme };
	size_t n = 0;

	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	t->authority = (struct slice){ rest.p, n };
	if (n == 0 || memchr(rest.p, '@', n))
		return refuse(r, 400, "malformed authority in the request target");
	rest = (struct slice){ rest.p + n, rest.n - n };
	if (rest.n > 0 && rest.p[0] == '/')
		return read_origin_form(rest, rq, t, r);
	t->path = SLICE("/");
	if (rest.n > 0)
		t->query = (struct slice){ rest.p + 1, rest.n - 1 };
	return true;
}

bool http_read_target(const struct http_head *h, struct request *rq, struct http_target *t,
		      struct http_refusal *r)
{
	struct slice s = h->target;

	*t = (struct http_target){ .raw = s, .path = SLICE(""), .query = SLICE("") };
	if (s.p[0] == '/')
		return read_origin_form(s, rq, t, r);
	if (s.n == 1 && s.p[0] == '*')
		return (h->method.n == 7 && !memcmp(h->method.p, "OPTIONS", 7)) ||
		       refuse(r, 400, "the target * is for OPTIONS only");
	if (h->method.n == 7 && !memcmp(h->method.p, "CONNECT", 7)) {
		t->authority = s;
		return memchr(s.p, ':', s.n) ||
		       refuse(r, 400, "CONNECT needs host:port as its target");
	}
	if (s.n > 7 && !strncasecmp(s.p, "http://", 7))
		return read_absolute_form(s, 7, rq, t, r);
	if (s.n > 8 && !strncasecmp(s.p, "https://", 8))
		return read_absolute_form(s, 8, rq, t, r);
	return refuse(r, 400, "malformed request target");
}
