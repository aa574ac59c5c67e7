/* SPDX-License-Identifier: MIT */
/* slice.h: slices and C strings. */
#ifndef UWSGI_SLICE_H
#define UWSGI_SLICE_H

#include <uwsgi/plugin.h>

#include <string.h>

static inline struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static inline bool slice_is(struct slice s, const char *text)
{
	return strlen(text) == s.n && memcmp(s.p, text, s.n) == 0;
}

#endif
