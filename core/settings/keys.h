/* SPDX-License-Identifier: MIT */
/* keys.h: values of the form KEY=VALUE,KEY=VALUE, as cron2 and attach-daemon2 have them. */
#ifndef UWSGI_KEYS_H
#define UWSGI_KEYS_H

#include <uwsgi/plugin.h>

struct key {
	const char *name;
	/* Stores a value in the struct `to`; NULL: the key does nothing here.  Returns -1 with the reason. */
	int (*set)(const struct key *, void *to, const char *value, struct error *);
	size_t offset; /* in that struct */
};

struct keys {
	const struct key *rows;
	size_t count; /* at most 32 */
};

/* Fills the struct `to`.  The text is cut into its values, which key_text() points to.  A comma that
 * belongs to a value has a backslash before it; a key that stands alone is 1.  Returns -1 with the
 * reason. */
int keys_read(const struct keys *, char *text, void *to, struct error *);
/* Warns of keys in text that do nothing here.  item: the element of the option's list that has the text;
 * why: what the sentence ends with, or "". */
void keys_doubt(const struct keys *, struct slice text, const struct config *, struct report *,
		const char *option, const char *item, const char *why);

/* For rows: a const char *, a bool, a long long from 0 to a year, a long long from 0, an int. */
int key_text(const struct key *, void *to, const char *value, struct error *);
int key_flag(const struct key *, void *to, const char *value, struct error *);
int key_seconds(const struct key *, void *to, const char *value, struct error *);
int key_bytes(const struct key *, void *to, const char *value, struct error *);
int key_signal(const struct key *, void *to, const char *value, struct error *);

#endif
