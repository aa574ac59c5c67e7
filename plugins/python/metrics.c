/* SPDX-License-Identifier: MIT */
/* metrics.c: uwsgi.metric_get() and the functions that change metrics.  As with uWSGI, a metric that
 * there is not, or that the server itself finds out, is no error: get says 0, the others None. */
#include "internal.h"

static const struct metric *find(const char *name, Py_ssize_t n)
{
	return uwsgi_metrics_find(interpreter()->info->metrics, (struct slice){ name, (size_t)n });
}

PyObject *metrics_get(PyObject *self, PyObject *name)
{
	Py_ssize_t n;
	const char *text = PyUnicode_AsUTF8AndSize(name, &n);
	const struct metric *m = text ? find(text, n) : NULL;

	(void)self;
	if (!text)
		return NULL;
	return PyLong_FromLongLong(m ? uwsgi_metric_get(m) : 0);
}

/* Of one that applications may change; NULL: of none.  -1 with an exception. */
static int parse(PyObject *arguments, const char *format, const struct metric **m, long long *by)
{
	const char *name;
	Py_ssize_t n;

	if (!PyArg_ParseTuple(arguments, format, &name, &n, by))
		return -1;
	*m = find(name, n);
	if (*m && (*m)->collected)
		*m = NULL;
	return 0;
}

PyObject *metrics_set(PyObject *self, PyObject *arguments)
{
	const struct metric *m;
	long long value;

	(void)self;
	if (parse(arguments, "s#L:metric_set", &m, &value))
		return NULL;
	if (!m)
		Py_RETURN_NONE;
	uwsgi_metric_set(m, value);
	Py_RETURN_TRUE;
}

static PyObject *change(PyObject *arguments, const char *format, enum metric_change how, bool less)
{
	const struct metric *m;
	long long by = 1;

	if (parse(arguments, format, &m, &by))
		return NULL;
	if (less)
		by = (long long)-(unsigned long long)by;
	if (!m || !uwsgi_metric_change(m, how, by))
		Py_RETURN_NONE;
	Py_RETURN_TRUE;
}

PyObject *metrics_inc(PyObject *self, PyObject *arguments)
{
	(void)self;
	return change(arguments, "s#|L:metric_inc", METRIC_ADD, false);
}

PyObject *metrics_dec(PyObject *self, PyObject *arguments)
{
	(void)self;
	return change(arguments, "s#|L:metric_dec", METRIC_ADD, true);
}

PyObject *metrics_mul(PyObject *self, PyObject *arguments)
{
	(void)self;
	return change(arguments, "s#|L:metric_mul", METRIC_MULTIPLY, false);
}

PyObject *metrics_div(PyObject *self, PyObject *arguments)
{
	(void)self;
	return change(arguments, "s#|L:metric_div", METRIC_DIVIDE, false);
}

PyObject *metrics_set_max(PyObject *self, PyObject *arguments)
{
	(void)self;
	return change(arguments, "s#L:metric_set_max", METRIC_RAISE, false);
}

PyObject *metrics_set_min(PyObject *self, PyObject *arguments)
{
	(void)self;
	return change(arguments, "s#L:metric_set_min", METRIC_LOWER, false);
}
