/* SPDX-License-Identifier: MIT */
/* keys_file.h: the keys of one ini file.  Only keys.c and keys_file.c know this header. */
#ifndef UWSGI_KEYS_FILE_H
#define UWSGI_KEYS_FILE_H

#include "settings/keys.h"
#include "settings/logic.h"

struct file;

/* One reading of everything. */
struct reader {
	struct keys *keys;
	const struct keys_context *context;
	const struct file *file; /* the one being read; NULL: none */
	int files;               /* sections read so far, one for each time */
	int depth;               /* how many names are being replaced inside one another */
	bool full;               /* there are too many keys, and it was said */
};

/* A line that is a setting, or the beginning or the end of a block of settings: adds the key as
 * often as it counts. */
void keys_take(struct reader *, struct logic *, const struct key *);
/* A copy of the key, and what it brings along: a file, another key. */
void keys_add(struct reader *, const struct key *);

enum file_format {
	FILE_INI,
	FILE_JSON,
	FILE_XML, /* not read here: say how it is written in ini */
	FILE_YAML,
	FILE_PASTE, /* ini of PasteDeploy, which may have a section for the server */
	FILE_BY_NAME, /* as the name ends; ini when that says nothing */
};

/* "file", "file:section" or ":section" of the file being read; at is who asks for it. */
void keys_file_read(struct reader *, const char *name, enum file_format, struct origin at);
/* The value of such a key, with the names in it replaced as far as they are known. */
void keys_file_include(struct reader *, const struct key *, enum file_format);

#endif
