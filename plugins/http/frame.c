/* SPDX-License-Identifier: MIT */
/* frame.c: a response in HTTP/1.1: its head, a body that is delimited by its length, by chunks or
 * by the end of the connection, and whether the connection lives on (RFC 9112 sections 6, 9).
 * An HTTP/1.0 client gets the version HTTP/1.1 as well (RFC 9110 section 2.5), but no chunks. */
#include "http.h"

/* The head is put together in one piece where it fits, as it nearly always does. */
struct text {
	struct sendbuf *out;
	size_t n;
	char bytes[4096];
};

static void flush(struct text *t)
{
	uwsgi_sendbuf_bytes(t->out, (struct slice){ t->bytes, t->n });
	t->n = 0;
}

static void add(struct text *t, struct slice s)
{
	if (s.n > sizeof t->bytes - t->n)
		flush(t);
	if (s.n > sizeof t->bytes) {
		uwsgi_sendbuf_bytes(t->out, s);
		return;
	}
	if (s.n)
		memcpy(t->bytes + t->n, s.p, s.n);
	t->n += s.n;
}

static char *put(char *to, struct slice s)
{
	if (s.n)
		memcpy(to, s.p, s.n);
	return to + s.n;
}

static void add_field(struct text *t, struct slice name, struct slice value)
{
	size_t n = name.n + value.n + 4;

	if (n > sizeof t->bytes - t->n) {
		add(t, name);
		add(t, SLICE(": "));
		add(t, value);
		add(t, SLICE("\r\n"));
		return;
	}
	char *end = put(put(t->bytes + t->n, name), SLICE(": "));
	put(put(end, value), SLICE("\r\n"));
	t->n += n;
}

static bool asks_to_close(struct slice value)
{
	struct slice option;

	while (http_next_member(&value, &option))
		if (uwsgi_same_name(option, SLICE("close")))
			return true;
	return false;
}

/* Framing and the connection are the server's: what the application says of them is left out,
 * but for its wish to close. */
static bool is_ours(struct http *s, const struct head *head, const struct header *h)
{
	switch (h->name.n) {
	case 10:
		if (!uwsgi_same_name(h->name, SLICE("Connection")))
			return false;
		if (asks_to_close(h->value))
			s->keep_alive = false;
		return true;
	case 14: /* RFC 9110 section 8.6: some clients would wait for these bytes */
		return (head->status == 204 || head->status < 200) &&
		       uwsgi_same_name(h->name, SLICE("Content-Length"));
	case 17:
		return uwsgi_same_name(h->name, SLICE("Transfer-Encoding"));
	default:
		return false;
	}
}

/* After a 1xx the peer waits for another response, which there is none of. */
static void decide(struct http *s, const struct head *head)
{
	bool delimited = head->length >= 0 || head->bodiless;

	s->chunking = !delimited && s->version_1_1;
	s->until_close = !delimited && !s->chunking;
	if (head->close || s->refused || head->status < 200 || s->until_close)
		s->keep_alive = false;
}

void http_say_head(void *state, const struct head *head, struct sendbuf *out)
{
	struct http *s = state;
	struct text t;
	bool has_date = false;

	t.out = out;
	t.n = 0;
	add(&t, SLICE("HTTP/1.1 "));
	add(&t, head->line);
	add(&t, head->line.n == 3 ? SLICE(" \r\n") : SLICE("\r\n"));
	for (size_t i = 0; i < head->header_count; i++) {
		const struct header *h = &head->headers[i];

		if (is_ours(s, head, h))
			continue;
		has_date = has_date || uwsgi_same_name(h->name, SLICE("Date"));
		add_field(&t, h->name, h->value);
	}
	decide(s, head);
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

void http_say_body(void *state, const struct piece *piece, struct sendbuf *out)
{
	const struct http *s = state;

	if (s->chunking)
		uwsgi_sendbuf_chunk(out, piece);
	else
		uwsgi_sendbuf_piece(out, piece);
}

enum ended http_say_end(void *state, bool complete, struct sendbuf *out)
{
	struct http *s = state;

	if (!complete && s->until_close)
		return ENDED_CUT;
	/* Without its last chunk, or short of its length, a body is seen to be cut. */
	if (s->chunking && complete)
		uwsgi_sendbuf_bytes(out, SLICE("0\r\n\r\n"));
	s->chunking = false;
	return complete && s->keep_alive ? ENDED_KEEP : ENDED_CLOSE;
}
