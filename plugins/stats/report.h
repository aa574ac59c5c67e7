/* SPDX-License-Identifier: MIT */
/* report.h: what uWSGI's stats server says, for all who say it. */
#ifndef STATS_REPORT_H
#define STATS_REPORT_H

#include <uwsgi/plugin.h>

#include <jansson.h>

/* As uwsgi.version in an application. */
#define REPORT_BEHAVES_AS "2.0.30"

struct report_form {
	bool minified, no_cores, no_metrics;
	bool no_queries; /* URIs end where their query would begin */
};

/* In JSON; the caller frees it.  NULL: no memory. */
char *report_text(const struct report_form *, const struct status *);

/* Text for jansson, which takes only UTF-8: each other byte becomes U+FFFD. */
json_t *report_string(const char *bytes);

#endif
