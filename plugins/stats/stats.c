/* SPDX-License-Identifier: MIT */
/* stats.c: the options of the statistics server, and its process. */
#include "stats.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

#define AT(member) offsetof(struct settings, member)
static const struct option rows[] = {
	{ .name = "stats",
	  .type = OPT_LIST,
	  .listen = LISTEN_SERVICE,
	  .offset = AT(addresses),
	  .unit = "ADDRESS",
	  .help = "tell whoever connects here what the server does, as JSON: host:port, :port, "
		  "/path or @abstract",
	  .example = "127.0.0.1:1717",
	  .differs = "a process of its own answers; its counters go on through reloads" },
	{ .name = "stats-server", .same_as = "stats" },
	{ .name = "emperor-stats",
	  .type = OPT_LIST,
	  .listen = LISTEN_SERVICE,
	  .offset = AT(emperor_addresses),
	  .unit = "ADDRESS",
	  .help = "send each client of this address the vassals of an emperor, as JSON",
	  .example = "127.0.0.1:1718",
	  .differs = "a process of its own answers" },
	{ .name = "emperor-stats-server", .same_as = "emperor-stats" },
	{ .name = "stats-http",
	  .type = OPT_FLAG,
	  .offset = AT(http),
	  .initial = "false",
	  .help = "answer as an HTTP server does: the client speaks first, and the JSON has a head",
	  .differs =
		  "the answer begins before the request is there, and any web page may read it" },
	{ .name = "stats-minified",
	  .type = OPT_FLAG,
	  .offset = AT(form.minified),
	  .initial = "false",
	  .help = "write the JSON of stats on one line" },
	{ .name = "stats-min", .same_as = "stats-minified" },
	{ .name = "stats-no-cores",
	  .type = OPT_FLAG,
	  .offset = AT(form.no_cores),
	  .initial = "false",
	  .help = "leave the threads of each worker out of stats" },
	{ .name = "stats-no-metrics",
	  .type = OPT_FLAG,
	  .offset = AT(form.no_metrics),
	  .initial = "false",
	  .help = "leave metrics out of stats" },
};
#undef AT

static void check(const struct config *, struct report *);

static const struct option_table options = {
	.module = "statistics",
	.size = sizeof(struct settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};

/* All of this machine's addresses. */
static bool is_any(const struct sockaddr_storage *a)
{
	const struct sockaddr_in *four = (const void *)a;
	const struct sockaddr_in6 *six = (const void *)a;

	return a->ss_family == AF_INET    ? four->sin_addr.s_addr == htonl(INADDR_ANY)
	       : a->ss_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr)
					  : false;
}

static void check_addresses(const struct config *cfg, struct report *report, const char *option,
			    const struct option_list *addresses)
{
	struct sockaddr_storage at = { 0 };
	struct error e;
	size_t length;

	for (size_t i = 0; i < addresses->count; i++)
		if (uwsgi_address(addresses->items[i], (struct sockaddr *)&at, &length, &e) == 0 &&
		    is_any(&at))
			uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, option,
						addresses->items[i],
						"whoever reaches this machine can read it at %s; "
						"write 127.0.0.1:PORT or the path of a UNIX socket",
						addresses->items[i]);
}

static void check(const struct config *cfg, struct report *report)
{
	const struct settings *s = uwsgi_options(cfg, &options);

	check_addresses(cfg, report, "stats", &s->addresses);
	check_addresses(cfg, report, "emperor-stats", &s->emperor_addresses);
}

static bool wants(const struct config *cfg)
{
	const struct settings *s = uwsgi_options(cfg, &options);

	return s->addresses.count + s->emperor_addresses.count > 0;
}

static int start(const struct service_setup *setup, void **state, struct error *e)
{
	struct clients *c = calloc(1, sizeof *c);

	if (!c)
		return uwsgi_error_set(e, "out of memory");
	*state = c;
	return clients_init(c, setup, uwsgi_options(setup->config, &options), e);
}

static void stop(void *state)
{
	clients_fini(state);
	free(state);
}

static const struct service service = {
	.name = "stats", .wants = wants, .start = start, .stop = stop
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI, .name = "stats", .options = &options, .service = &service
};
