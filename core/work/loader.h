/* SPDX-License-Identifier: MIT */
/* loader.h: the plugins of this process.  The master loads them before it forks; they stay
 * loaded until the process ends. */
#ifndef UWSGI_LOADER_H
#define UWSGI_LOADER_H

#include "settings/config.h"
#include "work/manifest.h"
#include "wire/listener.h"

extern const struct option_table loader_options;

#define LOADER_MAX 32

/* How many names all protocols together may have. */
#define LOADER_PROTOCOL_NAMES 64

/* How many option tables there can be: the loaded, what is not, and `protocol`. */
#define LOADER_TABLES (LOADER_MAX + MANIFEST_PLUGINS + 1)

struct loader {
	const struct plugin *items[LOADER_MAX];
	struct plugins plugins;      /* these */
	struct app apps[LOADER_MAX]; /* at the place of their plugins, without NULL members */
	struct manifest manifest;    /* of the build's plugins; none: all of them are opened */
	/* The option `protocol`, whose choices are the protocols of the plugins. */
	struct option_table protocol_options;
	struct option protocol_rows[2];
	const char *protocol_names[LOADER_PROTOCOL_NAMES + 1];
};

void loader_init(struct loader *);
void loader_fini(struct loader *);
/* The plugins of the build profile: all of them, for who shows what there is.  One whose file is
 * missing is left out with a warning. */
void loader_load_profile(struct loader *);
/* Learns what they bring, to load those that a configuration needs.  Where that is not written down,
 * all are loaded now. */
void loader_learn_profile(struct loader *);
/* The plugin of this name, unless it is there already.  Returns -1 with the reason. */
int loader_load(struct loader *, const char *name, struct error *);
/* Started as uwsgi_NAME, which Debian's scripts do, the server loads that plugin: uwsgi_python3 the
 * usual one, uwsgi_python312 one of several that lie side by side. */
void loader_load_by_program_name(struct loader *, const char *program);
/* Those that the configuration's keys name with plugin=, as far as they are not here already.  One
 * that cannot be loaded is an error, unless it is uWSGI's: then it is missed, and that is said. */
void loader_load_configured(struct loader *, const struct config *keys, struct report *);
/* Those of the profile whose options or protocols are named, that of uwsgi packets, and one that runs
 * applications. */
void loader_load_needed(struct loader *, const struct config *keys, struct report *);
/* The tables of what is loaded, and names alone of what is not, in the order of the profile. */
size_t loader_tables(const struct loader *, const struct option_table *tables[LOADER_TABLES]);
/* The handlers that have work in this configuration, in their order; how many. */
size_t loader_find_handlers(const struct loader *, const struct config *,
			    const struct handler *found[LOADER_MAX]);
/* The path of the program that runs.  False, and "": it cannot be found out. */
bool loader_find_binary(char *path, size_t size);
/* The path of a file that is installed beside the plugins, or lies in the tree beside the program; NULL:
 * it is not there. */
const char *loader_find_file(const char *name, char *path, size_t size);
/* Whether this is its name, or an alias. */
bool loader_answers_to(const struct plugin *, const char *name);
/* Whether a plugin of this name is there; python3 is python. */
bool loader_has(const struct loader *, const char *name);

#endif
