/* SPDX-License-Identifier: MIT */
/* fields.c: what header fields mean: how the body is framed, whether the connection lives on,
 * and the CGI variables they become (RFC 3875).  Whatever two readers could frame differently
 * is refused. */
#include "http.h"

#include <strings.h>

static bool refuse(struct http_refusal *r, int status, const char *why)
{
	*r = (struct http_refusal){ status, why };
	return false;
}

static bool is(struct slice s, struct slice text)
{
	return s.n == text.n && !strncasecmp(s.p, text.p, s.n);
}

/* The next member of a comma-separated list, trimmed; false at the end. */
static bool next_member(struct slice *list, struct slice *member)
{
	while (list->n > 0 && (*list->p == ' ' || *list->p == '\t' || *list->p == ',')) {
		list->p++;
		list->n--;
	}
	if (list->n == 0)
		return false;
	const char *comma = memchr(list->p, ',', list->n);
	size_t n = comma ? (size_t)(comma - list->p) : list->n;
	*member = (struct slice){ list->p, n };
	list->p += n;
	list->n -= n;
	while (member->n > 0 && (member->p[member->n - 1] == ' ' || member->p[member->n - 1] == '\t'))
		member->n--;
	return true;
}

static bool read_length(struct slice value, struct http_meaning *m, struct http_refusal *r)
{
	int64_t n = 0;

	if (m->length >= 0)
		return refuse(r, 400, "Content-Length is given twice");
	if (value.n == 0 || value.n > 18)
		return refuse(r, 400, "Content-Length is not a number");
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return refuse(r, 400, "Content-Length is not a number");
		n = n * 10 + (value.p[i] - '0');
	}
	m->length = n;
	return true;
}

static bool read_transfer_encoding(struct slice value, struct http_meaning *m,
				   struct http_refusal *r)
{
	struct slice coding;
	bool any = false;

	while (next_member(&value, &coding)) {
		any = true;
		if (m->chunked)
			return refuse(r, 400, "a transfer coding after chunked");
		for (size_t i = 0; i < coding.n; i++)
			if (!http_is_token_char((unsigned char)coding.p[i]))
				return refuse(r, 400, "Transfer-Encoding is malformed");
		if (!is(coding, SLICE("chunked")))
			return refuse(r, 501, "a transfer coding other than chunked");
		m->chunked = true;
	}
	return any || refuse(r, 400, "Transfer-Encoding is empty");
}

static void read_connection(struct slice value, struct http_meaning *m)
{
	struct slice option;

	while (next_member(&value, &option)) {
		if (is(option, SLICE("close")))
			m->close = true;
		else if (is(option, SLICE("keep-alive")))
			m->keep_alive = true;
	}
}

/* RFC 9110 section 7.2: uri-host with an optional port. */
static bool is_host(struct slice s)
{
	static const char marks[] = "-._~!$&'()*+,;=:[]%";

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c && memchr(marks, c, sizeof marks - 1))))
			return false;
	}
	return true;
}

static bool read_host(struct slice value, struct http_meaning *m, struct http_refusal *r)
{
	if (m->host.p)
		return refuse(r, 400, "Host is given twice");
	if (!is_host(value))
		return refuse(r, 400, "Host is malformed");
	m->host = value;
	return true;
}

static bool read_field(const struct http_field *f, const struct http_head *h,
		       struct http_meaning *m, struct http_refusal *r)
{
	switch (f->name.n) {
	case 4:
		return !is(f->name, SLICE("Host")) || read_host(f->value, m, r);
	case 6:
		if (!is(f->name, SLICE("Expect")) || h->minor == 0)
			return true;
		m->expects_continue = is(f->value, SLICE("100-continue"));
		return m->expects_continue || refuse(r, 417, "an unknown expectation");
	case 10:
		if (is(f->name, SLICE("Connection")))
			read_connection(f->value, m);
		return true;
	case 14:
		return !is(f->name, SLICE("Content-Length")) || read_length(f->value, m, r);
	case 17:
		return !is(f->name, SLICE("Transfer-Encoding")) ||
		       read_transfer_encoding(f->value, m, r);
	default:
		return true;
	}
}

bool http_read_fields(const struct http_head *h, struct http_meaning *m, struct http_refusal *r)
{
	*m = (struct http_meaning){ .length = -1 };
	for (size_t i = 0; i < h->count; i++)
		if (!read_field(&h->fields[i], h, m, r))
			return false;
	if (m->chunked && h->minor == 0)
		return refuse(r, 400, "Transfer-Encoding in HTTP/1.0");
	if (m->chunked && m->length >= 0)
		return refuse(r, 400, "Content-Length beside Transfer-Encoding");
	if (h->minor > 0 && !m->host.p)
		return refuse(r, 400, "Host is missing");
	return true;
}

/* ---- variables ---- */

/* Names that never become variables: one with '_' would collide with '-', and HTTP_PROXY would
 * be taken for the environment's. */
static bool is_dropped(struct slice name)
{
	return memchr(name.p, '_', name.n) || is(name, SLICE("Proxy"));
}

static size_t write_name(char *to, struct slice name)
{
	memcpy(to, "HTTP_", 5);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		to[5 + i] = c == '-' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	return 5 + name.n;
}

/* The index of an earlier field of the same name, or i. */
static size_t first_of(const struct http_head *h, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (is(h->fields[k].name, h->fields[i].name))
			return k;
	return i;
}

static bool is_repeated(const struct http_head *h, size_t i)
{
	for (size_t k = i + 1; k < h->count; k++)
		if (is(h->fields[k].name, h->fields[i].name))
			return true;
	return false;
}

/* All values of a repeated field in one (RFC 9110 section 5.3; cookies: RFC 9113 8.2.3). */
static bool join(const struct http_head *h, size_t first, struct request *rq, struct slice *value)
{
	struct slice between = is(h->fields[first].name, SLICE("Cookie")) ? SLICE("; ") : SLICE(", ");
	size_t n = 0;

	for (size_t i = first; i < h->count; i++)
		if (is(h->fields[i].name, h->fields[first].name))
			n += h->fields[i].value.n + between.n;
	char *p = uwsgi_request_alloc(rq, n), *at = p;
	if (!p)
		return false;
	for (size_t i = first; i < h->count; i++) {
		if (!is(h->fields[i].name, h->fields[first].name))
			continue;
		if (i > first) {
			memcpy(at, between.p, between.n);
			at += between.n;
		}
		memcpy(at, h->fields[i].value.p, h->fields[i].value.n);
		at += h->fields[i].value.n;
	}
	*value = (struct slice){ p, (size_t)(at - p) };
	return true;
}

/* One allocation holds the names of all. */
static bool make_field_variables(const struct http_head *h, struct request *rq)
{
	size_t n = 0;

	for (size_t i = 0; i < h->count; i++)
		n += 5 + h->fields[i].name.n;
	char *names = uwsgi_request_alloc(rq, n);
	if (!names)
		return false;
	for (size_t i = 0; i < h->count; i++) {
		struct slice name = h->fields[i].name, value = h->fields[i].value;

		if (is_dropped(name) || first_of(h, i) != i)
			continue;
		if (is_repeated(h, i) && !join(h, i, rq, &value))
			return false;
		if (is(name, SLICE("Content-Type"))) {
			name = SLICE("CONTENT_TYPE");
		} else if (is(name, SLICE("Content-Length"))) {
			name = SLICE("CONTENT_LENGTH");
		} else {
			size_t written = write_name(names, name);

			name = (struct slice){ names, written };
			names += written;
		}
		if (!uwsgi_request_var(rq, name, value))
			return false;
	}
	return true;
}

/* The host without its port. */
static struct slice name_of(struct slice host)
{
	if (host.n && host.p[0] == '[') {
		const char *end = memchr(host.p, ']', host.n);

		return end ? (struct slice){ host.p, (size_t)(end - host.p) + 1 } : host;
	}
	const char *colon = host.n ? memchr(host.p, ':', host.n) : NULL;
	return colon ? (struct slice){ host.p, (size_t)(colon - host.p) } : host;
}

bool http_make_variables(const struct http_head *h, const struct http_meaning *m,
			 struct request *rq, struct http_refusal *r)
{
	const struct endpoint *peer = uwsgi_request_peer(rq), *local = uwsgi_request_local(rq);
	struct slice host = m->host;
	struct http_target t;

	if (!http_read_target(h, rq, &t, r))
		return false;
	/* RFC 9112 section 3.2.2: the absolute form outranks Host. */
	if (t.authority.n)
		host = t.authority;
	struct slice name = name_of(host);
	if (name.n == 0)
		name = local->address;
	return uwsgi_request_var(rq, SLICE("REQUEST_METHOD"), h->method) &&
	       uwsgi_request_var(rq, SLICE("REQUEST_URI"), t.raw) &&
	       uwsgi_request_var(rq, SLICE("PATH_INFO"), t.path) &&
	       uwsgi_request_var(rq, SLICE("QUERY_STRING"), t.query) &&
	       uwsgi_request_var(rq, SLICE("SERVER_PROTOCOL"),
				 h->minor ? SLICE("HTTP/1.1") : SLICE("HTTP/1.0")) &&
	       uwsgi_request_var(rq, SLICE("SCRIPT_NAME"), SLICE("")) &&
	       uwsgi_request_var(rq, SLICE("SERVER_NAME"), name) &&
	       uwsgi_request_var(rq, SLICE("SERVER_PORT"), local->port) &&
	       uwsgi_request_var(rq, SLICE("REMOTE_ADDR"), peer->address) &&
	       uwsgi_request_var(rq, SLICE("REMOTE_PORT"), peer->port) &&
	       make_field_variables(h, rq) &&
	       (!t.authority.n || uwsgi_request_var(rq, SLICE("HTTP_HOST"), t.authority));
}
