/* SPDX-License-Identifier: MIT */
/* routes.c: the table of what can be asked for. */
#include "inspect.h"

#include "page.h"

#include "stats/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void answer_stats(struct client *c, const struct asked *asked)
{
	const struct report_form form = { .no_queries = !asked->known };
	char *text = report_text(&form, client_status(c));
	const struct answer a = { 200, "application/json", NULL, { NULL, 0 } };

	client_answer_text(c, &a, text, text ? strlen(text) : 0);
}

/* Nothing but what is in the page runs in a browser, and no other page shows it in a frame. */
static void answer_page(struct client *c, const struct asked *asked)
{
	char policy[1024];
	const struct answer a = {
		200, "text/html; charset=utf-8", policy, { page_html, page_html_size }
	};

	(void)asked;
	snprintf(policy, sizeof policy, "Content-Security-Policy: %s\r\n", page_policy);
	client_answer(c, &a);
}

static const struct route routes[] = {
	{ .path = "/", .is_page = true, .answer = answer_page },
	{ .path = "/live", .is_probe = true, .answer = probe_live },
	{ .path = "/profile", .answer = answer_profile },
	{ .path = "/ready", .is_probe = true, .answer = probe_ready },
	{ .path = "/stacks", .answer = answer_stacks },
	{ .path = "/startup", .is_probe = true, .answer = probe_startup },
	{ .path = "/events", .answer = answer_events },
	{ .path = "/metrics", .answer = answer_metrics },
	{ .path = "/stats", .answer = answer_stats },
	{ .path = "/vassals", .answer = answer_vassals },
};

const struct route *route_find(struct slice path)
{
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (strlen(routes[i].path) == path.n && !memcmp(routes[i].path, path.p, path.n))
			return &routes[i];
	return NULL;
}
