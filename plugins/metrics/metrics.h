/* SPDX-License-Identifier: MIT */
/* metrics.h: what the files of this plugin know of one another. */
#ifndef METRICS_H
#define METRICS_H

#include <uwsgi/plugin.h>

#include <stdarg.h>

/* ---- keyval.c: "key=value,key=value" ---- */

/* The next pair; a word alone is a key with an empty value.  *at begins as the text.  False: there are
 * no more. */
bool keyval_next(const char **at, struct slice *key, struct slice *value);
bool keyval_is(struct slice word, const char *text);
/* A whole number, blanks around it allowed; false: it is none. */
bool keyval_number(struct slice text, long long *n);
/* The next of several names, with ; between them; false: there are no more. */
bool keyval_name(struct slice *list, struct slice *name);
/* A metric by its name, logged once if there is none. */
const struct metric *keyval_metric(const struct metrics *, struct slice name,
				   const char *wanted_by);

/* ---- server.c: the metrics of the server itself ---- */

/* Numbers of a configuration on which their names depend. */
struct extent {
	size_t workers, lanes, sockets; /* lanes 0: none of theirs is wanted */
};

void server_define(struct metrics *, const struct extent *);

struct server_values;
/* NULL: no memory. */
struct server_values *server_values_new(const struct metrics *, const struct extent *);
void server_values_free(struct server_values *);
/* Finds all of them out. */
void server_values_collect(struct server_values *, const struct status *);

/* ---- custom.c: those that the configuration names ---- */

enum collector {
	COLLECT_NOTHING, /* the application sets it */
	COLLECT_FILE,
	COLLECT_SUM,
	COLLECT_AVERAGE,
	COLLECT_ACCUMULATOR,
	COLLECT_MULTIPLIER,
	COLLECT_ADDER,
};

/* "name" or "name=N,type=T,…", as an option says it; slices of that text. */
struct custom {
	struct slice name, oid, alias, children, file;
	enum metric_type type;
	enum collector collector;
	long long initial, every_s, number; /* number: arg1n */
	bool reset;                         /* when it has been sent */
};

/* Says what is wrong and returns -1; what uWSGI passes over is told to doubt(), if there is any. */
int custom_parse(struct custom *, const char *text, void (*doubt)(void *data, const char *what),
		 void *data, struct error *);
void custom_define(struct metrics *, const struct option_list *);

struct customs;
/* NULL: no memory.  The list outlives it. */
struct customs *customs_new(const struct metrics *, const struct option_list *);
void customs_free(struct customs *);
/* Of those whose time has come; now_s: a clock that does not jump. */
void customs_collect(struct customs *, long long now_s);
/* Whether it goes back to its first value when it has been sent. */
bool customs_reset_after_push(const struct customs *, const struct metric *);
/* Whether it goes on from its value before: nothing else says what it should be. */
bool customs_go_on(const void *customs, const struct metric *);

/* ---- threshold.c ---- */

struct threshold {
	struct slice key, alarm, message;
	long long value, reset_to, every_s;
	bool resets;
	const struct metric *metric;
	bool reached;
	long long due_s;
};

/* As custom_parse(). */
int threshold_parse(struct threshold *, const char *text,
		    void (*doubt)(void *data, const char *what), void *data, struct error *);

struct thresholds;
/* NULL: no memory.  The list outlives it. */
struct thresholds *thresholds_new(const struct metrics *, const struct option_list *);
void thresholds_free(struct thresholds *);
void thresholds_watch(struct thresholds *, long long now_s);

/* ---- folder.c ---- */

struct folder;
/* NULL: no memory.  path outlives it. */
struct folder *folder_new(const struct metrics *, const char *path);
void folder_free(struct folder *);
/* Those that have changed. */
void folder_write(struct folder *, const struct metrics *);
/* What lasts() says yes to and has its first value still gets that of its file. */
void folder_restore(const struct folder *, const struct metrics *,
		    bool (*lasts)(const void *data, const struct metric *), const void *data);

#endif
