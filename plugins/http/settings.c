/* SPDX-License-Identifier: MIT */
/* settings.c: the options of HTTP connections and of the router process. */
#include "settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "", true: kept for http-timeout; false: not kept; a number: kept so many seconds.  uWSGI's
 * users write 1 for true and 0 for false.  -1: none of these. */
static long long read_keepalive(const char *text, const struct http_settings *s)
{
	static const char *const yes[] = { "", "true", "yes", "on", "1" };
	static const char *const no[] = { "false", "no", "off", "0" };
	char *end;
	long long n = strtoll(text, &end, 10);

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		if (!strcasecmp(text, yes[i]))
			return s ? s->timeout_s : 0;
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		if (!strcasecmp(text, no[i]))
			return 0;
	return *end || n < 0 || n > 86400 ? -1 : n;
}

static int valid_keepalive(const char *text, struct error *e)
{
	if (read_keepalive(text, NULL) >= 0)
		return 0;
	return uwsgi_error_set(e, "expected seconds (at most 86400), true or false");
}

static int valid_address(const char *text, struct error *e)
{
	return uwsgi_address(text, NULL, NULL, e);
}

static int valid_variable(const char *text, struct error *e)
{
	const char *equals = strchr(text, '=');

	if (equals && equals > text && strlen(text) < 4096)
		return 0;
	return uwsgi_error_set(e, "expected NAME=VALUE");
}

#define AT(member) offsetof(struct http_settings, member)
static const struct option rows[] = {
	{ .name = "http-socket",
	  .type = OPT_LIST,
	  .listen = LISTEN_WORKERS,
	  .offset = AT(sockets),
	  .help = "listen for HTTP on this address",
	  .unit = "ADDRESS",
	  .example = ":8000",
	  .differs = "answers one request a connection; here connections are kept" },
	{ .name = "http11-socket", .same_as = "http-socket" },
	{ .name = "http",
	  .type = OPT_LIST,
	  .listen = LISTEN_GATEWAY,
	  .offset = AT(routers),
	  .help = "listen for HTTP on this address with a router process, which holds the "
		  "clients and passes whole requests on to the workers",
	  .unit = "ADDRESS",
	  .example = ":8080" },
	{ .name = "httprouter", .same_as = "http" },
	{ .name = "http-timeout",
	  .type = OPT_SECONDS,
	  .offset = AT(timeout_s),
	  .initial = "60",
	  .min = 1,
	  .max = 86400,
	  .help = "how long an HTTP client may take for the head of a request, stay silent inside "
		  "a body, or keep an idle connection, and how long a worker may let the router "
		  "wait",
	  .differs = "who waited in vain for a worker gets no answer; here it is 504" },
	{ .name = "http-headers-timeout",
	  .type = OPT_SECONDS,
	  .offset = AT(head_timeout_s),
	  .initial = "0",
	  .max = 86400,
	  .help = "how long a client may take for the head of a request; 0: as long as "
		  "http-timeout" },
	{ .name = "http-connect-timeout",
	  .type = OPT_SECONDS,
	  .offset = AT(connect_timeout_s),
	  .initial = "0",
	  .max = 86400,
	  .help = "how long the router tries to reach a worker; 0: as long as http-timeout" },
	{ .name = "http-harakiri",
	  .type = OPT_SPAN,
	  .offset = AT(harakiri_ms),
	  .initial = "0",
	  .max = 86400LL * 1000,
	  .help = "kill a router process that hangs for this long, and start another one; 0: never",
	  .example = "10" },
	{ .name = "http-keepalive",
	  .type = OPT_STRING,
	  .offset = AT(keepalive),
	  .initial = "true",
	  .bare = "true",
	  .valid = valid_keepalive,
	  .unit = "SECONDS",
	  .help = "keep idle connections of clients for so long; true: for http-timeout; false: "
		  "close them after each response",
	  .example = "75",
	  .differs = "false by default" },
	{ .name = "http-enable-proxy-protocol",
	  .type = OPT_FLAG,
	  .offset = AT(proxied),
	  .initial = "false",
	  .help = "each connection begins with the PROXY protocol, version 1 or 2, whose client "
		  "becomes REMOTE_ADDR; others, and peers that proxy-allow-ips does not name, are "
		  "refused" },
	{ .name = "enable-proxy-protocol", .same_as = "http-enable-proxy-protocol" },
	{ .name = "http-processes",
	  .type = OPT_INT,
	  .offset = AT(processes),
	  .initial = "1",
	  .min = 1,
	  .max = 256,
	  .help = "number of router processes for the addresses of http" },
	{ .name = "http-workers", .same_as = "http-processes" },
	{ .name = "http-to",
	  .type = OPT_LIST,
	  .offset = AT(to),
	  .valid = valid_address,
	  .unit = "ADDRESS",
	  .help = "the router passes requests on to the uwsgi server on this address instead of "
		  "the workers, in turn when there are several",
	  .example = "/run/app.sock" },
	{ .name = "http-buffer-size",
	  .type = OPT_SIZE,
	  .offset = AT(buffer_size),
	  .initial = "0",
	  .max = 16 << 20,
	  .help = "the most that the head of a request to the router may take; 0: as much as "
		  "buffer-size" },
	{ .name = "http-post-buffering",
	  .type = OPT_SIZE,
	  .offset = AT(post_buffering),
	  .initial = "0",
	  .max = 1LL << 40,
	  .help = "request bodies up to this size are held in the router's memory, larger ones in "
		  "a temporary file; 0: as post-buffering" },
	{ .name = "http-modifier1",
	  .type = OPT_INT,
	  .offset = AT(modifier1),
	  .initial = "0",
	  .max = 255,
	  .help = "the modifier1 of the router's uwsgi packets" },
	{ .name = "http-modifier2",
	  .type = OPT_INT,
	  .offset = AT(modifier2),
	  .initial = "0",
	  .max = 255,
	  .help = "the modifier2 of the router's uwsgi packets" },
	{ .name = "http-var",
	  .type = OPT_LIST,
	  .offset = AT(variables),
	  .text = true,
	  .valid = valid_variable,
	  .unit = "NAME=VALUE",
	  .help = "the router adds this variable to each request",
	  .example = "UWSGI_SCHEME=https" },
	{ .name = "http-websockets",
	  .type = OPT_FLAG,
	  .offset = AT(websockets),
	  .initial = "false",
	  .help = "the router opens a way for WebSockets between the client and who answers to "
		  "the request for one" },
};
#undef AT

/* The router is there for the addresses of http. */
static void check(const struct config *cfg, struct report *report)
{
	const struct http_settings *s = http_settings(cfg);
	const long long *harakiri = uwsgi_config_setting(cfg, "harakiri");

	if (s->to.count > 0 && s->routers.count == 0)
		uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "http-to",
				   "no effect without http = ADDRESS, on which the router listens");
	if (s->routers.count > 0 && harakiri && *harakiri > s->timeout_s * 1000)
		uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "harakiri",
				   "the router lets nobody wait longer than http-timeout (%lld)",
				   s->timeout_s);
}

const struct option_table http_options = {
	.module = "http",
	.size = sizeof(struct http_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};

const struct http_settings *http_settings(const struct config *cfg)
{
	return uwsgi_options(cfg, &http_options);
}

long long http_keepalive_s(const struct http_settings *s)
{
	return read_keepalive(s->keepalive, s);
}
