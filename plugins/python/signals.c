/* SPDX-License-Identifier: MIT */
/* signals.c: what signal.getsignal() says of the signals that the server handles.  Python knows only
 * handlers of its own and says None of others, which signal.signal() does not take back: code that
 * sets a handler for a while would raise.  So Python is told what uWSGI's applications are told,
 * while the kernel keeps the server's handlers. */
#include "internal.h"

#include <pthread.h>
#include <signal.h>

static const struct standing {
	int number;
	const char *handler; /* its name in Python's module */
} standings[] = {
	{ SIGINT, "default_int_handler" },
	{ SIGTERM, "SIG_IGN" },
	{ SIGHUP, "SIG_IGN" },
	{ SIGQUIT, "SIG_DFL" },
	{ SIGUSR1, "SIG_DFL" },
	{ SIGUSR2, "SIG_DFL" },
};
enum { STANDINGS = sizeof standings / sizeof *standings };

/* In that order: the server's handlers, and whether Python was told the above of them. */
static struct {
	struct sigaction handler;
	bool told;
} servers[STANDINGS];

/* What Python knows, a new reference; NULL, and no exception, when it cannot be told. */
static PyObject *known(PyObject *module, const struct standing *s)
{
	PyObject *handler = PyObject_CallMethod(module, "getsignal", "i", s->number);

	if (!handler)
		PyErr_Clear();
	return handler;
}

static bool tell(PyObject *module, const struct standing *s)
{
	PyObject *before = known(module, s);
	PyObject *handler = PyObject_GetAttrString(module, s->handler), *done = NULL;

	/* site may have run code that has set one. */
	if (before == Py_None && handler)
		done = PyObject_CallMethod(module, "signal", "iO", s->number, handler);
	Py_XDECREF(done);
	Py_XDECREF(handler);
	Py_XDECREF(before);
	PyErr_Clear();
	return done;
}

/* signal.signal() tells the kernel, too.  Meanwhile the signals wait, so that each meets the
 * server's handler. */
void signals_tell(void)
{
	PyObject *module = PyImport_ImportModule("_signal");
	sigset_t these, before;

	sigemptyset(&these);
	for (size_t i = 0; i < STANDINGS; i++)
		sigaddset(&these, standings[i].number);
	pthread_sigmask(SIG_BLOCK, &these, &before);
	for (size_t i = 0; module && i < STANDINGS; i++) {
		sigaction(standings[i].number, NULL, &servers[i].handler);
		servers[i].told = tell(module, &standings[i]);
		if (servers[i].told)
			sigaction(standings[i].number, &servers[i].handler, NULL);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	Py_XDECREF(module);
	PyErr_Clear();
}

void signals_take_back(void)
{
	PyObject *module = PyImport_ImportModule("_signal");

	for (size_t i = 0; module && i < STANDINGS; i++) {
		PyObject *now = known(module, &standings[i]);
		PyObject *handler = PyObject_GetAttrString(module, standings[i].handler);
		bool stands = now && handler && PyObject_RichCompareBool(now, handler, Py_EQ) > 0;

		if (stands && servers[i].told)
			sigaction(standings[i].number, &servers[i].handler, NULL);
		Py_XDECREF(handler);
		Py_XDECREF(now);
	}
	Py_XDECREF(module);
	PyErr_Clear();
}

void signals_end(void)
{
	signals_take_back();
	/* The KeyboardInterrupt of a Ctrl-C that no request was there for. */
	if (PyErr_CheckSignals())
		PyErr_Clear();
}
