/* SPDX-License-Identifier: MIT */
/* internal.h: what the files of this plugin share.  All functions need the GIL unless they say
 * otherwise; those that can fail return NULL or -1 with a Python exception set, or with the
 * sentence in a struct error where they take one. */
#ifndef PYTHON_INTERNAL_H
#define PYTHON_INTERNAL_H

#include "compat.h"
#include <uwsgi/plugin.h>

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
/* "3.11" */
#define TEXT_VERSION TEXT(PY_MAJOR_VERSION) "." TEXT(PY_MINOR_VERSION)

/* Applications and monitoring agents compare this with uWSGI's versions to know how it behaves:
 * background threads run and fork hooks are called, as since 2.0.30. */
#define BEHAVES_AS "2.0.30"

/* ---- python.c: options ---- */

extern const struct option_table python_options;

struct python_settings {
	const char *module, *file, *code, *callable, *home, *paste, *paste_name;
	struct option_list reload_types, reload_values, reload_reprs;
	struct option_list path, mounts, imports, shared_imports, autoreload_ignored;
	const char *arguments;
	long long optimize, write_tolerance, autoreload_s;
	bool reload_on_exception;
	bool skip_atexit, manage_script_name, no_default_app, paste_logger, vhost, vhost_host;
	bool catch_exceptions, no_file_wrapper, no_site, no_write_exception, write_exception_only;
};

/* ---- interpreter.c ---- */

/* Strings that requests need, made once. */
struct names {
	PyObject *input, *url_scheme, *https, *close, *read, *script_name, *path_info, *trace_id;
};

/* The types of this plugin's objects, made once. */
struct types {
	PyTypeObject *input, *start_response, *file_wrapper;
};

struct key_cache; /* key_cache.c */
struct shapes;    /* shape.c */

/* An application, and the host and the path for which it answers. */
struct mount {
	struct slice host; /* with vhost; "": for all */
	struct slice path; /* without its last slash: "" for all */
	PyObject *application;
};

/* The process's interpreter.  There is one, because extension modules of many kinds work in the
 * main interpreter only.  Constant while lanes run, but for the cache. */
struct python {
	const struct config *config;
	const struct python_settings *settings;
	const struct worker_info *info; /* the worker's; before the fork, the zygote's */
	time_t started;
	PyObject *application; /* the one for requests that no mount has; NULL: none */
	struct mount *mounts;
	size_t mount_count;
	PyThreadState *main_state; /* of the thread that initialised it, which is lane 0's */
	struct key_cache *keys;
	struct names names;
	struct types types;
	bool frozen; /* gc.freeze() is done */
	char folder[PATH_MAX]; /* that is in sys.path as the current one */
};

/* For who is called by Python or by the server without anything that leads to it. */
const struct python *interpreter(void);

/* What a lane owns; its thread has a thread state of its own. */
struct lane {
	const struct python *python;
	int index;
	PyThreadState *thread; /* its own, for good */
	/* The same while the lane does not run Python, else NULL.  Others may read it, if only to
	 * see how many do. */
	_Atomic(PyThreadState *) state;
	struct request *rq;       /* the one that runs, or NULL */
	PyObject *template;       /* what every environ begins with */
	struct shapes *shapes;    /* shape.c */
	PyObject *start_response; /* used again when the application has not kept it */
	PyObject *input;          /* the same */
	PyObject *seen; /* autoreload.c: when modules' files were changed; NULL: not yet */
	/* crash.c */
	void *crash_stack;
	pthread_t self;
	struct lane *next; /* of this process */
};

/* The lane takes the GIL before it runs Python, and gives it back. */
void lane_enter(struct lane *);
void lane_leave(struct lane *);

/* The functions of struct app: see plugin.h.  Those for lanes come without the GIL. */
int interpreter_init(const struct config *, const struct worker_info *, struct error *);
int interpreter_load(const struct config *, struct error *);
void interpreter_fork_before(void);
void interpreter_fork_parent(void);
void interpreter_fork_child(const struct worker_info *);
int interpreter_worker_start(struct error *);
int interpreter_lane_start(int index, void **lane, struct error *);
void interpreter_lane_stop(void *lane);
void interpreter_pause(void *lane);
void interpreter_resume(void *lane);
void interpreter_worker_stop(long long mercy_ms);

/* The last Python that a worker runs: atexit handlers, then what is left in sys.stdout and
 * sys.stderr is written. */
void interpreter_end(void);
/* Calls a module's function that takes no arguments. */
int interpreter_call(const char *module, const char *function);
/* Writes what is left in sys.stdout and sys.stderr. */
void interpreter_flush(void);

/* ---- background.c ---- */

/* Waits for non-daemon threads and executors.  Shortly before mercy_ms have passed it gives up: the
 * log names the threads, atexit handlers run, and the process exits. */
void background_finish(long long mercy_ms);

/* ---- stray.c ---- */

/* Ends this process if the application has forked it, with the exit code of the exception that is
 * set, or 0.  Called wherever the application gives control back. */
void stray_leave(void);

/* ---- workers.c ---- */

/* uwsgi.workers(), uwsgi.total_requests() and uwsgi.logsize(). */
PyObject *workers_all(PyObject *module, PyObject *unused);
PyObject *workers_total_requests(PyObject *module, PyObject *unused);
PyObject *workers_log_size(PyObject *module, PyObject *unused);

/* ---- metrics.c ---- */

/* uwsgi.metric_get() and so on. */
PyObject *metrics_get(PyObject *module, PyObject *name);
PyObject *metrics_set(PyObject *module, PyObject *arguments);
PyObject *metrics_inc(PyObject *module, PyObject *arguments);
PyObject *metrics_dec(PyObject *module, PyObject *arguments);
PyObject *metrics_mul(PyObject *module, PyObject *arguments);
PyObject *metrics_div(PyObject *module, PyObject *arguments);
PyObject *metrics_set_max(PyObject *module, PyObject *arguments);
PyObject *metrics_set_min(PyObject *module, PyObject *arguments);

/* ---- crash.c ---- */

/* From now on this process and those that it forks say what they die of.  Needs faulthandler to be
 * on, whose handlers come next. */
void crash_watch(void);
/* Who this process is. */
void crash_set_process(const struct worker_info *);
/* A lane of the calling thread: its request is named, and it has a stack to tell a crash on when
 * its own has overflowed. */
void crash_watch_lane(struct lane *);
void crash_forget_lane(struct lane *);
/* The first lane of this process; with the GIL, they stay as long as it is held. */
const struct lane *crash_lanes(void);

/* ---- examine.c ---- */

/* Of struct app: without the GIL. */
void examine_run(const struct order *, int fd);

/* Text that grows; what there is no room for is left out. */
struct text {
	char *p;
	size_t n, room;
};
void text_put(struct text *, struct slice);
/* Escaped, and cut where it is very long. */
void text_put_field(struct text *, struct slice);
/* An attribute of a code object; the exception that is set afterwards is none. */
void text_put_attribute(struct text *, PyObject *code, const char *name);
/* Sends it to whoever reads, and empties it; without the GIL.  False: nobody does, or too slowly. */
bool text_send(struct text *, int fd);

/* ---- where.c ---- */

/* In a worker whose requests may have deadlines: from now on where_write() can tell. */
void where_prepare(void);
/* Of struct app; without the GIL. */
size_t where_write(void *lane, char *text, size_t size);

/* ---- stacks.c ---- */

/* Of all threads, as uwsgi_order() tells it. */
void stacks_write(struct text *);

/* ---- folded.c ---- */

/* Which stacks were seen, and how often, in bounded memory. */
struct folded;
struct folded *folded_new(void); /* NULL: no memory */
void folded_free(struct folded *);
/* The stack of a lane that runs a request was seen `times`. */
void folded_add(struct folded *, const struct lane *, unsigned times);
/* The lines of the next stacks, until it is much; false: those were the last. */
bool folded_write_some(struct folded *, struct text *);

/* ---- profile.c ---- */

/* Looks at lanes until the time is over or fd gets readable.  Comes and returns with the GIL. */
void profile_run(struct folded *, const struct order *, int fd);

/* ---- interval.c ---- */

/* How soon a thread that waits for the GIL makes the one that runs give it up: as short as a profile
 * wants it, and as it was before. */
void interval_set(double seconds);
void interval_restore(void);

/* ---- signals.c ---- */

/* What signal.getsignal() says from now on. */
void signals_tell(void);
/* Where the application has put back what it was told, the server's handler is set again.  In the
 * process where signals_tell() was called, or a fork that handles its signals alike. */
void signals_take_back(void);
/* The same before the last Python that a worker runs: signals do not interrupt it. */
void signals_end(void);

/* ---- start.c ---- */

/* Afterwards this thread has the GIL. */
int start_python(const struct python_settings *, char folder[PATH_MAX], struct error *);
/* Hooks may have gone to another folder since: it comes before that one in sys.path.  Returns -1 with the
 * reason. */
int start_follow_folder(char folder[PATH_MAX], struct error *);

/* ---- home.c ---- */

/* The virtualenv or prefix to use: what is configured, or else the virtualenv that this program lies in,
 * whose path is written to own.  NULL: none of them, or PYTHONHOME decides. */
const char *home_of(const struct python_settings *, char *own, size_t size);
/* Checks that a virtualenv or prefix is for this Python, and sets what the interpreter has to
 * know of it. */
int home_configure(PyConfig *, const char *home, struct error *);
/* The first half: only checks. */
int home_check(const char *home, struct error *);
/* The same for what Python takes from the environment variable PYTHONHOME. */
int home_check_environment(struct error *);

/* ---- check.c ---- */

/* Of struct option_table; without an interpreter. */
void check_settings(const struct config *, struct report *);
/* Whether the configuration names a Python application. */
bool check_wants(const struct config *);

/* ---- advice.c ---- */

/* "; did you mean "x"?" or "; it has "x", "y"", of what could be an application; "" for none. */
void advice_names(PyObject *module, const char *wanted, char *text, size_t size);
/* Logs where the module was looked for in vain, and what of that cannot be read. */
void advice_where(const char *source, bool is_module);

/* ---- loader.c ---- */

/* Where an application is looked for: the first of these that is set. */
struct source {
	const char *module, *file, *code, *paste;
	const char *callable;   /* NULL: the usual names */
	const char *paste_name; /* NULL: "main" */
	bool paste_logger;
};
/* The application, a new reference; on failure the traceback is logged. */
PyObject *loader_load(const struct source *, struct error *);
/* Imports modules and files by the way; one that fails is logged. */
void loader_import(const struct option_list *);

/* ---- paste.c ---- */

/* What paste.deploy makes of the source's URI; NULL with an exception. */
PyObject *paste_load(const struct source *);

/* ---- mount.c ---- */

/* "/path=module:callable" and "/path=file.py" of the settings, loaded. */
int mount_load(struct python *, struct error *);
/* The application for a request; NULL: none is for it.  *mount is the one whose path has to
 * become SCRIPT_NAME, or NULL. */
PyObject *mount_find(const struct python *, const struct request *, const struct mount **);
/* Moves the mount's path from PATH_INFO to SCRIPT_NAME. */
int mount_split_path(const struct python *, const struct mount *, const struct request *,
		     PyObject *env);
/* Whether an option's value is well formed. */
int mount_valid(const char *, struct error *);

/* ---- autoreload.c ---- */

/* The name of a module whose file has changed since the call before, in the caller's buffer;
 * false: none has.  Without the GIL. */
bool autoreload_changed(void *lane, char *name, size_t);
/* Seconds between two looks; 0: none are wanted. */
long long autoreload_interval_s(const struct config *);

/* ---- failure.c ---- */

/* The exception that is set, with its traceback, to the log after the words "what METHOD URI"
 * (rq may be NULL); it is cleared.  SystemExit is no exception to that. */
void failure_log(const char *what, const struct request *rq);
/* The same, and keeps the traceback as bytes in UTF-8 (NULL: none could be made). */
PyObject *failure_log_and_keep(const char *what, const struct request *rq);
/* The same to the log, and one line of it into the struct error.  Always -1. */
int failure_report(struct error *, const char *what);

/* ---- costly.c ---- */

/* The application has not caught this exception: whether that costs its worker (reload-on-exception). */
void costly_judge(PyObject *exception, const struct request *);

/* ---- key_cache.c ---- */

/* NULL: an exception, or no memory. */
struct key_cache *key_cache_new(void);
/* dict[name] = value, but for what environ_drops(). */
int key_cache_set(struct key_cache *, PyObject *dict, const struct var *);
/* A name that the cache has, and its last short value or NULL; both are of one byte a character. */
struct kept {
	PyObject *name, *value;
};
/* NULL: it does not have this name.  What it has may be replaced as soon as Python runs. */
const struct kept *key_cache_find(struct key_cache *, struct slice name);
/* Whether a string of one byte a character is this. */
static inline bool latin1_is(PyObject *text, struct slice s)
{
	return (size_t)PyUnicode_GET_LENGTH(text) == s.n &&
	       (s.n == 0 || !memcmp(PyUnicode_1BYTE_DATA(text), s.p, s.n));
}
/* dict[name] = value, whose reference is consumed; where either is NULL, the exception is kept. */
int put_new(PyObject *dict, PyObject *name, PyObject *value);

/* ---- environ.c ---- */

/* Whether the application does not get to see a variable of this name. */
bool environ_drops(struct slice name);
/* What is the same in all requests of a lane. */
PyObject *environ_template_new(const struct python *, int lane);
/* A new dict for one request. */
PyObject *environ_new(const struct lane *, const struct request *);
/* Whether more than the variable itself can follow from one of this name: that the URL's scheme is https, or
 * a trace. */
bool environ_is_telling(struct slice name);

/* ---- shape.c ---- */

/* A new dict for a request with these variables, complete but for wsgi.input; *plain: and none of them is
 * telling.  NULL without an exception: it is to be made by hand. */
PyObject *shape_environ(const struct lane *, const struct var *, size_t count, bool *plain);
/* NULL: no memory; then all are made by hand. */
struct shapes *shapes_new(void);
void shapes_free(struct shapes *);

/* ---- input.c ---- */

PyTypeObject *input_type_new(void);
/* The wsgi.input of a request; previous is the lane's last one or NULL and is consumed. */
PyObject *input_new(PyTypeObject *, const struct request *, PyObject *previous);
/* The request is over: reads give nothing from now on. */
void input_detach(PyObject *);
/* The next bytes, not more than a buffer holds; b"" at the end. */
PyObject *input_block(PyObject *);

/* ---- start_response.c ---- */

PyTypeObject *start_response_type_new(void);
/* previous: the lane's last one or NULL; it is consumed. */
PyObject *start_response_new(const struct lane *, struct response *, PyObject *previous);
/* Gives back the lane's; NULL: it has none. */
void start_response_drop(PyObject *);
bool start_response_was_called(PyObject *);
/* One more block was for a client that is gone: whether the application may go on. */
bool start_response_tolerates(PyObject *);
/* write() has raised BrokenPipeError because there is nobody to write to. */
bool start_response_peer_is_gone(PyObject *);
/* The response is about to end: later calls, also of write(), raise. */
void start_response_detach(PyObject *);

/* ---- block.c ---- */

/* Sends one block of a body: any bytes-like object; *size is its length.  1: go on, 0: the peer is
 * gone, -1: an exception is set. */
int block_send(struct response *, PyObject *block, Py_ssize_t *size);

/* ---- file_wrapper.c ---- */

PyTypeObject *file_wrapper_type_new(void);
/* 1: the wrapper's file was lent to the response, with the wrapper as its owner; 0: it has to
 * be iterated; -1: an exception is set. */
int file_wrapper_send(struct response *, PyObject *wrapper);

/* ---- wsgi.c ---- */

/* Of struct app; without the GIL, release with or without. */
void wsgi_handle(void *lane, struct request *, struct response *);
void wsgi_release(void *lane, void *const *owners, size_t count);

/* ---- running.c ---- */

/* Around the application's run, on the lane's thread; its rq and input are the request's. */
void running_begin(const struct lane *);
void running_end(void);
/* uwsgi.set_logvar(name, value), get_logvar(name), set_user_harakiri(seconds),
 * chunked_read([timeout]), chunked_read_nb(). */
PyObject *running_set_logvar(PyObject *self, PyObject *arguments);
PyObject *running_get_logvar(PyObject *self, PyObject *arguments);
PyObject *running_set_user_harakiri(PyObject *self, PyObject *seconds);
PyObject *running_chunked_read(PyObject *self, PyObject *arguments);
PyObject *running_chunked_read_nb(PyObject *self, PyObject *unused);

/* ---- module.c ---- */

/* `import uwsgi`, as PyImport_AppendInittab() wants it. */
PyObject *module_new(void);
/* In a worker: says which application there is, then calls the application's post_fork_hook. */
void module_worker_start(const struct python *);
/* Calls the application's uwsgi.atexit. */
void module_at_exit(void);

/* ---- decorators.c ---- */

/* `import uwsgidecorators`, as PyImport_AppendInittab() wants it. */
PyObject *decorators_new(void);

#endif
