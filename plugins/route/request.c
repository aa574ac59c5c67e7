/* SPDX-License-Identifier: MIT */
/* request.c: the head of a request as HTTP text, from its variables (RFC 3875 section 4.1.18, RFC 9112
 * section 3).  They may come from a web server that is less strict than ours: what could be read as
 * another request is refused. */
#include "proxy.h"

#include <stdio.h>

struct writer {
	char *to; /* NULL: it is only measured */
	size_t n;
};

static void put(struct writer *w, struct slice s)
{
	if (w->to && s.n)
		memcpy(w->to + w->n, s.p, s.n);
	w->n += s.n;
}

static void put_field(struct writer *w, struct slice name, struct slice value)
{
	put(w, name);
	put(w, SLICE(": "));
	put(w, value);
	put(w, SLICE("\r\n"));
}

/* HTTP_X_FORWARDED_FOR is X-Forwarded-For. */
static void put_variable(struct writer *w, struct slice name, struct slice value)
{
	bool first = true;

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i] == '_' ? '-' : name.p[i];

		if (!first && c >= 'A' && c <= 'Z')
			c |= 0x20;
		first = c == '-';
		put(w, (struct slice){ &c, 1 });
	}
	put(w, SLICE(": "));
	put(w, value);
	put(w, SLICE("\r\n"));
}

static bool is_text(struct slice s, unsigned char from)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < from && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!http_is_token_char((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

/* X-Foo as X_FOO. */
static bool is_named(struct slice field, struct slice variable)
{
	if (field.n != variable.n)
		return false;
	for (size_t i = 0; i < field.n; i++) {
		char c = field.p[i] == '-' ? '_' : field.p[i];

		if (c != variable.p[i] && (c < 'a' || c > 'z' || (c ^ 0x20) != variable.p[i]))
			return false;
	}
	return true;
}

/* What is for the client's connection, or written apart. */
static bool stays_here(const struct request *rq, struct slice name)
{
	static const struct slice names[] = {
		SLICE("CONNECTION"),
		SLICE("KEEP_ALIVE"),
		SLICE("PROXY_CONNECTION"),
		SLICE("TE"),
		SLICE("TRAILER"),
		SLICE("TRANSFER_ENCODING"),
		SLICE("UPGRADE"),
		SLICE("EXPECT"),
		SLICE("HOST"),
		SLICE("X_FORWARDED_FOR"),
		SLICE("CONTENT_LENGTH"),
		SLICE("CONTENT_TYPE"),
		SLICE("HTTP2_SETTINGS"),
	};
	struct slice list = uwsgi_request_find(rq, SLICE("HTTP_CONNECTION")), member;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (uwsgi_same(name, names[i]))
			return true;
	while (http_next_member(&list, &member))
		if (is_named(member, name))
			return true;
	return false;
}

static bool put_headers(struct writer *w, const struct request *rq, const char **why)
{
	size_t count;
	const struct var *vars = uwsgi_request_vars(rq, &count);

	for (size_t i = 0; i < count; i++) {
		const struct var *v = &vars[i];
		struct slice name = { v->name.p + 5, v->name.n - 5 };

		if (v->name.n <= 5 || memcmp(v->name.p, "HTTP_", 5) || stays_here(rq, name) ||
		    uwsgi_request_find(rq, v->name).p != v->value.p)
			continue;
		*why = "a header is malformed";
		if (!is_token(name) || !is_text(v->value, ' '))
			return false;
		put_variable(w, name, v->value);
	}
	return true;
}

static void put_length(struct writer *w, const struct request *rq, int64_t length)
{
	char digits[24];

	if (length == 0 && !uwsgi_request_find(rq, SLICE("CONTENT_LENGTH")).n)
		return;
	int n = snprintf(digits, sizeof digits, "%lld", (long long)length);

	put_field(w, SLICE("Content-Length"), (struct slice){ digits, (size_t)n });
}

/* Behind those through whose hands the request came before. */
static void put_client(struct writer *w, struct slice before, struct slice client)
{
	if (!before.n && !client.n)
		return;
	put(w, SLICE("X-Forwarded-For: "));
	put(w, before);
	if (before.n && client.n)
		put(w, SLICE(", "));
	put(w, client);
	put(w, SLICE("\r\n"));
}

size_t request_write(char *to, const struct request *rq, struct slice host, int64_t body_length,
		     const char **why)
{
	struct writer w = { to, 0 };
	struct slice method = uwsgi_request_find(rq, SLICE("REQUEST_METHOD"));
	struct slice uri = uwsgi_request_find(rq, SLICE("REQUEST_URI"));
	struct slice type = uwsgi_request_find(rq, SLICE("CONTENT_TYPE"));
	struct slice client = uwsgi_request_find(rq, SLICE("REMOTE_ADDR"));
	struct slice before = uwsgi_request_find(rq, SLICE("HTTP_X_FORWARDED_FOR"));

	if (!host.p)
		host = uwsgi_request_find(rq, SLICE("HTTP_HOST"));
	*why = "its method, URI or host cannot be said in HTTP";
	if (!is_token(method) || uri.n == 0 || memchr(uri.p, '\t', uri.n) || !is_text(uri, '!') ||
	    !is_text(host, ' ') || !is_text(type, ' ') || !is_text(client, ' ') ||
	    !is_text(before, ' '))
		return 0;
	put(&w, method);
	put(&w, SLICE(" "));
	put(&w, uri);
	put(&w, SLICE(" HTTP/1.1\r\n"));
	put_field(&w, SLICE("Host"), host);
	if (!put_headers(&w, rq, why))
		return 0;
	if (type.n)
		put_field(&w, SLICE("Content-Type"), type);
	put_length(&w, rq, body_length);
	put_client(&w, before, client);
	put(&w, SLICE("Connection: close\r\n\r\n"));
	return w.n;
}
