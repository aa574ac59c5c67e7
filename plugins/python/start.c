/* SPDX-License-Identifier: MIT */
/* start.c: starts the embedded Python as the options say, and sets what applications find in it:
 * sys.path, sys.argv, streams that are written by line.  Called once, in the zygote; what comes
 * afterwards is interpreter.c. */
#include "internal.h"

#include <dlfcn.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* With Python inside the program itself (make static) its names hide those of any libpython, so
 * they have to be of the version that this plugin was made for. */
static int check_inner_python(struct error *e)
{
	const char *version = Py_GetVersion();
	size_t n = strlen(PY_VERSION) - strlen(strrchr(PY_VERSION, '.'));

	if (!strncmp(version, PY_VERSION, n) && (version[n] == '.' || version[n] == '+'))
		return 0;
	return uwsgi_error_set(e,
			       "this program has Python %.*s inside and cannot run the plugin for "
			       "%s: start uwsgi instead",
			       (int)strcspn(version, " "), version, PY_VERSION);
}

/* Extension modules of distributions are not linked with libpython: they find its names only if
 * it is global, and this plugin was opened locally. */
static int make_libpython_global(struct error *e)
{
	void *program = dlopen(NULL, RTLD_LAZY);
	Dl_info info;

	if (program && dlsym(program, "Py_InitializeFromConfig"))
		return check_inner_python(e);

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

static int configure(PyConfig *config, const struct python_settings *s, struct error *e)
{
	char own[PATH_MAX];
	const char *home = home_of(s, own, sizeof own);

	config->install_signal_handlers = 0;
	config->parse_argv = 0;
	config->faulthandler = 1; /* crash.c */
	config->optimization_level = (int)s->optimize;
	config->site_import = !s->no_site;
	if (set_arguments(config, s->arguments, e))
		return -1;
	if (home)
		return home_configure(config, home, e);
	if (home_check_environment(e))
		return -1;
	/* What becomes sys.executable; from its place Python finds its library.  Left alone, Python
	 * would take argv[0], which is this server. */
	const char *executable = access(UWSGI_PYTHON, X_OK) ? "python" TEXT_VERSION : UWSGI_PYTHON;
	PyStatus status = PyConfig_SetBytesString(config, &config->program_name, executable);
	return PyStatus_Exception(status) ? status_error(status, e) : 0;
}

static int initialize(const struct python_settings *s, struct error *e)
{
	PyConfig config;

	PyConfig_InitPythonConfig(&config);
	if (configure(&config, s, e)) {
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

static void find_folder(char folder[PATH_MAX])
{
	if (!getcwd(folder, PATH_MAX))
		snprintf(folder, PATH_MAX, ".");
}

/* As uWSGI has it: the last pythonpath entry comes first, the current folder after them; but
 * absolute, so that an application that changes its folder goes on finding its modules. */
static int extend_path(const struct option_list *list, const char *cwd)
{
	PyObject *path = PySys_GetObject("path"); /* borrowed */

	if (!path || !PyList_Check(path) || insert_folder(path, cwd, ""))
		return -1;
	for (size_t i = 0; i < list->count; i++)
		if (insert_entry(path, cwd, list->items[i]))
			return -1;
	return 0;
}

int start_follow_folder(char folder[PATH_MAX], struct error *e)
{
	PyObject *path = PySys_GetObject("path"); /* borrowed */
	PyObject *before = PyUnicode_DecodeFSDefault(folder), *now = NULL;
	char cwd[PATH_MAX];

	find_folder(cwd);
	if (strcmp(cwd, folder) != 0 && before && path && PyList_Check(path)) {
		Py_ssize_t at = PySequence_Index(path, before);

		PyErr_Clear(); /* it may have been taken out */
		now = PyUnicode_DecodeFSDefault(cwd);
		if (now)
			PyList_Insert(path, at < 0 ? 0 : at, now);
		snprintf(folder, PATH_MAX, "%s", cwd);
	}
	Py_XDECREF(before);
	Py_XDECREF(now);
	return PyErr_Occurred() ? failure_report(e, "cannot extend sys.path") : 0;
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

static int add_modules(struct error *e)
{
	return PyImport_AppendInittab("uwsgi", module_new) ||
			       PyImport_AppendInittab("uwsgidecorators", decorators_new)
		       ? uwsgi_error_set(e, "cannot start Python: out of memory")
		       : 0;
}

int start_python(const struct python_settings *s, char folder[PATH_MAX], struct error *e)
{
	if (make_libpython_global(e) || preinitialize(e) || add_modules(e) || initialize(s, e))
		return -1;
	buffer_by_line("stdout");
	buffer_by_line("stderr");
	find_folder(folder);
	return extend_path(&s->path, folder) ? failure_report(e, "cannot extend sys.path") : 0;
}
