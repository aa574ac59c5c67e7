/* SPDX-License-Identifier: MIT */
/* reply_fuzz.c: the head of an answer, as it comes from a worker, a uwsgi or an HTTP server. */
#include "../../plugins/http/reply.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void read_as(struct slice text, enum speaks speaks)
{
	struct reply a;
	const char *why;

	if (!reply_read(text, speaks, &a, &why)) {
		assert(why);
		return;
	}
	assert(a.line.n >= 3 && a.status >= 100 && a.status <= 999 && a.length >= -1);
	assert(!a.chunked || a.length < 0);
	for (size_t i = 0; i < a.head.count; i++) {
		const struct http_field *f = &a.head.fields[i];

		assert(f->name.p >= text.p && f->value.p + f->value.n <= text.p + text.n);
		reply_is_hop_by_hop(&a, f->name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char line[] = "HTTP/1.1 200 OK\r\n";

	/* A copy of just that size: a byte too far is seen.  With a status line, which most inputs
	 * would not find, and without. */
	for (int with = 0; with < 2; with++) {
		size_t before = with ? sizeof line - 1 : 0;
		char *copy = malloc(before + n ? before + n : 1);

		assert(copy);
		memcpy(copy, line, before);
		memcpy(copy + before, bytes, n);
		for (int speaks = SPEAKS_WORKER; speaks <= SPEAKS_HTTP; speaks++)
			read_as((struct slice){ copy, before + n }, (enum speaks)speaks);
		free(copy);
	}
	return 0;
}
