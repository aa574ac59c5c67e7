/* SPDX-License-Identifier: MIT */
/* keys_file.h: the keys of one ini file.  Only keys.c and keys_file.c know this header. */
#ifndef UWSGI_KEYS_FILE_H
#define UWSGI_KEYS_FILE_H

#include "keys.h"

struct file;

/* One reading of everything. */
struct reader {
	struct keys *keys;
	const struct keys_context *context;
	const struct file *file; /* the one being read; NULL: none */
	int files;               /* sections read so far, one for each time */
};

/* A copy of the key, and what it brings along: a file, another key. */
void keys_add(struct reader *, const struct key *);

/* "file", "file:section" or ":section" of the file being read; at is who asks for it. */
void keys_file_read(struct reader *, const char *name, struct origin at);
/* The value of an ini key, with the names in it replaced as far as they are known. */
void keys_file_include(struct reader *, const struct key *);

#endif
