/* SPDX-License-Identifier: MIT */
/* probes.c: the questions of orchestrators and load balancers.  Each answer is a line that says why, and
 * none takes a worker's time. */
#include "inspect.h"

#include <stdio.h>

/* It may wait for a name that is looked up, or for a command of the configuration, at a reload. */
enum { SILENT_MS = 10000 };

static void say(struct client *c, bool well, const char *text)
{
	if (well)
		client_answer(c, &(struct answer){ 200,
						   "text/plain; charset=utf-8",
						   NULL,
						   { text, strlen(text) } });
	else
		client_refuse(c, 503, NULL, text);
}

/* This process dies with the master, so it is there; but it may be stopped or stuck. */
void probe_live(struct client *c, const struct asked *asked)
{
	struct server_status server;
	char text[64];

	(void)asked;
	uwsgi_status_server(client_status(c), &server);
	snprintf(text, sizeof text, "the master has done nothing for %lld s\n",
		 server.silent_ms / 1000);
	if (server.silent_ms < SILENT_MS)
		say(c, true, "alive\n");
	else
		say(c, false, text);
}

void probe_ready(struct client *c, const struct asked *asked)
{
	static const char *const why[] = {
		[STATE_STARTING] = "no worker serves yet\n",
		[STATE_SERVING] = "no worker serves\n",
		[STATE_RELOADING] = "no worker serves\n",
		[STATE_STOPPING] = "the server stops\n",
	};
	const struct status *status = client_status(c);
	bool ready = state_is_ready(status);

	(void)asked;
	say(c, ready, ready ? "ready\n" : why[state_of(status)]);
}

/* Whether any worker has served, also when none does now. */
void probe_startup(struct client *c, const struct asked *asked)
{
	struct worker_status w;
	size_t i = 0;
	/* An emperor has none. */
	bool started = uwsgi_status_next_worker(client_status(c), &i, &w) ||
		       state_is_ready(client_status(c));

	(void)asked;
	say(c, started, started ? "started\n" : "no worker has served yet\n");
}
