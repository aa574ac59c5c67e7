/* SPDX-License-Identifier: MIT */
/* plugin.h: all that a plugin may know of the server, and all that the server may know of a
 * plugin.  A plugin is a shared object that exports one constant, `uwsgi_plugin`; it includes
 * no other header of core/.  Names that the server exports begin with uwsgi_; nothing else is
 * exported, because any other exported name could replace one inside a Python extension. */
#ifndef UWSGI_PLUGIN_H
#define UWSGI_PLUGIN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#define UWSGI_ABI 3u
#define UWSGI_API __attribute__((visibility("default")))
#define UWSGI_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

struct config;   /* one generation's settings; constant once loaded */
struct report;   /* what is to be said about one, while it is loaded */
struct request;  /* one request: variables and body; lives in its connection */
struct response; /* its answer; lives in its connection */
struct status;   /* what the workers are doing, to be read only */
struct metrics;  /* what one generation measures and counts, by name */
struct sendbuf;  /* bytes to be sent; keeps its first failure, so writers return nothing */

/* Bytes that belong to someone else; each user says how long they stay. */
struct slice {
	const char *p;
	size_t n;
};
#define SLICE(literal) ((struct slice){ "" literal, sizeof(literal) - 1 })

static inline bool uwsgi_same(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || !memcmp(a.p, b.p, a.n));
}

/* "/shop" and "/shop/cart" are below "/shop", and "/shopping" is not. */
static inline bool uwsgi_is_below(struct slice path, struct slice mount)
{
	return path.n >= mount.n && uwsgi_same((struct slice){ path.p, mount.n }, mount) &&
	       (path.n == mount.n || path.p[mount.n] == '/');
}

/* As names of header fields are compared: ASCII letters in either case; no locale has a say in what
 * Transfer-Encoding is. */
static inline bool uwsgi_same_name(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];

		if (x != y && ((x ^ y) != 0x20 || (x | 0x20) < 'a' || (x | 0x20) > 'z'))
			return false;
	}
	return true;
}

/* The number that is written in at most 18 decimal digits and nothing else; -1: it is none. */
static inline int64_t uwsgi_number(struct slice digits)
{
	int64_t n = 0;

	if (digits.n == 0 || digits.n > 18)
		return -1;
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return -1;
		n = n * 10 + (digits.p[i] - '0');
	}
	return n;
}

/* The caller's buffer for one readable sentence (no full stop, no newline). */
struct error {
	char text[1024];
};
/* Always returns -1, so that a function can end with `return uwsgi_error_set(e, …)`. */
UWSGI_API int uwsgi_error_set(struct error *, const char *fmt, ...) UWSGI_PRINTF(2, 3);
/* The same; the sentence is what errno means. */
UWSGI_API int uwsgi_error_errno(struct error *);

/* One line to the server log; newlines inside are kept (tracebacks). */
enum severity { UWSGI_NOTE, UWSGI_WARNING, UWSGI_ERROR };
UWSGI_API void uwsgi_log(enum severity, const char *fmt, ...) UWSGI_PRINTF(2, 3);

/* Raises the alarm of this name (the option alarm): the master runs its command, or whatever else it
 * is.  In any process of the server; waits for nothing.  The log says when there is no such alarm. */
UWSGI_API void uwsgi_alarm(struct slice name, struct slice text);
enum { UWSGI_ALARM_MAX = 65536 }; /* what is longer is cut off, as alarm-msg-size does again */

/* Bytes of a client for such a line, cut off at size and ended with a zero: what could forge a line or
 * deceive who reads it is written as \x0a.  The length. */
UWSGI_API size_t uwsgi_escape(char *to, size_t size, struct slice);

/* A time, in seconds since 1970, as RFC 9110 section 5.6.7 writes it: 29 characters, whatever the
 * application has made of the process's locale. */
#define UWSGI_DATE_SIZE 30
UWSGI_API void uwsgi_http_date(int64_t seconds, char text[UWSGI_DATE_SIZE]);

/* How much a client wants a content coding, "gzip" for example, by its Accept-Encoding (RFC 9110 section
 * 12.5.3), in thousandths: 0: not at all; -1: it does not say. */
UWSGI_API int uwsgi_accept_coding(struct slice field, struct slice coding);

/* For deadlines and what is kept for a while: on a clock that nobody sets, the same for all processes of a
 * machine, and up to some milliseconds behind, so that it costs next to nothing. */
UWSGI_API int64_t uwsgi_now_ms(void);

/* Starts a thread that hears no signal but those of its own faults: 0, or what pthread_create() says.
 * thread: to be joined; NULL: nobody waits for its end. */
UWSGI_API int uwsgi_thread_start(pthread_t *thread, void *(*run)(void *), void *argument);

/* A regular expression, as uWSGI's options have them: Perl's, over bytes (pcre2pattern(3)). */
struct pattern;
/* NULL with the reason.  Made when the configuration is checked and when a lane starts, not for each
 * request. */
UWSGI_API struct pattern *uwsgi_pattern_new(const char *text, struct error *);
UWSGI_API void uwsgi_pattern_free(struct pattern *); /* NULL: nothing to do */
/* 1: somewhere in text, 0: nowhere, -1: that would take too many steps or too much memory, and the
 * caller says what then holds.  At most a few milliseconds.  Threads may share a pattern. */
UWSGI_API int uwsgi_pattern_matches(const struct pattern *, struct slice text);
/* The same.  Where it matches, groups[0] is the part of text that did, and those behind are what stands
 * in its parentheses; {NULL, 0}: nothing does.  Else they stay as they are. */
UWSGI_API int uwsgi_pattern_groups(const struct pattern *, struct slice text, struct slice *groups,
				   size_t count);

/* Of these names the one that a mistyped one may have meant; NULL: none is near. */
UWSGI_API const char *uwsgi_nearest(struct slice wanted, const char *const *names, size_t count);

/* ---- options: one row is the option's type, default, help, reference page and test ---- */

enum option_type {
	OPT_FLAG,    /* bool */
	OPT_INT,     /* long long */
	OPT_SIZE,    /* long long, bytes; suffixes k, m, g (powers of 1024) */
	OPT_SECONDS, /* long long */
	OPT_STRING,  /* const char *, NULL when unset */
	OPT_LIST,    /* struct option_list: each use of the option adds one */
	OPT_CHOICE,  /* int, an index into choices */
	OPT_SPAN,    /* long long, milliseconds; written in seconds, as "1.5" */
};

struct option_list {
	const char *const *items; /* owned by the config */
	size_t count;
};

/* Whether an option's values are addresses to listen on, and whose processes accept there. */
enum listen {
	LISTEN_NOT,
	LISTEN_WORKERS,
	LISTEN_GATEWAY, /* of the same plugin */
	LISTEN_SERVICE, /* of the same plugin, whose loop accepts there; no protocol is spoken */
};

struct option {
	const char *name;
	const char *same_as; /* an alias: only name, same_as and letter are set */
	char letter;         /* short form, -p; 0: none */
	enum option_type type;
	size_t offset;       /* into the module's own settings struct, never an address */
	const char *initial; /* as a user would write it; NULL: unset, zero, false, empty */
	const char *bare;    /* what the name without a value means; NULL: needs a value */
	long long min, max;  /* both 0: no limit but min 0 */
	const char *below;   /* what a number below min means, as a user would write it; NULL:
				     * min, but for 0 and less the longest time or the default if
				     * min is above 0 */
	const char *const *choices; /* OPT_CHOICE: NULL-terminated */
	const char *unit;           /* for the help only: "MB"; NULL: what the type says */
	const char *help;           /* one sentence, no full stop */
	const char *example;        /* a value as a user may write it; NULL: the default is one */
	const char *differs;        /* what uWSGI does otherwise, one sentence; NULL: nothing */
	bool text;                  /* free text: # and ; after a blank belong to the value */
	/* OPT_LIST: the server listens on these addresses, and the plugin's protocol is spoken
	 * there.  The core checks them and opens the sockets, which stay open over reloads. */
	enum listen listen;
	/* OPT_STRING, OPT_LIST: says what is wrong with a value, without the option's name, and
	 * returns -1; NULL: anything goes. */
	int (*valid)(const char *value, struct error *);
};

struct option_table {
	const char *module;
	size_t size; /* of the settings struct, at least 1; it is zeroed, then filled from the
		      * initials */
	const struct option *rows;
	size_t count;
	/* What spans options, after loading, by uwsgi_config_doubt(); NULL: nothing to check. */
	void (*check)(const struct config *, struct report *);
};

/* The module's filled struct of this generation; valid until the config is freed. */
UWSGI_API const void *uwsgi_options(const struct config *, const struct option_table *);

/* The setting of any option, of the type that its row says; NULL: no table has it. */
UWSGI_API const void *uwsgi_config_setting(const struct config *, const char *option);
/* Whether a flag is true, a number is not 0, a choice not the first, a text or a list not empty, of any
 * option; false: no table has it. */
UWSGI_API bool uwsgi_config_has(const struct config *, const char *option);

/* Every key as the user set it, in order, placeholders included; value "" where there was
 * none.  *i starts at 0; false at the end.  Strings are valid until the config is freed. */
UWSGI_API bool uwsgi_config_next(const struct config *, size_t *i, const char **name,
				 const char **value);

/* Whether a rule asks for this: "gzip" in `route = ^/report/ gzip:`.  The plugin of this name is opened
 * then, also without an option of its own. */
UWSGI_API bool uwsgi_config_has_action(const struct config *, struct slice action);

/* For check(): something is wrong with the named option, or with its absence.  The sentence says
 * what, and what to write instead. */
UWSGI_API void uwsgi_config_doubt(const struct config *, struct report *, enum severity,
				  const char *option, const char *fmt, ...) UWSGI_PRINTF(5, 6);
/* The same about one element of a list: its line is named, not that of the last one. */
UWSGI_API void uwsgi_config_doubt_item(const struct config *, struct report *, enum severity,
				       const char *option, const char *value, const char *fmt, ...)
	UWSGI_PRINTF(6, 7);
/* The same about what uwsgi_config_next() told of when it left *i so. */
UWSGI_API void uwsgi_config_doubt_at(const struct config *, struct report *, enum severity,
				     size_t i, const char *fmt, ...) UWSGI_PRINTF(5, 6);
/* Whether all that can be found out beforehand is wanted (--check), also what a start would say
 * by itself a moment later. */
UWSGI_API bool uwsgi_config_thorough(const struct report *);

/* ---- a protocol: bytes -> request, response -> bytes; knows no fd, loop, clock or app ---- */

enum parsed {
	PARSE_MORE,  /* took what it could; call again with more */
	PARSE_DONE,  /* the request is whole */
	PARSE_BAD,   /* uwsgi_request_reject() said why; the core answers with that status */
	PARSE_AGAIN, /* the peer gave this request up: forget it, parse the rest afresh */
	PARSE_CLOSE, /* nothing to answer but what is in out: send it and close */
};

/* What became of a connection with the end of a response. */
enum ended {
	ENDED_CLOSE, /* it is closed once all is sent */
	ENDED_KEEP,  /* it lives on */
	ENDED_CUT,   /* closing would look like the end of a whole answer: it is reset */
};

/* Who connected. */
struct peer {
	bool own; /* a process of this server */
	bool tcp; /* ENDED_CUT shows; on a UNIX socket it is a close like any other */
};

/* A stretch of a response body: bytes in memory (fd < 0) or a range of an open file. */
struct piece {
	struct slice bytes;
	int fd;
	int64_t at, length; /* of the file; length == bytes.n when in memory */
};

struct header {
	struct slice name, value;
};

/* The head of a response as a protocol sees it, complete and checked: Content-Length is among
 * the headers whenever length is known.  Valid during the call. */
struct head {
	int status;
	struct slice line; /* "200 OK"; also "200", without a reason */
	const struct header *headers;
	size_t header_count;
	int64_t length;    /* bytes of body to come; -1: unknown until the end */
	bool bodiless;     /* HEAD, 1xx, 204, 304: body() will not be called */
	bool head_only;    /* HEAD, where a GET may have a body */
	bool close;        /* this connection ends with this response: for protocols that tell the peer */
	struct slice date; /* now, as RFC 9110 section 5.6.7 writes it */
};

/* Seconds; how long a peer may take nothing of a response is always so-send-timeout. */
struct protocol_timeouts {
	long long head; /* from the first byte of a head to its last */
	long long body; /* a peer may stay silent inside a body */
	long long idle; /* … and between requests */
};

/* The most that a protocol may keep of a connection. */
#define UWSGI_STATE_MAX 256

/* All of it runs on a lane's thread of a worker, or in the gateway's process, between other
 * connections: no call may wait for anything.  A connection is served by one thread at a time.  Where
 * a member is not said to be possibly NULL, a plugin without it is not loaded.
 *
 * The calls of one connection: begin(), then for each request parse() until it says something else
 * than PARSE_MORE, then head(), body() for each piece and end().  A connection may end between any
 * two of them, and nothing is called when it does: the state owns nothing. */
struct protocol {
	const char *name; /* "http": what `protocol =` calls it.  Its own socket options are rows of
			   * the plugin's table with `listen` */
	const char *const *aliases; /* other names for `protocol =`, NULL-terminated; NULL: none */
	/* Zeroed for each connection, owned by the core, kept across requests.  It holds no
	 * pointers: between two requests a connection may move to another process.  At most
	 * UWSGI_STATE_MAX. */
	size_t state_size;
	/* Bytes of a head that buffer-size does not count. */
	size_t framing;

	/* They are socket-timeout before; NULL: that is what they are.  In the master, for each
	 * listener. */
	void (*timeouts)(const struct config *, struct protocol_timeouts *);
	/* For each new connection, its state zeroed; NULL: nothing to do.  The master calls it once
	 * for each listener, too: what it writes into the state is how it compares two
	 * configurations, so it must depend on nothing but its arguments. */
	void (*begin)(void *state, const struct config *, const struct peer *);

	/* Takes what it can of in, which is at least one byte, and says in *used how much (0 before
	 * the call).  The head is taken in one piece: as long as it is incomplete, *used is 0 and
	 * the same bytes come again with more behind them; once taken they do not move until the
	 * request ends, so variables may be slices of it.  A head that outgrows buffer-size is
	 * refused by the core.  Body bytes are taken as they come.  After PARSE_DONE, the next call
	 * is for the next request: bytes of it may already be in `in` and must not be taken.  out is
	 * for what must be said early (100 Continue, FastCGI management records) and is sent at
	 * once.
	 *
	 * PARSE_DONE is for a request with REQUEST_METHOD; without it the core answers 400.
	 * Applications also count on PATH_INFO, QUERY_STRING, SERVER_NAME, SERVER_PORT,
	 * SERVER_PROTOCOL, REQUEST_URI and REMOTE_ADDR (RFC 3875 section 4.1; PEP 3333, "environ
	 * Variables").  CONTENT_LENGTH of a body that came without one is added by the core.
	 *
	 * It is not called again after PARSE_BAD or PARSE_CLOSE, nor after an end() that did not
	 * say ENDED_KEEP: no state has to be put in order then.  After ENDED_KEEP the state is as
	 * the last call left it; whoever sets a phase sets it back. */
	enum parsed (*parse)(void *state, struct request *, struct slice in, size_t *used,
			     struct sendbuf *);

	/* One head, then body pieces, then the end.  When a request cannot be run, the core answers
	 * through these too, whatever little the parser had understood by then: after PARSE_BAD,
	 * and when a head is too large or late.  head->close is true then.
	 *
	 * All headers of the application come, also Connection, Transfer-Encoding and other
	 * hop-by-hop ones (RFC 9110 section 7.6.1): a protocol that frames bodies itself leaves
	 * them out.  Content-Length comes once at most, and is true.  Names and values hold no
	 * control characters where the plugin that runs the application sees to that, as python
	 * does. */
	void (*head)(void *state, const struct head *, struct sendbuf *);
	void (*body)(void *state, const struct piece *, struct sendbuf *);
	/* complete: all of the body was said; false: it broke off and the peer must notice. */
	enum ended (*end)(void *state, bool complete, struct sendbuf *);
};

/* ---- an application runner: request -> response; knows no protocol ---- */

struct worker_info {
	int id; /* 1..processes; 0 in the zygote */
	int processes, threads;
	pid_t master;
	bool reloaded; /* this generation, or this worker, replaces an earlier one in a reload */
	const struct metrics *metrics; /* NULL: there are none */
	const struct status *status;   /* of this generation alone, at least; NULL: nobody knows */
};

/* Whether this process is a child that the application has forked.  It is no worker: what it says
 * reaches no client.  A runner ends it, with the exit code that its language has for that, when the
 * application gives control back; if it does not, the core does after handle(). */
UWSGI_API bool uwsgi_is_stray(void);

/* What a service may ask a worker for, by uwsgi_order(). */
enum order_kind {
	ORDER_STACKS,  /* what each of its threads does now */
	ORDER_PROFILE, /* what its busy lanes do, looked at hz times a second */
	ORDER_KINDS
};
enum { ORDER_SECONDS_MAX = 60, ORDER_HZ_MAX = 250 };

struct order {
	enum order_kind kind;
	int seconds, hz; /* of ORDER_PROFILE, at least 1 */
};

struct ev_loop; /* libev's */

/* What drive() is given. */
struct drive {
	/* Turned by ev_run() on the lane's own thread; all that the application has to do in time, or
	 * when a descriptor is ready, is a watcher in it.  Another thread says ev_async_send(). */
	struct ev_loop *loop;
	/* The application is ready: the server takes connections from now on, and a start or a
	 * reload is over when every lane has said so. */
	void (*accept)(void *data);
	/* Whether the lane is to end when all is answered: responses that could go on for ever should
	 * come to theirs. */
	bool (*leaves)(void *data);
	/* Whether it is to end now: asked after each turn.  Who has taken connections over may first
	 * see these to their end. */
	bool (*over)(void *data);
	void *data;
};

/* The master never calls into it but for wants().  A zygote imports the application and forks the
 * workers, each of which has a thread for each of its lanes: the main one for lane 0.  Members may be
 * NULL but for name and handle; the comments say when each is called. */
struct app {
	const char *name;
	/* In the master: whether the configuration names an application of this kind, by an option
	 * such as module.  It has no side effect.  NULL: whenever the plugin is loaded.  Where none
	 * is wanted, the first one runs; of two that are wanted, mount-plugin gives one a path. */
	bool (*wants)(const struct config *);
	/* In the zygote, once: the interpreter, not the application. */
	int (*init)(const struct config *, const struct worker_info *, struct error *);
	/* Import the application: in the zygote, or in each worker with lazy-apps, before any lane.
	 * On failure the sentence says what, the traceback is already logged, and handle() must
	 * answer 500. */
	int (*load)(const struct config *, struct error *);
	/* In the zygote, around the fork of each worker. */
	void (*fork_before)(void);
	void (*fork_parent)(void);
	/* In the worker, on its main thread; info is the worker's own and outlives it. */
	void (*fork_child)(const struct worker_info *);
	/* In the worker when the application is loaded, before any lane. */
	int (*worker_start)(struct error *);
	/* On the lane's own thread, as all that follows but worker_stop(); *state, NULL before, is
	 * handed to every call for this lane. */
	int (*lane_start)(int lane, void **state, struct error *);
	/* Runs one whole request, and ends the response before it returns.  It may wait as long as
	 * harakiri lets it: other lanes go on, the other connections of this one wait.  (But see drives.) */
	void (*handle)(void *state, struct request *, struct response *);
	/* Whether code of the application was changed on disk since the last call, and what; asked
	 * every interval_s(cfg) seconds (0: not at all) between requests.  Both or neither. */
	bool (*changed)(void *state, char *what, size_t size);
	long long (*interval_s)(const struct config *);
	/* Around any wait of the server inside handle(): let other threads run meanwhile. */
	void (*pause)(void *state);
	void (*resume)(void *state);
	/* Bytes or files lent to responses are sent; called in or outside handle().  NULL: nothing
	 * is lent, all owners are NULL. */
	void (*release)(void *state, void *const *owners, size_t count);
	void (*lane_stop)(void *state);
	/* ---- an application that runs its requests side by side: experimental, may change with any
	 * release.  All five are there, or none. ---- */
	/* Whether the application of this configuration does.  handle() may then return before the
	 * response has ended, if it has said uwsgi_response_set_handled(), and runs as soon as the head
	 * is there, the body being asked for by uwsgi_request_read_on().  Nothing waits inside handle():
	 * there are no pause() and resume(), and uwsgi_response_flush() queues what is not taken. */
	bool (*drives)(const struct config *);
	/* On the lane's own thread, instead of the server's loop around ev_run(): turns drive->loop
	 * until drive->over() says so.  -1 with the reason: it cannot go on, and the worker ends. */
	int (*drive)(void *state, const struct drive *, struct error *);
	/* More of a body has come, or its end; the portion is what uwsgi_request_body_view() shows. */
	void (*body)(void *state, void *handled);
	/* All that was said has been sent (uwsgi_response_unsent() is 0): the time to say more.  Whoever
	 * says more without waiting for it fills memory and then a temporary file. */
	void (*drained)(void *state, void *handled);
	/* Nobody waits any more: the client has closed the connection or one half of it, what it sent
	 * was no body, or harakiri's time is over.  The response must be ended in this call, by
	 * uwsgi_response_fail() if no better way is known.  It may come while another response is
	 * flushed, when memory is short (response-memory). */
	void (*gone)(void *state, void *handled);
	/* In the worker, on its main thread, when all lanes have stopped: background work, then exit
	 * handlers.  The process ends after it, and is killed in mercy_ms if this has not
	 * returned. */
	void (*worker_stop)(long long mercy_ms);
	/* In the worker, on a thread that is there for this call alone: carries out what a service has
	 * ordered, and writes the answer to fd, as uwsgi_order() tells it.  fd is a non-blocking
	 * socket; when it gets readable, the worker leaves or nobody waits any more, and what is known
	 * by then is the answer.  It may wait for the language's lock as long as it takes.  Of each
	 * kind there is one call at a time.  NULL: services are told that there is nothing to see. */
	void (*examine)(const struct order *, int fd);
	/* In the worker, on a thread of the server's own, while this lane's handle() runs for too long:
	 * where it is, as lines of text without a zero behind them; returns their length, 0: nobody
	 * knows.  It must not wait for the language's lock, which handle() may hold for ever, nor
	 * longer than a quarter of a second for anything else.  NULL: nobody knows. */
	size_t (*where)(void *state, char *text, size_t size);
};

/* ---- a handler: C between the protocols and the application; answers requests by itself, or changes
 * the answers of those behind it ---- */

enum handled {
	HANDLED_NOT,  /* the next handler's turn, or the application's */
	HANDLED_DONE, /* the response has ended */
	/* Not known yet: the request waits, and its lane goes on with others.  When it is known,
	 * uwsgi_request_go_on() has before() asked again, with the same *mine.  Or the handler answers
	 * in later turns of the loop, from watchers of its own: then uwsgi_response_flush() waits for
	 * nobody, and the loans that come back say how far the peer is. */
	HANDLED_LATER,
};

/* One lane, to its handlers; valid as long as the lane. */
struct handler_lane {
	const struct config *config;
	/* For watchers of the handler's own.  Another thread, which does what takes long, wakes it by
	 * ev_async_send(). */
	struct ev_loop *loop;
	int number; /* 0.. */
};

/* What stands between a filter and the peer: the filters before it, and the protocol. */
struct next;

/* Its place in the chain is its order: requests pass from the lowest on, answers come back the other
 * way, so that a handler sees those of all behind it.  What the server refuses by itself (a malformed
 * request, for example) passes none.
 *
 * All runs in the workers, on the lane's thread.  before() runs without the locks of the
 * application's language and must not wait: it says HANDLED_LATER, and has a process or thread of its
 * own do what takes long.  The others run inside the application's handle(), and must be quick.  Any
 * member but name may be NULL. */
struct handler {
	const char *name;
	int order; /* 0..99: about 5 changes the answers of all others (gzip), 10 changes requests
		    * (routes), 50 answers (static files) */
	/* In the master: whether this configuration has work for it.  NULL: whenever it is loaded.
	 * Where no handler has work, requests pass no chain at all. */
	bool (*wants)(const struct config *);
	/* On the lane's own thread, before its first request; *state, NULL before, is handed to every
	 * other call for this lane. */
	int (*lane_start)(const struct handler_lane *, void **state, struct error *);
	void (*lane_stop)(void *state);

	/* A request: all of it, or with an application that drives its lane at least the head.  It
	 * may add variables, and answer by uwsgi_response_start() and so on; what it lends has an
	 * owner of uwsgi_loan().  *mine, NULL before, comes back in the other calls for this
	 * request; memory of uwsgi_request_alloc() lives as long. */
	enum handled (*before)(void *state, struct request *, struct response *, void **mine);
	/* A request that waits since it said HANDLED_LATER is over, as its client is gone: it must not
	 * go on, and its response ends behind this call.  A client that only says no more gets its
	 * answer.  Over TCP, whether one that has closed its connection is gone shows when it is
	 * answered.  Needed where before() says that. */
	void (*gone)(void *state, void *mine);
	/* The head of an answer, before it is said: uwsgi_response_status(), _find(), _set(),
	 * _set_status(), _replace(), _any_length() are for here. */
	void (*head)(void *state, struct response *, void **mine);
	/* A filter: a stretch of the body, which may be a file; valid during the call.  It goes on
	 * by uwsgi_next_piece() and uwsgi_next_bytes(), now or later.  Not called without a body
	 * (HEAD, 304). */
	void (*body)(void *state, struct next *, const struct piece *, void *mine);
	/* What was held back is to leave now: the application waits for something. */
	void (*flush)(void *state, struct next *, void *mine);
	/* The end of the answer to each request that it passed on: what was held back follows, *mine
	 * ends.  complete: as struct protocol's. */
	void (*end)(void *state, struct next *, bool complete, void *mine);
};

/* ---- a gateway: takes requests from clients and has others answer them; a process of its own
 * beside the workers, which never blocks ---- */

struct sockaddr;

/* What differs in a gateway's process from what the configuration says of all; 0: nothing. */
struct gateway_needs {
	int processes; /* at least 1 */
	bool workers;  /* it passes requests on to the workers of this server */
	long long buffer_size, post_buffering;
};

struct gateway_setup {
	const struct config *config;
	struct ev_loop *loop;
	/* Where the workers take uwsgi packets from this server's own processes; length 0 when
	 * needs.workers was false. */
	const struct sockaddr *workers;
	size_t workers_length;
};

/* It accepts on the addresses of the plugin's rows with LISTEN_GATEWAY, where the plugin's protocol
 * is spoken.  No member may be NULL but said_all.  All but needs() are called in its process, on its
 * only thread, and must not wait. */
struct gateway {
	const char *name; /* "http"; its processes are named so */
	/* In the master and in its process; it has no side effect. */
	void (*needs)(const struct config *, struct gateway_needs *);
	/* *state is handed to every other call. */
	int (*start)(const struct gateway_setup *, void **state, struct error *);
	/* Takes over a whole request; both stay valid until the response has ended, which may be
	 * in a later turn of the loop.  The pointer returned comes back in gone(). */
	void *(*handle)(void *state, struct request *, struct response *);
	/* The client is gone: the response must be ended, though nobody gets to see it. */
	void (*gone)(void *state, void *handled);
	/* The client has closed the connection, or only its own half of it: an answer may still be
	 * wanted.  NULL: that makes no difference. */
	void (*said_all)(void *state, void *handled);
	/* As struct app's. */
	void (*release)(void *state, void *const *owners, size_t count);
};

/* ---- a service: a process of its own that watches the server, and answers also when no worker can:
 * statistics, health ---- */

struct service_setup {
	/* Of this process: it is started anew when its options change */
	const struct config *config;
	struct ev_loop *loop;
	const struct status *status;
	/* Listening, non-blocking: the addresses of the plugin's rows with LISTEN_SERVICE.  Another
	 * process may have been quicker to accept. */
	const int *sockets;
	size_t socket_count;
	const char *const *socket_options; /* [socket_count]: the option that has asked for each */
};

/* How a command shows what a server does. */
enum show_form {
	SHOW_TEXT, /* once */
	SHOW_JSON,
	SHOW_TOP, /* on this terminal, again and again */
};
struct show {
	enum show_form form;
	/* Asks the server anew; what was returned before is valid until then.  NULL with the reason. */
	const struct status *(*look)(void *data, struct error *);
	void *data;
};

/* The master forks it, and again, with growing delay, when it ends unasked.  It has the user's rights,
 * goes on through reloads, is the last to leave and dies with the master.  It starts anew when its own
 * options change, or what the server listens on.  Its only thread turns the loop: nothing here may
 * wait.  Only the last three members may be NULL. */
struct service {
	const char *name; /* "stats"; its process is named so */
	/* In the master: whether this configuration wants it. */
	bool (*wants)(const struct config *);
	/* In its process, once; *state is handed to stop(). */
	int (*start)(const struct service_setup *, void **state, struct error *);
	/* It is asked to leave; the process ends when this returns. */
	void (*stop)(void *state);
	/* In the master: whether it may call uwsgi_order().  Workers then have a thread that takes
	 * orders also while all lanes are busy.  NULL: it does not. */
	bool (*orders)(const struct config *);
	/* In the master: of how many percent of the requests it wants to see spans; those that come as a
	 * part of a trace are recorded if that is.  NULL: of none. */
	int (*spans)(const struct config *);
	/* In the master, for each generation whose configuration wants it, before any process of it is
	 * forked: which metrics there are, by uwsgi_metrics_define().  sockets: how many
	 * uwsgi_status_next_socket() will tell of. */
	void (*define)(const struct config *, size_t sockets, struct metrics *);
	/* In a command of its own, `uwsgi --status` or --top, instead of all that: shows what a server
	 * does, and returns the exit code.  NULL: this service is not the one that does. */
	int (*show)(const struct show *);
};

/* How long things took.  Of bucket[i], all took less than uwsgi_bucket_end_us(i), and not less than
 * the one before it says; that is at most a quarter more.  The last one has all that took longer, too:
 * 62 minutes and more. */
enum { UWSGI_BUCKETS = 124 };
struct histogram {
	unsigned long long sum_us, bucket[UWSGI_BUCKETS];
};

/* Where it is counted. */
static inline size_t uwsgi_bucket(unsigned long long us)
{
	if (us < 4)
		return (size_t)us;
	unsigned top = 63u - (unsigned)__builtin_clzll(us);
	size_t bucket = (top - 1) * 4 + ((us >> (top - 2)) & 3);

	return bucket < UWSGI_BUCKETS ? bucket : UWSGI_BUCKETS - 1;
}

/* In microseconds. */
static inline unsigned long long uwsgi_bucket_end_us(size_t bucket)
{
	return bucket < 4 ? bucket + 1 : (5ull + bucket % 4) << (bucket / 4 - 1);
}

/* How many were counted; and what this part of them (0.99) took less than, at most a quarter too much;
 * 0: none was counted. */
UWSGI_API unsigned long long uwsgi_histogram_count(const struct histogram *);
UWSGI_API unsigned long long uwsgi_histogram_quantile_us(const struct histogram *, double part);

/* What lanes have done.  All members are numbers of this type, so that they can be added up. */
struct counts {
	unsigned long long answers[6];    /* by the first digit of their status; [0]: by none */
	unsigned long long failed;        /* by the application */
	unsigned long long sent;          /* bytes of heads, as HTTP writes them, and bodies */
	unsigned long long unsent;        /* answers that a client did not take whole */
	unsigned long long unread;        /* requests that broke off while they were read */
	unsigned long long files, routed; /* answered by the handlers static and route */
	/* Each request, once its answer has ended: how long it waited for its lane (docs/observing.md
	 * says since when), how long the application had it, and how long its client then took to take
	 * what the kernel could not at once. */
	struct histogram wait, run, send;
};
UWSGI_API unsigned long long uwsgi_counts_requests(const struct counts *);

/* Of a process and of a generation. */
enum stage {
	STAGE_GONE,
	STAGE_STARTING,
	STAGE_SERVING,
	STAGE_LEAVING, /* it finishes what it has begun */
};

/* The server, from its start on and through all its reloads. */
struct server_status {
	pid_t master;
	int generation;                     /* the number of the one that serves; the first is 1 */
	long long started_us;               /* since 1970, as all times here */
	unsigned reloads, failed_reloads;   /* a reload that failed has changed nothing */
	unsigned long long queue_overflows; /* connections that full queues turned away (TCP) */
	long long silent_ms; /* since the master has last done anything; it does each second */
	struct counts counts;
};
UWSGI_API void uwsgi_status_server(const struct status *, struct server_status *);

/* One configuration with its processes: the one that serves and, during a reload, the one that
 * replaces it, or older ones that finish their requests. */
struct generation_status {
	int number;
	enum stage stage;
	long long since_us;  /* the stage began */
	int workers, lanes;  /* it has so many places for workers; each has so many lanes */
	long long import_ms; /* that importing the application took, before workers were forked */
	int wanted; /* workers that are to run now (cheaper); 0: they sleep until a client connects */
	bool paused; /* … or, even if clients connect, until the server goes on */
};
/* The next one, the youngest first; *i begins as 0.  False: there are no more. */
UWSGI_API bool uwsgi_status_next_generation(const struct status *, size_t *i,
					    struct generation_status *);

/* One process that is a worker.  While one is replaced, two have its number. */
struct process_status {
	int worker, generation;
	pid_t pid;
	enum stage stage;
	long long since_us;          /* the stage began */
	unsigned long long requests; /* its own */
	int busy;                    /* lanes that run one */
	/* Bytes of memory: what it has addresses for, what is in memory, what of that no other process
	 * has, and its share: pages that several have count for each in part.  The last two may be some
	 * seconds old; 0: the kernel does not say. */
	unsigned long long address_space, resident, own, share;
};
UWSGI_API bool uwsgi_status_next_process(const struct status *, size_t *i, struct process_status *);

/* One lane of such a process. */
struct lane_status {
	int worker, lane, generation; /* worker: 1.. ; lane: 0.. */
	pid_t pid;
	unsigned long long requests; /* of this lane, since its worker began */
	unsigned long long failed, unsent, unread, files, routed; /* as in struct counts */
	bool busy;
	long long running_ms; /* the present request has run so long; 0: it is idle */
	/* Of the present or the last request, cut; copies, since the worker goes on. */
	char method[16], uri[224];
};
/* The next lane of a process that has begun to serve; *i begins as 0.  False: there are no more. */
UWSGI_API bool uwsgi_status_next(const struct status *, size_t *i, struct lane_status *);

/* One worker, whichever processes have done its work since the server started. */
struct worker_status {
	int worker;        /* 1.. */
	pid_t pid;         /* who serves now, the younger of two; 0: nobody does */
	enum stage stage;  /* of that one */
	unsigned spawns;   /* processes that have served */
	unsigned harakiri; /* requests of it that ran too long and were given up */
	long long since;   /* when the last one began to serve, in seconds since 1970 */
	/* Of all of them: requests, those that failed, bytes of heads and bodies (heads as HTTP writes
	 * them), and the time that the application took. */
	unsigned long long requests, failed, sent, running_us;
	unsigned long long own_requests; /* of who serves now */
	/* How long a request takes: each counts as much as all before it. */
	unsigned long long average_us;
	unsigned long long address_space, resident, own, share; /* as in struct process_status */
};
/* The next worker that has served and has a place in the generation that serves, or a process; *i
 * begins as 0.  False: there are no more. */
UWSGI_API bool uwsgi_status_next_worker(const struct status *, size_t *i, struct worker_status *);

/* A request whose application took log-slow milliseconds, or a second where that is not set. */
struct slow_status {
	long long at_us; /* its end */
	int worker, lane, status;
	unsigned long long wait_us, run_us, send_us; /* send_us: 0 until all is sent */
	char method[16], uri[224], trace_id[40];
};
/* The last ones, the youngest first; *i begins as 0.  False: there are no more, or those are too old
 * to be kept. */
UWSGI_API bool uwsgi_status_next_slow(const struct status *, size_t *i, struct slow_status *);

/* A request that is part of a trace which is recorded: what OpenTelemetry calls a span. */
struct span_status {
	unsigned char trace[16], id[8], parent[8]; /* parent: zeroes where it began the trace */
	long long began_us, ended_us;              /* since 1970 */
	unsigned long long sent;                   /* bytes of the body */
	int worker, lane, status;
	int failed; /* 1: by the application */
	char method[16], path[224], client[48];
};
/* Those that have ended since, the oldest first, where a service wants any (spans); *number begins as 0.
 * False: there are no more now.  *lost is increased by those that came too fast to be kept. */
UWSGI_API bool uwsgi_status_next_span(const struct status *, uint64_t *number, struct span_status *,
				      unsigned long long *lost);

/* A warning or an error in the server's log, whichever process wrote it. */
struct warning_status {
	long long at_us;
	pid_t pid;
	enum severity severity;
	char text[232]; /* cut; lines after the first are there, too */
};
UWSGI_API bool uwsgi_status_next_warning(const struct status *, size_t *i, struct warning_status *);

/* A program that runs beside the server (attach-daemon). */
struct daemon_status {
	int number;        /* 1.., as in the log */
	pid_t pid;         /* 0: it does not run now */
	unsigned respawns; /* starts after the first one */
	char command[228]; /* cut */
};
/* The youngest first. */
UWSGI_API bool uwsgi_status_next_daemon(const struct status *, size_t *i, struct daemon_status *);

/* A server that this one, an emperor, runs for a configuration file. */
enum vassal_state {
	VASSAL_WAITING, /* it does not run: others start first, or it has failed and is given time */
	VASSAL_STARTING,
	VASSAL_SERVING,
	VASSAL_RELOADING,
	VASSAL_LEAVING,
};
struct vassal_status {
	enum vassal_state state;
	pid_t pid;         /* 0: it does not run now */
	unsigned respawns; /* starts after the first one */
	int reserved;
	/* The first start and the last one, when it served or had reloaded last, its last heartbeat, the
	 * last change of its file, and when it is started again after a failure; 0: never. */
	long long first_us, started_us, ready_us, heartbeat_us, changed_us, again_us;
	char name[160]; /* of its file, in the folder; with the whole path where that is "" */
	char folder[160];
	char inspect[72]; /* where its own inspect answers; "": nowhere */
	char why[176];    /* what went wrong last; "": nothing since it served */
};
/* In no order. */
UWSGI_API bool uwsgi_status_next_vassal(const struct status *, size_t *i, struct vassal_status *);

/* A command that runs by the clock (cron). */
struct cron_status {
	int number; /* 1.., as in the log */
	/* As they are written: -1 is any, -5 each that 5 divides. */
	int minute, hour, day, month, week;
	bool unique;
	pid_t pid;            /* of the one that was started last; 0: it does not run */
	long long started_at; /* seconds since 1970, the last time; 0: it was not yet */
	char command[216];    /* cut */
};
/* The youngest first. */
UWSGI_API bool uwsgi_status_next_cron(const struct status *, size_t *i, struct cron_status *);

/* A socket on which the server takes requests. */
struct socket_status {
	char name[160];       /* "127.0.0.1:8080", "/run/app.sock", "@name" */
	const char *protocol; /* "uwsgi" */
	/* Connections that wait to be accepted, and how many may; -1: the kernel does not say. */
	long long queue, max_queue;
};
UWSGI_API bool uwsgi_status_next_socket(const struct status *, size_t *i, struct socket_status *);

/* Asks a worker, by the pid of its lane_status.  Returns a non-blocking descriptor, the caller's to
 * close, from which the answer comes: lines, then an empty one, then its end, at which the worker takes the
 * next order of this kind.  Closing it gives the order up.  An end without an empty line: the worker has
 * gone, or the order did not reach it.  A worker that says nothing may hold the lock of its language all
 * the time: the caller has a deadline of its own.
 *
 * A line that begins with "!" says why there is no answer.  Fields of others are separated by tabs,
 * and hold no control characters.  Lines that begin otherwise than those here are to be passed over.
 * "H": of ORDER_STACKS, the worker has heard the order, and waits for the lock of its language.
 * ORDER_STACKS: "T", lane or "-", name: a thread; then, the innermost first, "F", file, line, function.
 * ORDER_PROFILE: "route;file:function:line;...", the innermost last, a blank, how often it was seen.
 * -1 with the reason: it cannot be asked now. */
UWSGI_API int uwsgi_order(const struct status *, pid_t worker, const struct order *,
			  struct error *);

/* ---- metrics: numbers with names.  Those that a reload defines as they were keep their values.  Each
 * process sees the same number; nothing here waits or takes a lock. ---- */

/* As uWSGI numbers them. */
enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_ABSOLUTE, METRIC_ALIAS };
struct metric {
	const char *name, *oid; /* the OID of SNMP; "": none */
	enum metric_type type;
	bool collected; /* the server finds the value out: applications only read it */
	bool built_in;  /* no option has defined it: what it says stands in struct status, too */
	long long initial;
	const char *of; /* METRIC_ALIAS: the one whose value it shows; else "" */
	void *cell;     /* the core's */
};
/* Copied.  In define(). */
UWSGI_API void uwsgi_metrics_define(struct metrics *, const struct metric *);
/* NULL: there is none of that name.  Valid as long as the process. */
UWSGI_API const struct metric *uwsgi_metrics_find(const struct metrics *, struct slice name);
/* In the order of their definition; *i begins as 0.  NULL: there are no more. */
UWSGI_API const struct metric *uwsgi_metrics_next(const struct metrics *, size_t *i);
/* Of the configuration that a service was started with; NULL: there are none. */
UWSGI_API const struct metrics *uwsgi_status_metrics(const struct status *);

UWSGI_API long long uwsgi_metric_get(const struct metric *);
/* Returns the value before. */
UWSGI_API long long uwsgi_metric_set(const struct metric *, long long);
enum metric_change {
	METRIC_SET,
	METRIC_ADD,
	METRIC_MULTIPLY,
	METRIC_DIVIDE,
	METRIC_RAISE, /* to this, if it is less */
	METRIC_LOWER, /* to this, if it is more */
};
/* What is too large wraps around.  False: it cannot be divided by 0. */
UWSGI_API bool uwsgi_metric_change(const struct metric *, enum metric_change, long long by);

/* The server opens a plugin before it forks anything, and closes it never: it has no constructors.
 * Any of the parts may be NULL. */
struct plugin {
	unsigned abi;     /* UWSGI_ABI; any other value is refused by name and number */
	const char *name; /* not NULL; that of its file is NAME_plugin.so */
	const char *const
		*aliases; /* other names that `plugin=` may ask for it by, NULL-terminated */
	const struct option_table *options; /* NULL: none */
	const struct protocol *protocol;
	const struct app *app;
	const struct handler *handler;
	const struct gateway *gateway;
	const struct service *service;
};
extern UWSGI_API const struct plugin uwsgi_plugin;

/* ---- what a protocol says of a request ---- */

struct endpoint {
	struct slice address, port; /* text; a UNIX socket has its path and no port */
};
/* Valid for the connection's life.  A peer on a UNIX socket has an empty address. */
UWSGI_API const struct endpoint *uwsgi_request_peer(struct request *);
UWSGI_API const struct endpoint *uwsgi_request_local(struct request *);

/* Whether proxy-allow-ips lets the connection's peer speak for others. */
UWSGI_API bool uwsgi_request_trusts_proxy(const struct request *);
/* The variable REMOTE_ADDR is what this server has found, though the connection's peer is another. */
UWSGI_API void uwsgi_request_knows_client(struct request *);
/* Another process of this server had all of the request then, in microseconds since 1970: it has waited
 * since. */
UWSGI_API void uwsgi_request_taken(struct request *, int64_t at_us);

/* Bytes that live as long as the request, for what the protocol has to build (header names,
 * decoded paths).  NULL: no memory; the request is already marked as refused. */
UWSGI_API char *uwsgi_request_alloc(struct request *, size_t n);
/* Slices are borrowed until the request ends.  A later variable of the same name wins. */
UWSGI_API bool uwsgi_request_var(struct request *, struct slice name, struct slice value);
/* The length that the peer declared, before any of the body: false when limit-post forbids it
 * or no temporary file has room for it (already refused, with 413 or 507). */
UWSGI_API bool uwsgi_request_length(struct request *, int64_t declared);
/* Body bytes, copied; false: refused already (413, 507 when the disk is full, or 500). */
UWSGI_API bool uwsgi_request_body(struct request *, struct slice bytes);
/* The body came beside the head as a file of `length` bytes, which is its declared length, as this
 * server's router sends a large one.  False: it did not, and its bytes follow. */
UWSGI_API bool uwsgi_request_body_file(struct request *, int64_t length);
/* The first refusal wins; why is for the log, a constant string. */
UWSGI_API void uwsgi_request_reject(struct request *, int status, const char *why);

/* For a gateway: an address as options say it ("host:port", "/path", "@abstract") into a
 * struct sockaddr_storage.  NULL: it is only checked. */
UWSGI_API int uwsgi_address(const char *text, struct sockaddr *, size_t *length, struct error *);

/* Copied. */
UWSGI_API void uwsgi_sendbuf_bytes(struct sendbuf *, struct slice);
UWSGI_API void uwsgi_sendbuf_printf(struct sendbuf *, const char *fmt, ...) UWSGI_PRINTF(2, 3);
/* Lent: memory and file stay valid until sent; the core sees to that for pieces handed to
 * body(), and for parts of them. */
UWSGI_API void uwsgi_sendbuf_piece(struct sendbuf *, const struct piece *);
/* The same as a chunk (RFC 9112 section 7.1); of no bytes, which would end the body, nothing. */
UWSGI_API void uwsgi_sendbuf_chunk(struct sendbuf *, const struct piece *);

/* ---- what an application runner asks and says ---- */

struct var {
	struct slice name, value;
};
/* In the order they came; valid until the request ends. */
UWSGI_API const struct var *uwsgi_request_vars(const struct request *, size_t *count);
/* {NULL, 0} when there is none. */
UWSGI_API struct slice uwsgi_request_find(const struct request *, struct slice name);

/* Whether X-Forwarded-Proto and X-Forwarded-SSL, which say https, are to be believed: whether
 * forwarded-allow-ips has the client that the server knows, else the connection's peer.  If not, the
 * log says so, at most once a minute. */
UWSGI_API bool uwsgi_request_trusts_forwarded(const struct request *);

/* This request leaves no line in the log. */
UWSGI_API void uwsgi_request_keep_out_of_log(struct request *);

/* In handle(): the request has so many milliseconds more, or what harakiri leaves it, if that is less; 0:
 * harakiri alone counts.  Does nothing for an application that drives its lane. */
UWSGI_API void uwsgi_request_limit(struct request *, int64_t ms);

/* In handle(): another worker takes the place of this one, which ends what it runs.  why: for the log,
 * copied. */
UWSGI_API void uwsgi_request_replace_worker(const struct request *, const char *why);

/* What log-format may write as %(name); both are copied, and {NULL, 0} when there is none. */
UWSGI_API void uwsgi_request_set_logvar(struct request *, struct slice name, struct slice value);
UWSGI_API struct slice uwsgi_request_logvar(const struct request *, struct slice name);

/* The trace that the request belongs to, by its traceparent (W3C Trace Context): 32 hexadecimal digits, which
 * live as long as the request; {NULL, 0}: it has no valid one. */
UWSGI_API struct slice uwsgi_request_trace_id(const struct request *);

/* The whole body: in memory (fd < 0), or all of it in a file to pread() from 0. */
struct body_view {
	struct slice bytes;
	int fd;
	int64_t length;
};
UWSGI_API struct body_view uwsgi_request_body_view(const struct request *);
/* For an application that drives its lane.  Whether what the view shows is the last of the body.  If
 * not, it is a portion in memory (at most some 64 KiB), valid until more is asked for. */
UWSGI_API bool uwsgi_request_is_whole(const struct request *);
/* Asks for the next portion, which body() tells of: the connection is read no further than that.
 * Does nothing when the body is whole, or asked for already. */
UWSGI_API void uwsgi_request_read_on(struct request *);

/* A body block up to this size is copied (owner NULL); a larger one is lent with an owner. */
#define UWSGI_COPY_MAX 4096

/* Status line "200 OK" and headers are copied.  Starting again before anything was sent
 * replaces the head (PEP 3333, exc_info); false: the head is already sent. */
UWSGI_API bool uwsgi_response_start(struct response *, struct slice status_line);
UWSGI_API void uwsgi_response_header(struct response *, struct slice name, struct slice value);
UWSGI_API bool uwsgi_response_head_sent(const struct response *);
/* Queue a block of the body.  With owner NULL it is copied; otherwise it is lent and owner
 * comes back through release(), also when this returns false; it is aligned to 8 bytes, as what malloc()
 * gives.  False: the peer is gone. */
UWSGI_API bool uwsgi_response_body(struct response *, struct slice bytes, void *owner);
/* The same for a range of an open file; the fd must stay open until owner is released. */
UWSGI_API bool uwsgi_response_file(struct response *, int fd, int64_t at, int64_t length,
				   void *owner);
/* Give what is queued to the kernel now: called before the application is asked for more, so
 * that no block is held back.  Waits when the peer is far behind.  False: the peer is gone.
 * After the end of the response: before more work is done that the peer need not wait for;
 * then it does not wait. */
UWSGI_API bool uwsgi_response_flush(struct response *);
/* What was said of it and the peer has not been given yet, in bytes. */
UWSGI_API int64_t uwsgi_response_unsent(const struct response *);
/* Exactly one of these ends a response.  fail: 500 if nothing was sent, else cut it off; text
 * may say more than "Internal Server Error" to the client ({NULL, 0}: it does not). */
UWSGI_API void uwsgi_response_end(struct response *);
UWSGI_API void uwsgi_response_fail(struct response *, struct slice text);
/* The same with another status than 500. */
UWSGI_API void uwsgi_response_refuse(struct response *, int status, struct slice text);
/* "Not Found", of a status; "Error" for one that has no name here. */
UWSGI_API const char *uwsgi_reason(int status);

/* ---- what a handler does with a request and an answer ---- */

/* The one that HANDLED_LATER was said of, on the thread of its lane: before() is called soon, or
 * before this returns.  That its client has left meanwhile may show only when it is answered. */
UWSGI_API void uwsgi_request_go_on(struct request *);

/* Connections that nobody has accepted yet, on the socket that has most of them; asks the kernel. */
UWSGI_API long long uwsgi_lane_backlog(const struct handler_lane *);
/* 1.. */
UWSGI_API int uwsgi_lane_worker(const struct handler_lane *);
/* NULL: there are none. */
UWSGI_API const struct metrics *uwsgi_lane_metrics(const struct handler_lane *);
/* In before(): the application has so many seconds for this request, whatever harakiri says; 0: any time.
 * Does nothing for an application that drives its lane. */
UWSGI_API void uwsgi_lane_harakiri(const struct handler_lane *, long long seconds);

/* What a handler lends for an answer: release() is called when it is sent, on the lane's thread.  As
 * owner for uwsgi_response_body() and _file(), it is given as uwsgi_loan(&loan). */
struct loan {
	void (*release)(struct loan *);
};
/* Owners are pointers of the application's or, marked so, loans of handlers. */
static inline void *uwsgi_loan(struct loan *loan)
{
	return (void *)((uintptr_t)loan | 1);
}

/* In head(). */
UWSGI_API int uwsgi_response_status(const struct response *);
UWSGI_API void uwsgi_response_set_status(struct response *, struct slice status_line);
/* The first header of this name, in any case of letters; {NULL, 0}: there is none. */
UWSGI_API struct slice uwsgi_response_find(const struct response *, struct slice name);
/* In the place of all headers of this name; value {NULL, 0}: they go.  Of Content-Length nothing is
 * set but by _any_length() and _replace(). */
UWSGI_API void uwsgi_response_set(struct response *, struct slice name, struct slice value);
/* Behind those that are there. */
UWSGI_API void uwsgi_response_add(struct response *, struct slice name, struct slice value);
/* Whether it is the server's own, by uwsgi_response_fail() or _refuse(), and no application's. */
UWSGI_API bool uwsgi_response_is_refusal(const struct response *);
/* The body will have another length, which is not known yet: a filter changes it. */
UWSGI_API void uwsgi_response_any_length(struct response *);
/* This is the body instead of what comes from the application and the handlers behind; handlers before
 * see it.  owner as for uwsgi_response_body(); bytes without one live as long as the request, and are
 * no more than UWSGI_COPY_MAX. */
UWSGI_API void uwsgi_response_replace(struct response *, const struct piece *, void *owner);

/* In body(), flush() and end(): a piece that came, or a part of it; and bytes, which are copied. */
UWSGI_API void uwsgi_next_piece(struct next *, const struct piece *);
UWSGI_API void uwsgi_next_bytes(struct next *, struct slice);

/* For an application that drives its lane: what body(), drained() and gone() are called with. */
UWSGI_API void uwsgi_response_set_handled(struct response *, void *handled);
/* For a gateway or an application that drives its lane, after handle() has returned and instead of an
 * end: the client's connection becomes the caller's.  What the client has said behind its request is
 * copied to `unread`.  -1: not possible, the response must be ended. */
UWSGI_API int uwsgi_response_detach(struct response *, char *unread, size_t size, size_t *n);

#endif
