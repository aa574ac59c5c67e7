/* SPDX-License-Identifier: MIT */
/* packet.c: what the router says to a uwsgi server and reads of its answer: bytes from values and
 * values from bytes. */
#include "packet.h"

static void write_size(char *to, size_t n)
{
	to[0] = (char)(n & 0xff);
	to[1] = (char)(n >> 8 & 0xff);
}

static void put(char *packet, size_t *n, struct slice name, struct slice value)
{
	char *to = packet + *n;

	write_size(to, name.n);
	memcpy(to + 2, name.p, name.n);
	write_size(to + 2 + name.n, value.n);
	if (value.n)
		memcpy(to + 4 + name.n, value.p, value.n);
	*n += 4 + name.n + value.n;
}

bool packet_add(char *packet, size_t *n, struct slice name, struct slice value)
{
	if (name.n > 65535 || value.n > 65535 || name.n + value.n + 4 > PACKET_MAX - *n)
		return false;
	put(packet, n, name, value);
	return true;
}

size_t packet_size(const struct request *rq, struct slice more)
{
	size_t count, n = 4 + more.n;
	const struct var *vars = uwsgi_request_vars(rq, &count);

	for (size_t i = 0; i < count; i++) {
		if (vars[i].name.n > 65535 || vars[i].value.n > 65535)
			return 0;
		n += 4 + vars[i].name.n + vars[i].value.n;
	}
	return n;
}

void packet_write(char *packet, const struct request *rq, struct slice more, unsigned modifier1,
		  unsigned last)
{
	size_t count, n = 4;
	const struct var *vars = uwsgi_request_vars(rq, &count);

	for (size_t i = 0; i < count; i++)
		put(packet, &n, vars[i].name, vars[i].value);
	if (more.n)
		memcpy(packet + n, more.p, more.n);
	n += more.n;
	packet[0] = (char)modifier1;
	write_size(packet + 1, n - 4);
	packet[3] = (char)last;
}

/* "HTTP/1.1 200 OK"; the reason may be missing. */
static bool read_status_line(struct slice line, struct answer *a)
{
	if (line.n < 12 || memcmp(line.p, "HTTP/1.", 7) || line.p[8] != ' ' ||
	    (line.n > 12 && line.p[12] != ' '))
		return false;
	for (size_t i = 9; i < 12; i++)
		if (line.p[i] < '0' || line.p[i] > '9')
			return false;
	a->line = (struct slice){ line.p + 9, line.n - 9 };
	return true;
}

static bool read_framing(struct answer *a, struct http_refusal *why)
{
	const struct http_field *fields = a->head.fields;

	a->length = -1;
	a->chunked = false;
	for (size_t i = 0; i < a->head.count && a->length < 0; i++)
		if (uwsgi_same_name(fields[i].name, SLICE("Content-Length")) &&
		    !http_read_length(fields[i].value, &a->length, why))
			return false;
	for (size_t i = 0; i < a->head.count && a->length < 0 && !a->chunked; i++)
		a->chunked = uwsgi_same_name(fields[i].name, SLICE("Transfer-Encoding")) &&
			     uwsgi_same_name(fields[i].value, SLICE("chunked"));
	return true;
}

bool packet_read_answer(struct slice text, struct answer *a, const char **why)
{
	const char *lf = memchr(text.p, '\n', text.n);
	struct http_refusal refusal = { 0, "it has no status line of HTTP/1" };
	size_t n = lf ? (size_t)(lf - text.p) + 1 : 0;
	bool sound =
		n > 1 && lf[-1] == '\r' && read_status_line((struct slice){ text.p, n - 2 }, a) &&
		http_parse_fields((struct slice){ text.p + n, text.n - n }, &a->head, &refusal) &&
		read_framing(a, &refusal);

	*why = refusal.why;
	return sound;
}
