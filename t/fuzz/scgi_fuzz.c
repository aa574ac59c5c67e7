/* SPDX-License-Identifier: MIT */
/* scgi_fuzz.c: a buffer as all that comes on a connection of SCGI.  For libFuzzer;
 * `make fuzz` builds and runs it. */
#include "portions.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const struct portions how = { .protocol = uwsgi_plugin.protocol };

	portions_compare(&how, bytes, n);
	return 0;
}
