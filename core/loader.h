/* SPDX-License-Identifier: MIT */
/* loader.h: the plugins of this process.  The master loads them before it forks; they stay
 * loaded until the process ends. */
#ifndef UWSGI_LOADER_H
#define UWSGI_LOADER_H

#include "listener.h"

extern const struct option_table loader_options;

#define LOADER_MAX 32

struct loader {
	const struct plugin *plugins[LOADER_MAX];
	size_t count;
	const struct protocol *protocol_items[LOADER_MAX];
	struct protocols protocols; /* of the loaded plugins */
	const struct app *app;      /* the application runner; NULL: none is loaded */
};

void loader_init(struct loader *);
/* Those of the build profile; one whose file is missing is left out with a warning. */
void loader_load_profile(struct loader *);
/* Those that the configuration's keys name with plugin=, as far as they are not here already.
 * Returns -1 with the name and the paths tried. */
int loader_load_configured(struct loader *, const struct config *keys, struct error *);
/* Whether a plugin of this name is loaded; python3 is python. */
bool loader_has(const struct loader *, const char *name);

#endif
