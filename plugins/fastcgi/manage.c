/* SPDX-License-Identifier: MIT */
/* manage.c: records that concern the server and no request (FastCGI Specification, section 4). */
#include "fastcgi.h"

#include <string.h>

/* What is told when asked.  A connection carries one request at a time, and so the last two are
 * alike; they are what a peer may reckon with, not a limit that is kept here. */
static const struct {
	const char *name, *value;
} values[] = {
	{ "FCGI_MPXS_CONNS", "0" },
	{ "FCGI_MAX_CONNS", "1024" },
	{ "FCGI_MAX_REQS", "1024" },
};

static size_t add_pair(char *to, const char *name, const char *value)
{
	size_t n = strlen(name), v = strlen(value);

	to[0] = (char)n;
	to[1] = (char)v;
	memcpy(to + 2, name, n);
	memcpy(to + 2 + n, value, v);
	return 2 + n + v;
}

static void answer_values(struct slice content, struct sendbuf *out)
{
	char text[RECORD_HEADER + 256];
	size_t n = RECORD_HEADER;
	bool asked[sizeof values / sizeof *values] = { false };
	struct slice name, value;

	while (record_next_pair(&content, &name, &value) > 0)
		for (size_t i = 0; i < sizeof values / sizeof *values; i++)
			if (name.n == strlen(values[i].name) &&
			    !memcmp(name.p, values[i].name, name.n))
				asked[i] = true;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (asked[i])
			n += add_pair(text + n, values[i].name, values[i].value);
	record_write(text, RECORD_GET_VALUES_RESULT, 0, n - RECORD_HEADER);
	uwsgi_sendbuf_bytes(out, (struct slice){ text, n });
}

void fastcgi_manage(const struct record *r, struct slice content, struct sendbuf *out)
{
	char text[RECORD_HEADER + 8] = { 0 };

	if (r->type == RECORD_GET_VALUES) {
		answer_values(content, out);
		return;
	}
	record_write(text, RECORD_UNKNOWN_TYPE, 0, 8);
	text[RECORD_HEADER] = (char)r->type;
	uwsgi_sendbuf_bytes(out, (struct slice){ text, sizeof text });
}
