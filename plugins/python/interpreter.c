/* SPDX-License-Identifier: MIT */
/* interpreter.c: the life of the embedded Python: started in the zygote, told of forks, entered
 * by each lane with a thread state of its own.  It is never finalised: threads of the
 * application may still run when a worker ends, and finalising under them crashes. */
#include "internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <glob.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct python python;

const struct python *interpreter(void)
{
	return &python;
}

/* ---- start ---- */

/* Extension modules of distributions are not linked with libpython: they find its names only if
 * it is global, and this plugin was opened locally. */
static int make_libpython_global(struct error *e)
{
	Dl_info info;

	if (dladdr((void *)(uintptr_t)Py_InitializeFromConfig, &info) && info.dli_fname &&
	    dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL))
		return 0;
	const char *why = dlerror();
	return uwsgi_error_set(e, "cannot make libpython known to extension modules: %s",
			       why ? why : "it was not found");
}

static int status_error(PyStatus status, struct error *e)
{
	return uwsgi_error_set(e, "cannot start Python %s: %s", PY_VERSION,
			       status.err_msg ? status.err_msg : "unknown error");
}

/* UTF-8 also where a service manager gives no locale. */
static int preinitialize(struct error *e)
{
	PyPreConfig before;

	PyPreConfig_InitPythonConfig(&before);
	before.parse_argv = 0;
	PyStatus status = Py_PreInitialize(&before);
	return PyStatus_Exception(status) ? status_error(status, e) : 0;
}

static PyStatus append_argument(PyConfig *config, const char *word)
{
	wchar_t *wide = Py_DecodeLocale(word, NULL);
	PyStatus status = wide ? PyWideStringList_Append(&config->argv, wide) : PyStatus_NoMemory();

	PyMem_RawFree(wide);
	return status;
}

/* sys.argv: the server's name, then the words of pyargv. */
static int set_arguments(PyConfig *config, const char *words, struct error *e)
{
	char *copy = strdup(words ? words : ""), *rest = copy, *word;
	PyStatus status = copy ? append_argument(config, "uwsgi") : PyStatus_NoMemory();

	while (!PyStatus_Exception(status) && (word = strsep(&rest, " \t")))
		if (*word)
			status = append_argument(config, word);
	free(copy);
	return PyStatus_Exception(status) ? status_error(status, e) : 0;
}

static int configure(PyConfig *config, struct error *e)
{
	const struct python_settings *s = python.settings;

	config->install_signal_handlers = 0;
	config->parse_argv = 0;
	config->optimization_level = (int)s->optimize;
	config->site_import = !s->no_site;
	if (set_arguments(config, s->arguments, e))
		return -1;
	if (s->home)
		return home_configure(config, s->home, e);
	if (home_check_environment(e))
		return -1;
	/* What becomes sys.executable; from its place Python finds its library.  Left alone, Python
	 * would take argv[0], which is this server. */
	const char *executable = access(UWSGI_PYTHON, X_OK) ? "python" TEXT_VERSION : UWSGI_PYTHON;
	PyStatus status = PyConfig_SetBytesString(config, &config->program_name, executable);
	return PyStatus_Exception(status) ? status_error(status, e) : 0;
}

static int start(struct error *e)
{
	PyConfig config;

	PyConfig_InitPythonConfig(&config);
	if (configure(&config, e)) {
		PyConfig_Clear(&config);
		return -1;
	}
	PyStatus status = Py_InitializeFromConfig(&config);
	PyConfig_Clear(&config);
	return PyStatus_Exception(status) ? status_error(status, e) : 0;
}

/* ---- what applications find ---- */

static int insert_folder(PyObject *path, const char *cwd, const char *folder)
{
	char absolute[2 * PATH_MAX];

	snprintf(absolute, sizeof absolute, "%s%s%s", *folder == '/' ? "" : cwd,
		 *folder == '/' ? "" : "/", folder);
	PyObject *item = PyUnicode_DecodeFSDefault(*folder ? absolute : cwd);
	int failed = !item || PyList_Insert(path, 0, item);

	Py_XDECREF(item);
	return failed;
}

/* An entry may be a pattern, as in uWSGI. */
static int insert_entry(PyObject *path, const char *cwd, const char *entry)
{
	glob_t found;
	int failed = 0;

	if (glob(entry, GLOB_NOCHECK, NULL, &found))
		return insert_folder(path, cwd, entry);
	for (size_t i = 0; !failed && i < found.gl_pathc; i++)
		failed = insert_folder(path, cwd, found.gl_pathv[i]);
	globfree(&found);
	return failed;
}

/* As uWSGI has it: the last pythonpath entry comes first, the current folder after them; but
 * absolute, so that an application that changes its folder goes on finding its modules. */
static int extend_path(void)
{
	const struct option_list *list = &python.settings->path;
	PyObject *path = PySys_GetObject("path"); /* borrowed */
	char cwd[PATH_MAX];

	if (!getcwd(cwd, sizeof cwd))
		snprintf(cwd, sizeof cwd, ".");
	if (!path || !PyList_Check(path) || insert_folder(path, cwd, ""))
		return -1;
	for (size_t i = 0; i < list->count; i++)
		if (insert_entry(path, cwd, list->items[i]))
			return -1;
	return 0;
}

/* A line that is printed has to be in the log at once, also where that is a pipe. */
static void buffer_by_line(const char *name)
{
	PyObject *stream = PySys_GetObject(name); /* borrowed; None without a descriptor */
	PyObject *method = stream ? PyObject_GetAttrString(stream, "reconfigure") : NULL;
	PyObject *none = method ? PyTuple_New(0) : NULL;
	PyObject *keywords = none ? Py_BuildValue("{sO}", "line_buffering", Py_True) : NULL;
	PyObject *done = keywords ? PyObject_Call(method, none, keywords) : NULL;

	Py_XDECREF(done);
	Py_XDECREF(keywords);
	Py_XDECREF(none);
	Py_XDECREF(method);
	PyErr_Clear();
}

static int make_names(struct names *names)
{
	names->input = PyUnicode_InternFromString("wsgi.input");
	names->url_scheme = PyUnicode_InternFromString("wsgi.url_scheme");
	names->https = PyUnicode_InternFromString("https");
	names->close = PyUnicode_InternFromString("close");
	names->read = PyUnicode_InternFromString("read");
	return names->input && names->url_scheme && names->https && names->close && names->read
		       ? 0
		       : -1;
}

static int make_types(void)
{
	return PyType_Ready(&input_type) || PyType_Ready(&start_response_type) ||
	       PyType_Ready(&file_wrapper_type);
}

int interpreter_init(const struct config *cfg, const struct worker_info *info, struct error *e)
{
	python.config = cfg;
	python.settings = uwsgi_options(cfg, &python_options);
	python.info = info;
	python.started = time(NULL);
	python.keys = environ_keys_new();
	if (!python.keys)
		return uwsgi_error_set(e, "cannot start Python: out of memory");
	if (make_libpython_global(e) || preinitialize(e) || module_register(e) || start(e))
		return -1;
	python.main_state = PyThreadState_Get();
	buffer_by_line("stdout");
	buffer_by_line("stderr");
	if (extend_path() || make_names(&python.names) || make_types())
		return failure_report(e, "cannot prepare Python");
	uwsgi_log(UWSGI_NOTE, "Python %s", Py_GetVersion());
	return 0;
}

int interpreter_load(const struct config *cfg, struct error *e)
{
	python.application = loader_load(uwsgi_options(cfg, &python_options), e);
	return python.application ? 0 : -1;
}

/* ---- forks ---- */

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
	PyObject *result =
		stream && stream != Py_None ? PyObject_CallMethod(stream, "flush", NULL) : NULL;

	Py_XDECREF(result);
	PyErr_Clear();
}

void interpreter_fork_before(void)
{
	/* What is there before the first fork stays shared: the collector does not touch it again.
	 */
	if (!python.frozen) {
		call("gc", "collect");
		call("gc", "freeze");
	}
	python.frozen = true;
	/* What is left in them would be written by every worker. */
	flush("stdout");
	flush("stderr");
	PyOS_BeforeFork();
}

void interpreter_fork_parent(void)
{
	PyOS_AfterFork_Parent();
}

void interpreter_fork_child(const struct worker_info *info)
{
	python.info = info; /* before hooks of the application run */
	PyOS_AfterFork_Child();
}

/* ---- worker and lanes ---- */

int interpreter_worker_start(struct error *e)
{
	(void)e; /* nothing of this can fail for good: hooks that raise are logged */
	module_worker_start(&python);
	python.main_state = PyEval_SaveThread();
	return 0;
}

/* threading.current_thread().name as uWSGI has it: logs show it. */
static void name_thread(int lane)
{
	PyObject *module = PyImport_ImportModule("threading");
	PyObject *thread = module ? PyObject_CallMethod(module, "current_thread", NULL) : NULL;
	PyObject *name = PyUnicode_FromFormat("uWSGIWorker%dCore%d", python.info->id, lane);

	if (thread && name)
		PyObject_SetAttrString(thread, "name", name);
	Py_XDECREF(name);
	Py_XDECREF(thread);
	Py_XDECREF(module);
	PyErr_Clear();
}

int interpreter_lane_start(int index, void **state, struct error *e)
{
	struct lane *lane = calloc(1, sizeof *lane);

	if (!lane)
		return uwsgi_error_set(e, "lane %d: out of memory", index);
	/* A thread state made by PyGILState_Ensure() is also the one that extension modules get
	 * when they call that on this thread. */
	if (index == 0)
		PyEval_RestoreThread(python.main_state);
	else
		PyGILState_Ensure();
	name_thread(index);
	lane->python = &python;
	lane->template = environ_template_new(&python, index);
	int failed = lane->template ? 0 : failure_report(e, "cannot make an environ");
	lane->state = PyEval_SaveThread();
	*state = lane;
	return failed;
}

void interpreter_lane_stop(void *state)
{
	struct lane *lane = state;

	/* The thread state stays: its thread ends with the process. */
	PyEval_RestoreThread(lane->state);
	Py_CLEAR(lane->template);
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

void interpreter_worker_stop(void)
{
	PyEval_RestoreThread(python.main_state);
	module_at_exit();
	call("atexit", "_run_exitfuncs");
	flush("stdout");
	flush("stderr");
}
