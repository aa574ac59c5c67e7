/* SPDX-License-Identifier: MIT */
/* proxied_fuzz.c: the PROXY protocol that may come before HTTP, whole and in every beginning. */
#include "../../plugins/http/http.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	enum parsed parsed = PARSE_MORE;

	/* A copy of just that size: a byte too far is seen. */
	for (size_t length = 0; parsed == PARSE_MORE && length <= n; length++) {
		struct http_proxied p = { .expected = true };
		size_t used = 0;
		char *copy = malloc(length ? length : 1);

		assert(copy);
		memcpy(copy, bytes, length);
		parsed = http_read_proxied((struct slice){ copy, length }, &p, &used);
		assert(used <= length && (parsed == PARSE_DONE) == (used > 0));
		free(copy);
	}
	return 0;
}
