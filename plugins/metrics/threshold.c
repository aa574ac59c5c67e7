/* SPDX-License-Identifier: MIT */
/* threshold.c: metric-threshold: what happens when a metric reaches a value. */
#include "metrics.h"

#include <stdlib.h>

int threshold_parse(struct threshold *t, const char *text,
		    void (*doubt)(void *data, const char *what), void *data, struct error *e)
{
	static const char *const names[] = { "key", "value", "rate", "reset", "alarm", "msg" };
	long long *const numbers[6] = { NULL, &t->value, &t->every_s, &t->reset_to };
	struct slice *const texts[] = { &t->key, NULL, NULL, NULL, &t->alarm, &t->message };
	struct slice key, value;
	bool seen[6] = { false };

	*t = (struct threshold){ 0 };
	while (keyval_next(&text, &key, &value)) {
		size_t i = 0;

		while (i < 6 && !uwsgi_same(key, (struct slice){ names[i], strlen(names[i]) }))
			i++;
		if (i == 6 && doubt)
			doubt(data,
			      "an unknown key: expected key, value, rate, reset, alarm or msg");
		if (i < 6 && texts[i])
			*texts[i] = value;
		else if (i < 6 && !keyval_number(value, numbers[i]))
			return uwsgi_error_set(e, "%s: \"%.*s\" is no whole number", names[i],
					       (int)value.n, value.p);
		if (i < 6)
			seen[i] = true;
	}
	t->resets = seen[3];
	if (!t->key.n || !seen[1])
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
	uwsgi_log(UWSGI_WARNING, "ALARM%s%.*s: metric %s is %lld and has reached %lld%s%.*s",
		  t->alarm.n ? " " : "", (int)t->alarm.n, t->alarm.p ? t->alarm.p : "",
		  t->metric->name, value, t->value, t->message.n ? ": " : "", (int)t->message.n,
		  t->message.p ? t->message.p : "");
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
