/* SPDX-License-Identifier: MIT */
/* manifest.h: what the plugins of the build bring, as it was written down when they were built: so
 * that only those are opened that a configuration needs. */
#ifndef UWSGI_MANIFEST_H
#define UWSGI_MANIFEST_H

#include <uwsgi/plugin.h>

#include <stdio.h>

#define MANIFEST_PLUGINS 32
#define MANIFEST_NAMES 8 /* aliases of a plugin, names of its protocol */

/* A plugin that is not opened. */
struct described {
	const char *name;
	const char *aliases[MANIFEST_NAMES + 1];
	const char *protocols[MANIFEST_NAMES + 1];
	bool runs_applications;
	/* Its options, to be found by name: rows with name, letter and whether a value follows.  Of
	 * size 0, as nothing can be stored. */
	struct option_table options;
};

struct manifest {
	struct described items[MANIFEST_PLUGINS];
	size_t count;
	char *text; /* of the file, into which all names point */
};

/* -1: there is no such file, or it is none of this version. */
int manifest_read(struct manifest *, const char *path);
void manifest_fini(struct manifest *);
/* Writes what manifest_read() reads. */
void manifest_write(FILE *, const struct plugin *const *plugins, size_t count);

/* By its name or an alias; by a name of its protocol; by an option.  NULL: none. */
const struct described *manifest_plugin(const struct manifest *, const char *name);
const struct described *manifest_protocol(const struct manifest *, const char *name);
const struct described *manifest_option(const struct manifest *, const char *name);

#endif
