/* SPDX-License-Identifier: MIT */
/* parse.c: the head of an HTTP/1 request: from its bytes to slices of them.  Strict where a
 * lenient reading would let two servers see two different requests: lines end with CRLF, there
 * is no white space before a colon and no folding.  Knows nothing of what fields mean. */
#include "head.h"

#include <string.h>

/* RFC 9110 section 5.6.2. */
bool http_is_token_char(unsigned char c)
{
	static const bool token[256] = {
		['!'] = true,         ['#'] = true,         ['$'] = true, ['%'] = true,
		['&'] = true,         ['\''] = true,        ['*'] = true, ['+'] = true,
		['-'] = true,         ['.'] = true,         ['^'] = true, ['_'] = true,
		['`'] = true,         ['|'] = true,         ['~'] = true, ['0' ... '9'] = true,
		['A' ... 'Z'] = true, ['a' ... 'z'] = true,
	};

	return token[c];
}

static size_t token_length(struct slice s)
{
	size_t n = 0;

	while (n < s.n && http_is_token_char((unsigned char)s.p[n]))
		n++;
	return n;
}

static struct slice skip(struct slice s, size_t n)
{
	return (struct slice){ s.p + n, s.n - n };
}

/* The next line without its CRLF; *rest goes behind it. */
static bool next_line(struct slice *rest, struct slice *line, struct http_refusal *r)
{
	const char *lf = memchr(rest->p, '\n', rest->n);

	if (!lf)
		return http_refuse(r, 400, "the head does not end");
	size_t n = (size_t)(lf - rest->p);
	if (n == 0 || rest->p[n - 1] != '\r')
		return http_refuse(r, 400, "a line does not end with CRLF");
	*line = (struct slice){ rest->p, n - 1 };
	*rest = skip(*rest, n + 1);
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Any minor version above 1 is answered as 1.1 (RFC 9110 section 2.5). */
static bool parse_version(struct slice s, struct http_head *h, struct http_refusal *r)
{
	if (s.n != 8 || memcmp(s.p, "HTTP/", 5) || !is_digit(s.p[5]) || s.p[6] != '.' ||
	    !is_digit(s.p[7]))
		return http_refuse(r, 400, "malformed HTTP version");
	if (s.p[5] != '1')
		return http_refuse(r, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
	h->minor = s.p[7] - '0';
	return true;
}

/* Bytes above 0x7f are let through: browsers of today escape them, clients of today do not. */
bool http_parse_request_line(struct slice line, struct http_head *h, struct http_refusal *r)
{
	size_t n = token_length(line);

	if (n == 0 || n == line.n || line.p[n] != ' ')
		return http_refuse(r, 400, "malformed request line: no method");
	h->method = (struct slice){ line.p, n };
	line = skip(line, n + 1);
	for (n = 0; n < line.n && line.p[n] != ' '; n++)
		if ((unsigned char)line.p[n] < 0x20 || line.p[n] == 0x7f)
			return http_refuse(r, 400, "a control character in the request target");
	if (n == 0 || n == line.n)
		return http_refuse(r, 400, "malformed request line: no target or version");
	h->target = (struct slice){ line.p, n };
	return parse_version(skip(line, n + 1), h, r);
}

static struct slice trim(struct slice s)
{
	while (s.n > 0 && (*s.p == ' ' || *s.p == '\t'))
		s = skip(s, 1);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static bool refuse_name(struct slice line, size_t n, struct http_refusal *r)
{
	bool blank = n < line.n && (line.p[n] == ' ' || line.p[n] == '\t');

	if (blank && n == 0)
		return http_refuse(r, 400, "a folded header line");
	return http_refuse(r, 400, blank ? "white space before a colon" : "malformed header name");
}

static bool parse_field(struct slice line, struct http_head *h, struct http_refusal *r)
{
	size_t n = token_length(line);

	if (n == 0 || n == line.n || line.p[n] != ':')
		return refuse_name(line, n, r);
	if (h->count == HTTP_MAX_FIELDS)
		return http_refuse(r, 431, "too many header fields");
	struct http_field *f = &h->fields[h->count++];
	f->name = (struct slice){ line.p, n };
	f->value = trim(skip(line, n + 1));
	for (size_t i = 0; i < f->value.n; i++) {
		unsigned char c = (unsigned char)f->value.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return http_refuse(r, 400, "a control character in a header value");
	}
	return true;
}

bool http_parse_head(struct slice text, struct http_head *h, struct http_refusal *r)
{
	struct slice line;

	return next_line(&text, &line, r) && http_parse_request_line(line, h, r) &&
	       http_parse_fields(text, h, r);
}

bool http_parse_fields(struct slice text, struct http_head *h, struct http_refusal *r)
{
	struct slice line;

	h->count = 0;
	for (;;) {
		if (!next_line(&text, &line, r))
			return false;
		if (line.n == 0)
			return true;
		if (!parse_field(line, h, r))
			return false;
	}
}
