/* SPDX-License-Identifier: MIT */
/* frame.c: a response in FastCGI records.  The head is what CGI says it is: a Status line and
 * the headers (RFC 3875 section 6). */
#include "fastcgi.h"

#include <string.h>

static void say_record(enum record_type type, uint16_t id, struct slice content,
		       struct sendbuf *out)
{
	char header[RECORD_HEADER];

	record_write(header, type, id, content.n);
	uwsgi_sendbuf_bytes(out, (struct slice){ header, sizeof header });
	uwsgi_sendbuf_bytes(out, content);
}

void fastcgi_say_end_request(uint16_t id, enum record_protocol_status protocol_status,
			     struct sendbuf *out)
{
	/* Four bytes of the application's exit status come first. */
	const char body[8] = { [4] = (char)protocol_status };

	say_record(RECORD_END_REQUEST, id, (struct slice){ body, sizeof body }, out);
}

struct text {
	char bytes[4096];
	size_t n;
	uint16_t id;
	struct sendbuf *out;
};

static void flush(struct text *t)
{
	if (t->n)
		say_record(RECORD_STDOUT, t->id, (struct slice){ t->bytes, t->n }, t->out);
	t->n = 0;
}

static void add(struct text *t, struct slice s)
{
	while (s.n > 0) {
		size_t n = s.n < sizeof t->bytes - t->n ? s.n : sizeof t->bytes - t->n;

		memcpy(t->bytes + t->n, s.p, n);
		t->n += n;
		s.p += n;
		s.n -= n;
		if (t->n == sizeof t->bytes)
			flush(t);
	}
}

/* nginx's cache, unless its key says $request_method, takes what a HEAD gets for what a GET would
 * get.  nginx keeps this header to itself. */
static const struct slice not_for_caches = SLICE("X-Accel-Expires: 0\r\n");

static bool is_for_caches(struct slice name)
{
	return uwsgi_same_name(name, SLICE("X-Accel-Expires"));
}

void fastcgi_say_head(void *state, const struct head *head, struct sendbuf *out)
{
	struct fastcgi *s = state;
	struct text t = { .id = s->id, .out = out };

	if (s->id == 0)
		return; /* nothing can be said before a request has begun */
	add(&t, SLICE("Status: "));
	add(&t, head->line);
	add(&t, SLICE("\r\n"));
	for (size_t i = 0; i < head->header_count; i++) {
		if (head->head_only && is_for_caches(head->headers[i].name))
			continue;
		add(&t, head->headers[i].name);
		add(&t, SLICE(": "));
		add(&t, head->headers[i].value);
		add(&t, SLICE("\r\n"));
	}
	if (head->head_only)
		add(&t, not_for_caches);
	add(&t, SLICE("\r\n"));
	flush(&t);
}

void fastcgi_say_body(void *state, const struct piece *piece, struct sendbuf *out)
{
	const struct fastcgi *s = state;
	char header[RECORD_HEADER];

	for (int64_t done = 0; s->id && done < piece->length;) {
		int64_t left = piece->length - done, n = left < RECORD_MOST ? left : RECORD_MOST;
		struct piece part = { .fd = piece->fd, .at = piece->at + done, .length = n };

		if (piece->fd < 0)
			part.bytes = (struct slice){ piece->bytes.p + done, (size_t)n };
		record_write(header, RECORD_STDOUT, s->id, (size_t)n);
		uwsgi_sendbuf_bytes(out, (struct slice){ header, sizeof header });
		uwsgi_sendbuf_piece(out, &part);
		done += n;
	}
}

/* nginx takes a request that was ended, and often a connection that was closed, for the end of a
 * whole answer, whatever the status says, or leaves its client waiting for what is missing.  It
 * notices a reset however it is configured, and passes on what came before.  Where there is none, a
 * record that only a web server may send does it, though nginx may then throw away what it has;
 * other web servers see a connection that closes before the request was ended. */
static enum ended break_off(const struct fastcgi *s, struct sendbuf *out)
{
	if (s->tcp)
		return ENDED_CUT;
	say_record(RECORD_ABORT_REQUEST, s->id, SLICE(""), out);
	return ENDED_CLOSE;
}

enum ended fastcgi_say_end(void *state, bool complete, struct sendbuf *out)
{
	struct fastcgi *s = state;
	enum ended ended = ENDED_CLOSE;

	if (s->id && !complete) {
		ended = break_off(s, out);
	} else if (s->id) {
		say_record(RECORD_STDOUT, s->id, SLICE(""), out);
		fastcgi_say_end_request(s->id, RECORD_REQUEST_COMPLETE, out);
		ended = s->keep ? ENDED_KEEP : ENDED_CLOSE;
	}
	s->id = 0;
	return ended;
}
