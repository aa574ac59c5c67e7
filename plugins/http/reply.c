/* SPDX-License-Identifier: MIT */
/* reply.c: reads the head of another server's answer: its status, and where its body ends. */
#include "reply.h"

static bool is_control(unsigned char c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

/* "HTTP/1.1 200 OK"; the reason may be missing. */
static bool read_status_line(struct slice line, struct reply *a)
{
	if (line.n < 12 || memcmp(line.p, "HTTP/1.", 7) || line.p[8] != ' ' ||
	    (line.n > 12 && line.p[12] != ' '))
		return false;
	a->status = 0;
	for (size_t i = 9; i < 12; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return false;
		a->status = a->status * 10 + (line.p[i] - '0');
	}
	for (size_t i = 12; i < line.n; i++)
		if (is_control((unsigned char)line.p[i]))
			return false;
	a->line = (struct slice){ line.p + 9, line.n - 9 };
	return a->status >= 100;
}

static bool read_length(struct slice value, struct reply *a, struct http_refusal *why)
{
	if (a->length >= 0)
		return http_refuse(why, 0, "Content-Length is given twice");
	return http_read_length(value, &a->length, why);
}

/* RFC 9112 section 6.3.  What an application behind the uwsgi protocol says of codings is no framing
 * beside a length: it speaks of what it believes to be the client's connection. */
static bool read_framing(struct reply *a, enum speaks speaks, struct http_refusal *why)
{
	struct http_meaning m = { .length = -1 };

	a->length = -1;
	for (size_t i = 0; i < a->head.count; i++) {
		const struct http_field *f = &a->head.fields[i];

		if (uwsgi_same_name(f->name, SLICE("Content-Length")) &&
		    !read_length(f->value, a, why))
			return false;
		if (uwsgi_same_name(f->name, SLICE("Transfer-Encoding")) &&
		    !http_read_transfer_encoding(f->value, &m, why) && speaks == SPEAKS_HTTP)
			return false;
	}
	a->chunked = m.chunked && !m.other_coding && a->length < 0;
	if (speaks != SPEAKS_HTTP)
		return true;
	if ((m.chunked || m.other_coding) && a->length >= 0)
		return http_refuse(why, 0, "Content-Length beside Transfer-Encoding");
	return !m.other_coding ||
	       http_refuse(why, 0, "it has a transfer coding other than chunked");
}

bool reply_read(struct slice text, enum speaks speaks, struct reply *a, const char **why)
{
	const char *lf = memchr(text.p, '\n', text.n);
	struct http_refusal refusal = { 0, "it has no status line of HTTP/1" };
	size_t n = lf ? (size_t)(lf - text.p) + 1 : 0;
	bool sound =
		n > 1 && lf[-1] == '\r' && read_status_line((struct slice){ text.p, n - 2 }, a) &&
		http_parse_fields((struct slice){ text.p + n, text.n - n }, &a->head, &refusal) &&
		read_framing(a, speaks, &refusal);

	*why = refusal.why;
	return sound;
}

bool reply_is_hop_by_hop(const struct reply *a, struct slice name)
{
	static const struct slice names[] = {
		SLICE("Connection"), SLICE("Keep-Alive"), SLICE("Proxy-Connection"),
		SLICE("TE"),         SLICE("Trailer"),    SLICE("Transfer-Encoding"),
		SLICE("Upgrade"),
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (uwsgi_same_name(name, names[i]))
			return true;
	for (size_t i = 0; i < a->head.count; i++) {
		struct slice list = a->head.fields[i].value, member;

		if (!uwsgi_same_name(a->head.fields[i].name, SLICE("Connection")))
			continue;
		while (http_next_member(&list, &member))
			if (uwsgi_same_name(name, member))
				return true;
	}
	return false;
}
