/* SPDX-License-Identifier: MIT */
/* uwsgi_plugins.c: the plugins of uWSGI that `plugin =` may name and that are not here.  A file
 * that does starts, and is told what to use instead.  loader.c asks. */
#include "settings/uwsgi_plugins.h"

#include <string.h>

static const char needless[] = "";
static const char routing[] = "requests are not routed here yet; nginx and middleware of the "
			      "application can do it";
static const char changing[] = "responses are not transformed here yet; nginx and middleware of "
			       "the application can do it";
static const char logs[] = "logto, and logger = file:, socket:, syslog or rsyslog: are what is here";
static const char pushers[] = "measurements are not sent anywhere yet";
static const char loops[] = "there are no such loops here; threads serve requests side by side";
static const char memory[] = "caches are still to come; a Redis or memcached serves all workers";
static const char work[] = "background work is still to come; a task queue or cron can do it";
static const char routers[] = "there is no such router here; list the servers in nginx's upstream";
static const char emperor[] = "there is no emperor here; run each application as a service of its "
			      "own";
static const char alarms[] = "alarms are still to come; what is logged can be watched";
static const char languages[] = "only Python is run here";
static const char files[] = "such files are not served here; nginx does";
static const char protocols[] = "this protocol is not spoken here; use socket, http-socket or "
				"fastcgi-socket";
static const char sources[] = "configurations are not read from there";
static const char cheaper[] = "the number of workers is still constant: all run all the time";
static const char elsewhere[] = "nothing here does that";

static const struct {
	const char *name, *instead;
} plugins[] = {
	{ "apparmor", "THE APPLICATION IS NOT CONFINED; write AppArmorProfile= into its systemd "
		      "unit, or start it with aa-exec" },
	{ "airbrake", alarms },
	{ "alarm_curl", alarms },
	{ "alarm_speech", alarms },
	{ "alarm_xmpp", alarms },
	{ "asyncio", loops },
	{ "asyncio_python3", loops },
	{ "cache", memory },
	{ "carbon", pushers },
	{ "cgi", languages },
	{ "cheaper_backlog2", cheaper },
	{ "cheaper_busyness", cheaper },
	{ "clock_monotonic", needless },
	{ "clock_realtime", needless },
	{ "coroae", loops },
	{ "corerouter", needless },
	{ "cplusplus", languages },
	{ "curl_cron", work },
	{ "dumbloop", loops },
	{ "dummy", needless },
	{ "echo", needless },
	{ "emperor_amqp", emperor },
	{ "emperor_mongodb", emperor },
	{ "emperor_pg", emperor },
	{ "emperor_zeromq", emperor },
	{ "erlang", languages },
	{ "exception_log", needless },
	{ "fastrouter", routers },
	{ "fiber", loops },
	{ "forkptyrouter", elsewhere },
	{ "gccgo", languages },
	{ "geoip", "addresses are not located here; nginx's geoip module does" },
	{ "gevent", loops },
	{ "gevent_python3", loops },
	{ "glusterfs", files },
	{ "graylog2", logs },
	{ "greenlet", loops },
	{ "greenlet_python3", loops },
	{ "gridfs", files },
	{ "jvm", languages },
	{ "jwsgi", languages },
	{ "ldap", sources },
	{ "legion_cache_fetch", memory },
	{ "libffi", languages },
	{ "logcrypto", logs },
	{ "logfile", needless },
	{ "logpipe", logs },
	{ "logsocket", needless },
	{ "logzmq", logs },
	{ "lua", languages },
	{ "lua51", languages },
	{ "lua52", languages },
	{ "luajit", languages },
	{ "matheval", elsewhere },
	{ "mongodb", elsewhere },
	{ "mongodblog", logs },
	{ "mongrel2", protocols },
	{ "mono", languages },
	{ "msgpack", logs },
	{ "nagios", "nothing here speaks to Nagios; check an address of the application" },
	{ "notfound", needless },
	{ "objc_gc", needless },
	{ "pam", "users are not authenticated here; the application does, or nginx" },
	{ "php", languages },
	{ "ping", "nothing here answers such a ping; check an address of the application" },
	{ "psgi", languages },
	{ "pty", elsewhere },
	{ "pypy", languages },
	{ "rack", languages },
	{ "rados", files },
	{ "rawrouter", routers },
	{ "rbthreads", loops },
	{ "redislog", logs },
	{ "ring", languages },
	{ "router_access", routing },
	{ "router_basicauth", routing },
	{ "router_cache", routing },
	{ "router_expires", routing },
	{ "router_hash", routing },
	{ "router_http", routing },
	{ "router_memcached", routing },
	{ "router_metrics", routing },
	{ "router_radius", routing },
	{ "router_redirect", routing },
	{ "router_redis", routing },
	{ "router_rewrite", routing },
	{ "router_spnego", routing },
	{ "router_static", routing },
	{ "router_uwsgi", routing },
	{ "router_xmldir", routing },
	{ "rpc", "functions cannot be called from elsewhere here" },
	{ "rrdtool", pushers },
	{ "rsyslog", needless },
	{ "servlet", languages },
	{ "signal", work },
	{ "spooler", work },
	{ "sqlite3", sources },
	{ "ssi", files },
	{ "sslrouter", routers },
	{ "stackless", loops },
	{ "stats_pusher_file", pushers },
	{ "stats_pusher_mongodb", pushers },
	{ "stats_pusher_socket", pushers },
	{ "stats_pusher_statsd", pushers },
	{ "symcall", languages },
	{ "syslog", needless },
	{ "systemd_logger", "standard error goes to the journal under systemd" },
	{ "tornado", loops },
	{ "tornado_python3", loops },
	{ "transformation_chunked", "http-socket answers in chunks by itself" },
	{ "transformation_gzip", changing },
	{ "transformation_offload", needless },
	{ "transformation_template", changing },
	{ "transformation_tofile", changing },
	{ "transformation_toupper", changing },
	{ "tuntap", elsewhere },
	{ "ugreen", loops },
	{ "v8", languages },
	{ "webdav", files },
	{ "xattr", elsewhere },
	{ "xslt", files },
	{ "yaml", "configurations are read from ini and JSON files" },
	{ "zabbix", pushers },
	{ "zergpool", "workers are not lent between instances here; set processes" },
};

/* Debian has some for one version of Python only: asyncio_python313. */
static size_t without_version(const char *name)
{
	const char *python = strstr(name, "_python3");

	if (!python)
		return strlen(name);
	const char *version = python + sizeof "_python3" - 1;
	return version[strspn(version, "0123456789")] ? strlen(name) : (size_t)(version - name);
}

const char *uwsgi_plugins_instead(const char *name)
{
	size_t n = without_version(name);

	for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++)
		if (strlen(plugins[i].name) == n && memcmp(plugins[i].name, name, n) == 0)
			return plugins[i].instead;
	return NULL;
}

const char *uwsgi_plugins_name(size_t i)
{
	return i < sizeof plugins / sizeof *plugins ? plugins[i].name : NULL;
}
