/* SPDX-License-Identifier: MIT */
/* background.c: the application's threads at the end of a worker.  Before it exits, Python waits for
 * non-daemon threads and for the jobs of executors (threading._shutdown()); so does a worker, but no
 * longer than the master lets it. */
#include "internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is left of the mercy for atexit handlers: half of it, at most this. */
enum { REST_MS = 1000 };

struct watch {
	long long wait_ms;
	struct timespec until;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done; /* with the lock; set with the GIL, too */
	bool late; /* with the GIL */
};

/* Not started by Python, which does not wait for it: a lane's. */
static bool is_foreign(PyObject *thread)
{
	return strcmp(Py_TYPE(thread)->tp_name, "_DummyThread") == 0;
}

/* "a, b": the threads that Python waits for; NULL, with an exception. */
static PyObject *unfinished(void)
{
	PyObject *module = PyImport_ImportModule("threading");
	PyObject *all = module ? PyObject_CallMethod(module, "enumerate", NULL) : NULL;
	PyObject *main = all ? PyObject_CallMethod(module, "main_thread", NULL) : NULL;
	PyObject *names = main ? PyList_New(0) : NULL, *comma, *text = NULL;

	for (Py_ssize_t i = 0; names && i < PyList_GET_SIZE(all); i++) {
		PyObject *thread = PyList_GET_ITEM(all, i);
		PyObject *daemon = PyObject_GetAttrString(thread, "daemon");
		PyObject *name = PyObject_GetAttrString(thread, "name");

		if (!daemon || !name ||
		    (thread != main && daemon == Py_False && !is_foreign(thread) &&
		     PyList_Append(names, name)))
			Py_CLEAR(names);
		Py_XDECREF(daemon);
		Py_XDECREF(name);
	}
	comma = names ? PyUnicode_FromString(", ") : NULL;
	if (comma)
		text = PyUnicode_Join(comma, names);
	Py_XDECREF(comma);
	Py_XDECREF(names);
	Py_XDECREF(main);
	Py_XDECREF(all);
	Py_XDECREF(module);
	return text;
}

static void report(const struct watch *w)
{
	PyObject *names = unfinished();
	const char *text = names ? PyUnicode_AsUTF8(names) : NULL;

	uwsgi_log(UWSGI_WARNING,
		  "worker %d ends although threads still run after %.1f s (reload-mercy, "
		  "worker-reload-mercy): %.400s",
		  interpreter()->info->id, (double)w->wait_ms / 1000,
		  text ? text : "their names cannot be told");
	Py_XDECREF(names);
	PyErr_Clear();
}

/* False: time is up. */
static bool wait_done(struct watch *w)
{
	int failed = 0;

	pthread_mutex_lock(&w->lock);
	while (!w->done && !failed)
		failed = pthread_cond_timedwait(&w->changed, &w->lock, &w->until);
	bool done = w->done;
	pthread_mutex_unlock(&w->lock);
	return done;
}

/* The main thread waits and cannot be interrupted.  When time is up, this thread ends the worker in
 * its place. */
static void *watch(void *argument)
{
	struct watch *w = argument;

	if (wait_done(w))
		return NULL;
	PyGILState_STATE state = PyGILState_Ensure();
	if (w->done) {
		PyGILState_Release(state);
		return NULL;
	}
	w->late = true;
	report(w);
	interpreter_end();
	_exit(EXIT_SUCCESS);
}

static void set_until(struct watch *w, long long mercy_ms)
{
	long long rest_ms = mercy_ms / 2 < REST_MS ? mercy_ms / 2 : REST_MS;

	w->wait_ms = mercy_ms - rest_ms;
	clock_gettime(CLOCK_MONOTONIC, &w->until);
	w->until.tv_sec += w->wait_ms / 1000;
	w->until.tv_nsec += w->wait_ms % 1000 * 1000000;
	if (w->until.tv_nsec >= 1000000000) {
		w->until.tv_nsec -= 1000000000;
		w->until.tv_sec++;
	}
}

/* With the GIL. */
static void say_done(struct watch *w)
{
	pthread_mutex_lock(&w->lock);
	w->done = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

/* Somebody else ends the process. */
static _Noreturn void yield_for_ever(void)
{
	PyEval_SaveThread();
	for (;;)
		pause();
}

void background_finish(long long mercy_ms)
{
	struct watch w = { .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_condattr_t monotonic;
	pthread_t watcher;

	set_until(&w, mercy_ms);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w.changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	/* Without it the master ends the wait. */
	bool watched = pthread_create(&watcher, NULL, watch, &w) == 0;

	if (interpreter_call("threading", "_shutdown"))
		failure_log("threading._shutdown", NULL);
	if (w.late)
		yield_for_ever();
	say_done(&w);
	Py_BEGIN_ALLOW_THREADS;
	if (watched)
		pthread_join(watcher, NULL);
	Py_END_ALLOW_THREADS;
	pthread_cond_destroy(&w.changed);
}
