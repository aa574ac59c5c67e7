/* SPDX-License-Identifier: MIT */
/* probes.c: the questions of orchestrators and load balancers.  Each answer is a line that says why, and
 * none takes a worker's time. */
#include "inspect.h"

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

static bool serves(const struct status *status)
{
	struct lane_status lane;
	size_t i = 0;

	return uwsgi_status_next(status, &i, &lane);
}

/* This process dies with the master, so who gets an answer knows that it lives. */
void probe_live(struct client *c, const struct asked *asked)
{
	(void)asked;
	say(c, true, "alive\n");
}

void probe_ready(struct client *c, const struct asked *asked)
{
	(void)asked;
	if (serves(client_status(c)))
		say(c, true, "ready\n");
	else
		say(c, false, "no worker serves\n");
}

void probe_startup(struct client *c, const struct asked *asked)
{
	struct worker_status w;
	size_t i = 0;

	(void)asked;
	if (uwsgi_status_next_worker(client_status(c), &i, &w))
		say(c, true, "started\n");
	else
		say(c, false, "no worker has served yet\n");
}
