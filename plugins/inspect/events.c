/* SPDX-License-Identifier: MIT */
/* events.c: Server-Sent Events (WHATWG HTML, section 9.2): everything at first, and then each second what
 * has changed.  Who has not taken the last one is passed over, so that no client makes this process
 * remember more than one event. */
#include "inspect.h"

#include <ev.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct watcher {
	struct watcher *next;
	struct events *all;
	struct client *client;
	json_t *told; /* as the client knows it; NULL: nothing yet */
	bool queries;
};

struct events {
	struct ev_loop *loop;
	const struct status *status;
	struct watcher *watchers;
	ev_timer tick; /* while there are any */
};

/* Of an array or object only what is another one: the whole value of each key that changed. */
static json_t *changes(json_t *told, json_t *now)
{
	json_t *all = json_object(), *value;
	const char *key;

	json_object_foreach(now, key,
			    value) if (!told || !json_equal(json_object_get(told, key), value))
		json_object_set(all, key, value);
	return all;
}

static void tell(struct watcher *w, json_t *now)
{
	static const struct slice begin = SLICE("data: "), end = SLICE("\n\n");
	json_t *news = changes(w->told, now);
	char *text = json_dumps(news, JSON_COMPACT | JSON_REAL_PRECISION(16));
	size_t n = text ? strlen(text) : 0;
	char *event = text ? malloc(begin.n + n + end.n) : NULL;

	if (event) {
		memcpy(event, begin.p, begin.n);
		memcpy(event + begin.n, text, n);
		memcpy(event + begin.n + n, end.p, end.n);
		if (client_say(w->client, (struct slice){ event, begin.n + n + end.n })) {
			json_decref(w->told);
			w->told = json_incref(now);
		}
	}
	free(event);
	free(text);
	json_decref(news);
}

/* What is told is made once for all who may know the same. */
static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct events *all = timer->data;
	json_t *now[2] = { NULL, NULL };

	(void)loop;
	(void)events;
	for (struct watcher *w = all->watchers, *next; w; w = next) {
		next = w->next; /* w may be sent away */
		if (!now[w->queries])
			now[w->queries] = snapshot_new(all->status, w->queries);
		if (now[w->queries])
			tell(w, now[w->queries]);
	}
	json_decref(now[0]);
	json_decref(now[1]);
}

static void on_gone(void *mine)
{
	struct watcher *w = mine, **at = &w->all->watchers;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (!w->all->watchers)
		ev_timer_stop(w->all->loop, &w->all->tick);
	json_decref(w->told);
	free(w);
}

void answer_events(struct client *c, const struct asked *asked)
{
	struct events *all = client_events(c);
	struct watcher *w = malloc(sizeof *w);

	if (!w) {
		client_refuse(c, 503, NULL, "out of memory\n");
		return;
	}
	*w = (struct watcher){ all->watchers, all, c, NULL, asked->known };
	if (!all->watchers)
		ev_timer_again(all->loop, &all->tick);
	all->watchers = w;
	json_t *now = snapshot_new(all->status, w->queries);

	if (client_stream(c, "text/event-stream", on_gone, w) && now)
		tell(w, now);
	json_decref(now);
}

struct events *events_new(struct ev_loop *loop, const struct status *status)
{
	struct events *all = calloc(1, sizeof *all);

	if (!all)
		return NULL;
	all->loop = loop;
	all->status = status;
	ev_timer_init(&all->tick, on_tick, 0., 1.);
	all->tick.data = all;
	return all;
}

/* When all clients are gone. */
void events_free(struct events *all)
{
	free(all);
}
