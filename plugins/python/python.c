/* SPDX-License-Identifier: MIT */
/* python.c: the plugin that runs WSGI applications in an embedded Python: its options and what
 * it offers to the server.  The work is done in the files beside it. */
#include "internal.h"

#define AT(member) offsetof(struct python_settings, member)
static const struct option rows[] = {
	{ .name = "module",
	  .letter = 'w',
	  .type = OPT_STRING,
	  .offset = AT(module),
	  .help = "serve this application: package.module or package.module:callable" },
	{ .name = "wsgi", .same_as = "module" },
	{ .name = "wsgi-file",
	  .type = OPT_STRING,
	  .offset = AT(file),
	  .help = "serve the application in this Python file" },
	{ .name = "file", .same_as = "wsgi-file" },
	{ .name = "callable",
	  .type = OPT_STRING,
	  .offset = AT(callable),
	  .help = "the application's name in its module; without it \"application\", then "
		  "\"app\"" },
	{ .name = "home",
	  .letter = 'H',
	  .type = OPT_STRING,
	  .offset = AT(home),
	  .help = "use this virtualenv" },
	{ .name = "virtualenv", .same_as = "home" },
	{ .name = "venv", .same_as = "home" },
	{ .name = "pyhome", .same_as = "home" },
	{ .name = "pythonpath",
	  .type = OPT_LIST,
	  .offset = AT(path),
	  .help = "look for modules in this folder too" },
	{ .name = "python-path", .same_as = "pythonpath" },
	{ .name = "pp", .same_as = "pythonpath" },
	{ .name = "pyargv",
	  .type = OPT_STRING,
	  .offset = AT(arguments),
	  .text = true,
	  .help = "sys.argv[1:] of the application, separated by blanks" },
	{ .name = "optimize",
	  .letter = 'O',
	  .type = OPT_INT,
	  .offset = AT(optimize),
	  .initial = "0",
	  .bare = "1",
	  .max = 2,
	  .help = "like python -O: 1 or 2" },
	{ .name = "catch-exceptions",
	  .type = OPT_FLAG,
	  .offset = AT(catch_exceptions),
	  .initial = "false",
	  .help = "answer an exception with its traceback; for development only" },
	{ .name = "wsgi-disable-file-wrapper",
	  .type = OPT_FLAG,
	  .offset = AT(no_file_wrapper),
	  .initial = "false",
	  .help = "leave wsgi.file_wrapper out of the environ" },
	{ .name = "no-site",
	  .type = OPT_FLAG,
	  .offset = AT(no_site),
	  .initial = "false",
	  .help = "like python -S: do not import the site module" },
	{ .name = "py-call-osafterfork",
	  .type = OPT_ALWAYS,
	  .help = "Python is told of every fork" },
	{ .name = "py-call-uwsgi-fork-hooks",
	  .type = OPT_ALWAYS,
	  .help = "functions of os.register_at_fork() run around every fork" },
};
#undef AT

const struct option_table python_options = {
	.module = "python",
	.size = sizeof(struct python_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

static const struct app app = {
	.name = "python " PY_VERSION,
	.init = interpreter_init,
	.load = interpreter_load,
	.fork_before = interpreter_fork_before,
	.fork_parent = interpreter_fork_parent,
	.fork_child = interpreter_fork_child,
	.worker_start = interpreter_worker_start,
	.lane_start = interpreter_lane_start,
	.handle = wsgi_handle,
	.pause = interpreter_pause,
	.resume = interpreter_resume,
	.release = wsgi_release,
	.lane_stop = interpreter_lane_stop,
	.worker_stop = interpreter_worker_stop,
};

/* Debian's names among them: python3, python311. */
static const char *const aliases[] = {
	"python3",
	"python" TEXT(PY_MAJOR_VERSION) TEXT(PY_MINOR_VERSION),
	"python" TEXT_VERSION,
	NULL,
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI,
	.name = "python",
	.aliases = aliases,
	.options = &python_options,
	.app = &app,
};
