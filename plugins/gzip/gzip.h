/* SPDX-License-Identifier: MIT */
/* gzip.h: what the parts of the compression plugin know of each other. */
#ifndef GZIP_GZIP_H
#define GZIP_GZIP_H

#include <uwsgi/plugin.h>

/* ---- settings.c ---- */

struct gzip_settings {
	struct option_list types;
	long long min_length, max_length, level;
	bool on;   /* for all answers of these types */
	bool asks; /* for those that say uWSGI-Encoding: gzip */
};

extern const struct option_table gzip_options;

/* Whether a Content-Type, parameters and all, is one of the types. */
bool gzip_has_type(const struct gzip_settings *, struct slice content_type);

/* ---- policy.c: pure ---- */

/* What is said of an answer and of who asked for it; {NULL, 0}: nothing. */
struct answer {
	int status;
	int64_t length; /* -1: not known yet */
	struct slice type, encoding, asked, cache_control;
	bool is_exact;        /* a range, or there is a digest of just these bytes */
	bool is_elsewhere;    /* the web server sends a file instead */
	struct slice accepts; /* Accept-Encoding */
};

enum policy {
	LEAVE, /* as it is, for whoever asks */
	VARY,  /* as it is, for this client */
	COMPRESS,
};

/* A field such as Cache-Control, a list with commas. */
bool list_has(struct slice list, struct slice word);
enum policy policy_of(const struct gzip_settings *, const struct answer *);

/* ---- compressor.c ---- */

struct compressor; /* of one answer at a time; some 270 KB */

/* NULL: no memory. */
struct compressor *compressor_new(int level);
void compressor_free(struct compressor *); /* NULL: nothing to do */
/* Makes it ready for another answer. */
void compressor_reset(struct compressor *);
/* What comes of the piece goes on to next, or stays until there is more. */
void compressor_write(struct compressor *, struct next *, const struct piece *);
/* What stayed goes on, so that the client can read all that was written. */
void compressor_flush(struct compressor *, struct next *);
/* The end of the body (RFC 1952 section 2.3.1).  Where a file could not be read to its end there is none,
 * and the client finds that out. */
void compressor_finish(struct compressor *, struct next *);

#endif
