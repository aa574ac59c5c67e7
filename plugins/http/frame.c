/* SPDX-License-Identifier: MIT */
/* frame.c: a response in HTTP/1.1: its head, a body that is delimited by its length, by chunks or
 * by the end of the connection, and whether the connection lives on (RFC 9112 sections 6, 9). */
#include "http.h"

#include <strings.h>

static bool is(struct slice s, struct slice text)
{
	return s.n == text.n && !strncasecmp(s.p, text.p, s.n);
}

/* The head is put together in one piece where it fits, as it nearly always does. */
struct text {
	char bytes[4096];
	size_t n;
	struct out *out;
};

static void flush(struct text *t)
{
	uwsgi_out_bytes(t->out, (struct slice){ t->bytes, t->n });
	t->n = 0;
}

static void add(struct text *t, struct slice s)
{
	if (s.n > sizeof t->bytes - t->n)
		flush(t);
	if (s.n > sizeof t->bytes) {
		uwsgi_out_bytes(t->out, s);
		return;
	}
	if (s.n)
		memcpy(t->bytes + t->n, s.p, s.n);
	t->n += s.n;
}

static void add_field(struct text *t, struct slice name, struct slice value)
{
	add(t, name);
	add(t, SLICE(": "));
	add(t, value);
	add(t, SLICE("\r\n"));
}

/* Framing and the connection are the server's: what the application says of them is a wish. */
static bool is_ours(struct http *s, const struct header *h)
{
	if (h->name.n == 17)
		return is(h->name, SLICE("Transfer-Encoding"));
	if (h->name.n != 10 || !is(h->name, SLICE("Connection")))
		return false;
	if (is(h->value, SLICE("close")))
		s->keep_alive = false;
	/* Anything else, such as "Upgrade", is passed on. */
	return is(h->value, SLICE("close")) || is(h->value, SLICE("keep-alive"));
}

void http_say_head(void *state, const struct head *head, struct out *out)
{
	struct http *s = state;
	struct text t = { .out = out };
	bool has_date = false;

	add(&t, SLICE("HTTP/1.1 "));
	add(&t, head->line);
	if (head->line.n == 3)
		add(&t, SLICE(" "));
	add(&t, SLICE("\r\n"));
	for (size_t i = 0; i < head->header_count; i++) {
		const struct header *h = &head->headers[i];

		if (is_ours(s, h))
			continue;
		has_date = has_date || is(h->name, SLICE("Date"));
		add_field(&t, h->name, h->value);
	}
	bool delimited = head->length >= 0 || head->bodiless;
	s->chunking = !delimited && s->version_1_1;
	if (head->close || s->refused || (!delimited && !s->chunking))
		s->keep_alive = false;
	if (!has_date)
		add_field(&t, SLICE("Date"), head->date);
	if (s->chunking)
		add(&t, SLICE("Transfer-Encoding: chunked\r\n"));
	if (!s->keep_alive)
		add(&t, SLICE("Connection: close\r\n"));
	else if (!s->version_1_1)
		add(&t, SLICE("Connection: keep-alive\r\n"));
	add(&t, SLICE("\r\n"));
	flush(&t);
}

void http_say_body(void *state, const struct piece *piece, struct out *out)
{
	const struct http *s = state;

	if (!s->chunking) {
		uwsgi_out_piece(out, piece);
		return;
	}
	uwsgi_out_printf(out, "%llx\r\n", (unsigned long long)piece->length);
	uwsgi_out_piece(out, piece);
	uwsgi_out_bytes(out, SLICE("\r\n"));
}

bool http_say_end(void *state, bool complete, struct out *out)
{
	struct http *s = state;

	/* Without its last chunk, or short of its length, a body is seen to be cut. */
	if (s->chunking && complete)
		uwsgi_out_bytes(out, SLICE("0\r\n\r\n"));
	s->chunking = false;
	return complete && s->keep_alive;
}
