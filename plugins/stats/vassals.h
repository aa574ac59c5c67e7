/* SPDX-License-Identifier: MIT */
/* vassals.h: what is told of the vassals of an emperor. */
#ifndef STATS_VASSALS_H
#define STATS_VASSALS_H

#include <uwsgi/plugin.h>

/* All of them by folder and name, the caller's to free; NULL: there are none, or no memory. */
struct vassal_status *vassals_sorted(const struct status *, size_t *count);
/* "serving" */
const char *vassal_state_name(enum vassal_state);

/* As uWSGI's emperor-stats, in JSON; the caller frees it.  NULL: no memory. */
char *vassals_report(bool minified, const struct status *);

#endif
