/* SPDX-License-Identifier: MIT */
/* environment.h: what the configuration wants the processes to find around them. */
#ifndef UWSGI_ENVIRONMENT_H
#define UWSGI_ENVIRONMENT_H

#include <uwsgi/plugin.h>

extern const struct option_table environment_options;

/* Goes to start_folder, then where chdir says.  Returns -1 with the reason. */
int environment_enter_folder(const struct config *, const char *start_folder, struct error *);
/* Goes where chdir2 says; when the application is imported. */
int environment_enter_later_folder(const struct config *, struct error *);
/* Sets the variables of envdir, then those of env in order; takes those of unenv away. */
int environment_set_variables(const struct config *, struct error *);
/* What env says of this one; NULL: nothing. */
const char *environment_variable(const struct config *, const char *name);
/* The umask that is asked for, if one is. */
void environment_set_umask(const struct config *);

#endif
