/* SPDX-License-Identifier: MIT */
/* fields.c: what header fields mean for the server: how the body is framed, whether the
 * connection lives on, which host is asked and what is expected.  Whatever two readers could
 * frame differently is refused. */
#include "head.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool http_next_member(struct slice *list, struct slice *member)
{
	while (list->n > 0 && (is_blank(*list->p) || *list->p == ',')) {
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
	while (is_blank(member->p[member->n - 1]))
		member->n--;
	return true;
}

/* 18 digits fit into 63 bits. */
bool http_read_length(struct slice value, int64_t *length, struct http_refusal *r)
{
	int64_t n = 0;

	if (value.n == 0)
		return http_refuse(r, 400, "Content-Length is empty");
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return http_refuse(r, 400, "Content-Length is not a number");
		if (i == 18)
			return http_refuse(r, 400, "Content-Length is too large");
		n = n * 10 + (value.p[i] - '0');
	}
	*length = n;
	return true;
}

static bool read_length(struct slice value, struct http_meaning *m, struct http_refusal *r)
{
	if (m->length >= 0)
		return http_refuse(r, 400, "Content-Length is given twice");
	return http_read_length(value, &m->length, r);
}

/* Fields of this name are one list (RFC 9112 section 6.1).  An empty member or a parameter,
 * which others might read over, is refused. */
bool http_read_transfer_encoding(struct slice value, struct http_meaning *m, struct http_refusal *r)
{
	struct slice coding;
	size_t members = 0, commas = 0;

	for (size_t i = 0; i < value.n; i++)
		commas += value.p[i] == ',';
	while (http_next_member(&value, &coding)) {
		members++;
		if (m->chunked)
			return http_refuse(r, 400, "a transfer coding after chunked");
		for (size_t i = 0; i < coding.n; i++)
			if (!http_is_token_char((unsigned char)coding.p[i]))
				return http_refuse(r, 400, "Transfer-Encoding is malformed");
		m->chunked = uwsgi_same_name(coding, SLICE("chunked"));
		m->other_coding = m->other_coding || !m->chunked;
	}
	return members == commas + 1 || http_refuse(r, 400, "Transfer-Encoding is malformed");
}

static void read_connection(struct slice value, struct http_meaning *m)
{
	struct slice option;

	while (http_next_member(&value, &option)) {
		m->close = m->close || uwsgi_same_name(option, SLICE("close"));
		m->keep_alive = m->keep_alive || uwsgi_same_name(option, SLICE("keep-alive"));
	}
}

static bool read_host(struct slice value, struct http_meaning *m, struct http_refusal *r)
{
	if (m->has_host)
		return http_refuse(r, 400, "Host is given twice");
	if (!http_read_authority(value, &m->host))
		return http_refuse(r, 400, "Host is malformed");
	m->has_host = true;
	return true;
}

static bool read_expect(struct slice value, const struct http_head *h, struct http_meaning *m,
			struct http_refusal *r)
{
	if (h->minor == 0) /* RFC 9110 section 10.1.1: ignored */
		return true;
	if (!uwsgi_same_name(value, SLICE("100-continue")))
		return http_refuse(r, 417, "an unknown expectation");
	m->expects_continue = true;
	return true;
}

static bool read_field(const struct http_field *f, const struct http_head *h,
		       struct http_meaning *m, struct http_refusal *r)
{
	switch (f->name.n) {
	case 4:
		return !uwsgi_same_name(f->name, SLICE("Host")) || read_host(f->value, m, r);
	case 6:
		return !uwsgi_same_name(f->name, SLICE("Expect")) || read_expect(f->value, h, m, r);
	case 10:
		if (uwsgi_same_name(f->name, SLICE("Connection")))
			read_connection(f->value, m);
		return true;
	case 14:
		return !uwsgi_same_name(f->name, SLICE("Content-Length")) ||
		       read_length(f->value, m, r);
	case 17:
		return !uwsgi_same_name(f->name, SLICE("Transfer-Encoding")) ||
		       http_read_transfer_encoding(f->value, m, r);
	default:
		return true;
	}
}

/* RFC 9112 section 6.3. */
static bool check_framing(const struct http_head *h, const struct http_meaning *m,
			  struct http_refusal *r)
{
	bool coded = m->chunked || m->other_coding;

	if (coded && h->minor == 0)
		return http_refuse(r, 400, "Transfer-Encoding in HTTP/1.0");
	if (coded && m->length >= 0)
		return http_refuse(r, 400, "Content-Length beside Transfer-Encoding");
	if (coded && !m->chunked)
		return http_refuse(r, 400, "the last transfer coding is not chunked");
	if (m->other_coding)
		return http_refuse(r, 501, "a transfer coding other than chunked");
	return true;
}

bool http_read_fields(const struct http_head *h, struct http_meaning *m, struct http_refusal *r)
{
	*m = (struct http_meaning){ .length = -1 };
	for (size_t i = 0; i < h->count; i++)
		if (!read_field(&h->fields[i], h, m, r))
			return false;
	if (!check_framing(h, m, r))
		return false;
	if (h->minor > 0 && !m->has_host)
		return http_refuse(r, 400, "Host is missing");
	return true;
}
