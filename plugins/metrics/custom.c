/* SPDX-License-Identifier: MIT */
/* custom.c: the metrics that the option `metric` names, and how their values are found out. */
#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- what an option says ---- */

/* Where in names it stands; count: nowhere. */
static size_t index_of(struct slice word, const char *const *names, size_t count)
{
	size_t i = 0;

	while (i < count && !keyval_is(word, names[i]))
		i++;
	return i;
}

static bool is_name(struct slice name)
{
	if (name.n == 0 || name.n > 200)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.",
			    name.p[i]))
			return false;
	return name.p[0] != '.';
}

/* A whole metric as it is read. */
struct reading {
	struct custom *m;
	void (*doubt)(void *data, const char *what);
	void *data;
	struct slice collector, type;
};

static void doubt(const struct reading *r, const char *fmt, ...) UWSGI_PRINTF(2, 3);
static void doubt(const struct reading *r, const char *fmt, ...)
{
	char text[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (r->doubt)
		r->doubt(r->data, text);
}

static void read_number(const struct reading *r, struct slice key, struct slice value, long long *n)
{
	if (!keyval_number(value, n))
		doubt(r, "%.*s: \"%.*s\" is no whole number", (int)key.n, key.p, (int)value.n,
		      value.p);
}

/* How uWSGI's users write yes. */
static bool is_yes(struct slice value)
{
	return !keyval_is(value, "0") && !keyval_is(value, "false") && !keyval_is(value, "no");
}

static void read_key(struct reading *r, struct slice key, struct slice value)
{
	static const char *const names[] = {
		"name",  "oid",  "type",          "collector",        "alias", "children", "arg1",
		"arg1n", "freq", "initial_value", "reset_after_push", "arg2",  "arg3",     "arg2n",
		"arg3n"
	};
	struct custom *m = r->m;
	struct slice *const texts[] = { &m->name,  &m->oid,      &r->type, &r->collector,
					&m->alias, &m->children, &m->file };
	long long *const numbers[] = { &m->number, &m->every_s, &m->initial };
	size_t i = index_of(key, names, COUNT(names));

	if (i < COUNT(texts)) {
		*texts[i] = value;
	} else if (i < COUNT(texts) + COUNT(numbers)) {
		read_number(r, key, value, numbers[i - COUNT(texts)]);
	} else if (i == COUNT(texts) + COUNT(numbers)) {
		m->reset = is_yes(value);
	} else if (i == COUNT(names)) {
		const char *near = uwsgi_nearest(key, names, COUNT(names));

		doubt(r, "unknown key \"%.*s\"%s%s%s", (int)key.n, key.p,
		      near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	}
}

static void read_type(struct reading *r)
{
	static const char *const names[] = { "counter", "gauge", "absolute", "alias" };
	size_t i = index_of(r->type, names, COUNT(names));

	if (i < COUNT(names))
		r->m->type = (enum metric_type)i;
	else if (r->type.p)
		doubt(r,
		      "type \"%.*s\" is none of counter, gauge, absolute and alias; it is taken for "
		      "a counter",
		      (int)r->type.n, r->type.p);
}

static int read_collector(struct reading *r, struct error *e)
{
	static const char *const names[] = { "manual",      "file",       "sum",  "avg",
					     "accumulator", "multiplier", "adder" };
	size_t i = r->collector.p ? index_of(r->collector, names, COUNT(names)) : 0;

	if (i == COUNT(names) && !keyval_is(r->collector, "ptr") &&
	    !keyval_is(r->collector, "func"))
		return uwsgi_error_set(e,
				       "collector \"%.*s\" is unknown: expected file, sum, avg, "
				       "accumulator, multiplier or adder",
				       (int)r->collector.n, r->collector.p);
	if (i == COUNT(names)) {
		doubt(r,
		      "collector %.*s needs code in the server, which is not supported here: the "
		      "application has to set it",
		      (int)r->collector.n, r->collector.p);
		i = COLLECT_NOTHING;
	}
	r->m->collector = (enum collector)i;
	if (r->m->collector == COLLECT_FILE && !r->m->file.n)
		return uwsgi_error_set(e, "collector=file needs arg1=/path/of/the/file");
	return 0;
}

int custom_parse(struct custom *m, const char *text, void (*told)(void *data, const char *what),
		 void *data, struct error *e)
{
	struct reading r = { .m = m, .doubt = told, .data = data };
	struct slice key, value;

	*m = (struct custom){ .every_s = 1 };
	if (!strchr(text, '='))
		m->name = (struct slice){ text, strlen(text) };
	else
		while (keyval_next(&text, &key, &value))
			read_key(&r, key, value);
	if (!is_name(m->name))
		return uwsgi_error_set(
			e, "\"%.*s\" cannot be a name: it needs letters, digits and _ - .",
			(int)m->name.n, m->name.p);
	read_type(&r);
	if (m->type == METRIC_ALIAS && !m->alias.n)
		return uwsgi_error_set(e, "type=alias needs alias=NAME, whose value it shows");
	if (m->every_s < 1)
		m->every_s = 1;
	return read_collector(&r, e);
}

/* ---- definitions ---- */

/* A copy that ends with a NUL. */
static void text_of(struct slice s, char *text, size_t size)
{
	snprintf(text, size, "%.*s", (int)s.n, s.p ? s.p : "");
}

/* The last one of a name counts. */
static bool is_named_again(const struct option_list *all, size_t i, struct slice name)
{
	struct custom other;
	struct error e;

	while (++i < all->count)
		if (!custom_parse(&other, all->items[i], NULL, NULL, &e) &&
		    uwsgi_same(other.name, name))
			return true;
	return false;
}

void custom_define(struct metrics *to, const struct option_list *all)
{
	struct custom m;
	struct error e;

	for (size_t i = 0; i < all->count; i++) {
		char name[256], oid[256], alias[256];

		if (custom_parse(&m, all->items[i], NULL, NULL, &e) ||
		    is_named_again(all, i, m.name))
			continue;
		text_of(m.name, name, sizeof name);
		text_of(m.oid, oid, sizeof oid);
		text_of(m.type == METRIC_ALIAS ? m.alias : (struct slice){ 0 }, alias,
			sizeof alias);
		uwsgi_metrics_define(to, &(struct metric){ .name = name,
							   .oid = oid,
							   .type = m.type,
							   .collected = m.collector || *alias,
							   .initial = m.initial,
							   .of = alias });
	}
}

/* ---- values ---- */

struct child {
	const struct metric *metric;
	struct child *next;
};

struct one {
	struct custom custom;
	const struct metric *metric;
	struct child *children; /* owned */
	char file[1024];
	long long due_s;
	bool unreadable; /* and that is said */
};

struct customs {
	size_t count;
	struct one one[];
};

static int find_children(struct one *o, const struct metrics *all)
{
	struct slice list = o->custom.children, name;
	struct child **end = &o->children;

	while (keyval_name(&list, &name)) {
		const struct metric *m = keyval_metric(all, name, o->metric->name);

		if (!m)
			continue;
		*end = calloc(1, sizeof **end);
		if (!*end)
			return -1;
		(*end)->metric = m;
		end = &(*end)->next;
	}
	return 0;
}

struct customs *customs_new(const struct metrics *all, const struct option_list *list)
{
	struct customs *c = calloc(1, sizeof *c + list->count * sizeof c->one[0]);
	struct error e;

	for (size_t i = 0; c && i < list->count; i++) {
		struct one *o = &c->one[c->count];

		if (custom_parse(&o->custom, list->items[i], NULL, NULL, &e) ||
		    is_named_again(list, i, o->custom.name))
			continue;
		o->metric = uwsgi_metrics_find(all, o->custom.name);
		c->count++;
		text_of(o->custom.file, o->file, sizeof o->file);
		if (o->custom.alias.n && o->custom.type == METRIC_ALIAS)
			keyval_metric(all, o->custom.alias, o->metric->name);
		if (find_children(o, all)) {
			customs_free(c);
			return NULL;
		}
	}
	return c;
}

void customs_free(struct customs *c)
{
	for (size_t i = 0; c && i < c->count; i++)
		while (c->one[i].children) {
			struct child *child = c->one[i].children;

			c->one[i].children = child->next;
			free(child);
		}
	free(c);
}

/* The word at this place; "": there is none. */
static const char *word_at(char *text, long long place)
{
	static const char between[] = " \t\r\n";
	char *rest, *word = strtok_r(text, between, &rest);

	while (word && place-- > 0)
		word = strtok_r(NULL, between, &rest);
	return word ? word : "";
}

/* Up to its first 4 KiB: uWSGI's bound, which is more than any file of /proc that is meant for this. */
static bool read_file(struct one *o, long long *value)
{
	char text[4097];
	int fd = open(o->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	int why = errno;

	if (fd >= 0)
		close(fd);
	if (n < 0) {
		if (!o->unreadable)
			uwsgi_log(UWSGI_WARNING, "metric %s: cannot read %s: %s", o->metric->name,
				  o->file, strerror(why));
		o->unreadable = true;
		return false;
	}
	o->unreadable = false;
	for (ssize_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
	text[n] = '\0';
	*value = strtoll(word_at(text, o->custom.number), NULL, 10);
	return true;
}

static long long sum_of(const struct child *c, long long *count)
{
	unsigned long long sum = 0;

	for (*count = 0; c; c = c->next, ++*count)
		sum += (unsigned long long)uwsgi_metric_get(c->metric);
	return (long long)sum;
}

/* False: it stays as it is. */
static bool find_out(struct one *o, long long *value)
{
	long long count, sum = sum_of(o->children, &count);
	unsigned long long usum = (unsigned long long)sum,
			   number = (unsigned long long)o->custom.number;

	switch (o->custom.collector) {
	case COLLECT_NOTHING:
		return false;
	case COLLECT_FILE:
		return read_file(o, value);
	case COLLECT_SUM:
		*value = sum;
		break;
	case COLLECT_AVERAGE:
		*value = count ? sum / count : 0;
		break;
	case COLLECT_ACCUMULATOR:
		*value = (long long)((unsigned long long)uwsgi_metric_get(o->metric) + usum);
		break;
	case COLLECT_MULTIPLIER:
		*value = (long long)(usum * number);
		break;
	case COLLECT_ADDER:
		*value = (long long)(usum + number);
		break;
	}
	return true;
}

void customs_collect(struct customs *c, long long now_s)
{
	for (size_t i = 0; i < c->count; i++) {
		struct one *o = &c->one[i];
		long long value = 0;

		if (now_s < o->due_s || o->custom.type == METRIC_ALIAS)
			continue;
		o->due_s = now_s + o->custom.every_s;
		if (find_out(o, &value))
			uwsgi_metric_set(o->metric, value);
	}
}

static const struct one *find(const struct customs *c, const struct metric *m)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->one[i].metric == m)
			return &c->one[i];
	return NULL;
}

bool customs_reset_after_push(const struct customs *c, const struct metric *m)
{
	const struct one *o = find(c, m);

	return o && o->custom.reset;
}

bool customs_go_on(const void *customs, const struct metric *m)
{
	const struct one *o = find(customs, m);

	return o && (o->custom.collector == COLLECT_NOTHING ||
		     o->custom.collector == COLLECT_ACCUMULATOR);
}
