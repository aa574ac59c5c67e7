/* SPDX-License-Identifier: MIT */
/* interpreter.c: the life of the embedded Python: started in the zygote, told of forks, entered
 * by each lane with a thread state of its own.  It is never finalised: threads of the
 * application may still run when a worker ends, and finalising under them crashes. */
#include "internal.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct python python;

/* ---- start ---- */

/* Extension modules of distributions are not linked with libpython: they find its names only if
 * it is global, and this plugin was opened locally. */
static int make_libpython_global(struct error *e)
{
	Dl_info info;

	if (dladdr((void *)(uintptr_t)Py_InitializeFromConfig, &info) && info.dli_fname &&
	    dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL))
		return 0;
	return uwsgi_error_set(e, "cannot make libpython known to extension modules: %s", dlerror());
}

static int status_error(PyStatus status, struct error *e)
{
	return uwsgi_error_set(e, "cannot start Python %s: %s", PY_VERSION,
			       status.err_msg ? status.err_msg : "unknown error");
}

/* sys.argv: the server's name, then the words of pyargv. */
static PyStatus set_arguments(PyConfig *config, const char *words)
{
	char *copy = strdup(words ? words : ""), *rest = copy, *word;
	wchar_t *name = Py_DecodeLocale("uwsgi", NULL);
	PyStatus status = PyStatus_NoMemory();

	if (copy && name)
		status = PyWideStringList_Append(&config->argv, name);
	while (!PyStatus_Exception(status) && (word = strsep(&rest, " \t"))) {
		wchar_t *wide = *word ? Py_DecodeLocale(word, NULL) : NULL;

		if (wide)
			status = PyWideStringList_Append(&config->argv, wide);
		PyMem_RawFree(wide);
	}
	PyMem_RawFree(name);
	free(copy);
	return status;
}

static int configure(PyConfig *config, struct error *e)
{
	const struct python_settings *s = python.settings;
	PyStatus status = set_arguments(config, s->arguments);

	config->install_signal_handlers = 0;
	config->parse_argv = 0;
	config->optimization_level = (int)s->optimize;
	config->site_import = !s->no_site;
	/* What an application prints has to be in the log at once. */
	config->buffered_stdio = 0;
	if (PyStatus_Exception(status))
		return status_error(status, e);
	if (s->home)
		return home_configure(config, s->home, e);
	/* Without it, Python would look for itself in $PATH and might find another one. */
	if (access(UWSGI_PYTHON, X_OK) == 0) {
		status = PyConfig_SetBytesString(config, &config->program_name, UWSGI_PYTHON);
		if (PyStatus_Exception(status))
			return status_error(status, e);
	}
	return 0;
}

/* As uWSGI has it: the later pythonpath entries come first, then the current folder. */
static int extend_path(void)
{
	const struct option_list *list = &python.settings->path;
	PyObject *path = PySys_GetObject("path"); /* borrowed */
	char cwd[4096];
	int failed = 0;

	if (!path || !PyList_Check(path))
		return 0;
	for (size_t i = 0; !failed && i <= list->count; i++) {
		const char *folder = i ? list->items[i - 1] : getcwd(cwd, sizeof cwd);
		PyObject *item = PyUnicode_DecodeFSDefault(folder ? folder : ".");

		failed = !item || PyList_Insert(path, 0, item);
		Py_XDECREF(item);
	}
	return failed;
}

int interpreter_init(const struct config *cfg, const struct worker_info *info, struct error *e)
{
	PyPreConfig before;
	PyConfig config;

	python.config = cfg;
	python.settings = uwsgi_options(cfg, &python_options);
	python.info = info;
	if (make_libpython_global(e))
		return -1;
	/* UTF-8 also where a service manager gives no locale. */
	PyPreConfig_InitPythonConfig(&before);
	before.parse_argv = 0;
	PyStatus status = Py_PreInitialize(&before);
	if (PyStatus_Exception(status))
		return status_error(status, e);
	PyImport_AppendInittab("uwsgi", module_init);
	PyConfig_InitPythonConfig(&config);
	if (configure(&config, e)) {
		PyConfig_Clear(&config);
		return -1;
	}
	status = Py_InitializeFromConfig(&config);
	PyConfig_Clear(&config);
	if (PyStatus_Exception(status))
		return status_error(status, e);
	if (extend_path())
		return failure_describe(e, "cannot extend sys.path");
	python.main_state = PyThreadState_Get();
	uwsgi_log(UWSGI_NOTE, "Python %s", Py_GetVersion());
	return 0;
}

/* ---- forks ---- */

/* What is there before the first fork stays shared: the collector does not touch it again. */
static void freeze(void)
{
	PyObject *gc = PyImport_ImportModule("gc");
	PyObject *done = gc ? PyObject_CallMethod(gc, "collect", NULL) : NULL;

	Py_XDECREF(done);
	done = gc ? PyObject_CallMethod(gc, "freeze", NULL) : NULL;
	Py_XDECREF(done);
	Py_XDECREF(gc);
	PyErr_Clear();
}

void interpreter_fork_before(void)
{
	if (!python.frozen)
		freeze();
	python.frozen = true;
	PyOS_BeforeFork();
}

void interpreter_fork_parent(void)
{
	PyOS_AfterFork_Parent();
}

void interpreter_fork_child(void)
{
	PyOS_AfterFork_Child();
}

/* ---- worker and lanes ---- */

int interpreter_worker_start(const struct worker_info *info, struct error *e)
{
	python.info = info;
	if (environ_prepare() || module_worker_start())
		return failure_describe(e, "cannot prepare the worker");
	python.main_state = PyEval_SaveThread();
	return 0;
}

int interpreter_lane_start(int index, void **state, struct error *e)
{
	struct lane *lane = calloc(1, sizeof *lane);

	if (!lane)
		return uwsgi_error_set(e, "lane %d: out of memory", index);
	if (index == 0) {
		lane->state = python.main_state;
	} else {
		/* Made this way, it is also the one that extension modules get from
		 * PyGILState_Ensure() on this thread. */
		PyGILState_Ensure();
		lane->state = PyEval_SaveThread();
	}
	*state = lane;
	return 0;
}

void interpreter_lane_stop(void *state)
{
	struct lane *lane = state;

	/* The thread state stays: its thread ends with the process. */
	PyEval_RestoreThread(lane->state);
	Py_CLEAR(lane->start_response);
	Py_CLEAR(lane->input);
	PyEval_SaveThread();
	free(lane);
}

void interpreter_pause(void *state)
{
	struct lane *lane = state;

	lane->state = PyEval_SaveThread();
}

void interpreter_resume(void *state)
{
	struct lane *lane = state;

	PyEval_RestoreThread(lane->state);
}

/* ---- end ---- */

static void call(const char *module_name, const char *function)
{
	PyObject *module = PyImport_ImportModule(module_name);
	PyObject *result = module ? PyObject_CallMethod(module, function, NULL) : NULL;

	if (!result)
		failure_log(function, NULL);
	Py_XDECREF(result);
	Py_XDECREF(module);
}

static void flush(const char *name)
{
	PyObject *stream = PySys_GetObject(name); /* borrowed */
	PyObject *result = stream && stream != Py_None
				   ? PyObject_CallMethod(stream, "flush", NULL)
				   : NULL;

	Py_XDECREF(result);
	PyErr_Clear();
}

void interpreter_worker_stop(void)
{
	PyEval_RestoreThread(python.main_state);
	module_at_exit();
	call("atexit", "_run_exitfuncs");
	flush("stdout");
	flush("stderr");
}
