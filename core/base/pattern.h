/* SPDX-License-Identifier: MIT */
/* pattern.h: a regular expression, as uWSGI's options have them: Perl's, over bytes (PCRE2). */
#ifndef UWSGI_PATTERN_H
#define UWSGI_PATTERN_H

#include <uwsgi/plugin.h>

struct pattern;

/* pcre2pattern(3).  NULL with the reason; pattern_free(). */
struct pattern *pattern_new(const char *text, struct error *);
void pattern_free(struct pattern *);
/* 1: somewhere in text, 0: nowhere, -1: that would take too many steps or too much memory, and the
 * caller says what then holds.  At most a few milliseconds.  Threads may share a pattern. */
int pattern_matches(const struct pattern *, struct slice text);

#endif
