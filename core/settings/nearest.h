/* SPDX-License-Identifier: MIT */
/* nearest.h: of many names the one that a mistyped name may have meant. */
#ifndef UWSGI_NEAREST_H
#define UWSGI_NEAREST_H

#include <uwsgi/plugin.h>

struct nearest {
	const char *wanted;
	char name[64];     /* the nearest so far; "": none is near */
	unsigned distance; /* of name; at first, one more than is allowed */
};

/* One slip is a typing error; more are one only in a long name. */
struct nearest nearest_to(const char *wanted);
void nearest_consider(struct nearest *, const char *name);
/* From now on at most one letter may be missing, too many, wrong, or changed places. */
void nearest_allow_one_slip(struct nearest *);

/* "there is no key x; did you mean …?", where key is what these names are of.  Returns -1. */
int nearest_refuse(const char *what, struct slice name, const char *const *names, size_t count,
		   struct error *);

#endif
