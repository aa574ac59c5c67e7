/* SPDX-License-Identifier: MIT */
/* module.c: `import uwsgi` inside the application.  Only what is real is there: a function that
 * this server does not have is an AttributeError, never a pretence. */
#include "internal.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static PyObject *worker_id(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	return PyLong_FromLong(interpreter()->info->id);
}

static PyObject *masterpid(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	return PyLong_FromLong((long)interpreter()->info->master);
}

static PyObject *signal_master(int number)
{
	if (kill(interpreter()->info->master, number))
		return PyErr_SetFromErrno(PyExc_OSError);
	Py_RETURN_TRUE;
}

static PyObject *reload(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	return signal_master(SIGHUP);
}

static PyObject *stop(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	return signal_master(SIGTERM);
}

static PyObject *log_line(PyObject *self, PyObject *line)
{
	Py_ssize_t n;
	const char *text;

	(void)self;
	if (PyBytes_Check(line)) {
		text = PyBytes_AS_STRING(line);
		n = PyBytes_GET_SIZE(line);
	} else {
		text = PyUnicode_AsUTF8AndSize(line, &n);
	}
	if (!text)
		return NULL;
	uwsgi_log(UWSGI_NOTE, "%.*s", (int)n, text);
	Py_RETURN_TRUE;
}

/* As with uWSGI, one that there is not is no error; the log says it. */
static PyObject *alarm_raise(PyObject *self, PyObject *arguments)
{
	const char *name, *text;
	Py_ssize_t name_n, text_n;

	(void)self;
	if (!PyArg_ParseTuple(arguments, "s#s#:alarm", &name, &name_n, &text, &text_n))
		return NULL;
	uwsgi_alarm((struct slice){ name, (size_t)name_n },
		    (struct slice){ text, (size_t)text_n });
	Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
	{ "worker_id", worker_id, METH_NOARGS,
	  "1 to numproc; 0 while the application is imported" },
	{ "masterpid", masterpid, METH_NOARGS, "the pid of the master" },
	{ "reload", reload, METH_NOARGS, "ask the master for a graceful reload" },
	{ "stop", stop, METH_NOARGS, "ask the master to stop" },
	{ "log", log_line, METH_O, "write one line to the server's log" },
	{ "alarm", alarm_raise, METH_VARARGS, "raise the alarm of this name with a text" },
	{ "set_logvar", running_set_logvar, METH_VARARGS,
	  "say what %(name) of log-format is for this request" },
	{ "set_user_harakiri", running_set_user_harakiri, METH_O,
	  "give this request up after so many seconds; 0: as harakiri has it" },
	{ "get_logvar", running_get_logvar, METH_VARARGS, "what set_logvar() has said, or None" },
	{ "workers", workers_all, METH_NOARGS, "what each worker has done, a dict each" },
	{ "total_requests", workers_total_requests, METH_NOARGS,
	  "requests that the server has answered" },
	{ "logsize", workers_log_size, METH_NOARGS,
	  "bytes of the file that is standard error; 0: it is none" },
	{ "metric_get", metrics_get, METH_O, "the value of a metric; 0 if there is none" },
	{ "metric_set", metrics_set, METH_VARARGS, "set a metric" },
	{ "metric_inc", metrics_inc, METH_VARARGS, "add to a metric, 1 if nothing is said" },
	{ "metric_dec", metrics_dec, METH_VARARGS, "take from a metric, 1 if nothing is said" },
	{ "metric_mul", metrics_mul, METH_VARARGS, "multiply a metric" },
	{ "metric_div", metrics_div, METH_VARARGS, "divide a metric; by 0: nothing happens" },
	{ "metric_set_max", metrics_set_max, METH_VARARGS, "set a metric, if this is more" },
	{ "metric_set_min", metrics_set_min, METH_VARARGS, "set a metric, if this is less" },
	{ "chunked_read", running_chunked_read, METH_VARARGS,
	  "the next block of the request's body, b\"\" at its end" },
	{ "chunked_read_nb", running_chunked_read_nb, METH_NOARGS, "as chunked_read()" },
	{ NULL, NULL, 0, NULL },
};

static int add(PyObject *module, const char *name, PyObject *value)
{
	int failed = !value || PyObject_SetAttrString(module, name, value);

	Py_XDECREF(value);
	return failed;
}

static int add_option(PyObject *options, const char *name, const char *value)
{
	PyObject *key = PyUnicode_DecodeUTF8(name, (Py_ssize_t)strlen(name), "surrogateescape");
	PyObject *bytes = PyBytes_FromString(value);
	int failed = !key || !bytes || PyDict_SetItem(options, key, bytes);

	Py_XDECREF(key);
	Py_XDECREF(bytes);
	return failed;
}

/* str keys, bytes values, the last of several: what uWSGI gives on Python 3.  Monitoring agents
 * look whether some are set; those are always on here, whatever the configuration says. */
static PyObject *make_options(const struct config *cfg)
{
	static const char *const always[] = { "master", "enable-threads", "single-interpreter",
					      "py-call-osafterfork", "py-call-uwsgi-fork-hooks" };
	PyObject *options = PyDict_New();
	const char *name, *value;
	int failed = !options;

	for (size_t i = 0; !failed && uwsgi_config_next(cfg, &i, &name, &value);)
		failed = add_option(options, name, value);
	for (size_t i = 0; !failed && i < sizeof always / sizeof *always; i++)
		failed = add_option(options, always[i], "true");
	if (failed)
		Py_CLEAR(options);
	return options;
}

static PyObject *make_version_info(void)
{
	int major, minor, patch;

	if (sscanf(BEHAVES_AS, "%d.%d.%d", &major, &minor, &patch) != 3)
		return NULL;
	return Py_BuildValue("(iiiiy)", major, minor, patch, 0, "");
}

static PyObject *buffer_size(const struct config *cfg)
{
	const long long *size = uwsgi_config_setting(cfg, "buffer-size");

	return PyLong_FromLongLong(size ? *size : 0);
}

static int fill(PyObject *m)
{
	const struct python *py = interpreter();
	const struct worker_info *info = py->info;
	char host[256] = "";

	gethostname(host, sizeof host - 1);
	return add(m, "version", PyBytes_FromString(BEHAVES_AS)) ||
			       add(m, "version_info", make_version_info()) ||
			       add(m, "hostname", PyBytes_FromString(host)) ||
			       add(m, "opt", make_options(py->config)) ||
			       add(m, "numproc", PyLong_FromLong(info->processes)) ||
			       add(m, "cores", PyLong_FromLong(info->threads)) ||
			       add(m, "has_threads", PyLong_FromLong(1)) ||
			       add(m, "started_on", PyLong_FromLong((long)py->started)) ||
			       add(m, "is_a_reload", PyBool_FromLong(info->reloaded)) ||
			       add(m, "loop", Py_BuildValue("")) ||
			       add(m, "buffer_size", buffer_size(py->config)) ||
			       add(m, "unbit", PyBool_FromLong(0)) ||
			       add(m, "applications", PyDict_New())
		       ? -1
		       : 0;
}

static PyModuleDef_Slot slots[] = { { Py_mod_exec, fill }, COMPAT_MODULE_SLOTS{ 0, NULL } };

PyObject *module_new(void)
{
	static struct PyModuleDef definition = {
		PyModuleDef_HEAD_INIT,
		.m_name = "uwsgi",
		.m_doc = "The server that runs this application.",
		.m_methods = methods,
		.m_slots = slots,
	};

	return PyModuleDef_Init(&definition);
}

/* ---- what the application sets ---- */

/* A new reference to an attribute of the module; NULL, and no exception, when the application
 * has not imported the module or not set the attribute. */
static PyObject *get(const char *name)
{
	PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), "uwsgi"); /* borrowed */
	PyObject *value = module ? PyObject_GetAttrString(module, name) : NULL;

	if (!value)
		PyErr_Clear();
	return value;
}

static void call_hook(const char *name)
{
	PyObject *hook = get(name);
	PyObject *result = hook ? PyObject_CallNoArgs(hook) : NULL;
	char what[64];

	snprintf(what, sizeof what, "exception in uwsgi.%s", name);
	if (hook && !result)
		failure_log(what, NULL);
	Py_XDECREF(result);
	Py_XDECREF(hook);
}

void module_worker_start(const struct python *py)
{
	PyObject *applications = py->application ? get("applications") : NULL;

	if (applications && PyDict_Check(applications) &&
	    PyDict_SetItemString(applications, "", py->application))
		PyErr_Clear();
	Py_XDECREF(applications);
	call_hook("post_fork_hook");
}

void module_at_exit(void)
{
	call_hook("atexit");
}
