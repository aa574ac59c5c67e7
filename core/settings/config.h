/* SPDX-License-Identifier: MIT */
/* config.h: one generation's settings.  Loading has no side effect and may be repeated; two
 * configurations live side by side during a reload.  plugin.h has the readers uwsgi_options(),
 * uwsgi_config_setting() and uwsgi_config_next(). */
#ifndef UWSGI_CONFIG_H
#define UWSGI_CONFIG_H

#include "settings/command_line.h"
#include "settings/invocation.h"
#include "settings/directives.h"
#include <uwsgi/plugin.h>
#include "settings/report.h"

/* Environment UWSGI_* first, then the command line with each --ini where it stands, then the
 * files named without an option: the last one to set a value wins, as in uWSGI.  Where the report got
 * an error, it has all that could be understood, to be shown and not to be served with.  NULL when
 * memory is out, which is an error, too.  tables must outlive the config; the invocation need not. */
struct config *config_load(const struct invocation *, const struct option_table *const *tables,
			   size_t table_count, struct report *);

/* Only reads the directives, and runs no command for a value, for whoever must know some of them (plugin
 * =) before all tables are known: uwsgi_config_next() works on it, uwsgi_options() returns NULL.
 * Never NULL but when memory is out; a file that cannot be read gives none and a line in the
 * report. */
struct config *config_read(const struct invocation *, const struct option_table *const *tables,
			   size_t table_count, struct report *);

/* Logs what print = says: each time a configuration is read to be used. */
void config_print(const struct config *);
/* The code with which the configuration wants the server to end instead of serving; -1: no. */
int config_exit(const struct config *);

void config_free(struct config *);

/* What was set, in order, and what there is to set. */
const struct directives *config_directives(const struct config *);
const struct catalogue *config_catalogue(const struct config *);
/* The word that an option of type OPT_CHOICE has; NULL: no table has it. */
const char *config_choice(const struct config *, const char *option);
/* The last directive to set an option, by any of its names; NULL: it has its default. */
const struct directive *config_directive(const struct config *, const char *option);

/* The core's own rows: strict, show-config, ini, set, set-placeholder.  To be among the tables. */
extern const struct option_table config_table;
/* show-config: the start is to print what is set. */
bool config_wants_showing(const struct config *);
/* And with passwords and the like. */
bool config_shows_secrets(const struct config *);

#endif
