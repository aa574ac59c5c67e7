/* SPDX-License-Identifier: MIT */
/* inspect.h: what the files of this plugin know of one another. */
#ifndef INSPECT_H
#define INSPECT_H

#include <uwsgi/plugin.h>

struct client;
struct ev_loop;

struct settings {
	struct option_list inspect, health, hosts;
	const char *password_file;
};

/* ---- routes.c: what can be asked for ---- */

/* A request that may be answered; its slices are valid during the call of its route. */
struct asked {
	struct slice method, query;
	struct slice accept; /* the field; empty: there is none */
	/* By the password, or over a UNIX socket, whose permissions say who may: it is told all, and
	 * else no queries of URIs. */
	bool known;
};

struct route {
	const char *path;
	bool is_probe;   /* it is answered to everybody, and has places of its own */
	bool is_page;    /* links of other pages may lead to it */
	bool takes_post; /* POST, and nothing else; GET and HEAD are for what changes nothing */
	/* Says client_answer(), client_wait() or client_stream(). */
	void (*answer)(struct client *, const struct asked *);
};

/* NULL: there is none. */
const struct route *route_find(struct slice path);

/* ---- client.c: how a route answers ---- */

struct answer {
	int status;
	const char *type;  /* "text/plain; charset=utf-8" */
	const char *extra; /* further header lines, each with its CRLF; NULL: none */
	struct slice body; /* copied */
};

/* Now, or some time after client_wait(). */
void client_answer(struct client *, const struct answer *);
/* The same with a text of its own, which is freed; NULL: there was no memory for it. */
void client_answer_text(struct client *, const struct answer *, char *text, size_t n);
/* The same for a status with a line of text. */
void client_refuse(struct client *, int status, const char *extra, const char *text);

/* The answer comes later: until it has begun, gone(mine) says that the client has left. */
void client_wait(struct client *, void (*gone)(void *mine), void *mine);

/* The head of an answer without an end; then what client_say() adds.  gone(mine): the client has left,
 * or has taken nothing for so long that it was sent away.  False: that was already, also after HEAD. */
bool client_stream(struct client *, const char *type, void (*gone)(void *mine), void *mine);
/* Copied.  False, and nothing is said: the client has not taken yet what was said before, and may even
 * be sent away for that, gone(mine). */
bool client_say(struct client *, struct slice);

const struct status *client_status(const struct client *);
struct events *client_events(const struct client *);

/* ---- profile.c, stacks.c ---- */

void answer_profile(struct client *, const struct asked *);
void answer_stacks(struct client *, const struct asked *);

/* ---- access.c: who may ask ---- */

struct http_head;
struct http_meaning;

/* By where it has connected. */
enum visitor {
	VISITOR_HEALTH,
	VISITOR_ANYBODY, /* TCP, or an abstract socket, which has no permissions */
	VISITOR_UNIX,    /* a path, whose permissions say who may */
};

struct verdict {
	int status; /* 0: it may */
	const char *why;
	bool known;   /* as struct asked's */
	bool guessed; /* it has said a password, which was wrong */
};

/* Whether the request may have what stands behind this route, which is no probe. */
struct verdict access_judge(const struct settings *, enum visitor, const struct route *,
			    const struct http_head *, const struct http_meaning *);
bool access_host(struct slice host, const struct option_list *more);
/* Whether a page from this origin is one of this host: "http://host:port" or "https://…". */
bool access_origin(struct slice origin, struct slice host);

/* ---- password.c ---- */

/* -1 with the reason: it cannot be read, others may read or write it, or it holds no "name:password". */
int password_check(const char *path, struct error *);
/* Whether a line of the file is what this field Authorization says. */
bool password_fits(const char *path, struct slice field);

/* ---- terminal.c ---- */

int terminal_show(const struct show *);

/* ---- state.c ---- */

enum state { STATE_STARTING, STATE_SERVING, STATE_RELOADING, STATE_STOPPING };
enum state state_of(const struct status *);
const char *state_name(enum state);
/* Of a process. */
const char *stage_name(enum stage);
/* A worker serves, and the server is not about to end. */
bool state_is_ready(const struct status *);

/* ---- metrics.c ---- */

void answer_metrics(struct client *, const struct asked *);

/* ---- snapshot.c ---- */

/* What /events tells, all of it, as docs/observing.md has it; queries of URIs only where told.  NULL: no
 * memory. */
struct json_t *snapshot_new(const struct status *, bool queries);

/* ---- vassals.c ---- */

/* Of an emperor, a list. */
struct json_t *vassals_of(const struct status *);
void answer_vassals(struct client *, const struct asked *);

/* ---- events.c ---- */

struct events;

struct events *events_new(struct ev_loop *, const struct status *);
void events_free(struct events *);
void answer_events(struct client *, const struct asked *);

/* ---- probes.c ---- */

void probe_live(struct client *, const struct asked *);
void probe_ready(struct client *, const struct asked *);
void probe_startup(struct client *, const struct asked *);

#endif
