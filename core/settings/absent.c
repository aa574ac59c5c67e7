/* SPDX-License-Identifier: MIT */
/* absent.c: what this server leaves to others.  uWSGI has some 1,300 options; those of other
 * languages, of clusters, of its own process manager and the like have no row in any table, and
 * whoever sets one is told what to use instead.  config.c and help.c ask. */
#include "settings/absent.h"

#include <stddef.h>
#include <string.h>

/* Several names mean one thing. */
static const char emperor[] = "there is no emperor here; run each application as a service of its "
			      "own, for example a systemd unit app@.service";
static const char clusters[] = "servers do not join clusters here; the orchestrator or the proxy "
			       "knows them";
static const char routers[] = "there is no such router here; list the servers in nginx's upstream";
static const char isolation[] = "isolation is left to the service manager; systemd and containers "
				"have namespaces, jails and control groups";
static const char pypy[] = "only CPython is run here";
static const char perl[] = "Perl is not run here; Starman runs PSGI applications";
static const char php[] = "PHP is not run here; PHP-FPM runs it";
static const char ruby[] = "Ruby is not run here; Puma runs Rack applications";
static const char java[] = "the JVM is not run here";
static const char golang[] = "Go is not run here; its programs serve HTTP themselves";
static const char lua[] = "Lua is not run here; OpenResty runs it";
static const char native[] = "C and C++ request handlers are not loaded here";
static const char cgi[] = "CGI is not run here; fcgiwrap runs it behind nginx";
static const char files[] = "this server does not serve such files; nginx does";
static const char terminals[] = "terminals and tunnels are not served here";
static const char build[] = "a command of uWSGI's own build; nothing here needs it";
static const char listing[] = "uWSGI lists what it was built with; --help-all lists what is here";
static const char modifiers[] = "every request goes to the one application; modifiers are not "
				"looked at";
static const char speakers[] = "this protocol is not spoken here; use socket, http-socket, "
			       "fastcgi-socket or scgi-socket";
static const char pushers[] = "measurements are not sent there; what reads the statistics can "
			      "pass them on";
static const char own_options[] = "options are not taken away by a file here; "
				  "set-placeholder sets a name for use as %(name)";
static const char pyrun[] = "programs are run by python3; name a WSGI application with module";
static const char home[] = "sys.executable is that of home";
static const char early[] = "modules are imported once before the workers are forked; use import "
			    "and pythonpath";
static const char own_files[] = "configurations are not built into the binary here";
static const char zerg[] = "workers are not lent between instances here; set processes";

static const struct {
	const char *begins; /* the name's beginning, or with a '$' behind it all of the name */
	const char *why;
} reasons[] = {
	{ "emperor", emperor },
	{ "vassal", emperor },
	{ "early-emperor", emperor },
	{ "imperial-monitor", emperor },
	{ "heartbeat$", emperor },
	{ "zeus$", emperor },
	{ "hook-emperor", emperor },
	{ "hook-as-emperor", emperor },
	{ "hook-as-vassal", emperor },
	{ "hook-as-on-", emperor },
	{ "exec-as-vassal", emperor },
	{ "exec-as-emperor", emperor },
	{ "mount-as-vassal", emperor },
	{ "mount-as-emperor", emperor },
	{ "umount-as-vassal", emperor },
	{ "umount-as-emperor", emperor },
	{ "call-as-vassal", emperor },
	{ "call-as-emperor", emperor },

	{ "legion", clusters },
	{ "unique-legion", clusters },
	{ "cron-legion", clusters },
	{ "unique-cron-legion", clusters },
	{ "curl-cron-legion", clusters },
	{ "cron-curl-legion", clusters },
	{ "multicast", clusters },
	{ "cluster", clusters },
	{ "subscri", clusters },
	{ "unsubscribe", clusters },
	{ "start-unsubscribed$", clusters },
	{ "st$", clusters },
	{ "http-subscription", clusters },
	{ "weight$", clusters },
	{ "auto-weight$", clusters },
	{ "notify-socket$", clusters },

	{ "fastrouter", routers },
	{ "rawrouter", routers },
	{ "sslrouter", routers },
	{ "zerg", zerg },

	{ "unshare", isolation },
	{ "setns", isolation },
	{ "jail", isolation },
	{ "jid", isolation },
	{ "jail-", isolation },
	{ "libjail$", isolation },
	{ "pivot", isolation },
	{ "namespace", isolation },
	{ "ns$", isolation },
	{ "ns-net$", isolation },
	{ "cgroup", isolation },
	{ "refork", isolation },
	{ "re-fork", isolation },
	{ "fork-s", isolation },
	{ "check-mount", isolation },
	{ "mountpoint-check$", isolation },
	{ "mount-check$", isolation },
	{ "privileged-binary-patch", isolation },
	{ "unprivileged-binary-patch", isolation },
	{ "ksm$", isolation },
	{ "never-swap$", isolation },

	{ "pypy", pypy },
	{ "perl", perl },
	{ "psgi", perl },
	{ "early-perl", perl },
	{ "early-psgi", perl },
	{ "plshell", perl },
	{ "coroae$", perl },
	{ "php", php },
	{ "early-php", php },
	{ "rack$", ruby },
	{ "rails$", ruby },
	{ "ruby", ruby },
	{ "rb-", ruby },
	{ "rbrequire$", ruby },
	{ "rbshell", ruby },
	{ "rbthread", ruby },
	{ "require$", ruby },
	{ "shared-r", ruby },
	{ "gemset$", ruby },
	{ "rvm", ruby },
	{ "fiber$", ruby },
	{ "jvm", java },
	{ "jwsgi", java },
	{ "ring", java },
	{ "clojure", java },
	{ "go-", golang },
	{ "gccgo", golang },
	{ "goroutines$", golang },
	{ "lua", lua },
	{ "symcall", native },
	{ "dumbloop", native },
	{ "mono", "Mono is not run here; Kestrel runs .NET applications" },
	{ "v8", "JavaScript is not run here; Node.js runs it" },
	{ "cgi", cgi },
	{ "web3$", "web3 never became a standard; write a WSGI application" },
	{ "pump$", "Pump never became a standard; write a WSGI application" },
	{ "wsgi-lite$", "WSGI-Lite is not called here; write a WSGI application" },

	{ "webdav", files },
	{ "xslt", files },
	{ "gridfs", files },
	{ "glusterfs", files },
	{ "rados", files },
	{ "geoip", "addresses are not located here; nginx's geoip module does" },
	{ "forkpty", terminals },
	{ "pty", terminals },
	{ "tuntap", terminals },
	{ "ldap", "configurations are not read from LDAP" },
	{ "sqlite", "configurations are not read from SQLite" },
	{ "fallback-config$", "there is one configuration; a shell's || can start with another" },
	{ "pam", "users are not authenticated here; the application does, or nginx" },
	{ "nagios", "nothing here speaks to Nagios; check an address of the application" },
	{ "ping", "nothing here answers such a ping; check an address of the application" },
	{ "notfound", "an application is always asked" },

	{ "rrdtool", pushers },
	{ "zabbix", pushers },
	{ "snmp", pushers },
	{ "udp$", pushers },

	{ "zeromq", speakers },
	{ "zmq", speakers },
	{ "mongrel2", speakers },
	{ "scgi-nph", speakers },
	{ "raw-", speakers },
	{ "puwsgi", speakers },
	{ "fastcgi-nph", speakers },
	{ "upload-progress$", "the application sees whole requests; a "
			      "browser shows the progress of what it sends" },
	{ "fastcgi-modifier", modifiers },
	{ "scgi-modifier", modifiers },
	{ "http-socket-modifier", modifiers },
	{ "remap-modifier$", modifiers },
	{ "allowed-modifiers$", modifiers },
	{ "cgi-mode$", modifiers },

	{ "cflags$", build },
	{ "dot-h$", build },
	{ "config-py$", build },
	{ "build-plugin$", build },
	{ "print-sym", build },
	{ "binary-append-data$", own_files },
	{ "extract$", own_files },
	{ "dump-options$", listing },
	{ "plugin-list$", listing },
	{ "plugins-list$", listing },
	{ "alarm-list$", listing },
	{ "alarms-list$", listing },
	{ "router-list$", listing },
	{ "routers-list$", listing },
	{ "logger-list$", listing },
	{ "loggers-list$", listing },
	{ "loop-list$", listing },
	{ "loops-list$", listing },
	{ "clock-list$", listing },
	{ "clocks-list$", listing },
	{ "cheaper-list$", listing },
	{ "cheaper-algo-list$", listing },
	{ "cheaper-algos-list$", listing },
	{ "connect-and-read$", "nc reads what a socket says" },
	{ "profiler$",
	  "there is no profiler in the server; py-spy and perf watch it from outside" },
	{ "backtrace-depth$", "crashes leave a core file and Python's own report" },
	{ "use-abort$", "crashes leave a core file and Python's own report" },
	{ "no-server$", "to look at a configuration without starting it there is --check" },
	{ "command-mode$", "to look at a configuration without starting it there is --check" },
	{ "declare-option2", own_options },
	{ "apparmor", "THE APPLICATION IS NOT CONFINED; write AppArmorProfile= into its systemd "
		      "unit, or start it with aa-exec" },
	{ "inject-", own_options },
	{ "blacklist$", own_options },
	{ "end-blacklist$", own_options },
	{ "whitelist$", own_options },
	{ "end-whitelist$", own_options },
	{ "get$", own_options },
	{ "resolve$", own_options },
	{ "dlopen$", native },
	{ "clock$", "the system's clock is used" },
	{ "no-fd-passing$", routers },
	{ "propagate-touch$", routers },
	{ "force-gateway$", routers },
	{ "vhost",
	  "virtual hosts are told apart by the web server; run a server for each, or mount "
	  "applications by path" },
	{ "body-read-warning$", "bodies are read before the application runs" },
	{ "ignore-script-name$", "SCRIPT_NAME is what the web server says, or the mount" },
	{ "http-path-info-no-decode-slashes$",
	  "PATH_INFO is decoded as PEP 3333 has it; REQUEST_URI "
	  "is not" },
	{ "map-socket$", "each worker accepts from all sockets" },
	{ "tcp-fast-open-client$", "the server makes no TCP connections" },
	{ "tcp-fastopen-client$", "the server makes no TCP connections" },
	{ "disable-sendfile$", "files are always sent by sendfile" },
	{ "no-threads-wait$", "threads of the application are not waited for" },
	{ "reload-on-fd$", "--reload and touch-reload ask for a reload" },
	{ "brutal-reload-on-fd$", "--reload and touch-reload ask for a reload" },
	{ "py-tracebacker", "py-spy dump shows the stacks of all threads" },
	{ "pyshell", "python3 -i with the same pythonpath is such a shell" },
	{ "python-version$", "the log says it at start, and --help-all" },
	{ "python-raw$", "applications are called by WSGI" },
	{ "pyrun$", pyrun },
	{ "py$", pyrun },
	{ "python$", pyrun },
	{ "test$", "--check-app imports the application" },
	{ "start_response-nodelay$", "the head leaves with the first block of the body" },
	{ "dynamic-apps$", "requests cannot name applications; mount does" },
	{ "py-programname$", home },
	{ "py-program-name$", home },
	{ "py-executable$", home },
	{ "py-sys-executable$", home },
	{ "early-pyimport$", early },
	{ "early-python-import$", early },
	{ "early-pythonpath$", early },
	{ "early-python-path$", early },
	{ "need-plugin", "a plugin that plugin = names must be there" },
	{ "response-headers-limit$", "a response may have any number of headers" },
	{ "safe-fd$", "the server closes no descriptor that it did not open" },
	{ "fd-safe$", "the server closes no descriptor that it did not open" },
	{ "pause$", "--stop stops it; there is no pause" },
	{ "suspend$", "--stop stops it; there is no pause" },
	{ "resume$", "--stop stops it; there is no pause" },
};

const char *absent_reason(const char *name)
{
	const char *why = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		const char *begins = reasons[i].begins;
		size_t n = strcspn(begins, "$");

		if (n > longest && strncmp(name, begins, n) == 0 && (!begins[n] || !name[n])) {
			longest = n;
			why = reasons[i].why;
		}
	}
	return why;
}
