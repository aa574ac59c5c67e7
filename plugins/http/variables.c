/* SPDX-License-Identifier: MIT */
/* variables.c: the CGI variables of a request (RFC 3875), in the order of uWSGI: the request
 * line, the two ends, then the fields as they came.  Names are written into one allocation;
 * values are slices of the head, but for repeated fields, which are joined. */
#include "http.h"

/* A field as a variable; repetitions hang on the first one of their name. */
struct named {
	struct slice name; /* n 0: not to be seen */
	uint32_t hash;
	uint16_t next, last; /* of the same name, 0: none; last: of the first one only */
	bool is_repetition;
};

/* HTTP_ and the name in capitals, '_' for '-'.  The length; 0: the name is dropped, because one
 * with '_' would collide with the one with '-'.  *hash is FNV-1a, for few characters. */
static size_t write_name(char *to, struct slice name, uint32_t *hash)
{
	uint32_t h = 2166136261u;

	memcpy(to, "HTTP_", 5);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (c == '_')
			return 0;
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		else if (c == '-')
			c = '_';
		to[5 + i] = c;
		h = (h ^ (unsigned char)c) * 16777619u;
	}
	*hash = h;
	return 5 + name.n;
}

/* Names that are not HTTP_ and the rest.  HTTP_PROXY would be taken for the environment's; the
 * chunks of Transfer-Encoding are taken apart here (RFC 9112 section 7.1.3). */
static struct slice cgi_name(struct slice name)
{
	if (uwsgi_same(name, SLICE("HTTP_CONTENT_TYPE")) ||
	    uwsgi_same(name, SLICE("HTTP_CONTENT_LENGTH")))
		return (struct slice){ name.p + 5, name.n - 5 };
	if (uwsgi_same(name, SLICE("HTTP_PROXY")) ||
	    uwsgi_same(name, SLICE("HTTP_TRANSFER_ENCODING")))
		return (struct slice){ name.p, 0 };
	return name;
}

/* Hangs field i on the first of its name, if there is one. */
static void link_repetition(struct named *fields, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (fields[k].hash != fields[i].hash || !uwsgi_same(fields[k].name, fields[i].name))
			continue;
		fields[fields[k].last ? fields[k].last : k].next = (uint16_t)i;
		fields[k].last = (uint16_t)i;
		fields[i].is_repetition = true;
		return;
	}
}

static bool name_fields(const struct http_head *h, struct request *rq, struct named *fields)
{
	size_t room = 0;

	for (size_t i = 0; i < h->count; i++)
		room += 5 + h->fields[i].name.n;
	char *to = uwsgi_request_alloc(rq, room);
	if (!to)
		return false;
	for (size_t i = 0; i < h->count; i++) {
		struct named *f = &fields[i];

		*f = (struct named){ .name = { to, 0 } };
		f->name.n = write_name(to, h->fields[i].name, &f->hash);
		if (f->name.n == 0)
			continue;
		to += f->name.n;
		f->name = cgi_name(f->name);
		link_repetition(fields, i);
	}
	return true;
}

/* All values of a repeated field in one (RFC 9110 section 5.3; cookies: RFC 9113 8.2.3). */
static bool join(const struct http_head *h, const struct named *fields, size_t first,
		 struct request *rq, struct slice *value)
{
	bool cookie = uwsgi_same(fields[first].name, SLICE("HTTP_COOKIE"));
	size_t n = h->fields[first].value.n;

	for (size_t i = fields[first].next; i; i = fields[i].next)
		n += 2 + h->fields[i].value.n;
	char *p = uwsgi_request_alloc(rq, n), *at = p;
	if (!p)
		return false;
	for (size_t i = first;; i = fields[i].next) {
		memcpy(at, h->fields[i].value.p, h->fields[i].value.n);
		at += h->fields[i].value.n;
		if (!fields[i].next)
			break;
		memcpy(at, cookie ? "; " : ", ", 2);
		at += 2;
	}
	*value = (struct slice){ p, n };
	return true;
}

/* authority: what stands in for Host (RFC 9112 section 3.2.2); empty: Host does. */
static bool make_field_variables(const struct http_head *h, struct slice authority,
				 struct request *rq)
{
	static const struct slice http_host = { "HTTP_HOST", 9 };
	struct named fields[HTTP_MAX_FIELDS];
	bool has_host = false;

	if (!name_fields(h, rq, fields))
		return false;
	for (size_t i = 0; i < h->count; i++) {
		struct slice value = h->fields[i].value;
		bool is_host = uwsgi_same(fields[i].name, http_host);

		if (fields[i].name.n == 0 || fields[i].is_repetition)
			continue;
		if (fields[i].next && !join(h, fields, i, rq, &value))
			return false;
		if (is_host && authority.n)
			value = authority;
		if (!uwsgi_request_var(rq, fields[i].name, value))
			return false;
		has_host = has_host || is_host;
	}
	return has_host || !authority.n || uwsgi_request_var(rq, http_host, authority);
}

static struct slice first_filled(struct slice a, struct slice b, struct slice c)
{
	return a.n ? a : b.n ? b : c;
}

/* PEP 3333: SERVER_NAME and SERVER_PORT are never empty.  A UNIX socket has neither. */
static bool make_end_variables(const struct http_authority *asked, const struct endpoint *peer,
			       struct request *rq)
{
	const struct endpoint *local = uwsgi_request_local(rq);
	struct slice address = local->port.n ? local->address : SLICE("");

	return uwsgi_request_var(rq, SLICE("SERVER_NAME"),
				 first_filled(asked->host, address, SLICE("localhost"))) &&
	       uwsgi_request_var(rq, SLICE("SERVER_PORT"),
				 first_filled(local->port, asked->port, SLICE("80"))) &&
	       uwsgi_request_var(rq, SLICE("REMOTE_ADDR"), peer->address) &&
	       (!peer->port.n || uwsgi_request_var(rq, SLICE("REMOTE_PORT"), peer->port));
}

bool http_make_variables(const struct http_head *h, const struct http_meaning *m,
			 const struct http_target *t, const struct endpoint *peer,
			 struct request *rq)
{
	return uwsgi_request_var(rq, SLICE("REQUEST_METHOD"), h->method) &&
	       uwsgi_request_var(rq, SLICE("REQUEST_URI"), h->target) &&
	       uwsgi_request_var(rq, SLICE("PATH_INFO"), t->path) &&
	       uwsgi_request_var(rq, SLICE("QUERY_STRING"), t->query) &&
	       uwsgi_request_var(rq, SLICE("SERVER_PROTOCOL"),
				 h->minor ? SLICE("HTTP/1.1") : SLICE("HTTP/1.0")) &&
	       uwsgi_request_var(rq, SLICE("SCRIPT_NAME"), SLICE("")) &&
	       make_end_variables(t->authority.whole.n ? &t->authority : &m->host, peer, rq) &&
	       make_field_variables(h, t->authority.whole, rq);
}
