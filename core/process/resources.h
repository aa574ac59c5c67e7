/* SPDX-License-Identifier: MIT */
/* resources.h: what the kernel lets the processes have: descriptors, memory, processors. */
#ifndef UWSGI_RESOURCES_H
#define UWSGI_RESOURCES_H

#include <uwsgi/plugin.h>

extern const struct option_table resources_options;

/* Descriptors, for all processes: while there are the rights to raise the limit.  Warns where they do
 * not suffice for max-connections. */
void resources_set_descriptors(const struct config *);
/* Memory, processes and priority, for this process and its children.  Warns of what may not be. */
void resources_set_limits(const struct config *);
/* The processors of worker 1, 2, …. */
void resources_set_processors(const struct config *, int worker);

#endif
