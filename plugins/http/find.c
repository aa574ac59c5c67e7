/* SPDX-License-Identifier: MIT */
/* find.c: where the head of a request ends, and whether what has come can be one at all. */
#include "head.h"

#include <assert.h>
#include <string.h>

/* Empty lines before a request are read over (RFC 9112 section 2.2), but not for ever. */
enum { EMPTY_LINES_MAX = 8 };

static size_t empty_lines(struct slice in)
{
	size_t n = 0;

	while (n < 2 * EMPTY_LINES_MAX && in.n - n > 1 && in.p[n] == '\r' && in.p[n + 1] == '\n')
		n += 2;
	return n;
}

/* What is no HTTP at all is said at once: its end would be waited for in vain. */
static const char *not_http(struct slice in)
{
	if (in.n < 4 || http_is_token_char((unsigned char)in.p[0]))
		return NULL;
	if (in.p[0] == 0x16 && in.p[1] == 0x03)
		return "TLS spoken to a plain HTTP socket";
	if (in.p[0] == 0)
		return "a uwsgi packet on an HTTP socket: uwsgi_pass goes to socket =";
	if (in.p[0] == 1 && in.p[1] > 0 && in.p[1] < 12)
		return "FastCGI spoken to an HTTP socket: fastcgi_pass goes to fastcgi-socket =";
	return in.p[0] == '\r' && in.p[1] == '\n' ? NULL : "what came is no HTTP request";
}

/* Looks for the empty line that ends the head, from where the last search stopped; *end is
 * behind it.  A bare LF is refused where it stands (RFC 9112 section 2.2 leaves that open):
 * servers that read it otherwise would see another request, and no client in use sends it. */
static enum http_found find_end(struct http_search *s, struct slice in, size_t begin, size_t *end)
{
	size_t at = s->searched > begin ? s->searched : begin;

	assert(at <= in.n);
	for (const char *lf; (lf = memchr(in.p + at, '\n', in.n - at)); at++) {
		at = (size_t)(lf - in.p);
		if (at == begin || in.p[at - 1] != '\r')
			return HTTP_END_BAD;
		if (at > begin + 1 && in.p[at - 2] == '\n') {
			*end = at + 1;
			return HTTP_END_FOUND;
		}
	}
	s->searched = (uint32_t)in.n;
	return HTTP_END_MISSING;
}

/* Of an incomplete head, the request line is checked as soon as it is there, so that whoever
 * does not speak HTTP learns so at once. */
static bool check_line(struct http_search *s, struct slice in, struct http_refusal *r)
{
	const char *lf = s->line_checked ? NULL : memchr(in.p, '\n', in.n);
	struct http_head head;

	if (!lf)
		return true;
	s->line_checked = true;
	return http_parse_request_line((struct slice){ in.p, (size_t)(lf - in.p) - 1 }, &head, r);
}

static enum http_found bad(struct http_refusal *r, const char *why)
{
	http_refuse(r, 400, why);
	return HTTP_END_BAD;
}

enum http_found http_find_head(struct http_search *s, struct slice in, struct slice *text,
			       struct http_refusal *r)
{
	size_t begin = empty_lines(in), end = in.n;

	*text = (struct slice){ in.p + begin, in.n - begin };
	if (not_http(in))
		return bad(r, not_http(in));
	if (begin == 2 * EMPTY_LINES_MAX)
		return bad(r, "empty lines instead of a request");
	if (not_http(*text))
		return bad(r, "what came is no HTTP request");
	enum http_found found = find_end(s, in, begin, &end);

	text->n = end - begin;
	if (found == HTTP_END_BAD)
		return bad(r, "a line does not end with CRLF");
	return found == HTTP_END_MISSING && !check_line(s, *text, r) ? HTTP_END_BAD : found;
}
