/* SPDX-License-Identifier: MIT */
/* trace_fuzz.c: a buffer as a field traceparent.  For libFuzzer; `make fuzz` builds and runs it. */
#include "exchange/trace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of its very size shows whoever reads behind it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *field = malloc(size ? size : 1);
	struct trace t;

	memcpy(field, data, size);
	if (trace_parse((struct slice){ field, size }, &t)) {
		assert(size >= 55 && t.id.p == field + 3 && t.id.n == 32);
		assert(t.parent.p == field + 36 && t.parent.n == 16);
		for (size_t i = 0; i < 55; i++)
			assert(strchr("0123456789abcdef-", field[i]));
	}
	free(field);
	return 0;
}
