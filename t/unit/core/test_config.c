/* SPDX-License-Identifier: MIT */
/* test_config.c: from files, command line and environment to filled settings and a report:
 * each case is a small world (two ini files, words, variables), what is set at the end, and all
 * that is said. */
#include "unit.h"

#include "settings/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct settings {
	long long processes, threads, harakiri;
	bool vacuum;
	const char *chdir, *module, *home, *mode, *format, *uid;
	struct option_list env, socket, preset;
};

#define AT(member) offsetof(struct settings, member)
static const struct option rows[] = {
	{ .name = "processes",
	  .letter = 'p',
	  .type = OPT_INT,
	  .offset = AT(processes),
	  .initial = "1",
	  .min = 1,
	  .max = 1024 },
	{ .name = "workers", .same_as = "processes" },
	{ .name = "threads",
	  .type = OPT_INT,
	  .offset = AT(threads),
	  .initial = "1",
	  .min = 1,
	  .max = 256 },
	{ .name = "harakiri", .letter = 't', .type = OPT_SECONDS, .offset = AT(harakiri) },
	{ .name = "vacuum", .type = OPT_FLAG, .offset = AT(vacuum) },
	{ .name = "chdir", .type = OPT_STRING, .offset = AT(chdir) },
	{ .name = "module", .letter = 'w', .type = OPT_STRING, .offset = AT(module) },
	{ .name = "wsgi-file", .type = OPT_STRING, .offset = AT(module) },
	{ .name = "home", .letter = 'H', .type = OPT_STRING, .offset = AT(home) },
	{ .name = "uid", .type = OPT_STRING, .offset = AT(uid) },
	{ .name = "chmod-socket",
	  .letter = 'C',
	  .type = OPT_STRING,
	  .offset = AT(mode),
	  .bare = "666" },
	{ .name = "log-format", .type = OPT_STRING, .offset = AT(format), .text = true },
	{ .name = "env", .type = OPT_LIST, .offset = AT(env), .text = true },
	{ .name = "socket", .letter = 's', .type = OPT_LIST, .offset = AT(socket) },
	{ .name = "preset", .type = OPT_LIST, .offset = AT(preset), .initial = "first" },
};
#undef AT

static const struct option_table table;

static void check(const struct config *c, struct report *report)
{
	const struct settings *s = uwsgi_options(c, &table);

	if (s->threads * s->processes > 10000)
		uwsgi_config_doubt(c, report, UWSGI_ERROR, "threads",
				   "processes × threads is too much");
}

static const struct option_table table = { .module = "test",
					   .size = sizeof(struct settings),
					   .rows = rows,
					   .count = sizeof rows / sizeof *rows,
					   .check = check };
/* Of a plugin that is not loaded: its names are known, and nothing can be stored. */
static const struct option absent_rows[] = {
	{ .name = "callable", .type = OPT_STRING },
	{ .name = "pyargv", .type = OPT_STRING },
	{ .name = "buffer-size" },
	{ .name = "chmod-socket" },
	{ .name = "chown-socket" },
	{ .name = "daemonize" },
	{ .name = "fastcgi-socket" },
	{ .name = "gid" },
	{ .name = "harakiri-verbose" },
	{ .name = "http-socket" },
	{ .name = "max-requests" },
	{ .name = "memory-report" },
	{ .name = "paste" },
	{ .name = "paste-logger" },
	{ .name = "pidfile" },
	{ .name = "post-buffering" },
	{ .name = "reload-mercy" },
	{ .name = "reload-on-as" },
	{ .name = "stats" },
	{ .name = "uwsgi-socket" },
	{ .name = "wsgi-file" },
};
static const struct option_table absent = { .module = "absent",
					    .rows = absent_rows,
					    .count = sizeof absent_rows / sizeof *absent_rows };
static const struct option_table *const tables[] = { &config_table, &table, &absent };
enum { TABLES = sizeof tables / sizeof *tables };

/* ---- what was set, in one line ---- */

static void add(char *to, const char *name, const char *value)
{
	size_t at = strlen(to);

	if (value)
		snprintf(to + at, 2048 - at, "%s%s=%s", at ? " " : "", name, value);
}

static void add_number(char *to, const char *name, long long n, long long usual)
{
	char text[32];

	snprintf(text, sizeof text, "%lld", n);
	add(to, name, n == usual ? NULL : text);
}

static void add_list(char *to, const char *name, const struct option_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		add(to, name, list->items[i]);
}

static void dump(const struct config *c, char *to)
{
	const struct settings *s = uwsgi_options(c, &table);

	to[0] = '\0';
	add_number(to, "processes", s->processes, 1);
	add_number(to, "threads", s->threads, 1);
	add_number(to, "harakiri", s->harakiri, 0);
	add_number(to, "vacuum", s->vacuum, 0);
	add(to, "chdir", s->chdir);
	add(to, "module", s->module);
	add(to, "home", s->home);
	add(to, "uid", s->uid);
	add(to, "mode", s->mode);
	add(to, "format", s->format);
	add_list(to, "env", &s->env);
	add_list(to, "socket", &s->socket);
	if (s->preset.count != 1 || strcmp(s->preset.items[0], "first") != 0)
		add_list(to, "preset", &s->preset);
}

static void join(const struct report *r, char *to)
{
	static const char *const words[] = { "note", "warning", "error" };

	to[0] = '\0';
	for (size_t i = 0; i < r->count; i++) {
		const struct diagnostic *d = &r->items[i];
		size_t at = strlen(to);

		at += (size_t)snprintf(to + at, 4096 - at, "%s", d->at.file ? d->at.file : "-");
		if (d->at.line)
			at += (size_t)snprintf(to + at, 4096 - at, ":%d", d->at.line);
		snprintf(to + at, 4096 - at, ": %s: %s\n", words[d->severity], d->text);
	}
}

/* ---- worlds ---- */

static char fixtures[4096]; /* the folder, found before the tests go elsewhere */

enum { WORDS = 8 };

struct world {
	const char *a, *b; /* a.ini, and sub/b.ini */
	const char *words[WORDS];
	const char *environment[WORDS];
	const char *settings; /* NULL: it must not load */
	const char *report;
};

#define A .words = { "a.ini" }

static const struct world worlds[] = {
	/* nothing at all, and the plain ways to name a file */
	{ .settings = "", .report = "" },
	{ "[uwsgi]\nprocesses = 4\n", .words = { "a.ini" }, .settings = "processes=4",
	  .report = "" },
	{ "[uwsgi]\nprocesses = 4\n", .words = { "--ini", "a.ini" }, .settings = "processes=4",
	  .report = "" },
	{ "[uwsgi]\nprocesses = 4\n", .words = { "--ini=a.ini" }, .settings = "processes=4",
	  .report = "" },
	{ "[uwsgi]\nprocesses = 4\n", .environment = { "UWSGI_INI=a.ini" },
	  .settings = "processes=4", .report = "" },
	{ "[uwsgi]\nprocesses = 4\n[dev]\nprocesses = 2\n", .words = { "a.ini:dev" },
	  .settings = "processes=2", .report = "" },
	{ "[uwsgi]\nprocesses = 4\n[dev]\nprocesses = 2\n", .words = { "--ini", "a.ini:dev" },
	  .settings = "processes=2", .report = "" },
	{ "[dev]\n[prod]\n[dev]\n", A, .settings = NULL,
	  .report = "command line: error: a.ini has no section [uwsgi], only [dev], [prod]: name "
		    "one as a.ini:section\n" },
	{ "", A, .settings = NULL,
	  .report = "command line: error: a.ini has no section [uwsgi]; write it above the options\n" },
	{ "[uwsgi]\n", A, .settings = "", .report = "" },
	{ .words = { "missing.ini" },
	  .settings = NULL,
	  .report = "command line: error: cannot read missing.ini: No such file or directory\n" },
	{ .words = { "sub" },
	  .settings = NULL,
	  .report = "command line: error: \"sub\" is neither an option nor a file that ends in "
		    ".ini, .json, .py or .wsgi\n" },
	{ .words = { "app.py" }, .settings = "module=app.py", .report = "" },

	/* the order in which things count */
	{ "[uwsgi]\nprocesses = 4\n", .words = { "--processes", "5", "--ini", "a.ini" },
	  .settings = "processes=4", .report = "" },
	{ "[uwsgi]\nprocesses = 4\n", .words = { "--ini", "a.ini", "--processes", "5" },
	  .settings = "processes=5", .report = "" },
	{ "[uwsgi]\nprocesses = 4\n", .words = { "a.ini", "--processes", "5" },
	  .settings = "processes=4", .report = "" },
	{ "[uwsgi]\nprocesses = 4\n", A, .environment = { "UWSGI_PROCESSES=9" },
	  .settings = "processes=4", .report = "" },

	/* the command line */
	{ .words = { "-p4", "-MT", "-s", ":1", "--socket=:2" },
	  .settings = "processes=4 socket=:1 socket=:2",
	  .report = "" },
	{ .words = { "-MTp", "4", "--vacuum", "-C" },
	  .settings = "processes=4 vacuum=1 mode=666",
	  .report = "" },
	{ .words = { "-C664", "--master", "true", "--vacuum", "false", "-wapp" },
	  .settings = "module=app mode=664",
	  .report = "" },
	{ .words = { "--chmod-socket=660", "--process", "3" },
	  .settings = "processes=3 mode=660",
	  .report = "" },
	{ .words = { "--processes" },
	  .settings = NULL,
	  .report = "command line: error: --processes needs a value\n" },
	{ .words = { "--processes", "--master" },
	  .settings = NULL,
	  .report = "command line: error: --processes needs a value; if --master is the value, "
		    "write --processes=--master\n" },
	{ .words = { "--module", "--vacuum=1" },
	  .settings = NULL,
	  .report = "command line: error: --module needs a value; if --vacuum=1 is the value, "
		    "write --module=--vacuum=1\n" },
	{ .words = { "--module", "--site one", "-H", "--" },
	  .settings = "module=--site one home=--",
	  .report = "" },
	{ .words = { "--module=--vacuum" }, .settings = "module=--vacuum", .report = "" },
	{ .words = { "--foo" },
	  .settings = NULL,
	  .report = "command line: error: unknown option --foo; did you mean \"for\"?\n" },
	{ "[uwsgi]\nendi =\nif-exist = /\nend_for =\nels =\n", A, .settings = "",
	  .report = "a.ini:2: warning: unknown option \"endi\", ignored; did you mean \"endif\"?\n"
		    "a.ini:3: warning: unknown option \"if-exist\", ignored; did you mean "
		    "\"if-exists\"?\n"
		    "a.ini:4: warning: unknown option \"end_for\", ignored; did you mean "
		    "\"end-for\"?\n"
		    "a.ini:5: warning: unknown option \"els\", ignored; did you mean "
		    "\"else\"?\n" },

	/* two names of one option */
	{ "[uwsgi]\nprocesses = 10\nworkers = 8\n", A, .settings = "processes=8",
	  .report = "a.ini:3: warning: workers = 8: the same option as processes = 10 of line 2, "
		    "which has no effect\n" },
	{ "[uwsgi]\nprocesses = 8\nworkers = 8\nprocesses = 9\n", A, .settings = "processes=9",
	  .report = "a.ini:4: warning: processes = 9: the same option as workers = 8 of line 3, "
		    "which has no effect\n" },
	{ "[uwsgi]\nprocesses = 10\nini = sub/b.ini\n", A, .b = "[uwsgi]\nworkers = 8\n",
	  .settings = "processes=8", .report = "" },
	{ .words = { "--proceses=4" },
	  .settings = NULL,
	  .report = "command line: error: unknown option --proceses; did you mean "
		    "\"processes\"?\n" },
	{ .words = { "-Y" },
	  .settings = NULL,
	  .report = "command line: error: unknown option -Y\n" },
	{ .words = { "--farm", "a:1", "-p", "4" },
	  .settings = "processes=4",
	  .report = "command line: warning: farm: not supported yet, ignored (background work "
		    "(spooler, mules, timers, signals)); a task queue or cron can run it\n" },
	{ .words = { "--callable", "2", "-p", "4" },
	  .settings = "processes=4",
	  .report = "command line: warning: option \"callable\" is in no plugin that is loaded, "
		    "ignored\n" },
	{ .words = { "--enable-thr", "--websocket-max-si", "1", "-p", "4" },
	  .settings = "processes=4",
	  .report = "command line: warning: websocket-max-size: not supported yet, ignored "
		    "(WebSockets); a server for ASGI can serve them\n" },
	{ .words = { "--enable-thread=false", "--farm=0" },
	  .settings = "",
	  .report = "command line: warning: enable-threads = false: always on here; ignored\n" },
	{ .words = { "--spooler-fre=2" },
	  .settings = NULL,
	  .report =
		  "command line: error: unknown option --spooler-fre; did you mean \"spooler-freq\"?\n" },
	{ .words = { "--set", "base=/x", "--set", "chdir=%(base)/y", "--set-ph", "zz=1" },
	  .settings = "chdir=/x/y",
	  .report = "" },
	{ .words = { "--set", "base" },
	  .settings = NULL,
	  .report = "command line: error: set = base: expected name=value\n" },
	{ .words = { "--chdir", "/x # y" }, .settings = "chdir=/x # y", .report = "" },
	{ .words = { "--check", "--version" }, .settings = "", .report = "" },

	/* the environment */
	{ .environment = { "UWSGI_PROCESSES=3", "UWSGI_CHMOD_SOCKET=", "UWSGI_VACUUM=true" },
	  .settings = "processes=3 vacuum=1 mode=666",
	  .report = "" },
	{ .environment = { "UWSGI_RELOADS=1", "UWSGI_ORIGINAL_PROC_NAME=x", "UWSGI_OWN_THING=1",
			   "UWSGI_", "OTHER=1", "UWSGI_SIMILAR" },
	  .settings = "",
	  .report = "" },
	{ .environment = { "UWSGI_PROCESSES=many" },
	  .settings = NULL,
	  .report = "environment UWSGI_PROCESSES: error: processes = many: expected a whole "
		    "number\n" },

	/* the language */
	{ "\xef\xbb\xbf[uwsgi] # main\r\n  processes=4\r\n\tvacuum\r\n   chdir =  /x  \r\n", A,
	  .settings = "processes=4 vacuum=1 chdir=/x", .report = "" },
	{ "[uwsgi]\nprocesses = 4 # per host\nvacuum = false ; no\nchdir = /x # y\nuid=a;b\n"
	  "harakiri = 30 # s\n",
	  A, .settings = "processes=4 harakiri=30 chdir=/x uid=a;b", .report = "" },
	{ "[uwsgi]\nenv = A=1 # not a comment ; either\nlog-format = %(a) # %(b)\n", A,
	  .settings = "format=%(a) # %(b) env=A=1 # not a comment ; either", .report = "" },
	{ "[uwsgi]\nenv = A=1\nenv = B=2\nsocket = :1\nsocket = :2\n", A,
	  .settings = "env=A=1 env=B=2 socket=:1 socket=:2", .report = "" },
	{ "[uwsgi]\npreset = mine\npreset = too\n", A, .settings = "preset=mine preset=too",
	  .report = "" },
	{ "chdir = /x\nuid = y\n[uwsgi]\nprocesses = 2\n", A, .settings = "processes=2",
	  .report = "a.ini:1: warning: lines before the first [section] are ignored\n" },
	{ "[uwsgi]\nprocesses = 2\n[uwsgi\nthreads = 2\n", A, .settings = NULL,
	  .report = "a.ini:3: error: a heading has to end with ]\n" },
	{ "[uwsgi]\n<<<<<<< HEAD\nprocesses = 2\n=======\nprocesses = 3\n>>>>>>> x\n", A,
	  .settings = "processes=3",
	  .report = "a.ini:2: warning: a mark of a merge conflict; ignored\n"
		    "a.ini:4: warning: a mark of a merge conflict; ignored\n"
		    "a.ini:6: warning: a mark of a merge conflict; ignored\n" },
	{ "[uwsgi]\n= 4\n", A, .settings = "",
	  .report = "a.ini:2: warning: there is no name before the =; ignored\n" },

	/* placeholders */
	{ "[uwsgi]\nbase = /srv # here\nproject = shop\nchdir = %(base)/%(project)\n", A,
	  .settings = "chdir=/srv/shop", .report = "" },
	{ "[uwsgi]\nchdir = %(base)/x\nbase = %(root)/y\nroot = /r\n", A,
	  .settings = "chdir=/r/y/x", .report = "" },
	{ "[uwsgi]\nbase = 1\nbase = 2\nthreads = %(base)\n", A, .settings = "", .report = "" },
	{ "[uwsgi]\nprocesses = 3\nthreads = %(processes)\n", A,
	  .settings = "processes=3 threads=3", .report = "" },
	{ "[uwsgi]\nprocesses = %((2 * 2) + 1)\nthreads = %(2 * (1 + (1 + 1)))\n", A,
	  .settings = "processes=5 threads=6", .report = "" },
	{ "[uwsgi]\nn = two\ntwo = 2\nthreads = %(%(n))\nprocesses = %(1 + %(n))\nharakiri = 1\n"
	  "chdir = %(%(%(%(no))))\n",
	  A, .settings = "processes=3 threads=2 harakiri=1 chdir=%(%(%(%(no))))",
	  .report = "a.ini:7: warning: chdir: nothing defines %(%(%(%(no)))); it stays as it is "
		    "written\n" },
	{ "[uwsgi]\nthreads = %(%k * 0 + 3 * 2)\nprocesses = %(threads + 1)\n", A,
	  .settings = "processes=7 threads=6", .report = "" },
	{ "[uwsgi]\nn = 7\nthreads = %(n / 2 ++)\nprocesses = %(n - 2)\nharakiri = %(n %% 4)\n", A,
	  .settings = "processes=5 threads=4 harakiri=3", .report = "" },
	{ "[uwsgi]\nchdir = /x/%(port)\nuid = %(1 / 0)\n", A,
	  .settings = "chdir=/x/%(port) uid=%(1 / 0)",
	  .report = "a.ini:2: warning: chdir: nothing defines %(port); it stays as it is written\n"
		    "a.ini:3: warning: uid: nothing defines %(1 / 0); it stays as it is "
		    "written\n" },
	{ "[uwsgi]\na = %(b)\nb = %(a)\nchdir = %(a)\n", A, .settings = "chdir=%(a)",
	  .report = "a.ini:3: warning: b: nothing defines %(a); it stays as it is written\n" },
	{ "[uwsgi]\nchdir = /x/%(y\n", A, .settings = "chdir=/x/%(y", .report = "" },
	{ "[uwsgi]\nchdir = $(WHERE)/x\nenv = A=$(NOPE)\nuid = $(NOPE)\n", A,
	  .environment = { "WHERE=/there" }, .settings = "chdir=/there/x uid=$(NOPE) env=A=$(NOPE)",
	  .report = "a.ini:4: warning: uid: nothing defines $(NOPE); it stays as it is "
		    "written\n" },
	{ "[uwsgi]\nchdir = $(WHERE)/x\nbase = /b\n", A, .environment = { "WHERE=%(base)" },
	  .settings = "chdir=/b/x", .report = "" },
	{ "[uwsgi]\nenv = %n %e %s %c %% %%d 100%\n", A,
	  .settings = "env=a ini a.ini world % %d 100%", .report = "" },
	{ "[uwsgi]\nenv = x%Yy%%Y\n", A, .settings = "env=xy%Y",
	  .report = "a.ini:2: warning: %Y means nothing and is dropped; write %%Y for a percent "
		    "sign\n" },

	/* names that nobody knows */
	{ "[uwsgi]\nproceses = 4\nVacuum = true\nbuffer_size = 1\nquux = 1\n", A, .settings = "",
	  .report = "a.ini:2: warning: unknown option \"proceses\", ignored; did you mean "
		    "\"processes\"?\n"
		    "a.ini:3: warning: unknown option \"Vacuum\", ignored; did you mean "
		    "\"vacuum\"?\n"
		    "a.ini:4: warning: unknown option \"buffer_size\", ignored; did you mean "
		    "\"buffer-size\"?\n"
		    "a.ini:5: warning: unknown option \"quux\", ignored\n" },
	{ "[uwsgi]\nchmod-sock = 664\nprocess = 4\ngui = x\nenv A=b\nthreads: 4\n", A,
	  .settings = "",
	  .report = "a.ini:2: warning: unknown option \"chmod-sock\", ignored; did you mean "
		    "\"chmod-socket\"?\n"
		    "a.ini:3: warning: unknown option \"process\", ignored; did you mean "
		    "\"processes\"?\n"
		    "a.ini:4: warning: unknown option \"gui\", ignored; did you mean \"gid\"?\n"
		    "a.ini:5: warning: unknown option \"env A\", ignored; did you mean \"env = "
		    "A\"?\n"
		    "a.ini:6: warning: unknown option \"threads: 4\", ignored; did you mean "
		    "\"threads = 4\"?\n" },
	{ "[uwsgi]\ncallable = 2\nstrict = true\nquux = 1\nbase = /x\nchdir = %(base)\n", A,
	  .settings = NULL,
	  .report = "a.ini:2: error: option \"callable\" is in no plugin that is loaded\n"
		    "a.ini:4: error: unknown option \"quux\"\n" },
	{ "[uwsgi]\ncallable = 2\n", A, .environment = { "UWSGI_STRICT=1" }, .settings = NULL,
	  .report = "a.ini:2: error: option \"callable\" is in no plugin that is loaded\n" },

	{ "[uwsgi]\nstrict = true\nfarm = a:1\nmaster\nphp-docroot = /x\n", A, .settings = NULL,
	  .report = "a.ini:3: warning: farm: not supported yet, ignored (background work (spooler, "
		    "mules, timers, signals)); a task queue or cron can run it\n"
		    "a.ini:5: error: option \"php-docroot\" of uWSGI is not supported here: PHP is "
		    "not run here; PHP-FPM runs it\n" },

	/* values that do not fit; all of them are reported, in the order of the file */
	{ "[uwsgi]\nthreads = two\nprocesses = x\nchdir = %(y)\nharakiri = 1m\n", A,
	  .settings = NULL,
	  .report = "a.ini:2: error: threads = two: expected a whole number\n"
		    "a.ini:3: error: processes = x: expected a whole number\n"
		    "a.ini:4: warning: chdir: nothing defines %(y); it stays as it is written\n"
		    "a.ini:5: error: harakiri = 1m: this is in seconds, write 60\n" },
	{ "[uwsgi]\nworkers = 0\n", A, .settings = "",
	  .report = "a.ini:2: warning: workers = 0: must be from 1 to 1024; taken as 1\n" },
	{ "[uwsgi]\nprocesses = 1000\nthreads = 100\n", A, .settings = NULL,
	  .report = "a.ini:3: error: threads = 100: processes × threads is too much\n" },

	/* includes */
	{ "[uwsgi]\nini = :base\nthreads = 2\n[base]\nprocesses = 3\nthreads = 9\n", A,
	  .settings = "processes=3 threads=2", .report = "" },
	{ "[uwsgi]\nini = sub/b.ini\n", "[uwsgi]\nprocesses = 3\nenv = %n %N %x\n", A,
	  .settings = "processes=3 env=b a ", .report = "" },
	{ "[uwsgi]\nini = %dsub/b.ini:x\n", "[x]\nprocesses = 3\nenv = %n %x\n", A,
	  .settings = "processes=3 env=b x", .report = "" },
	{ "[uwsgi]\nwhere = sub\nini = %(where)/b.ini # the rest\n", "[uwsgi]\nprocesses = 3\n", A,
	  .settings = "processes=3", .report = "" },
	{ "[uwsgi]\nini = nope.ini\nini = :gone\nini =\n", A, .settings = NULL,
	  .report = "a.ini:2: error: cannot read nope.ini: No such file or directory\n"
		    "a.ini:3: error: a.ini has no section [gone], only [uwsgi]: name one as "
		    "a.ini:section\n"
		    "a.ini:4: warning: ini: has no value; ignored\n" },
	{ "[uwsgi]\nini = sub/b.ini\n", "[uwsgi]\nprocesses = 4.5\n", A, .settings = NULL,
	  .report = "sub/b.ini:2: error: processes = 4.5: expected a whole number\n" },
	{ "[uwsgi]\nini = :uwsgi\n", A, .settings = NULL,
	  .report = "a.ini:2: error: section [uwsgi] of a.ini includes itself\n" },
	{ .words = { "--ini", ":base" },
	  .settings = NULL,
	  .report = "command line: error: ini = :base: no file is being read here, name one "
		    "before the colon\n" },

	/* names that are no options and no mistakes */
	{ "[uwsgi]\ndeclare-option = sites=$1\ndeclare-option = site=$1\nsite = x\nname = y\nsitex = z\n",
	  A, .settings = "", .report = "a.ini:6: warning: unknown option \"sitex\", ignored\n" },
	{ "[uwsgi]\ndeclare-option = site=$2\n", A, .settings = "",
	  .report =
		  "a.ini:2: warning: declare-option = site=$2: only NAME=$1 is understood, which makes "
		  "a placeholder; \"site=$2\" is ignored\n" },
	{ "[uwsgi]\nbase = 1\nset-ph = base=2\nbase = 3\nchdir = %(base)\n", A,
	  .settings = "chdir=1", .report = "" },

	/* PasteDeploy's files; the option that they bring is Python's */
	{ .words = { "--ini-paste-logged", "sub/b.ini" },
	  .b = "[app:main]\nprocesses = 4\n[uwsgi]\nprocesses = 2\n",
	  .settings = "processes=2",
	  .report = "command line: warning: option \"paste\" is in no plugin that is "
		    "loaded, ignored\n"
		    "command line: warning: option \"paste-logger\" is in no plugin that "
		    "is loaded, ignored\n" },
	{ .words = { "--ini-paste", "sub/b.ini" },
	  .b = "[app:main]\nprocesses = 4\n",
	  .settings = "",
	  .report = "command line: warning: option \"paste\" is in no plugin that is "
		    "loaded, ignored\n" },

	/* conditions */
	{ "[uwsgi]\nif-env = PORT\nsocket = :%(_)\nendif =\nif-not-env = PORT\nsocket = :80\n"
	  "endif\n",
	  A, .environment = { "PORT=5000" }, .settings = "socket=:5000", .report = "" },
	{ "[uwsgi]\nif-env = PORT\nsocket = :%(_)\nif-not-env = PORT\nuid = x\nendif\nuid = y\n"
	  "endif =\nif-not-env = PORT\nsocket = :80\nendif\n",
	  A, .settings = "socket=:80", .report = "" },
	{ "[uwsgi]\nbase = sub\nif-exists = %(base)/b.ini\nuid = %(_)\nendif\nif-dir = nope\n"
	  "uid = no\nendif\nif-opt = base=sub\nthreads = 2\nendif\nif-not-opt = base\n"
	  "threads = 3\nendif\n",
	  "[uwsgi]\n", A, .settings = "threads=2 uid=sub/b.ini", .report = "" },
	{ "[uwsgi]\nfor = a b\nuid = %(_)\nendfor =\nthreads = 2\nendif\nif-env = HOME\nuid = z\n",
	  A, .settings = "threads=2 uid=b",
	  .report = "a.ini:6: warning: endif: no block is open here; ignored\n"
		    "a.ini:7: warning: if-env has no endif; it holds to the end of the file\n" },
	{ "[uwsgi]\nif-env = X\nuid = x\nelse =\nuid = y\nif-reload =\nuid = z\nendif\nendif\n"
	  "ifnotdir = sub\nuid = w\nendif\nif-plugin = python\nthreads = 9\nelse\nthreads = 3\n"
	  "endif\nif-hostname-match = ^nobody$\nthreads = 8\nendif\n",
	  A, .settings = "threads=3 uid=y", .report = "" },
	{ "[uwsgi]\nelse\nfor = a\nelse\nendif\nif-hostname-match = (\nthreads = 8\nendif\n", A,
	  .settings = NULL,
	  .report = "a.ini:2: warning: else: no condition is open here; ignored\n"
		    "a.ini:4: warning: else: no condition is open here; ignored\n"
		    "a.ini:5: warning: endif ends \"for\" of line 3; write endfor\n"
		    "a.ini:6: error: if-hostname-match = (: missing closing parenthesis (at "
		    "byte 1 of the expression)\n" },

	/* what is asked for while reading goes on has the value that it has in the end */
	{ "[uwsgi]\na = %(b)\nb = %(c)\nc = %(d)\nd = %(e)\ne = %(f)\nf = %(g)\ng = %(h)\nh = "
	  "%(i)\ni = %(j)\nj = $(WHERE)\nif-exists = %(a)/b.ini\nchdir = %(_)\nendif =\n"
	  "if-opt = a=sub\nuid = %(a)\nendif =\n",
	  "", A, .environment = { "WHERE=sub" }, .settings = "chdir=sub/b.ini uid=sub",
	  .report = "" },
	{ "[uwsgi]\nb = 1%(b * 2)\nfor = %(b)\nenv = %(_) %(b)\nendfor =\n", A,
	  .settings = "env=10 10", .report = "" },
	{ "[uwsgi]\nif-dir = %(later)\nuid = x\nendif =\nlater = sub\nchdir = %(later)\n", A,
	  .settings = "chdir=sub", .report = "" },
	{ "[uwsgi]\nwhere = @(sub/b.ini)\nif-opt = where=sub\nuid = x\nendif =\nchdir = "
	  "%(where)\n",
	  "sub\n", A, .settings = "chdir=sub", .report = "" },

	/* loops */
	{ "[uwsgi]\nfor =  1  2 # ports\nsocket = :300%(_)\nenv = %(_)\nendfor =\nn = 2\n"
	  "for-times = %(n)\nsocket = %(_)\nthreads = %(n + 1)\nend-for =\n",
	  A, .settings = "threads=3 env=1 env=2 socket=:3001 socket=:3002 socket=1 socket=2",
	  .report = "" },
	{ "[uwsgi]\nfor = sub nope\nif-dir = %(_)\nfor-glob = %(_)/*.in[i]\nenv = %(_)\nendfor\n"
	  "endif\nendfor\nif-env = NO\nfor-times = x\nenv = never\nendfor\nendif\n",
	  "", A, .settings = "env=sub/b.ini", .report = "" },
	{ "[uwsgi]\nfor-readline = sub/b.ini\nenv = [%(_)]\nendfor\n", "A=1\r\n\n # two\nthree", A,
	  .settings = "env=[A=1] env=[ # two] env=[three]", .report = "" },
	{ "[uwsgi]\nfor-readline = nope\nenv = %(_)\nendfor\nfor-times = 9x\nuid = x\nendfor\n"
	  "for-times = 123456789\nuid = y\nendfor\n",
	  A, .settings = NULL,
	  .report = "a.ini:2: warning: for-readline = nope: No such file or directory; the block "
		    "is left out\n"
		    "a.ini:5: error: for-times = 9x: not a number\n"
		    "a.ini:8: error: for-times = 123456789: a loop runs at most 10000 times\n" },
	{ "[uwsgi]\nvacuum = %(k)\nfor-times = 100\nfor-times = 99\nk = 1\nk = 2\nk = 3\nk = 4\nk "
	  "= 5\nk = 6\n"
	  "k = 7\nk = 8\nk = 9\nk = 10\nk = 11\nk = 12\nk = 13\nk = 14\nk = 15\nk = 16\n"
	  "k = 17\nk = 18\nk = 19\nk = 20\nk = 21\nk = 22\nendfor\nendfor\n",
	  A, .settings = NULL, .report = "a.ini:25: error: more than 200000 settings\n" },
	/* other formats, templates */
	{ "{\"uwsgi\": {\"env\": [\"A=1 # x\", \"B=%n\"], \"processes\": 2, \"vacuum\": true, "
	  "\"chdir\": \"/srv/%(processes)\"}, \"other\": {\"chdir\": \"/no\"}}",
	  NULL, .words = { "--json", "a.ini" },
	  .settings = "processes=2 vacuum=1 chdir=/srv/2 env=A=1 # x env=B=a", .report = "" },
	{ "{\"uwsgi\":\n{\"env\": }}", NULL, .words = { "-j", "a.ini" }, .settings = NULL,
	  .report = "a.ini:2: error: unexpected token near '}'\n" },
	{ "{\"uwsgi\": {\"env\": {}}}", NULL, .words = { "-j", "a.ini" }, .settings = NULL,
	  .report = "a.ini: error: \"env\": the value of an option is a string, a number, true, "
		    "false or a list of them\n" },
	{ "[]", NULL, .words = { "-j", "a.ini" }, .settings = NULL,
	  .report = "a.ini: error: expected {\"uwsgi\": {\"option\": \"value\"}}\n" },
	{ .words = { "--yaml", "a.conf:dev" },
	  .settings = NULL,
	  .report = "command line: error: a.conf: YAML is not read here, ini and JSON are; "
		    "uwsgi --migrate a.conf makes an ini file of it\n" },
	{ .words = { "-x", "/a" },
	  .settings = NULL,
	  .report = "command line: error: /a: XML is not read here, ini and JSON are; uwsgi "
		    "--migrate /a makes an ini file of it\n" },
	{ .words = { "a.xml" },
	  .settings = NULL,
	  .report =
		  "command line: error: a.xml: XML is not read here, ini and JSON are; "
		  "uwsgi --migrate a.xml makes an ini file of it\n" },
	{ "[uwsgi]\nini = http://x/y.ini\n", A, .settings = NULL,
	  .report = "a.ini:2: error: http://x/y.ini: a configuration is read from a file; fetch it "
		    "before the start\n" },
	{ "[uwsgi]\ninherit = :t\nchdir = %(where)\nprocesses = 2\n[t]\nwhere = /t\nprocesses = "
	  "3\n",
	  A, .settings = "processes=3 chdir=/t", .report = "" },

	{ "[uwsgi]\nenv = \"A=b\"\nchdir = '/srv' # x\nlog-format = \"%(addr)\"\nmodule = \"a\" "
	  "\"b\"\n",
	  A, .settings = "chdir='/srv' module=\"a\" \"b\" format=\"%(addr)\" env=\"A=b\"",
	  .report = "a.ini:2: warning: env = \"A=b\": the quotation marks are part of the value; "
		    "write env = A=b\n"
		    "a.ini:3: warning: chdir = '/srv': the quotation marks are part of the value; "
		    "write chdir = /srv\n" },

	/* what stands elsewhere */
	{ "[uwsgi]\nchdir = /@(sub/b.ini)/@(file://sub/b.ini)/@(exec://printf \"x\\ny\\n\")\n"
	  "env = @(exec://pwd >&2; exit 1)!\n",
	  "b\n", A, .settings = "chdir=/b/b/x\ny env=!", .report = "" },
	{ "[uwsgi]\nwhere = sub\nchdir = @(nope)\nuid = @(http://x)\nmodule = "
	  "@(exec://no-such-command 2>&1)\nhome = @(exec://printf 'a\\0b')\n",
	  A, .settings = NULL,
	  .report = "a.ini:2: warning: unknown option \"where\", ignored\n"
		    "a.ini:3: error: chdir: @(nope): No such file or directory\n"
		    "a.ini:4: error: uid: @(http://x): only a file and exec:// can stand here; for "
		    "others write @(exec://command), for example with curl\n"
		    "a.ini:5: error: module: @(exec://no-such-command 2>&1): there is no such "
		    "command\n"
		    "a.ini:6: error: home: @(exec://printf 'a\\0b'): this is not text\n" },
	{ "[uwsgi]\nini = -\n", A, .settings = NULL,
	  .report = "a.ini:2: error: cannot read -: standard input is read for the command line "
		    "only\n" },

	{ .words = { "--for", "a b", "--env", "%(_)", "--endfor" },
	  .settings = "env=a env=b",
	  .report = "" },
};

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static struct config *load(const struct world *w, const char *cwd, char *said)
{
	char *argv[WORDS + 2] = { (char *)(uintptr_t) "uwsgi" }, *environment[WORDS + 1] = { NULL };
	struct invocation invocation = {
		.argc = 1, .argv = argv, .environ_ = environment, .cwd = cwd
	};
	struct report report;

	for (size_t i = 0; i < WORDS && w->words[i]; i++)
		argv[invocation.argc++] = (char *)(uintptr_t)w->words[i];
	for (size_t i = 0; i < WORDS && w->environment[i]; i++)
		environment[i] = (char *)(uintptr_t)w->environment[i];
	report_init(&report);
	struct config *c = config_load(&invocation, tables, TABLES, &report);
	join(&report, said);
	assert_non_null(c);
	if (report.errors) {
		config_free(c);
		c = NULL;
	}
	report_fini(&report);
	return c;
}

static void test_worlds(void **state)
{
	const char *cwd = *state;

	for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++) {
		const struct world *w = &worlds[i];
		char said[4096], set[2048];

		unlink("sub/b.ini");
		if (w->a)
			write_file("a.ini", w->a);
		if (w->b)
			write_file("sub/b.ini", w->b);
		print_message("world %zu: %s\n", i, w->a ? w->a : "");
		struct config *c = load(w, cwd, said);
		assert_string_equal(said, w->report);
		if (w->settings) {
			dump(c, set);
			assert_string_equal(set, w->settings);
		} else {
			assert_null(c);
		}
		config_free(c);
	}
}

/* The files of common tutorials, as their readers have them. */
static void test_tutorials(void **state)
{
	static const struct {
		const char *file, *settings;
	} files[] = {
		{ "tutorial-project.ini",
		  "processes=2 threads=2 harakiri=30 vacuum=1 chdir=/srv/www/shop "
		  "module=shop.wsgi:application home=/srv/www/Env/shop uid=www-data mode=664 "
		  "socket=/run/uwsgi/shop.sock" },
		{ "tutorial-sockets.ini",
		  "processes=4 threads=2 chdir=/srv/shop module=app.py socket=127.0.0.1:3031" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		const struct world w = { .words = { files[i].file } };
		char said[4096], set[2048];
		struct config *c = load(&w, fixtures, said);

		assert_non_null(c);
		dump(c, set);
		assert_string_equal(set, files[i].settings);
		assert_null(strstr(said, "unknown"));
		config_free(c);
	}
}

/* Two generations: the later one changes nothing of the earlier one. */
static void test_side_by_side(void **state)
{
	static const struct world w = { .words = { "a.ini" } };
	char said[4096], set[2048];

	write_file("a.ini", "[uwsgi]\nprocesses = 4\nchdir = /old\nsocket = :1\n");
	struct config *old = load(&w, *state, said);
	write_file("a.ini", "[uwsgi]\nprocesses = 8\nchdir = /new\n");
	struct config *fresh = load(&w, *state, said);
	dump(old, set);
	assert_string_equal(set, "processes=4 chdir=/old socket=:1");
	config_free(old);
	dump(fresh, set);
	assert_string_equal(set, "processes=8 chdir=/new");
	config_free(fresh);
}

static void test_keys_in_order(void **state)
{
	static const char *const expected[] = {
		"project", "shop",  "vacuum", "",     "plugin",
		"x",       "chdir", "/shop",  "home", "@(exec://false)"
	};
	char *argv[] = { (char *)(uintptr_t) "uwsgi", (char *)(uintptr_t) "a.ini", NULL };
	char *environment[] = { NULL };
	const struct invocation invocation = {
		.argc = 2, .argv = argv, .environ_ = environment, .cwd = *state
	};
	const char *name, *value;
	struct report report;
	size_t i = 0, n = 0;

	write_file("a.ini", "[uwsgi]\nproject = shop\nvacuum\nplugin = x\nchdir = /%(project)\n"
			    "home = @(exec://false)\nini = gone.ini\n");
	report_init(&report);
	struct config *c = config_read(&invocation, tables, TABLES, &report);
	assert_non_null(c);
	assert_null(uwsgi_options(c, &table));
	while (n < 10 && uwsgi_config_next(c, &i, &name, &value)) {
		assert_string_equal(name, expected[n++]);
		assert_string_equal(value, expected[n++]);
	}
	assert_true(uwsgi_config_next(c, &i, &name, &value));
	assert_string_equal(name, "ini");
	assert_false(uwsgi_config_next(c, &i, &name, &value));
	config_free(c);
	report_fini(&report);
}

/* By type: what it is that an option has, or has not. */
static void test_what_is_set(void **state)
{
	static const struct world w = { .words = { "a.ini" } };
	static const char *const there[] = { "workers", "vacuum", "chdir", "socket", "preset" };
	static const char *const not_there[] = { "harakiri", "module",   "home",
						 "env",      "callable", "?" };
	char said[4096];

	write_file("a.ini", "[uwsgi]\nvacuum = 1\nchdir = /srv\nhome =\nsocket = :1\n");
	struct config *c = load(&w, *state, said);
	for (size_t i = 0; i < sizeof there / sizeof *there; i++)
		assert_true(uwsgi_config_has(c, there[i]));
	for (size_t i = 0; i < sizeof not_there / sizeof *not_there; i++)
		assert_false(uwsgi_config_has(c, not_there[i]));
	config_free(c);
}

/* Values that name one another must end, and must not fill the memory. */
static void test_growing_values(void **state)
{
	static const struct world w = { .words = { "a.ini" } };
	char said[4096], text[4096] = "[uwsgi]\nchdir = %(a0)\n";
	size_t at = strlen(text);

	for (int i = 0; i < 60; i++)
		at += (size_t)sprintf(text + at, "a%d = %%(a%d)%%(a%d)\n", i, i + 1, i + 1);
	sprintf(text + at, "a60 = x\n");
	write_file("a.ini", text);
	assert_null(load(&w, *state, said));
	assert_non_null(strstr(said, "the value is too long once its names are replaced"));
}

/* Nor must loops over them, whatever their lines are. */
static void test_many_long_values(void **state)
{
	static const char *const lines[] = { "env = %(a0)", "if-opt = a1=%(a0)%(_)" };

	for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
		char *argv[] = { (char *)(uintptr_t) "uwsgi", (char *)(uintptr_t) "a.ini", NULL };
		const struct invocation invocation = { .argc = 2, .argv = argv, .cwd = *state };
		char text[4096] = "[uwsgi]\n";
		size_t at = strlen(text), said = 0;
		struct report report;

		for (int i = 0; i < 18; i++)
			at += (size_t)sprintf(text + at, "a%d = %%(a%d)%%(a%d)\n", i, i + 1, i + 1);
		sprintf(text + at, "a18 = x\nfor-times = 400\n%s\n", lines[k]);
		write_file("a.ini", text);
		report_init(&report);
		config_free(config_load(&invocation, tables, TABLES, &report));
		for (size_t i = 0; i < report.count; i++)
			said += strcmp(report.items[i].text,
				       "the settings are longer than 64 MiB") == 0;
		assert_int_equal(said, 1);
		report_fini(&report);
	}
}

static void test_commands(void **state)
{
	static const struct {
		const char *words[4];
		enum command_kind kind;
		const char *argument;
	} lines[] = {
		{ { "a.ini" }, COMMAND_SERVE, NULL },
		{ { "--version" }, COMMAND_VERSION, NULL },
		{ { "-h" }, COMMAND_HELP, NULL },
		{ { "-Mh" }, COMMAND_HELP, NULL },
		{ { "--help", "processes" }, COMMAND_HELP, "processes" },
		{ { "--help=processes" }, COMMAND_HELP, "processes" },
		{ { "--check", "a.ini" }, COMMAND_CHECK, NULL },
		{ { "--reload", "/run/x.pid" }, COMMAND_RELOAD, "/run/x.pid" },
		{ { "--stop=/run/x.pid" }, COMMAND_STOP, "/run/x.pid" },
		{ { "--stop" }, COMMAND_STOP, "" },
		{ { "--pyargv", "-h" }, COMMAND_SERVE, NULL },
		{ { "--", "--version" }, COMMAND_SERVE, NULL },
		{ { "-p", "-h" }, COMMAND_SERVE, NULL },
	};

	static const struct catalogue catalogue = { .tables = tables, .count = TABLES };

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char *argv[6] = { (char *)(uintptr_t) "uwsgi" };
		int argc = 1;

		for (size_t k = 0; k < 4 && lines[i].words[k]; k++)
			argv[argc++] = (char *)(uintptr_t)lines[i].words[k];
		struct command command = command_line_find(&catalogue, argc, argv);

		assert_int_equal(command.kind, lines[i].kind);
		if (lines[i].argument)
			assert_string_equal(command.argument, lines[i].argument);
		else
			assert_null(command.argument);
	}
}

/* A folder called "world" to live in, so that paths in messages are short and known. */
static int enter(void **state)
{
	static char folder[256];
	size_t n;

	if (!getcwd(fixtures, sizeof fixtures))
		return -1;
	n = strlen(fixtures);
	snprintf(fixtures + n, sizeof fixtures - n, "/t/fixtures/ini");
	snprintf(folder, sizeof folder, "%s/test_config.XXXXXX", P_tmpdir);
	if (!mkdtemp(folder) || chdir(folder))
		return -1;
	strcat(folder, "/world");
	if (mkdir(folder, 0700) || chdir(folder) || mkdir("sub", 0700))
		return -1;
	*state = folder;
	return 0;
}

static int leave(void **state)
{
	char *folder = *state;

	unlink("a.ini");
	unlink("sub/b.ini");
	rmdir("sub");
	if (chdir("/") || rmdir(folder))
		return -1;
	*strrchr(folder, '/') = '\0';
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worlds),           cmocka_unit_test(test_side_by_side),
		cmocka_unit_test(test_keys_in_order),    cmocka_unit_test(test_growing_values),
		cmocka_unit_test(test_many_long_values), cmocka_unit_test(test_commands),
		cmocka_unit_test(test_tutorials),        cmocka_unit_test(test_what_is_set),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
