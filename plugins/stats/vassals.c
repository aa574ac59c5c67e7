/* SPDX-License-Identifier: MIT */
/* vassals.c: the vassals of an emperor, under the names that uWSGI has for them and uwsgitop reads. */
#include "vassals.h"

#include "report.h"

#include <stdlib.h>
#include <unistd.h>

static void add(json_t *object, const char *name, long long n)
{
	json_object_set_new(object, name, json_integer(n));
}

static void add_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, report_string(text));
}

static void add_second(json_t *object, const char *name, long long us)
{
	add(object, name, us / 1000000);
}

const char *vassal_state_name(enum vassal_state state)
{
	static const char *const names[] = { [VASSAL_WAITING] = "waiting",
					     [VASSAL_STARTING] = "starting",
					     [VASSAL_SERVING] = "serving",
					     [VASSAL_RELOADING] = "reloading",
					     [VASSAL_LEAVING] = "leaving" };

	return names[state];
}

static int by_name(const void *a, const void *b)
{
	const struct vassal_status *x = a, *y = b;
	int order = strcmp(x->folder, y->folder);

	return order ? order : strcmp(x->name, y->name);
}

struct vassal_status *vassals_sorted(const struct status *status, size_t *count)
{
	struct vassal_status v, *all = NULL, *grown;

	*count = 0;
	for (size_t i = 0; uwsgi_status_next_vassal(status, &i, &v);) {
		grown = *count % 64 ? all : realloc(all, (*count + 64) * sizeof *all);
		if (!grown)
			break;
		all = grown;
		all[(*count)++] = v;
	}
	if (all)
		qsort(all, *count, sizeof *all, by_name);
	return all;
}

static bool is_there(const struct vassal_status *v)
{
	return v->state == VASSAL_SERVING || v->state == VASSAL_RELOADING;
}

static json_t *vassal(const struct vassal_status *v)
{
	json_t *one = json_object();

	add_text(one, "id", v->name);
	add(one, "pid", v->pid);
	add_second(one, "born", v->first_us);
	add_second(one, "last_mod", v->changed_us);
	add_second(one, "last_heartbeat", v->heartbeat_us);
	add(one, "loyal", is_there(v));
	add(one, "ready", is_there(v));
	add(one, "accepting", is_there(v));
	add_second(one, "last_loyal", v->ready_us);
	add_second(one, "last_ready", v->ready_us);
	add_second(one, "last_accepting", v->ready_us);
	add_second(one, "first_run", v->first_us);
	add_second(one, "last_run", v->started_us);
	add(one, "cursed", v->again_us > 0);
	add(one, "zerg", 0);
	add_text(one, "on_demand", "");
	add(one, "uid", getuid());
	add(one, "gid", getgid());
	add_text(one, "monitor", v->folder);
	add(one, "respawns", v->respawns);
	return one;
}

char *vassals_report(bool minified, const struct status *status)
{
	json_t *all = json_object(), *vassals = json_array(), *throttled = json_array();
	json_t *places = json_array();
	struct server_status server;
	const char *place = NULL;
	size_t count;
	struct vassal_status *v = vassals_sorted(status, &count);

	uwsgi_status_server(status, &server);
	for (size_t i = 0; i < count; i++) {
		json_array_append_new(vassals, vassal(&v[i]));
		if (v[i].again_us) {
			json_t *one = json_object();

			add_text(one, "id", v[i].name);
			json_array_append_new(throttled, one);
		}
		if (!place || strcmp(place, v[i].folder) != 0)
			json_array_append_new(places, report_string(v[i].folder));
		place = v[i].folder;
	}
	add_text(all, "version", REPORT_BEHAVES_AS);
	add(all, "pid", server.master);
	add(all, "uid", getuid());
	add(all, "gid", getgid());
	json_object_set_new(all, "emperor", places);
	add(all, "emperor_tyrant", 0);
	add(all, "throttle_level", 0);
	json_object_set_new(all, "vassals", vassals);
	json_object_set_new(all, "blacklist", throttled);
	char *text = json_dumps(all, minified ? JSON_COMPACT : JSON_INDENT(1));

	json_decref(all);
	free(v);
	return text;
}
