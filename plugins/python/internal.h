/* SPDX-License-Identifier: MIT */
/* internal.h: what the files of this plugin share.  All functions need the GIL unless they say
 * otherwise; those that can fail return NULL or -1 with a Python exception set, or with the
 * sentence in a struct error where they take one. */
#ifndef PYTHON_INTERNAL_H
#define PYTHON_INTERNAL_H

#include "compat.h"
#include "plugin.h"

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
	const char *module, *file, *callable, *home;
	struct option_list path;
	const char *arguments;
	long long optimize;
	bool catch_exceptions, no_file_wrapper, no_site;
};

/* The process's interpreter: filled by init and load, constant while requests run but for the
 * caches.  One per process, because a process has one main interpreter. */
struct python {
	const struct config *config;
	const struct python_settings *settings;
	const struct worker_info *info; /* the worker's; before the fork, the zygote's */
	PyObject *application;          /* NULL: none is loaded */
	PyObject *environ_template;     /* what every environ begins with */
	PyObject *module;               /* `uwsgi` */
	PyThreadState *main_state;      /* of the thread that has initialised it; lane 0's */
	bool frozen;                    /* gc.freeze() is done */
};
extern struct python python;

/* One for each lane. */
struct lane {
	PyThreadState *state;      /* while the lane does not run Python */
	PyObject *start_response;  /* used again when the application has not kept it */
	PyObject *input;
};

/* ---- interpreter.c ---- */

int interpreter_init(const struct config *, const struct worker_info *, struct error *);
void interpreter_fork_before(void);
void interpreter_fork_parent(void);
void interpreter_fork_child(void);
int interpreter_worker_start(const struct worker_info *, struct error *);
/* Without the GIL. */
int interpreter_lane_start(int index, void **lane, struct error *);
void interpreter_lane_stop(void *lane);
void interpreter_pause(void *lane);
void interpreter_resume(void *lane);
void interpreter_worker_stop(void);

/* ---- home.c ---- */

/* Checks that a virtualenv or prefix is for this Python, and sets what the interpreter has to
 * know of it. */
int home_configure(PyConfig *, const char *home, struct error *);

/* ---- loader.c ---- */

int loader_load(const struct config *, struct error *);

/* ---- failure.c ---- */

/* The exception that is set, with its traceback, to the log after the words "what METHOD URI"
 * (rq may be NULL); it is cleared.  SystemExit is no exception to that. */
void failure_log(const char *what, const struct request *rq);
/* The same, and keeps the traceback as a str (NULL: none could be made). */
PyObject *failure_log_and_keep(const char *what, const struct request *rq);
/* One line of the exception that is set, which is cleared, for a struct error. */
int failure_describe(struct error *, const char *what);

/* ---- environ.c ---- */

/* Makes the template; once in a worker. */
int environ_prepare(void);
/* A new dict for one request. */
PyObject *environ_new(const struct request *, PyObject *input);

/* ---- input.c ---- */

extern PyTypeObject input_type;
/* The wsgi.input of a request; previous is the lane's last one or NULL and is consumed. */
PyObject *input_new(const struct request *, PyObject *previous);
/* The request is over: reads give nothing from now on. */
void input_detach(PyObject *);

/* ---- start_response.c ---- */

extern PyTypeObject start_response_type;
PyObject *start_response_new(struct response *, PyObject *previous);
bool start_response_was_called(PyObject *);
void start_response_detach(PyObject *);
/* Sends one block of a body: any bytes-like object.  1: go on, 0: the peer is gone, -1: an
 * exception is set. */
int body_send(struct response *, PyObject *block);

/* ---- file_wrapper.c ---- */

extern PyTypeObject file_wrapper_type;
/* 1: the wrapper's file was handed to the response, which closes it when it is sent; 0: it has
 * to be iterated; -1: an exception is set. */
int file_wrapper_send(struct response *, PyObject *wrapper);

/* ---- wsgi.c ---- */

/* Without the GIL. */
void wsgi_handle(void *lane, struct request *, struct response *);
void wsgi_release(void *lane, void *const *owners, size_t count);

/* ---- module.c ---- */

/* For PyImport_AppendInittab(); not exported. */
PyObject *module_init(void);
/* Sets what is only known in a worker, then calls the application's post_fork_hook. */
int module_worker_start(void);
/* Calls the application's uwsgi.atexit. */
void module_at_exit(void);

#endif
