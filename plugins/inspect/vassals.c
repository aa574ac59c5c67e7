/* SPDX-License-Identifier: MIT */
/* vassals.c: what an emperor runs, for the page and for /vassals. */
#include "inspect.h"

#include "stats/report.h"
#include "stats/vassals.h"

#include <stdlib.h>
#include <string.h>

static void add_text(json_t *object, const char *name, const char *text)
{
	if (*text)
		json_object_set_new(object, name, report_string(text));
}

static void add_time(json_t *object, const char *name, long long us)
{
	if (us)
		json_object_set_new(object, name, json_real((double)us / 1e6));
}

static json_t *vassal(const struct vassal_status *v)
{
	json_t *one = json_object();

	json_object_set_new(one, "name", report_string(v->name));
	json_object_set_new(one, "folder", report_string(v->folder));
	json_object_set_new(one, "state", json_string(vassal_state_name(v->state)));
	json_object_set_new(one, "pid", json_integer(v->pid));
	json_object_set_new(one, "respawns", json_integer((json_int_t)v->respawns));
	add_time(one, "started", v->started_us);
	add_time(one, "ready", v->ready_us);
	add_time(one, "changed", v->changed_us);
	add_time(one, "heartbeat", v->heartbeat_us);
	add_time(one, "again", v->again_us);
	add_text(one, "inspect", v->inspect);
	add_text(one, "why", v->why);
	return one;
}

json_t *vassals_of(const struct status *status)
{
	json_t *all = json_array();
	size_t count;
	struct vassal_status *v = vassals_sorted(status, &count);

	for (size_t i = 0; i < count; i++)
		json_array_append_new(all, vassal(&v[i]));
	free(v);
	return all;
}

void answer_vassals(struct client *c, const struct asked *asked)
{
	json_t *all = vassals_of(client_status(c));
	char *text = json_dumps(all, JSON_INDENT(1));
	const struct answer a = { 200, "application/json", NULL, { NULL, 0 } };

	(void)asked;
	client_answer_text(c, &a, text, text ? strlen(text) : 0);
	json_decref(all);
}
