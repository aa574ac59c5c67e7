/* SPDX-License-Identifier: MIT */
/* pattern.h: a regular expression, as uWSGI's options have them. */
#ifndef UWSGI_PATTERN_H
#define UWSGI_PATTERN_H

#include <uwsgi/plugin.h>

struct pattern;

/* POSIX extended regular expressions, and of Perl's: \d, \D, (?:…), a leading (?i), a { that
 * counts nothing, and ^((?!…).)*$ as a whole.  NULL with the reason; pattern_free(). */
struct pattern *pattern_new(const char *text, struct error *);
void pattern_free(struct pattern *);
/* text ends with a NUL. */
bool pattern_matches(const struct pattern *, const char *text);

#endif
