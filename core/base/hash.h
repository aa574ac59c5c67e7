/* SPDX-License-Identifier: MIT */
/* hash.h: a number for bytes, the same in all processes: FNV-1a.  Nobody who chooses bytes so that
 * numbers meet is let near it. */
#ifndef UWSGI_HASH_H
#define UWSGI_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What it begins with. */
#define HASH_NOTHING 0xcbf29ce484222325u

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}

/* With its zero, so that where one text ends and another begins makes a difference. */
static inline uint64_t hash_text(uint64_t hash, const char *text)
{
	return hash_bytes(hash, text, strlen(text) + 1);
}

#endif
