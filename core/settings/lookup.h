/* SPDX-License-Identifier: MIT */
/* lookup.h: an index from names to numbers. */
#ifndef UWSGI_LOOKUP_H
#define UWSGI_LOOKUP_H

#include <uwsgi/plugin.h>

#define LOOKUP_NONE SIZE_MAX

struct lookup {
	struct lookup_slot {
		const char *name; /* borrowed; NULL: free */
		uint32_t hash;
		size_t number;
	} * slots;
	size_t count, capacity; /* capacity is a power of two, or 0 */
};

void lookup_fini(struct lookup *);
/* The number of the name, or LOOKUP_NONE. */
size_t lookup_find(const struct lookup *, const char *name);
/* False, with nothing changed, when memory is out.  A name that is there keeps its number. */
bool lookup_add(struct lookup *, const char *name, size_t number);

#endif
