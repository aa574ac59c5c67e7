/* SPDX-License-Identifier: MIT */
/* uwsgi_subjects.c: what is said of the options of uWSGI that have no row in an option table.
 * uWSGI has some 1,300 options; those of other languages, of clusters, of its own process manager
 * and the like are left to others, and whoever sets one is told what to use.  A subsystem that comes
 * takes its names along: their subject becomes HERE, and its module has their rows. */
#include "settings/uwsgi_subjects.h"

#include <stddef.h>

/* clang-format off */
#define ALWAYS(text) { SUBJECT_ALWAYS, NULL, text }
#define ELSEWHERE(text) { SUBJECT_ELSEWHERE, NULL, text }

const struct subject uwsgi_subjects[SUBJECTS] = {
	[HERE] = { SUBJECT_HERE, NULL, "" },

	[AUTOLOAD] = ALWAYS("the plugins that are installed are loaded without being asked for"),
	[BINARY_PATH] = ALWAYS("a reload does not execute the binary again"),
	[CHECK_INTERVAL] = ALWAYS("the master acts when something happens"),
	[CHUNKED_INPUT_LIMIT] = ALWAYS("limit-post bounds bodies in chunks, too"),
	[CHUNKED_INPUT_TIMEOUT] = ALWAYS("http-timeout bounds bodies in chunks, too"),
	[CLOSE_ON_EXEC] = ALWAYS(
		"programs that the application starts inherit no descriptor of the server"),
	[DIE_ON_TERM] = ALWAYS("SIGTERM stops the server after what is running is answered"),
	[DROP_AFTER_INIT] = ALWAYS("root is given up when sockets, log and pidfile are open"),
	[EARLY_PYTHON] = ALWAYS("Python is started before the workers are forked"),
	[ENABLE_THREADS] = ALWAYS("threads that the application starts run"),
	[FORKBOMB_DELAY] = ALWAYS("a worker that keeps dying is started again later and later"),
	[HONOUR_STDIN] = ALWAYS("standard input stays what it is, but in the background"),
	[HTTP_AUTO_CHUNKED] = ALWAYS(
		"a response of unknown length is sent to HTTP/1.1 clients in chunks"),
	[HTTP_CHUNKED_INPUT] = ALWAYS("bodies that come in chunks are taken"),
	[HTTP_EVENTS] = ALWAYS("the router takes as many events at once as there are"),
	[HTTP_MANAGE_EXPECT] = ALWAYS("100 Continue is said to who waits for it"),
	[HTTP_RAW_BODY] = ALWAYS("bodies of any kind of request are taken"),
	[HTTP_SERVER_NAME_AS_HTTP_HOST] = ALWAYS(
		"SERVER_NAME is the name that the client asked for"),
	[HTTP_USE_SOCKET] = ALWAYS(
		"the router reaches the workers over a socket that is theirs alone"),
	[IGNORE_SIGPIPE] = ALWAYS("a client that is gone is no signal"),
	[IGNORE_WRITE_ERRORS] = ALWAYS(
		"a client that is gone is not complained about; log-ioerror shows its request"),
	[LOG_MASTER_REQ_STREAM] = ALWAYS("lines of requests of any length reach the master"),
	[LOG_MASTER_STREAM] = ALWAYS("lines of any length reach the master"),
	[MASTER] = ALWAYS("a master process keeps the workers alive"),
	[MAX_APPS] = ALWAYS("there may be any number of applications"),
	[MAX_VARS] = ALWAYS("a request may have as many variables as buffer-size has room for"),
	[MEM_COLLECTOR_FREQ] = ALWAYS("memory is looked at once a second when a limit is set"),
	[NO_ORPHANS] = ALWAYS("no process outlives the master"),
	[OFFLOAD_THREAD] = ALWAYS(
		"files and long responses are sent while the worker runs other requests"),
	[POST_BUFFERING_BUFSIZE] = ALWAYS(
		"what comes of a body is written to its file as it comes"),
	[PY_CALL_OSAFTERFORK] = ALWAYS("Python is told of every fork"),
	[PY_CALL_UWSGI_FORK_HOOKS] = ALWAYS(
		"functions of os.register_at_fork() run around every fork"),
	[REAPER] = ALWAYS("processes that the application leaves behind are reaped"),
	[RELOAD_OS_ENV] = ALWAYS("os.environ is read anew by each generation"),
	[SINGLE_INTERPRETER] = ALWAYS("the application runs in the main interpreter"),
	[SKIP_ATEXIT_TEARDOWN] = ALWAYS("a worker ends without taking Python apart"),
	[SKIP_ZERO] = ALWAYS("descriptor 0 is used as it is found"),
	[TCP_NODELAY] = ALWAYS("nothing waits to be sent together with more"),
	[THUNDER_LOCK] = ALWAYS(
		"workers do not disturb each other when they accept; no lock is needed for it"),
	[WSGI_ACCEPT_BUFFER] = ALWAYS(
		"bytearray, memoryview and other bytes-like objects are taken as blocks"),
	[WSGI_ENV_BEHAVIOR] = ALWAYS("each request has an environ of its own"),
	[WSGI_MANAGE_CHUNKED_INPUT] = ALWAYS("wsgi.input gives a body that came in chunks"),
	[WSGI_STRICT] = ALWAYS("what PEP 3333 forbids is an error"),

	[WORKER_ENDS] = { SUBJECT_PLANNED, "more ways to end or steer workers",
		"harakiri, max-requests and the signals are there" },
	[OTHER_PYTHON] = { SUBJECT_PLANNED, "other ways to name a Python application",
		"a file for wsgi-file can make it" },
	[STATISTICS] = { SUBJECT_PLANNED, "the statistics server", "" },
	[CHEAPER] = { SUBJECT_PLANNED, "the adaptive number of workers",
		"all processes run all the time" },
	[STATIC_FILES] = { SUBJECT_PLANNED, "static files",
		"let nginx serve them, or WhiteNoise in the application" },
	[HOOKS] = { SUBJECT_PLANNED, "hooks",
		"a unit of systemd or the container's start script can run commands" },
	[LOOPS] = { SUBJECT_PLANNED, "gevent and other event loops",
		"threads serve requests side by side" },
	[CACHES] = { SUBJECT_PLANNED, "caches, queues, locks and shared memory",
		"a Redis or memcached serves all workers" },
	[BACKGROUND] = { SUBJECT_PLANNED, "background work (spooler, mules, cron, timers, signals)",
		"a task queue or cron can run it" },
	[DAEMONS] = { SUBJECT_PLANNED, "attached daemons",
		"a unit of systemd or a container of its own can run them" },
	[ALARMS] = { SUBJECT_PLANNED, "alarms",
		"what is logged can be watched" },
	[ROUTING] = { SUBJECT_PLANNED, "internal routing",
		"nginx and middleware of the application can do it" },
	[LOG_ROUTING] = { SUBJECT_PLANNED, "the routing of log lines",
		"all lines go to the one log" },
	[TLS] = { SUBJECT_PLANNED, "TLS",
		"let nginx or another proxy terminate it" },
	[HTTP_ROUTER] = { SUBJECT_PLANNED, "the finer points of the HTTP router", "" },
	[WEBSOCKETS] = { SUBJECT_PLANNED, "WebSockets",
		"a server for ASGI can serve them" },

	[EMPEROR] = ELSEWHERE(
		"there is no emperor here; run each application as a service of its own, for "
		"example a systemd unit app@.service"),
	[CLUSTERS] = ELSEWHERE(
		"servers do not join clusters here; the orchestrator or the proxy knows them"),
	[OTHER_ROUTERS] = ELSEWHERE(
		"there is no such router here; list the servers in nginx's upstream"),
	[ZERG] = ELSEWHERE("workers are not lent between instances here; set processes"),
	[ISOLATION] = ELSEWHERE(
		"isolation is left to the service manager; systemd and containers have "
		"namespaces, jails and control groups"),
	[PYPY] = ELSEWHERE("only CPython is run here"),
	[PERL] = ELSEWHERE("Perl is not run here; Starman runs PSGI applications"),
	[PHP] = ELSEWHERE("PHP is not run here; PHP-FPM runs it"),
	[RUBY] = ELSEWHERE("Ruby is not run here; Puma runs Rack applications"),
	[JAVA] = ELSEWHERE("the JVM is not run here"),
	[GOLANG] = ELSEWHERE("Go is not run here; its programs serve HTTP themselves"),
	[LUA] = ELSEWHERE("Lua is not run here; OpenResty runs it"),
	[NATIVE_CODE] = ELSEWHERE("C and C++ request handlers are not loaded here"),
	[MONO] = ELSEWHERE("Mono is not run here; Kestrel runs .NET applications"),
	[V8] = ELSEWHERE("JavaScript is not run here; Node.js runs it"),
	[CGI] = ELSEWHERE("CGI is not run here; fcgiwrap runs it behind nginx"),
	[WEB3] = ELSEWHERE("web3 never became a standard; write a WSGI application"),
	[PUMP] = ELSEWHERE("Pump never became a standard; write a WSGI application"),
	[WSGI_LITE] = ELSEWHERE("WSGI-Lite is not called here; write a WSGI application"),
	[OTHER_FILES] = ELSEWHERE("this server does not serve such files; nginx does"),
	[GEOIP] = ELSEWHERE("addresses are not located here; nginx's geoip module does"),
	[TERMINALS] = ELSEWHERE("terminals and tunnels are not served here"),
	[LDAP] = ELSEWHERE("configurations are not read from LDAP"),
	[SQLITE] = ELSEWHERE("configurations are not read from SQLite"),
	[FALLBACK_CONFIG] = ELSEWHERE(
		"there is one configuration; a shell's || can start with another"),
	[PAM] = ELSEWHERE("users are not authenticated here; the application does, or nginx"),
	[NAGIOS] = ELSEWHERE("nothing here speaks to Nagios; check an address of the application"),
	[PING] = ELSEWHERE("nothing here answers such a ping; check an address of the application"),
	[NOTFOUND] = ELSEWHERE("an application is always asked"),
	[PUSHERS] = ELSEWHERE(
		"measurements are not sent there; what reads the statistics can pass them on"),
	[OTHER_PROTOCOLS] = ELSEWHERE(
		"this protocol is not spoken here; use socket, http-socket, fastcgi-socket or "
		"scgi-socket"),
	[UPLOAD_PROGRESS] = ELSEWHERE(
		"the application sees whole requests; a browser shows the progress of what it "
		"sends"),
	[MODIFIERS] = ELSEWHERE(
		"every request goes to the one application; modifiers are not looked at"),
	[BUILD_COMMANDS] = ELSEWHERE("a command of uWSGI's own build; nothing here needs it"),
	[OWN_FILES] = ELSEWHERE("configurations are not built into the binary here"),
	[LISTS] = ELSEWHERE("uWSGI lists what it was built with; --help-all lists what is here"),
	[CONNECT_AND_READ] = ELSEWHERE("nc reads what a socket says"),
	[PROFILER] = ELSEWHERE(
		"there is no profiler in the server; py-spy and perf watch it from outside"),
	[BACKTRACE_DEPTH] = ELSEWHERE("crashes leave a core file and Python's own report"),
	[NO_SERVER] = ELSEWHERE("to look at a configuration without starting it there is --check"),
	[OPTION_LISTS] = ELSEWHERE(
		"options are not taken away by a file here; set-placeholder sets a name for use "
		"as %(name)"),
	[APPARMOR] = ELSEWHERE(
		"THE APPLICATION IS NOT CONFINED; write AppArmorProfile= into its systemd unit, "
		"or start it with aa-exec"),
	[CLOCK] = ELSEWHERE("the system's clock is used"),
	[VHOST] = ELSEWHERE(
		"virtual hosts are told apart by the web server; run a server for each, or mount "
		"applications by path"),
	[BODY_READ_WARNING] = ELSEWHERE("bodies are read before the application runs"),
	[IGNORE_SCRIPT_NAME] = ELSEWHERE("SCRIPT_NAME is what the web server says, or the mount"),
	[HTTP_PATH_INFO_NO_DECODE_SLASHES] = ELSEWHERE(
		"PATH_INFO is decoded as PEP 3333 has it; REQUEST_URI is not"),
	[MAP_SOCKET] = ELSEWHERE("each worker accepts from all sockets"),
	[TCP_FAST_OPEN_CLIENT] = ELSEWHERE("the server makes no TCP connections"),
	[DISABLE_SENDFILE] = ELSEWHERE("files are always sent by sendfile"),
	[NO_THREADS_WAIT] = ELSEWHERE("threads of the application are not waited for"),
	[RELOAD_ON_FD] = ELSEWHERE("--reload and touch-reload ask for a reload"),
	[PY_TRACEBACKER] = ELSEWHERE("py-spy dump shows the stacks of all threads"),
	[PYSHELL] = ELSEWHERE("python3 -i with the same pythonpath is such a shell"),
	[PYTHON_VERSION] = ELSEWHERE("the log says it at start, and --help-all"),
	[PYTHON_RAW] = ELSEWHERE("applications are called by WSGI"),
	[PYRUN] = ELSEWHERE("programs are run by python3; name a WSGI application with module"),
	[TEST] = ELSEWHERE("--check-app imports the application"),
	[START_RESPONSE_NODELAY] = ELSEWHERE("the head leaves with the first block of the body"),
	[DYNAMIC_APPS] = ELSEWHERE("requests cannot name applications; mount does"),
	[SYS_EXECUTABLE] = ELSEWHERE("sys.executable is that of home"),
	[EARLY_IMPORTS] = ELSEWHERE(
		"modules are imported once before the workers are forked; use import and "
		"pythonpath"),
	[NEED_PLUGIN] = ELSEWHERE("a plugin that plugin = names must be there"),
	[RESPONSE_HEADERS_LIMIT] = ELSEWHERE("a response may have any number of headers"),
	[SAFE_FD] = ELSEWHERE("the server closes no descriptor that it did not open"),
	[PAUSE] = ELSEWHERE("--stop stops it; there is no pause"),
};
/* clang-format on */
