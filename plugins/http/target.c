/* SPDX-License-Identifier: MIT */
/* target.c: the request-target in its four forms (RFC 9112 section 3.2), the authority that
 * some of them and Host hold, and the path that the application sees: percent-decoded, without
 * dot segments (RFC 3986 section 5.2.4). */
#include "http.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ---- the authority ---- */

static bool is_name_char(char c)
{
	static const char marks[] = { '-', '.', '_', '~', '!', '$', '&', '\'',
				      '(', ')', '*', '+', ',', ';', '=' };

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       memchr(marks, c, sizeof marks);
}

/* The length of a registered name or an IPv4 address (RFC 3986 section 3.2.2). */
static size_t name_length(struct slice s)
{
	size_t n = 0;

	for (;;) {
		if (n < s.n && is_name_char(s.p[n]))
			n++;
		else if (s.n - n > 2 && s.p[n] == '%' && hex(s.p[n + 1]) >= 0 &&
			 hex(s.p[n + 2]) >= 0)
			n += 3;
		else
			return n;
	}
}

/* The length of an IPv6 address in brackets; 0: it is none. */
static size_t literal_length(struct slice s)
{
	size_t n = 1;

	while (n < s.n && (hex(s.p[n]) >= 0 || s.p[n] == ':' || s.p[n] == '.'))
		n++;
	return n > 2 && n < s.n && s.p[n] == ']' ? n + 1 : 0;
}

/* False for user information too: it has no place in a request (RFC 9110 section 4.2.4). */
bool http_read_authority(struct slice s, struct http_authority *a)
{
	size_t n = s.n > 0 && s.p[0] == '[' ? literal_length(s) : name_length(s);

	*a = (struct http_authority){ .whole = s, .host = { s.p, n }, .port = { s.p + s.n, 0 } };
	if (n == s.n)
		return true;
	if (s.p[n] != ':' || s.n - n > 6)
		return false;
	a->port = (struct slice){ s.p + n + 1, s.n - n - 1 };
	int64_t port = a->port.n > 0 ? uwsgi_number(a->port) : 0;

	return port >= 0 && port <= 65535;
}

/* ---- the path ---- */

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
			return http_refuse(r, 400, "a malformed percent-encoding in the path");
		if (high + low == 0)
			return http_refuse(r, 400, "a NUL in the path");
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
		bool one = length == 1 && p[i + 1] == '.';
		bool two = length == 2 && p[i + 1] == '.' && p[i + 2] == '.';

		if (!one && !two) {
			memmove(p + out, p + i, end - i);
			out += end - i;
		}
		while (two && out > 0 && p[--out] != '/')
			;
		if ((one || two) && end == n)
			p[out++] = '/';
		i = end;
	}
	return out;
}

static bool needs_work(struct slice path)
{
	if (memchr(path.p, '%', path.n))
		return true;
	for (size_t i = 1; i < path.n; i++)
		if (path.p[i] == '.' && path.p[i - 1] == '/')
			return true;
	return false;
}

/* Decoded first: "%2e%2e" is ".." to whoever opens a file by this path. */
static bool read_path(struct request *rq, struct http_target *t, struct http_refusal *r)
{
	const struct slice path = t->path;

	if (!needs_work(path))
		return true;
	size_t n;
	char *p = uwsgi_request_alloc(rq, path.n);
	if (!p || !decode(path, p, &n, r))
		return false;
	t->path = (struct slice){ p, remove_dot_segments(p, n) };
	return true;
}

/* ---- the four forms ---- */

static struct slice behind(struct slice s, size_t n)
{
	return (struct slice){ s.p + n, s.n - n };
}

static void split_origin_form(struct slice s, struct http_target *t)
{
	const char *mark = memchr(s.p, '?', s.n);
	size_t n = mark ? (size_t)(mark - s.p) : s.n;

	if (mark)
		t->query = behind(s, n + 1);
	t->path = (struct slice){ s.p, n };
}

/* "http://host:port/path?query"; the path may be missing. */
static bool split_absolute_form(struct slice s, struct http_target *t, struct http_refusal *r)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != '/' && s.p[n] != '?')
		n++;
	if (!http_read_authority((struct slice){ s.p, n }, &t->authority) || !t->authority.host.n)
		return http_refuse(r, 400, "malformed host in the request target");
	s = behind(s, n);
	if (s.n > 0 && s.p[0] == '/') {
		split_origin_form(s, t);
		return true;
	}
	t->path = SLICE("/");
	if (s.n > 0)
		t->query = behind(s, 1);
	return true;
}

static bool split_authority_form(struct slice s, struct http_target *t, struct http_refusal *r)
{
	if (!http_read_authority(s, &t->authority) || !t->authority.host.n || !t->authority.port.n)
		return http_refuse(r, 400, "CONNECT needs host:port as its target");
	return true;
}

static bool begins_with(struct slice s, struct slice scheme)
{
	return s.n > scheme.n && uwsgi_same_name((struct slice){ s.p, scheme.n }, scheme);
}

bool http_split_target(const struct http_head *h, struct http_target *t, struct http_refusal *r)
{
	struct slice s = h->target;

	*t = (struct http_target){ .path = SLICE(""), .query = SLICE("") };
	if (memchr(s.p, '#', s.n))
		return http_refuse(r, 400, "a fragment in the request target");
	if (uwsgi_same(h->method, SLICE("CONNECT")))
		return split_authority_form(s, t, r);
	if (s.p[0] == '/') {
		split_origin_form(s, t);
		return true;
	}
	if (s.n == 1 && s.p[0] == '*') {
		t->path = s;
		return uwsgi_same(h->method, SLICE("OPTIONS")) ||
		       http_refuse(r, 400, "the target * is for OPTIONS only");
	}
	if (begins_with(s, SLICE("http://")))
		return split_absolute_form(behind(s, 7), t, r);
	if (begins_with(s, SLICE("https://")))
		return split_absolute_form(behind(s, 8), t, r);
	return http_refuse(r, 400, "malformed request target");
}

bool http_read_target(const struct http_head *h, struct request *rq, struct http_target *t,
		      struct http_refusal *r)
{
	return http_split_target(h, t, r) && read_path(rq, t, r);
}
