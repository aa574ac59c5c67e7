/* SPDX-License-Identifier: MIT */
/* inspect.c: the options of the server that shows what this one does, and its process. */
#include "server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define AT(member) offsetof(struct settings, member)
static const struct option rows[] = {
	{ .name = "inspect",
	  .type = OPT_LIST,
	  .listen = LISTEN_SERVICE,
	  .offset = AT(inspect),
	  .unit = "ADDRESS",
	  .help = "show here by HTTP what the server does: host:port, /path or @abstract; an address "
		  "that other machines reach needs inspect-password-file",
	  .example = "127.0.0.1:9090" },
	{ .name = "inspect-host",
	  .type = OPT_LIST,
	  .offset = AT(hosts),
	  .unit = "NAME",
	  .help = "a host name by which inspect may be asked, beside addresses and localhost",
	  .example = "inspect.example.com" },
	{ .name = "inspect-password-file",
	  .type = OPT_STRING,
	  .offset = AT(password_file),
	  .unit = "FILE",
	  .help = "who asks inspect over TCP must say a name and a password that stand in this file, "
		  "in a line NAME:PASSWORD",
	  .example = "/etc/myapp/inspect-password" },
	{ .name = "health",
	  .type = OPT_LIST,
	  .listen = LISTEN_SERVICE,
	  .offset = AT(health),
	  .unit = "ADDRESS",
	  .help = "answer probes here, by HTTP, and nothing else: /live, /ready, /startup",
	  .example = ":9091" },
};
#undef AT

static void check(const struct config *, struct report *);

static const struct option_table options = {
	.module = "inspect",
	.size = sizeof(struct settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};

/* What is no address at all is said by who opens it. */
static void check_address(const struct config *cfg, struct report *report, const char *address)
{
	struct sockaddr_storage at = { 0 };
	struct error e;
	size_t length;

	if (uwsgi_address(address, (struct sockaddr *)&at, &length, &e) == 0 && !is_loopback(&at))
		uwsgi_config_doubt_item(cfg, report, UWSGI_ERROR, "inspect", address,
					"other machines reach %s: it needs inspect-password-file; "
					"or write 127.0.0.1:PORT or the path of a UNIX socket",
					address);
}

static void check(const struct config *cfg, struct report *report)
{
	const struct settings *s = uwsgi_options(cfg, &options);
	struct error e;

	for (size_t i = 0; !s->password_file && i < s->inspect.count; i++)
		check_address(cfg, report, s->inspect.items[i]);
	if (s->password_file && password_check(s->password_file, &e))
		uwsgi_config_doubt(cfg, report, UWSGI_ERROR, "inspect-password-file", "%s: %s",
				   s->password_file, e.text);
}

static bool wants(const struct config *cfg)
{
	const struct settings *s = uwsgi_options(cfg, &options);

	return s->inspect.count > 0 || s->health.count > 0;
}

/* Who asks for health alone looks into no worker. */
static bool orders(const struct config *cfg)
{
	const struct settings *s = uwsgi_options(cfg, &options);

	return s->inspect.count > 0;
}

static int start(const struct service_setup *setup, void **state, struct error *e)
{
	const struct settings *settings = uwsgi_options(setup->config, &options);
	struct server *s = calloc(1, sizeof *s);

	if (!s)
		return uwsgi_error_set(e, "out of memory");
	*state = s;
	if (settings->password_file && password_check(settings->password_file, e)) {
		struct error why = *e;

		return uwsgi_error_set(e, "inspect-password-file %s: %s", settings->password_file,
				       why.text);
	}
	return server_init(s, setup, settings, e);
}

static void stop(void *state)
{
	server_fini(state);
	free(state);
}

static const struct service service = { .name = "inspect",
					.wants = wants,
					.start = start,
					.stop = stop,
					.orders = orders,
					.show = terminal_show };

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI, .name = "inspect", .options = &options, .service = &service
};
