/* SPDX-License-Identifier: MIT */
/* uwsgi_names.c: the names that uWSGI 2.0 and its plugins give to options, but for those that work
 * here, and what this server makes of them.  A public vocabulary, kept as data: the command line needs
 * it to know which word belongs to which option, help and diagnostics to say what became of an option.
 *
 * What has a row in an option table has no name here: a subsystem that comes takes its names away.  Of
 * a plugin that is not loaded, the manifest has them. */
#include "settings/uwsgi_names.h"

#include <string.h>

const char *const arity_words[] = {
	[ARITY_NONE] = "none", [ARITY_OPTIONAL] = "optional", [ARITY_REQUIRED] = "required"
};

/* clang-format off */
#define HERE(o, ...) { .status = SUBJECT_HERE, .options = o, .text = "", __VA_ARGS__ }
#define ALWAYS(o, t, ...) { .status = SUBJECT_ALWAYS, .options = o, .text = t, __VA_ARGS__ }
#define PLANNED(s, o, t, ...) \
	{ .status = SUBJECT_PLANNED, .title = s, .options = o, .text = t, __VA_ARGS__ }
#define ELSEWHERE(o, t, ...) { .status = SUBJECT_ELSEWHERE, .options = o, .text = t, __VA_ARGS__ }

const struct subject uwsgi_subjects[] = {
	HERE(
		"else= end-for? end-if? endfor? endif? for= for-glob= for-readline= for-times= "
		"if-dir= if-directory= if-env= if-exists= if-file= if-hostname= if-hostname-match= "
		"if-not-dir= if-not-env= if-not-exists= if-not-file= if-not-hostname= "
		"if-not-hostname-match= if-not-opt= if-not-plugin= if-not-reload if-opt= "
		"if-plugin= if-reload ifdir= ifenv= ifexists= ifplugin= optimize= post-buffering=",
		.plugins =
			"clock_monotonic clock_realtime corerouter dummy echo exception_log logfile logsocket "
			"notfound objc_gc router_basicauth router_redirect router_rewrite router_static rsyslog "
			"syslog "
			"transformation_gzip transformation_offload"),

	ALWAYS("autoload", "the plugins that are installed are loaded without being asked for"),
	ALWAYS("binary-path=", "a reload does not execute the binary again"),
	ALWAYS("check-interval=", "the master acts when something happens"),
	ALWAYS("chunked-input-limit=", "limit-post bounds bodies in chunks, too"),
	ALWAYS("chunked-input-timeout=", "http-timeout bounds bodies in chunks, too"),
	ALWAYS(
		"close-on-exec close-on-exec2",
		"programs that the application starts inherit no descriptor of the server"),
	ALWAYS("die-on-term", "SIGTERM stops the server after what is running is answered"),
	ALWAYS("drop-after-init", "root is given up when sockets, log and pidfile are open"),
	ALWAYS("early-python", "Python is started before the workers are forked"),
	ALWAYS("enable-threads", "threads that the application starts run"),
	ALWAYS("fd-safe= safe-fd=", "the server closes no descriptor that it did not open"),
	ALWAYS("forkbomb-delay=", "a worker that keeps dying is started again later and later"),
	ALWAYS("honour-stdin", "standard input stays what it is, but in the background"),
	ALWAYS(
		"http-auto-chunked",
		"a response of unknown length is sent to HTTP/1.1 clients in chunks"),
	ALWAYS("http-chunked-input", "bodies that come in chunks are taken"),
	ALWAYS("http-events=", "the router takes as many events at once as there are"),
	ALWAYS("http-manage-expect?", "100 Continue is said to who waits for it"),
	ALWAYS("http-raw-body", "bodies of any kind of request are taken"),
	ALWAYS(
		"http-server-name-as-http-host=",
		"SERVER_NAME is the name that the client asked for"),
	ALWAYS(
		"http-use-socket?",
		"the router reaches the workers over a socket that is theirs alone"),
	ALWAYS("ignore-sigpipe", "a client that is gone is no signal"),
	ALWAYS(
		"ignore-write-errors",
		"a client that is gone is not complained about; log-ioerror shows its request"),
	ALWAYS("log-master-req-stream", "lines of requests of any length reach the master"),
	ALWAYS("log-master-stream", "lines of any length reach the master"),
	ALWAYS("master", "a master process keeps the workers alive"),
	ALWAYS("max-apps=", "there may be any number of applications"),
	ALWAYS("max-vars=", "a request may have as many variables as buffer-size has room for"),
	ALWAYS("mem-collector-freq=", "memory is looked at once a second when a limit is set"),
	ALWAYS("no-orphans", "no process outlives the master"),
	ALWAYS("no-threads-wait", "threads of the application are not waited for"),
	ALWAYS(
		"offload-thread= offload-threads=",
		"files and long responses are sent while the worker runs other requests"),
	ALWAYS("pcre-jit", "expressions are compiled to machine code where the system allows it"),
	ALWAYS(
		"post-buffering-bufsize=",
		"what comes of a body is written to its file as it comes"),
	ALWAYS("py-call-osafterfork", "Python is told of every fork"),
	ALWAYS(
		"py-call-uwsgi-fork-hooks",
		"functions of os.register_at_fork() run around every fork"),
	ALWAYS("reaper", "processes that the application leaves behind are reaped"),
	ALWAYS("reload-os-env", "os.environ is read anew by each generation"),
	ALWAYS("single-interpreter", "the application runs in the main interpreter"),
	ALWAYS("skip-atexit-teardown", "a worker ends without taking Python apart"),
	ALWAYS("skip-zero", "descriptor 0 is used as it is found"),
	ALWAYS(
		"static-cache-paths= static-cache-paths-name=",
		"each thread keeps the files that it has sent open for a second"),
	ALWAYS("tcp-nodelay", "nothing waits to be sent together with more"),
	ALWAYS(
		"thunder-lock thunder-lock-watchdog",
		"workers do not disturb each other when they accept; no lock is needed for it"),
	ALWAYS(
		"wsgi-accept-buffer wsgi-accept-buffers",
		"bytearray, memoryview and other bytes-like objects are taken as blocks"),
	ALWAYS("wsgi-env-behavior= wsgi-env-behaviour=", "each request has an environ of its own"),
	ALWAYS("wsgi-manage-chunked-input", "wsgi.input gives a body that came in chunks"),
	ALWAYS("wsgi-strict", "what PEP 3333 forbids is an error"),

	PLANNED(
		"more ways to end or steer workers",
		"harakiri-graceful-signal= harakiri-graceful-timeout= harakiri-queue-threshold= "
		"master-fifo= reload-on-exception reload-on-exception-repr= reload-on-exception-type= "
		"reload-on-exception-value=", "harakiri, max-requests and the signals are there"),
	PLANNED(
		"other ways to name a Python application",
		"mode= pecan= post-pymodule-alias= pymodule-alias= python-worker-override=",
		"a file for wsgi-file can make it"),
	PLANNED(
		"metrics, and statistics that are sent",
		"alarm-metric= carbon= carbon-freq= carbon-hostname-dots= carbon-id= "
		"carbon-idle-avg= carbon-max-retry= carbon-name-resolve carbon-no-workers "
		"carbon-resolve-names carbon-retry-delay= carbon-root= carbon-timeout= "
		"carbon-use-metrics enable-metrics metric= metric-alarm= metric-dir= "
		"metric-dir-restore metric-threshold= metrics-dir= metrics-dir-restore "
		"metrics-no-cores stats-push= stats-pusher-default-freq= "
		"stats-pushers-default-freq= statsd-all-gauges statsd-no-workers",
		""),
	PLANNED(
		"the adaptive number of workers",
		"cheap cheaper= cheaper-algo= cheaper-busyness-backlog-alert= "
		"cheaper-busyness-backlog-multiplier= cheaper-busyness-backlog-nonzero= "
		"cheaper-busyness-backlog-step= cheaper-busyness-max= cheaper-busyness-min= "
		"cheaper-busyness-multiplier= cheaper-busyness-penalty= cheaper-busyness-verbose "
		"cheaper-idle= cheaper-initial= cheaper-overload= cheaper-rss-limit-hard= "
		"cheaper-rss-limit-soft= cheaper-step= die-on-idle die-on-no-workers idle=",
		"all processes run all the time", .plugins = "cheaper_backlog2 cheaper_busyness"),
	PLANNED(
		"hooks",
		"after-request-call= after-request-hook= binsh= call-as-root= call-as-user= "
		"call-as-user-atexit= call-asap= call-in-jail= call-post-app= call-post-jail= "
		"call-pre-app= call-pre-jail= exec-as-root= exec-as-user= exec-as-user-atexit= "
		"exec-asap= exec-in-jail= exec-post-app= exec-post-jail= exec-pre-app= exec-pre-jail= "
		"file-write= flock= flock-wait= flock-wait2= flock2= fs-signal= harakiri-no-arh "
		"hook-accepting= hook-accepting-once= hook-accepting1= hook-accepting1-once= "
		"hook-as-gateway= hook-as-mule= hook-as-root= hook-as-user= hook-as-user-atexit= "
		"hook-asap= hook-in-jail= hook-post-app= hook-post-fork= hook-post-jail= "
		"hook-pre-app= hook-pre-jail= hook-touch= mount-as-root= mount-asap= mount-in-jail= "
		"mount-post-jail= mount-pre-jail= no-harakiri-after-req-hook no-harakiri-arh "
		"touch-exec= touch-signal= umount-as-root= umount-asap= umount-in-jail= "
		"umount-post-jail= umount-pre-jail= wait-for-dir= wait-for-file= wait-for-fs= "
		"wait-for-fs-timeout= wait-for-iface= wait-for-iface-timeout= wait-for-interface= "
		"wait-for-interface-timeout= wait-for-mountpoint= wait-for-socket= "
		"wait-for-socket-timeout= wait-iface= wait-iface-timeout= wait-interface= "
		"wait-interface-timeout=",
		"a unit of systemd or the container's start script can run commands"),
	PLANNED(
		"gevent and other event loops",
		"async= asyncio= disable-async-warn-on-queue-full gevent= gevent-early-monkey-patch "
		"gevent-monkey-patch gevent-wait-for-hub greenlet loop= stackless tornado= ugreen "
		"ugreen-stacksize=", "threads serve requests side by side",
		.plugins =
			"asyncio asyncio_python3 coroae dumbloop fiber gevent gevent_python3 greenlet "
			"greenlet_python3 rbthreads stackless tornado tornado_python3 ugreen"),
	PLANNED(
		"caches, queues, locks and shared memory",
		"add-cache-item= cache= cache-blocksize= cache-expire-freq= cache-no-expire "
		"cache-report-freed-items cache-store= cache-store-sync= cache-sync= cache-udp-node= "
		"cache-udp-server= cache-use-last-modified cache2= check-cache? ftok= "
		"load-file-in-cache= load-file-in-cache-gzip= lock-engine= locks= persistent-ipcsem "
		"py-sharedarea= queue= queue-blocksize= queue-store= queue-store-sync= sharedarea=",
		"a Redis or memcached serves all workers", .plugins = "cache legion_cache_fetch"),
	PLANNED(
		"background work (spooler, mules, cron, timers, signals)",
		"cron= cron-curl= cron-harakiri= cron2= curl-cron= farm= mule? mule-harakiri= "
		"mule-msg-recv-size= mule-msg-size= mule-reload-mercy= mules= py-master-check-signals "
		"rbtimer= rpc-max= signal= signal-bufsize= signal-rbtimer= signal-timer= "
		"signals-bufsize= spooler= spooler-chdir= spooler-cheap spooler-external= "
		"spooler-freq= spooler-frequency= spooler-harakiri= spooler-import= "
		"spooler-max-tasks= spooler-ordered spooler-processes= spooler-py-import= "
		"spooler-pyimport= spooler-python-import= spooler-quiet spooler-signal-as-task timer= "
		"touch-mules-reload= touch-spoolers-reload= unique-cron=",
		"a task queue or cron can run it", .plugins = "curl_cron signal spooler"),
	PLANNED(
		"attached daemons",
		"attach-control-daemon= attach-daemon= attach-daemon2= daemons-honour-stdin "
		"smart-attach-daemon= smart-attach-daemon2= worker-exec= worker-exec2=",
		"a unit of systemd or a container of its own can run them"),
	PLANNED(
		"alarms",
		"alarm= alarm-backlog= alarm-cheap= alarm-fd= alarm-freq= alarm-listen-queue= "
		"alarm-log= alarm-lq= alarm-msg-size= alarm-segfault= backlog-alarm= "
		"exception-handler= listen-queue-alarm= log-alarm= lq-alarm= not-alarm-log= "
		"not-log-alarm= segfault-alarm=", "what is logged can be watched",
		.plugins = "airbrake alarm_curl alarm_speech alarm_xmpp"),
	ELSEWHERE(
		"", "nginx and middleware of the application do that",
		.plugins =
			"router_access router_cache router_expires router_hash router_http "
			"router_memcached router_metrics router_radius router_redis router_spnego "
			"router_uwsgi router_xmldir transformation_template "
			"transformation_tofile transformation_toupper"),
	PLANNED(
		"the routing of log lines",
		"log-drain= log-filter= log-zeromq= worker-log-encoder= worker-log-req-encoder= "
		"worker-logger= worker-logger-req=", "all lines go to the one log"),
	PLANNED(
		"TLS",
		"http-to-https= https= https-export-cert https-session-context= https-socket= "
		"https-socket-modifier1= https-socket-modifier2= https2= sni= sni-dir= "
		"sni-dir-ciphers= sni-regexp= ssl-enable-sslv3 ssl-enable-tlsv1 ssl-enable3 "
		"ssl-option= ssl-session-timeout= ssl-session-use-cache? ssl-sessions-timeout= "
		"ssl-sessions-use-cache? ssl-socket= ssl-tmp-dir= ssl-verbose ssl-verify-depth? "
		"suwsgi-socket=", "let nginx or another proxy terminate it"),
	PLANNED(
		"the finer points of the HTTP router",
		"http-backend-http http-cheap http-fallback= http-gid= http-gracetime= "
		"http-harakiri= http-manage-rtsp http-manage-source http-post-buffering-dir= "
		"http-quiet= http-resubscribe= http-ss= http-stats= http-stats-server= "
		"http-stud-prefix= http-uid= http-use-base= http-use-cache? http-use-code-string= "
		"http-use-pattern= http-zerg=", ""),
	PLANNED(
		"WebSockets",
		"websocket-max-size= websocket-ping-freq= websocket-pong-tolerance= "
		"websockets-max-size= websockets-ping-freq= websockets-pong-tolerance=",
		"a server for ASGI can serve them"),

	ELSEWHERE(
		"call-as-emperor= call-as-emperor1= call-as-emperor2= call-as-emperor4= "
		"call-as-vassal= call-as-vassal1= call-as-vassal3= early-emperor emperor= "
		"emperor-broodlord= emperor-cap= emperor-chdir-attr= emperor-collect-attr= "
		"emperor-collect-attribute= emperor-command-socket= emperor-curse-tolerance= "
		"emperor-extra-ext= emperor-extra-extension= emperor-fork-server-attr= emperor-freq= "
		"emperor-graceful-shutdown emperor-magic-exec emperor-max-throttle= "
		"emperor-no-blacklist emperor-nofollow emperor-on-demand-dir= "
		"emperor-on-demand-directory= emperor-on-demand-exec= emperor-on-demand-ext= "
		"emperor-on-demand-extension= emperor-pidfile= emperor-procname= "
		"emperor-proxy-socket= emperor-required-heartbeat= emperor-stats= "
		"emperor-stats-server= emperor-subreaper emperor-throttle= emperor-trigger-socket= "
		"emperor-tyrant emperor-tyrant-initgroups emperor-tyrant-nofollow emperor-use-clone= "
		"emperor-use-fork-server= emperor-wait-for-command emperor-wait-for-command-ignore= "
		"emperor-wrapper= emperor-wrapper-attr= emperor-wrapper-fallback= "
		"emperor-wrapper-override= exec-as-emperor= exec-as-vassal= heartbeat= "
		"hook-as-emperor= hook-as-emperor-before-vassal= hook-as-emperor-setns= "
		"hook-as-on-config-vassal= hook-as-on-demand-vassal= hook-as-vassal= "
		"hook-as-vassal-before-drop= hook-emperor-lost= hook-emperor-reload= "
		"hook-emperor-start= hook-emperor-stop= imperial-monitor-list imperial-monitors-list "
		"mount-as-emperor= mount-as-vassal= umount-as-emperor= umount-as-vassal= vassal-cap= "
		"vassal-fork-base= vassal-set= vassal-sos= vassal-sos-backlog= vassals-cap= "
		"vassals-include= vassals-include-before= vassals-inherit= vassals-inherit-before= "
		"vassals-set= vassals-start-hook= vassals-stop-hook= zeus=",
		"there is no emperor here; run each application as a service of its own, for example "
		"a systemd unit app@.service",
		.plugins = "emperor_amqp emperor_mongodb emperor_pg emperor_zeromq"),
	ELSEWHERE(
		"auto-weight= cron-curl-legion= cron-legion= curl-cron-legion= "
		"http-subscription-fallback-key= http-subscription-server= legion= "
		"legion-attach-daemon= legion-cron= legion-cron-curl= legion-curl-cron= legion-death= "
		"legion-death-on-lord-error= legion-freq= legion-join= legion-lord= legion-mcast= "
		"legion-node= legion-node-joined= legion-node-left= legion-quorum= legion-scroll= "
		"legion-scroll-list-max-size= legion-scroll-max-size= legion-setup= "
		"legion-skew-tolerance= legion-smart-attach-daemon= legion-smart-attach-daemon2= "
		"legion-tolerance= legion-unlord= multicast= multicast-loop= multicast-ttl= "
		"notify-socket= st= start-unsubscribed subscribe= subscribe-freq= subscribe-to= "
		"subscribe-with-modifier1= subscribe2= subscription-algo= "
		"subscription-clear-on-shutdown subscription-dotsplit subscription-mountpoint= "
		"subscription-mountpoints= subscription-notify-socket= subscription-tolerance= "
		"subscription-tolerance-inactive= subscription-vassal-required "
		"subscriptions-credentials-check= subscriptions-sign-check= "
		"subscriptions-sign-check-tolerance= subscriptions-sign-skip-uid= "
		"subscriptions-use-credentials unique-cron-legion= unique-legion-cron= "
		"unsubscribe-on-graceful-reload weight=",
		"servers do not join clusters here; the orchestrator or the proxy knows them"),
	ELSEWHERE(
		"fastrouter= fastrouter-buffer-size= fastrouter-cheap "
		"fastrouter-defer-connect-timeout= fastrouter-emperor-socket= fastrouter-events= "
		"fastrouter-fallback= fastrouter-fallback-on-no-key fastrouter-force-key= "
		"fastrouter-gid= fastrouter-gracetime= fastrouter-harakiri= fastrouter-max-retries= "
		"fastrouter-post-buffering= fastrouter-post-buffering-dir= fastrouter-processes= "
		"fastrouter-quiet= fastrouter-resubscribe= fastrouter-resubscribe-bind= "
		"fastrouter-ss= fastrouter-stats= fastrouter-stats-server= "
		"fastrouter-subscription-fallback-key= fastrouter-subscription-server= "
		"fastrouter-subscription-slot= fastrouter-timeout= fastrouter-to= fastrouter-uid= "
		"fastrouter-use-base= fastrouter-use-cache? fastrouter-use-code-string= "
		"fastrouter-use-pattern= fastrouter-use-socket? fastrouter-workers= fastrouter-zerg= "
		"force-gateway no-fd-passing propagate-touch rawrouter= rawrouter-buffer-size= "
		"rawrouter-cheap rawrouter-events= rawrouter-fallback= rawrouter-gracetime= "
		"rawrouter-harakiri= rawrouter-max-retries= rawrouter-processes= rawrouter-quiet= "
		"rawrouter-ss= rawrouter-stats= rawrouter-stats-server= "
		"rawrouter-subscription-server= rawrouter-subscription-slot= rawrouter-timeout= "
		"rawrouter-to= rawrouter-use-base= rawrouter-use-cache? rawrouter-use-code-string= "
		"rawrouter-use-pattern= rawrouter-use-socket? rawrouter-workers= rawrouter-xclient "
		"rawrouter-zerg= sslrouter= sslrouter-buffer-size= sslrouter-cheap sslrouter-events= "
		"sslrouter-fallback= sslrouter-gracetime= sslrouter-harakiri= sslrouter-max-retries= "
		"sslrouter-processes= sslrouter-quiet= sslrouter-session-context= sslrouter-sni "
		"sslrouter-ss= sslrouter-stats= sslrouter-stats-server= "
		"sslrouter-subscription-server= sslrouter-timeout= sslrouter-to= sslrouter-use-base= "
		"sslrouter-use-cache? sslrouter-use-code-string= sslrouter-use-pattern= "
		"sslrouter-use-socket? sslrouter-workers= sslrouter-zerg= sslrouter2=",
		"there is no such router here; list the servers in nginx's upstream",
		.plugins = "fastrouter rawrouter sslrouter"),
	ELSEWHERE(
		"zerg= zerg-fallback zerg-pool= zerg-server= zergpool=",
		"workers are not lent between instances here; set processes",
		.plugins = "zergpool"),
	ELSEWHERE(
		"cgroup= cgroup-dir-mode= cgroup-opt= check-mount= check-mountpoint= fork-server= "
		"fork-socket= jail= jail-attach= jail-ip4= jail-ip6= jail2= jailed jid-file= jidfile= "
		"ksm? libjail= mount-check= mountpoint-check= namespace= namespace-keep-mount= "
		"namespace-net= never-swap ns= ns-net= pivot-root= pivot_root= "
		"privileged-binary-patch= privileged-binary-patch-arg= re-fork re-fork-as-root "
		"re-fork-post-jail refork refork-as-root refork-post-jail setns= setns-preopen "
		"setns-skip= setns-socket= setns-socket-skip= unprivileged-binary-patch= "
		"unprivileged-binary-patch-arg= unshare= unshare2=",
		"isolation is left to the service manager; systemd and containers have namespaces, "
		"jails and control groups"),
	ELSEWHERE(
		"pypy-eval= pypy-eval-post-fork= pypy-exec= pypy-exec-post-fork= pypy-home= "
		"pypy-ini-paste= pypy-lib= pypy-paste= pypy-pp= pypy-python-path= pypy-pythonpath= "
		"pypy-setup= pypy-wsgi= pypy-wsgi-file=", "only CPython is run here",
		.plugins = "pypy"),
	ELSEWHERE(
		"coroae= early-perl= early-perl-exec= early-psgi= perl-arg= perl-args= "
		"perl-auto-reload= perl-auto-reload-ignore= perl-exec= perl-exec-post-fork= "
		"perl-local-lib= perl-no-die-catch perl-no-plack perl-version plshell? "
		"plshell-oneshot psgi= psgi-enable-psgix-io",
		"Perl is not run here; Starman runs PSGI applications", .plugins = "psgi"),
	ELSEWHERE(
		"early-php early-php-sapi-name= php-allowed-docroot= php-allowed-ext= "
		"php-allowed-script= php-app= php-app-bypass= php-app-qs= php-config= "
		"php-config-append= php-constant= php-docroot= php-dump-config php-exec-after= "
		"php-exec-before= php-exec-begin= php-exec-end= php-fallback= php-fallback-qs= "
		"php-fallback2= php-index= php-ini= php-ini-append= php-mount= php-sapi-name= "
		"php-server-software= php-set= php-var=", "PHP is not run here; PHP-FPM runs it",
		.plugins = "php"),
	ELSEWHERE(
		"fiber gemset= rack= rails= rb-gc-freq= rb-lib= rb-require= rb-thread rb-threads "
		"rbrequire= rbshell? rbshell-oneshot rbthread rbthreads require= ruby-gc-freq= "
		"ruby-lib= ruby-require= rubyrequire= rvm= rvm-path= shared-rb-require= "
		"shared-rbrequire= shared-require= shared-ruby-require= shared-rubyrequire=",
		"Ruby is not run here; Puma runs Rack applications", .plugins = "rack"),
	ELSEWHERE(
		"clojure-load= jvm-class= jvm-classpath= jvm-main-class= jvm-opt= jwsgi= ring-app= "
		"ring-load=", "the JVM is not run here", .plugins = "jvm jwsgi ring servlet"),
	ELSEWHERE(
		"gccgo-args= gccgo-load= go-args= go-load= goroutines=",
		"Go is not run here; its programs serve HTTP themselves", .plugins = "gccgo"),
	ELSEWHERE(
		"lua= lua-gc-freq= lua-gc-full lua-load= lua-postfork-mule= lua-postfork-spooler= "
		"lua-postfork-worker= lua-postload= lua-shell lua-shell-oneshot luashell "
		"luashell-oneshot", "Lua is not run here; OpenResty runs it",
		.plugins = "lua lua51 lua52 luajit"),
	ELSEWHERE(
		"dlopen= dumbloop-code= dumbloop-function= dumbloop-modifier1= symcall= "
		"symcall-post-fork= symcall-register-rpc= symcall-use-next",
		"C and C++ request handlers are not loaded here",
		.plugins = "cplusplus libffi symcall"),
	ELSEWHERE(
		"mono-app= mono-assembly= mono-config= mono-exec= mono-gc-freq= mono-index= mono-key= "
		"mono-version=", "Mono is not run here; Kestrel runs .NET applications",
		.plugins = "mono"),
	ELSEWHERE(
		"v8-gc-freq= v8-jsgi= v8-load= v8-module-path= v8-preemptive=",
		"JavaScript is not run here; Node.js runs it", .plugins = "v8"),
	ELSEWHERE(
		"cgi= cgi-allowed-ext= cgi-async-max-attempts cgi-buffer-size= cgi-close-stdin-on-eof "
		"cgi-do-not-kill-on-error cgi-dontresolve cgi-from-docroot cgi-helper= cgi-index= "
		"cgi-loadlib= cgi-map-helper= cgi-optimize cgi-optimized cgi-path-info cgi-safe= "
		"cgi-timeout= cgi-unset=", "CGI is not run here; fcgiwrap runs it behind nginx",
		.plugins = "cgi"),
	ELSEWHERE("web3=", "web3 never became a standard; write a WSGI application"),
	ELSEWHERE("pump=", "Pump never became a standard; write a WSGI application"),
	ELSEWHERE("wsgi-lite=", "WSGI-Lite is not called here; write a WSGI application"),
	ELSEWHERE(
		"glusterfs-mount= glusterfs-timeout= gridfs-debug gridfs-mount= rados-mount= "
		"rados-timeout= webdav-add-collection-prop= webdav-add-collection-prop-comp= "
		"webdav-add-collection-prop-href= webdav-add-object-prop= "
		"webdav-add-object-prop-comp= webdav-add-object-prop-href= webdav-add-option= "
		"webdav-add-prop= webdav-add-prop-comp= webdav-add-prop-href= "
		"webdav-add-rtype-collection-prop= webdav-add-rtype-object-prop= "
		"webdav-add-rtype-prop= webdav-class-directory= webdav-css= webdav-div= "
		"webdav-javascript= webdav-js= webdav-lock-cache= webdav-mount= "
		"webdav-principal-base= webdav-skip-prop= xslt-content-type= xslt-docroot= xslt-ext= "
		"xslt-stylesheet= xslt-var=", "this server does not serve such files; nginx does",
		.plugins = "glusterfs gridfs rados ssi webdav xslt"),
	ELSEWHERE(
		"geoip-city= geoip-country= geoip-use-disk",
		"addresses are not located here; nginx's geoip module does", .plugins = "geoip"),
	ELSEWHERE(
		"forkpty-router= forkpty-router-cmd= forkpty-router-command= forkpty-urouter= "
		"forkptyrouter= forkptyrouter-cheap forkptyrouter-cmd= forkptyrouter-cols= "
		"forkptyrouter-command= forkptyrouter-events= forkptyrouter-fallback= "
		"forkptyrouter-harakiri= forkptyrouter-processes= forkptyrouter-rows= "
		"forkptyrouter-ss= forkptyrouter-stats= forkptyrouter-stats-server= "
		"forkptyrouter-timeout= forkptyrouter-workers= forkptyrouter-zerg= forkptyurouter= "
		"pty-connect= pty-exec= pty-input pty-log pty-no-isig pty-socket= pty-uconnect= "
		"tuntap-device= tuntap-device-rule= tuntap-router= tuntap-router-firewall-in= "
		"tuntap-router-firewall-out= tuntap-router-route= tuntap-router-stats= "
		"tuntap-use-credentials?", "terminals and tunnels are not served here",
		.plugins = "forkptyrouter pty tuntap"),
	ELSEWHERE(
		"ldap= ldap-schema ldap-schema-ldif", "configurations are not read from LDAP",
		.plugins = "ldap"),
	ELSEWHERE(
		"sqlite= sqlite3=", "configurations are not read from SQLite",
		.plugins = "sqlite3"),
	ELSEWHERE(
		"fallback-config=",
		"there is one configuration; a shell's || can start with another"),
	ELSEWHERE(
		"pam= pam-user=",
		"users are not authenticated here; the application does, or nginx",
		.plugins = "pam"),
	ELSEWHERE(
		"nagios", "nothing here speaks to Nagios; check an address of the application",
		.plugins = "nagios"),
	ELSEWHERE(
		"ping= ping-timeout=",
		"nothing here answers such a ping; check an address of the application",
		.plugins = "ping"),
	ELSEWHERE("notfound-log", "an application is always asked"),
	ELSEWHERE(
		"rrdtool= rrdtool-freq= rrdtool-lib= snmp? snmp-community= udp= zabbix-template?",
		"measurements are not sent there; what reads the statistics can pass them on",
		.plugins =
			"carbon rrdtool stats_pusher_file stats_pusher_mongodb stats_pusher_socket "
			"stats_pusher_statsd zabbix"),
	ELSEWHERE(
		"fastcgi-nph-socket= mongrel2= puwsgi-socket= raw-modifier1= raw-modifier2= "
		"raw-socket= scgi-nph-socket= zeromq= zeromq-socket= zmq= zmq-socket=",
		"this protocol is not spoken here; use socket, http-socket, fastcgi-socket or "
		"scgi-socket", .plugins = "mongrel2"),
	ELSEWHERE(
		"upload-progress=",
		"the application sees whole requests; a browser shows the progress of what it sends"),
	ELSEWHERE(
		"allowed-modifiers= cgi-mode fastcgi-modifier1= fastcgi-modifier2= "
		"http-socket-modifier1= http-socket-modifier2= remap-modifier= scgi-modifier1= "
		"scgi-modifier2=",
		"modifiers are not looked at; mount-plugin tells applications apart by path"),
	ELSEWHERE(
		"build-plugin= cflags config-py dot-h print-sym= print-symbol=",
		"a command of uWSGI's own build; nothing here needs it"),
	ELSEWHERE(
		"binary-append-data= extract=",
		"configurations are not built into the binary here"),
	ELSEWHERE(
		"alarm-list alarms-list cheaper-algo-list cheaper-algos-list cheaper-list clock-list "
		"clocks-list dump-options logger-list loggers-list loop-list loops-list plugin-list "
		"plugins-list router-list routers-list",
		"uWSGI lists what it was built with; --help-all lists what is here"),
	ELSEWHERE("connect-and-read=", "nc reads what a socket says"),
	ELSEWHERE(
		"profiler=",
		"there is no profiler in the server; py-spy and perf watch it from outside"),
	ELSEWHERE(
		"backtrace-depth= use-abort", "crashes leave a core file and Python's own report"),
	ELSEWHERE(
		"command-mode no-server",
		"to look at a configuration without starting it there is --check"),
	ELSEWHERE(
		"blacklist= declare-option2= end-blacklist end-whitelist get= inject-after= "
		"inject-before= resolve= whitelist=",
		"options are not taken away by a file here; set-placeholder sets a name for use as "
		"%(name)"),
	ELSEWHERE(
		"apparmor-hat= apparmor-profile=",
		"THE APPLICATION IS NOT CONFINED; write AppArmorProfile= into its systemd unit, or "
		"start it with aa-exec", .plugins = "apparmor"),
	ELSEWHERE("clock=", "the system's clock is used"),
	ELSEWHERE("body-read-warning=", "bodies are read before the application runs"),
	ELSEWHERE("ignore-script-name", "SCRIPT_NAME is what the web server says, or the mount"),
	ELSEWHERE(
		"http-path-info-no-decode-slashes=",
		"PATH_INFO is decoded as PEP 3333 has it; REQUEST_URI is not"),
	ELSEWHERE("map-socket=", "each worker accepts from all sockets"),
	ELSEWHERE(
		"tcp-fast-open-client tcp-fastopen-client", "the server makes no TCP connections"),
	ELSEWHERE("disable-sendfile", "files are always sent by sendfile"),
	ELSEWHERE(
		"brutal-reload-on-fd= reload-on-fd=", "--reload and touch-reload ask for a reload"),
	ELSEWHERE("py-tracebacker=", "py-spy dump shows the stacks of all threads"),
	ELSEWHERE(
		"pyshell? pyshell-oneshot?", "python3 -i with the same pythonpath is such a shell"),
	ELSEWHERE("python-version", "the log says it at start, and --help-all"),
	ELSEWHERE("python-raw=", "applications are called by WSGI"),
	ELSEWHERE(
		"py= pyrun= python=",
		"programs are run by python3; name a WSGI application with module"),
	ELSEWHERE("test=", "--check-app imports the application"),
	ELSEWHERE("start_response-nodelay", "the head leaves with the first block of the body"),
	ELSEWHERE("dynamic-apps", "requests cannot name applications; mount does"),
	ELSEWHERE(
		"py-executable= py-program-name= py-programname= py-sys-executable=",
		"sys.executable is that of home"),
	ELSEWHERE(
		"early-pyimport= early-python-import= early-python-path= early-pythonpath=",
		"modules are imported once before the workers are forked; use import and pythonpath"),
	ELSEWHERE("response-headers-limit=", "a response may have any number of headers"),
	ELSEWHERE("pause= resume= suspend=", "--stop stops it; there is no pause"),
	ELSEWHERE(
		"", "logto, and logger = file:, socket:, syslog or rsyslog: are what is here",
		.plugins = "graylog2 logcrypto logpipe logzmq mongodblog msgpack redislog"),
	ELSEWHERE("", "functions cannot be called from elsewhere here", .plugins = "rpc"),
	ELSEWHERE(
		"", "standard error goes to the journal under systemd",
		.plugins = "systemd_logger"),
	ELSEWHERE(
		"", "http-socket answers in chunks by itself", .plugins = "transformation_chunked"),
	ELSEWHERE(
		"xml= xmlconfig= yaml= yml=", "configurations are read from ini and JSON files",
		.plugins = "yaml"),
	ELSEWHERE(
		"help reload= stop= usage version", "this is a command, for the command line only"),
	ELSEWHERE("", "only Python is run here", .plugins = "erlang"),
	ELSEWHERE("", "nothing here does that", .plugins = "matheval mongodb xattr"),
};
const size_t uwsgi_subject_count = sizeof uwsgi_subjects / sizeof *uwsgi_subjects;

static const struct {
	char letter;
	const char *name;
} letters[] = {
	{ 'A', "sharedarea" }, { 'J', "test" }, { 'M', "master" }, { 'Q', "spooler" },
	{ 'T', "enable-threads" }, { 'c', "cgi-mode" }, { 'i', "single-interpreter" },
	{ 'r', "reaper" }, { 'v', "max-vars" }, { 'x', "xml" }, { 'y', "yaml" },
};
/* clang-format on */

/* Where the name stands among the names, as a whole; NULL: it does not. */
static const char *find_word(const char *names, const char *name)
{
	size_t n = strlen(name);
	const char *at = n && names && !strpbrk(name, "=? ") ? strstr(names, name) : NULL;

	while (at && ((at > names && at[-1] != ' ') || (at[n] && !strchr("=? ", at[n]))))
		at = strstr(at + 1, name);
	return at;
}

static enum arity arity_of(char mark)
{
	return mark == '=' ? ARITY_REQUIRED : mark == '?' ? ARITY_OPTIONAL : ARITY_NONE;
}

bool uwsgi_names_next(const char **names, struct uwsgi_name *name)
{
	const char *begin = *names ? *names + strspn(*names, "=? ") : "";
	size_t n = strcspn(begin, "=? ");

	if (n == 0 || n >= sizeof name->name)
		return false;
	memcpy(name->name, begin, n);
	name->name[n] = '\0';
	name->arity = arity_of(begin[n]);
	*names = begin + n;
	return true;
}

const struct subject *uwsgi_names_find(const char *option, enum arity *arity)
{
	for (size_t i = 0; i < uwsgi_subject_count; i++) {
		const char *at = find_word(uwsgi_subjects[i].options, option);

		if (at && arity)
			*arity = arity_of(at[strlen(option)]);
		if (at)
			return &uwsgi_subjects[i];
	}
	return NULL;
}

const char *uwsgi_names_of_letter(char letter)
{
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
		if (letters[i].letter == letter)
			return letters[i].name;
	return NULL;
}

char uwsgi_names_letter(const char *option)
{
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
		if (strcmp(letters[i].name, option) == 0)
			return letters[i].letter;
	return 0;
}

/* Debian has some plugins for one version of Python only: asyncio_python313. */
static size_t without_version(const char *name)
{
	const char *python = strstr(name, "_python3");
	const char *version = python ? python + sizeof "_python3" - 1 : NULL;

	return version && !version[strspn(version, "0123456789")] ? (size_t)(version - name)
								  : strlen(name);
}

const struct subject *uwsgi_names_plugin(const char *plugin)
{
	struct uwsgi_name name;
	size_t n = without_version(plugin);

	if (n >= sizeof name.name)
		return NULL;
	memcpy(name.name, plugin, n);
	name.name[n] = '\0';
	for (size_t i = 0; i < uwsgi_subject_count; i++)
		if (find_word(uwsgi_subjects[i].plugins, name.name))
			return &uwsgi_subjects[i];
	return NULL;
}
