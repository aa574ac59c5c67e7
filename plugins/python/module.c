/* SPDX-License-Identifier: MIT */
/* module.c: `import uwsgi` inside the application.  Only what is real is there: a function that
 * this server does not have is an AttributeError, never a pretence. */
#include "internal.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static PyObject *worker_id(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	return PyLong_FromLong(python.info->id);
}

static PyObject *masterpid(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	return PyLong_FromLong((long)python.info->master);
}

static PyObject *signal_master(int number)
{
	if (kill(python.info->master, number))
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

static PyMethodDef methods[] = {
	{ "worker_id", worker_id, METH_NOARGS, "1 to numproc; 0 while the application is imported" },
	{ "masterpid", masterpid, METH_NOARGS, "the pid of the master" },
	{ "reload", reload, METH_NOARGS, "ask the master for a graceful reload" },
	{ "stop", stop, METH_NOARGS, "ask the master to stop" },
	{ "log", log_line, METH_O, "write one line to the server's log" },
	{ NULL, NULL, 0, NULL },
};

static int add(PyObject *module, const char *name, PyObject *value)
{
	int failed = !value || PyObject_SetAttrString(module, name, value);

	Py_XDECREF(value);
	return failed;
}

/* str keys, bytes values, the last of several: what uWSGI gives on Python 3.  The two that
 * monitoring agents look for are always on here, so they are always there. */
static PyObject *make_options(void)
{
	static const char *const always[] = { "master", "enable-threads",
					      "py-call-uwsgi-fork-hooks" };
	PyObject *options = PyDict_New();
	const char *name, *value;
	int failed = !options;

	for (size_t i = 0; !failed && i < sizeof always / sizeof *always; i++) {
		PyObject *yes = PyBytes_FromString("true");

		failed = !yes || PyDict_SetItemString(options, always[i], yes);
		Py_XDECREF(yes);
	}
	for (size_t i = 0; !failed && uwsgi_config_next(python.config, &i, &name, &value);) {
		PyObject *bytes = PyBytes_FromString(value);

		failed = !bytes || PyDict_SetItemString(options, name, bytes);
		Py_XDECREF(bytes);
	}
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

static int fill(PyObject *m)
{
	const struct worker_info *info = python.info;
	char host[256] = "";

	gethostname(host, sizeof host - 1);
	return add(m, "version", PyBytes_FromString(BEHAVES_AS)) ||
	       add(m, "version_info", make_version_info()) ||
	       add(m, "hostname", PyBytes_FromString(host)) || add(m, "opt", make_options()) ||
	       add(m, "numproc", PyLong_FromLong(info->processes)) ||
	       add(m, "cores", PyLong_FromLong(info->threads)) ||
	       add(m, "has_threads", PyLong_FromLong(1)) ||
	       add(m, "started_on", PyLong_FromLong((long)time(NULL))) ||
	       add(m, "is_a_reload", PyBool_FromLong(info->reloaded)) ||
	       add(m, "unbit", PyBool_FromLong(0)) || add(m, "applications", PyDict_New());
}

PyObject *module_init(void)
{
	static struct PyModuleDef definition = {
		PyModuleDef_HEAD_INIT,
		.m_name = "uwsgi",
		.m_doc = "The server that runs this application.",
		.m_size = -1,
		.m_methods = methods,
	};
	PyObject *m = PyModule_Create(&definition);

	if (m && fill(m))
		Py_CLEAR(m);
	Py_XINCREF(m);
	Py_XDECREF(python.module);
	python.module = m;
	return m;
}

/* Calls what the application has put into an attribute of the module. */
static void call_hook(const char *name)
{
	PyObject *hook = python.module ? PyObject_GetAttrString(python.module, name) : NULL;
	PyObject *result;

	if (!hook) {
		PyErr_Clear();
		return;
	}
	result = PyObject_CallNoArgs(hook);
	if (!result)
		failure_log(name, NULL);
	Py_XDECREF(result);
	Py_DECREF(hook);
}

int module_worker_start(void)
{
	if (python.module && python.application) {
		PyObject *applications = PyObject_GetAttrString(python.module, "applications");

		if (!applications || PyDict_SetItemString(applications, "", python.application))
			PyErr_Clear(); /* the application has replaced it */
		Py_XDECREF(applications);
	}
	call_hook("post_fork_hook");
	return 0;
}

void module_at_exit(void)
{
	call_hook("atexit");
}
