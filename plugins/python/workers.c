/* SPDX-License-Identifier: MIT */
/* workers.c: uwsgi.workers(), total_requests() and logsize(), with the names and units of uWSGI, so that
 * pages and exporters made for it show the same.  What a worker does is read from memory that all
 * share: no worker is asked. */
#include "internal.h"

#include <sys/stat.h>
#include <unistd.h>

/* Takes the value's reference; -1 with an exception. */
static int put(PyObject *dict, const char *name, PyObject *value)
{
	int failed = !value || PyDict_SetItemString(dict, name, value);

	Py_XDECREF(value);
	return failed ? -1 : 0;
}

static bool is_busy(const struct status *status, const struct worker_status *w)
{
	struct lane_status lane;

	for (size_t i = 0; uwsgi_status_next(status, &i, &lane);)
		if (lane.pid == w->pid && lane.busy)
			return true;
	return false;
}

/* bytes, as uWSGI has it. */
static PyObject *state_of(const struct status *status, const struct worker_status *w)
{
	return PyBytes_FromString(!w->pid ? "cheap" : is_busy(status, w) ? "busy" : "idle");
}

static PyObject *number(unsigned long long value)
{
	return PyLong_FromUnsignedLongLong(value);
}

/* There is one application; its answers are all of the worker's. */
static PyObject *apps_of(const struct worker_status *w)
{
	return Py_BuildValue("({s:i,s:i,s:y,s:K,s:K,s:y})", "id", 0, "modifier1", 0, "mountpoint",
			     "", "requests", w->requests, "exceptions", w->failed, "chdir", "");
}

static PyObject *one(const struct status *status, const struct worker_status *w)
{
	PyObject *d = PyDict_New();

	if (d &&
	    (put(d, "id", PyLong_FromLong(w->worker)) || put(d, "pid", PyLong_FromLong(w->pid)) ||
	     put(d, "requests", number(w->requests)) ||
	     put(d, "delta_requests", number(w->own_requests)) ||
	     put(d, "exceptions", number(w->failed)) || put(d, "signals", PyLong_FromLong(0)) ||
	     put(d, "status", state_of(status, w)) || put(d, "rss", number(w->resident)) ||
	     put(d, "vsz", number(w->address_space)) ||
	     put(d, "running_time", number(w->running_us)) ||
	     put(d, "last_spawn", PyLong_FromLongLong(w->since)) ||
	     put(d, "respawn_count", number(w->spawns)) || put(d, "tx", number(w->sent)) ||
	     put(d, "avg_rt", number(w->average_us)) || put(d, "apps", apps_of(w))))
		Py_CLEAR(d);
	return d;
}

PyObject *workers_all(PyObject *module, PyObject *unused)
{
	const struct status *status = interpreter()->info->status;
	PyObject *all = PyList_New(0), *as_tuple;
	struct worker_status w;
	size_t i = 0;

	(void)module;
	(void)unused;
	while (all && status && uwsgi_status_next_worker(status, &i, &w)) {
		PyObject *each = one(status, &w);

		if (!each || PyList_Append(all, each))
			Py_CLEAR(all);
		Py_XDECREF(each);
	}
	as_tuple = all ? PyList_AsTuple(all) : NULL;
	Py_XDECREF(all);
	return as_tuple;
}

PyObject *workers_total_requests(PyObject *module, PyObject *unused)
{
	const struct status *status = interpreter()->info->status;
	struct server_status server;

	(void)module;
	(void)unused;
	if (!status)
		return PyLong_FromLong(0);
	uwsgi_status_server(status, &server);
	return number(uwsgi_counts_requests(&server.counts));
}

/* As with uWSGI, 0 where a master or another program writes the log. */
PyObject *workers_log_size(PyObject *module, PyObject *unused)
{
	struct stat st;

	(void)module;
	(void)unused;
	return PyLong_FromLongLong(
		!fstat(STDERR_FILENO, &st) && S_ISREG(st.st_mode) ? (long long)st.st_size : 0);
}
