/* SPDX-License-Identifier: MIT */
/* static.h: what the parts of the static file plugin know of each other. */
#ifndef STATIC_STATIC_H
#define STATIC_STATIC_H

#include <uwsgi/plugin.h>

#include <sys/queue.h>
#include <sys/stat.h>
#include <time.h>

/* ---- settings.c ---- */

enum serve_mode { SERVE_SEND, SERVE_ACCEL_REDIRECT, SERVE_SENDFILE };

/* What an expression of static-expires… looks at. */
enum expires_key { KEY_FILE, KEY_PATH_INFO, KEY_URI, KEY_TYPE, EXPIRES_KEYS };

struct static_settings {
	struct option_list maps, maps2, checks, indexes, safe, skip_ext, mime_files;
	struct option_list gzip, gzip_dirs, gzip_ext;
	struct option_list expires[EXPIRES_KEYS][2]; /* from now on; from the file's mtime on */
	const char *serve_mode;
	bool check_docroot, ranges, gzip_all;
};

extern const struct option_table static_options;

/* Where files are looked for. */
struct place {
	struct slice prefix; /* of PATH_INFO */
	const char *folder;  /* or a file */
	bool keeps_prefix;   /* the path in the folder begins with the prefix */
};

struct expires_rule {
	enum expires_key key;
	bool from_mtime;
	struct pattern *pattern; /* NULL: of KEY_TYPE, whose types are compared as text */
	struct slice type;
	long long seconds;
};

/* The settings as requests are judged by them; a lane's own. */
struct rules {
	const struct static_settings *settings;
	enum serve_mode serve_mode;
	struct place *places; /* in the order in which they are tried */
	size_t place_count;
	struct expires_rule *expires;
	size_t expires_count;
	struct pattern **gzip;
	size_t gzip_count;
	bool by_rules;        /* the action static names files */
	bool has_variants;    /* precompressed files are looked for, for some names at least */
	struct slice *mounts; /* with manage-script-name: what is split off PATH_INFO */
	size_t mount_count;
};

/* -1 with the reason; rules_fini() in any case. */
int rules_init(struct rules *, const struct config *, struct error *);
void rules_fini(struct rules *);

/* ---- answer.c ---- */

struct lane {
	struct rules rules;
	struct files *files;
	struct mime *mime;
	uint64_t boundary; /* of the next answer with several ranges */
};

/* What was found for a request. */
struct found {
	struct file *file;
	struct slice name;     /* of the file without the ending of its encoding */
	struct slice encoding; /* {NULL, 0}: none */
	bool varies;           /* with what the client accepts */
};

void answer_with(struct lane *, struct request *, struct response *, const struct found *);
/* To the same URI with a slash behind its path.  False: that cannot be said. */
bool answer_with_slash(struct request *, struct response *);

/* ---- beneath.c ---- */

/* Opens what `path` names below root, or root itself when it is empty, for reading.  path has no
 * segment ".." and does not begin with a slash.  A link may lead out of root only into what safe
 * lists.  -1 with errno; EXDEV: it would have led out. */
int beneath_open(const char *root, const char *path, const struct option_list *safe);

/* ---- mime.c ---- */

struct mime;

/* The files of the option mimefile, or else /etc/mime.types; with a built-in table for when it says
 * nothing.  NULL: no memory. */
struct mime *mime_new(const struct option_list *files);
void mime_free(struct mime *);
/* By the name's ending; {NULL, 0}: it is not known. */
struct slice mime_type(const struct mime *, struct slice name);

/* ---- conditional.c ---- */

enum { ETAG_SIZE = 64 };

/* What a file is recognised by (RFC 9110 section 8.8). */
struct validators {
	struct slice etag; /* in quotes, strong */
	time_t modified;
};

/* Header fields of a request; {NULL, 0}: not there. */
struct conditions {
	struct slice if_match, if_unmodified_since, if_none_match, if_modified_since;
	struct slice if_range;
};

enum condition { CONDITION_TRUE, NOT_MODIFIED, PRECONDITION_FAILED };

/* RFC 9110 section 13.2.2, for GET and HEAD, without If-Range. */
enum condition conditions_judge(const struct conditions *, const struct validators *);
/* Whether Range counts (section 13.1.5).  now: by the clock that wrote Last-Modified. */
bool conditions_allow_range(const struct conditions *, const struct validators *, time_t now);
/* -1: it is none of the three forms of section 5.6.7. */
time_t date_parse(struct slice);

/* ---- range.c ---- */

enum { RANGES_MAX = 16 };

struct range {
	int64_t at, length;
};

/* Range (RFC 9110 section 14.2) for so many bytes.  How many ranges there are; 0: none can be
 * satisfied; -1: the field is to be ignored. */
int ranges_parse(struct slice field, int64_t size, struct range[RANGES_MAX]);

/* ---- files.c ---- */

/* Looked up a moment ago.  Valid during the request, or as long as it is lent. */
struct file {
	struct loan loan; /* first: the loan's address is this one's */
	LIST_ENTRY(file) same_hash;
	TAILQ_ENTRY(file) age;
	uint64_t hash;
	int64_t looked_ms;
	unsigned lent;
	bool kept; /* the next request may find it */
	int fd;    /* of a regular file, else -1 */
	bool is_folder;
	int64_t size;
	struct timespec changed;
	char etag[ETAG_SIZE], date[UWSGI_DATE_SIZE];
	size_t etag_length;
	size_t root_length;
	char name[]; /* root and path, each with its zero */
};

struct files;

/* NULL: no memory. */
struct files *files_new(const struct option_list *safe);
void files_free(struct files *);
/* What lies at this path below root, as of at most a second ago; as beneath_open().  NULL: nothing
 * that can be read, or no memory. */
struct file *files_find(struct files *, const char *root, struct slice path);
/* Its path, root first; copied.  The length, or 0 when it does not fit. */
size_t file_name(const struct file *, char *name, size_t size);
/* The owner of bytes of the file for one response. */
void *file_lend(struct file *);

#endif
