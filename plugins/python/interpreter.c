/* SPDX-License-Identifier: MIT */
/* interpreter.c: the life of the embedded Python: told of forks, entered by each lane with a
 * thread state of its own, left by a worker that ends.  It is never finalised: threads of the
 * application may still run then, and finalising under them crashes. */
#include "internal.h"

#include <stdlib.h>

static struct python python;

const struct python *interpreter(void)
{
	return &python;
}

/* ---- start ---- */

static int make_names(struct names *names)
{
	names->input = PyUnicode_InternFromString("wsgi.input");
	names->url_scheme = PyUnicode_InternFromString("wsgi.url_scheme");
	names->https = PyUnicode_InternFromString("https");
	names->close = PyUnicode_InternFromString("close");
	names->read = PyUnicode_InternFromString("read");
	names->script_name = PyUnicode_InternFromString("SCRIPT_NAME");
	names->path_info = PyUnicode_InternFromString("PATH_INFO");
	names->trace_id = PyUnicode_InternFromString("uwsgi.trace_id");
	return names->trace_id && names->script_name && names->path_info && names->input &&
			       names->url_scheme && names->https && names->close && names->read
		       ? 0
		       : -1;
}

static int make_types(struct types *types)
{
	types->input = input_type_new();
	types->start_response = start_response_type_new();
	types->file_wrapper = file_wrapper_type_new();
	return types->input && types->start_response && types->file_wrapper ? 0 : -1;
}

int interpreter_init(const struct config *cfg, const struct worker_info *info, struct error *e)
{
	python.config = cfg;
	python.settings = uwsgi_options(cfg, &python_options);
	python.info = info;
	python.started = time(NULL);
	if (start_python(python.settings, python.folder, e))
		return -1;
	crash_set_process(info);
	crash_watch();
	signals_tell();
	python.main_state = PyThreadState_Get();
	python.keys = key_cache_new();
	if (!python.keys || make_names(&python.names) || make_types(&python.types))
		return failure_report(e, "cannot prepare Python");
	uwsgi_log(UWSGI_NOTE, "Python %s", Py_GetVersion());
	loader_import(&python.settings->shared_imports);
	stray_leave();
	return 0;
}

int interpreter_load(const struct config *cfg, struct error *e)
{
	const struct python_settings *s = uwsgi_options(cfg, &python_options);
	const struct source from = {
		.module = s->module,
		.file = s->file,
		.code = s->code,
		.paste = s->paste,
		.callable = s->callable,
		.paste_name = s->paste_name,
		.paste_logger = s->paste_logger,
	};
	bool is_named = from.module || from.file || from.code || from.paste;

	if (start_follow_folder(python.folder, e))
		return -1;
	loader_import(&s->imports);
	if (is_named || s->mounts.count == 0)
		python.application = loader_load(&from, e);
	bool failed = (is_named || s->mounts.count == 0) && !python.application;
	failed = failed || mount_load(&python, e);
	stray_leave();
	signals_take_back();
	return failed ? -1 : 0;
}

/* ---- forks ---- */

int interpreter_call(const char *module_name, const char *function)
{
	PyObject *module = PyImport_ImportModule(module_name);
	PyObject *result = module ? PyObject_CallMethod(module, function, NULL) : NULL;

	Py_XDECREF(module);
	if (!result)
		return -1;
	Py_DECREF(result);
	return 0;
}

static void call(const char *module, const char *function)
{
	if (interpreter_call(module, function))
		failure_log(function, NULL);
}

static void flush(const char *name)
{
	PyObject *stream = PySys_GetObject(name); /* borrowed */
	PyObject *result =
		stream && stream != Py_None ? PyObject_CallMethod(stream, "flush", NULL) : NULL;

	Py_XDECREF(result);
	PyErr_Clear();
}

void interpreter_flush(void)
{
	flush("stdout");
	flush("stderr");
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
	interpreter_flush();
	PyOS_BeforeFork();
}

void interpreter_fork_parent(void)
{
	PyOS_AfterFork_Parent();
}

void interpreter_fork_child(const struct worker_info *info)
{
	python.info = info; /* before hooks of the application run */
	crash_set_process(info);
	PyOS_AfterFork_Child();
}

/* ---- worker and lanes ---- */

int interpreter_worker_start(struct error *e)
{
	(void)e; /* nothing of this can fail for good: hooks that raise are logged */
	if (uwsgi_config_has(python.config, "harakiri") ||
	    uwsgi_config_has_action(python.config, SLICE("harakiri")))
		where_prepare();
	module_worker_start(&python);
	stray_leave();
	python.main_state = PyEval_SaveThread();
	return 0;
}

/* threading.current_thread().name as uWSGI has it: logs show it.  And no daemon, as Python takes
 * threads for that it has not started: those that requests start would inherit it, and a worker that
 * leaves would wait for those of lane 0 only.  The property `daemon` cannot be set any more. */
static void name_thread(int lane)
{
	PyObject *module = PyImport_ImportModule("threading");
	PyObject *thread = module ? PyObject_CallMethod(module, "current_thread", NULL) : NULL;
	PyObject *name = PyUnicode_FromFormat("uWSGIWorker%dCore%d", python.info->id, lane);

	if (thread && name)
		PyObject_SetAttrString(thread, "name", name);
	if (thread)
		PyObject_SetAttrString(thread, "_daemonic", Py_False);
	Py_XDECREF(name);
	Py_XDECREF(thread);
	Py_XDECREF(module);
	PyErr_Clear();
}

void lane_enter(struct lane *lane)
{
	PyThreadState *state = atomic_load_explicit(&lane->state, memory_order_relaxed);

	atomic_store_explicit(&lane->state, NULL, memory_order_relaxed);
	PyEval_RestoreThread(state);
}

void lane_leave(struct lane *lane)
{
	atomic_store_explicit(&lane->state, PyEval_SaveThread(), memory_order_relaxed);
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
	lane->index = index;
	lane->template = environ_template_new(&python, index);
	lane->shapes = shapes_new();
	int failed = lane->template ? 0 : failure_report(e, "cannot make an environ");
	crash_watch_lane(lane);
	lane->thread = PyThreadState_Get();
	lane_leave(lane);
	*state = lane;
	return failed;
}

void interpreter_lane_stop(void *state)
{
	struct lane *lane = state;

	/* The thread state stays: its thread ends with the process. */
	lane_enter(lane);
	Py_CLEAR(lane->template);
	shapes_free(lane->shapes);
	start_response_drop(lane->start_response);
	Py_CLEAR(lane->input);
	Py_CLEAR(lane->seen);
	crash_forget_lane(lane);
	PyEval_SaveThread();
	free(lane);
}

void interpreter_pause(void *state)
{
	lane_leave(state);
}

void interpreter_resume(void *state)
{
	lane_enter(state);
}

void interpreter_end(void)
{
	call("atexit", "_run_exitfuncs");
	stray_leave();
	interpreter_flush();
}

/* In the order of uWSGI: uwsgi.atexit, then what Python does at its end. */
void interpreter_worker_stop(long long mercy_ms)
{
	PyEval_RestoreThread(python.main_state);
	if (python.settings->skip_atexit) {
		interpreter_flush();
		return;
	}
	signals_end();
	module_at_exit();
	background_finish(mercy_ms);
	interpreter_end();
}
