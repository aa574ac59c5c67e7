/* SPDX-License-Identifier: MIT */
/* stray.c: the end of a child that the application has forked and that did not end by itself: as a
 * Python program ends, but without atexit handlers, which are the worker's. */
#include "internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* Consumes the exception.  SystemExit without a code is 0, with a number that number; any other code
 * is printed. */
static int exit_code_of(PyObject *exception)
{
	PyObject *code = PyObject_GetAttrString(exception, "code");
	int number = EXIT_FAILURE;

	if (!code || code == Py_None) {
		number = EXIT_SUCCESS;
	} else if (PyLong_Check(code)) {
		number = (int)PyLong_AsLong(code);
	} else {
		PyObject *text = PyObject_Str(code);

		if (text)
			PySys_FormatStderr("%U\n", text);
		Py_XDECREF(text);
	}
	PyErr_Clear();
	Py_XDECREF(code);
	Py_DECREF(exception);
	return number;
}

/* Another thread may have held the lock of sys.stdout or sys.stderr when this process was forked;
 * nobody gives it back here.  Python itself waits a second for such a lock when it ends. */
enum { FLUSH_S = 1, PRINT_S = 10 };
static volatile sig_atomic_t exit_code;

static void on_alarm(int number)
{
	(void)number;
	_exit(exit_code);
}

/* What comes next must not take longer: then the process ends as it would have.  0: it may. */
static void bound(unsigned seconds)
{
	struct sigaction action = { .sa_handler = on_alarm };
	sigset_t set;

	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	alarm(seconds);
}

void stray_leave(void)
{
	if (!uwsgi_is_stray())
		return;
	exit_code = PyErr_Occurred() ? EXIT_FAILURE : EXIT_SUCCESS;
	bound(PRINT_S);
	if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_SystemExit))
		exit_code = exit_code_of(compat_take_exception());
	else if (PyErr_Occurred())
		PyErr_Print();
	/* Its own non-daemon threads may finish first, as in any program. */
	bound(0);
	if (interpreter_call("threading", "_shutdown"))
		PyErr_Clear();
	bound(FLUSH_S);
	interpreter_flush();
	_exit(exit_code);
}
