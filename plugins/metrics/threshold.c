/* SPDX-License-Identifier: MIT */
/* threshold.c: metric-threshold: what happens when a metric reaches a value. */
#include "metrics.h"

#include <stdio.h>
#include <stdlib.h>

/* The number that a key is for; NULL: it is for none. */
static long long *number_of(struct threshold *t, struct slice key)
{
	if (keyval_is(key, "value"))
		return &t->value;
	if (keyval_is(key, "rate"))
		return &t->every_s;
	return keyval_is(key, "reset") ? &t->reset_to : NULL;
}

/* The same of a text. */
static struct slice *text_of(struct threshold *t, struct slice key)
{
	if (keyval_is(key, "key"))
		return &t->key;
	if (keyval_is(key, "alarm"))
		return &t->alarm;
	return keyval_is(key, "msg") ? &t->message : NULL;
}

int threshold_parse(struct threshold *t, const char *text,
		    void (*doubt)(void *data, const char *what), void *data, struct error *e)
{
	struct slice key, value;
	bool has_value = false;

	*t = (struct threshold){ 0 };
	while (keyval_next(&text, &key, &value)) {
		long long *number = number_of(t, key);
		struct slice *words = text_of(t, key);

		if (number && !keyval_number(value, number))
			return uwsgi_error_set(e, "%.*s: \"%.*s\" is no whole number", (int)key.n,
					       key.p, (int)value.n, value.p);
		if (words)
			*words = value;
		else if (!number && doubt)
			doubt(data,
			      "an unknown key: expected key, value, rate, reset, alarm or msg");
		has_value = has_value || number == &t->value;
		t->resets = t->resets || number == &t->reset_to;
	}
	if (!t->key.n || !has_value)
		return uwsgi_error_set(e, "expected at least key=METRIC,value=NUMBER");
	return 0;
}

struct thresholds {
	size_t count;
	struct threshold one[];
};

struct thresholds *thresholds_new(const struct metrics *all, const struct option_list *list)
{
	struct thresholds *ts = calloc(1, sizeof *ts + list->count * sizeof ts->one[0]);
	struct error e;

	for (size_t i = 0; ts && i < list->count; i++) {
		struct threshold *t = &ts->one[ts->count];

		if (threshold_parse(t, list->items[i], NULL, NULL, &e))
			continue;
		t->metric = keyval_metric(all, t->key, "metric-threshold");
		if (t->metric)
			ts->count++;
	}
	return ts;
}

void thresholds_free(struct thresholds *ts)
{
	free(ts);
}

/* With rate, as often as that; without, once until it has been below. */
static bool is_to_be_told(struct threshold *t, long long now_s)
{
	bool first = !t->reached;

	t->reached = true;
	if (first || (t->every_s && now_s >= t->due_s)) {
		t->due_s = now_s + t->every_s;
		return true;
	}
	return false;
}

static void tell(const struct threshold *t, long long value)
{
	char text[1024];

	snprintf(text, sizeof text, "metric %s is %lld and has reached %lld%s%.*s",
		 t->metric->name, value, t->value, t->message.n ? ": " : "", (int)t->message.n,
		 t->message.p ? t->message.p : "");
	uwsgi_log(UWSGI_WARNING, "ALARM%s%.*s: %s", t->alarm.n ? " " : "", (int)t->alarm.n,
		  t->alarm.p ? t->alarm.p : "", text);
	if (t->alarm.n)
		uwsgi_alarm(t->alarm, (struct slice){ text, strlen(text) });
}

void thresholds_watch(struct thresholds *ts, long long now_s)
{
	for (size_t i = 0; i < ts->count; i++) {
		struct threshold *t = &ts->one[i];
		long long value = uwsgi_metric_get(t->metric);

		if (value < t->value) {
			t->reached = false;
			continue;
		}
		if ((t->alarm.n || t->message.n || !t->resets) && is_to_be_told(t, now_s))
			tell(t, value);
		if (t->resets) {
			uwsgi_metric_set(t->metric, t->reset_to);
			t->reached = false;
		}
	}
}
