/* SPDX-License-Identifier: MIT */
/* packet_fuzz.c: the head of an answer as the router reads it from a uwsgi server. */
#include "../../plugins/http/packet.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char line[] = "HTTP/1.1 200 OK\r\n";
	struct answer a;
	const char *why;

	/* A copy of just that size: a byte too far is seen.  With a status line, which most inputs
	 * would not find, and without. */
	for (int with = 0; with < 2; with++) {
		size_t before = with ? sizeof line - 1 : 0;
		char *copy = malloc(before + n ? before + n : 1);

		assert(copy);
		memcpy(copy, line, before);
		memcpy(copy + before, bytes, n);
		if (packet_read_answer((struct slice){ copy, before + n }, &a, &why)) {
			assert(a.line.n >= 3 && a.length >= -1);
			for (size_t i = 0; i < a.head.count; i++)
				assert(a.head.fields[i].name.p >= copy &&
				       a.head.fields[i].value.p + a.head.fields[i].value.n <=
					       copy + before + n);
		}
		free(copy);
	}
	return 0;
}
