/* SPDX-License-Identifier: MIT */
/* push.c: stats-push and carbon: who is sent what, and when. */
#include "push.h"

#include <stdlib.h>

static const struct push_kind *const kinds[] = {
	&push_statsd, &push_dogstatsd, &push_socket, &push_carbon, &push_file,
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Those of uWSGI that are not here. */
static const char *const foreign[] = { "mongodb", "rrdtool", "zabbix" };

bool push_is_foreign(const char *text)
{
	for (size_t i = 0; i < COUNT(foreign); i++)
		if (keyval_is((struct slice){ text, strcspn(text, ":") }, foreign[i]))
			return true;
	return false;
}

/* NULL: there is none of that name. */
static const struct push_kind *kind_of(const char *text, const char **argument)
{
	size_t n = strcspn(text, ":");

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (keyval_is((struct slice){ text, n }, kinds[i]->name)) {
			*argument = text[n] ? text + n + 1 : "";
			return kinds[i];
		}
	return NULL;
}

int push_valid(const char *text, struct error *e)
{
	const char *argument;
	const struct push_kind *kind = kind_of(text, &argument);
	static const char *const names[] = { "statsd", "dogstatsd", "socket", "carbon", "file" };
	struct slice word = { text, strcspn(text, ":") };

	if (kind || push_is_foreign(text))
		return kind ? kind->valid(argument, e) : 0;
	const char *near = uwsgi_nearest(word, names, COUNT(names));
	return uwsgi_error_set(
		e,
		"\"%.*s\" is no way to send them%s%s%s: expected statsd:, dogstatsd:, "
		"socket:, carbon: or file:",
		(int)word.n, word.p, near ? "; did you mean \"" : "", near ? near : "",
		near ? "\"?" : "");
}

int push_valid_carbon(const char *text, struct error *e)
{
	return push_carbon.valid(text, e);
}

bool push_wants(const struct push_settings *s)
{
	return s->pushes.count || s->carbons.count;
}

long long push_take(const struct push_source *source, const struct metric *m, long long *now)
{
	if (!customs_reset_after_push(source->customs, m))
		return *now = uwsgi_metric_get(m);
	*now = m->initial;
	return uwsgi_metric_set(m, m->initial);
}

/* ---- those of a configuration ---- */

struct pusher {
	const struct push_kind *kind;
	void *state;
	long long every_s, due_s;
};

struct pushers {
	size_t count;
	struct pusher one[];
};

static int open_one(struct pushers *all, const struct push_source *source,
		    const struct push_kind *kind, const char *argument)
{
	struct pusher *p = &all->one[all->count];

	p->kind = kind;
	p->every_s = source->settings->every_s;
	p->state = kind->open(source, argument, &p->every_s);
	all->count += p->state != NULL;
	return p->state ? 0 : -1;
}

struct pushers *pushers_new(const struct push_source *source)
{
	const struct push_settings *s = source->settings;
	struct pushers *all =
		calloc(1, sizeof *all + (s->pushes.count + s->carbons.count) * sizeof all->one[0]);
	bool failed = !all;

	for (size_t i = 0; !failed && i < s->pushes.count; i++) {
		const char *argument = "";
		const struct push_kind *kind = kind_of(s->pushes.items[i], &argument);

		failed = kind && open_one(all, source, kind, argument);
	}
	for (size_t i = 0; !failed && i < s->carbons.count; i++)
		failed = open_one(all, source, &push_carbon, s->carbons.items[i]);
	if (!failed)
		return all;
	pushers_free(all);
	return NULL;
}

void pushers_free(struct pushers *all)
{
	for (size_t i = 0; all && i < all->count; i++)
		all->one[i].kind->close(all->one[i].state);
	free(all);
}

void pushers_push(struct pushers *all, long long now_s)
{
	for (size_t i = 0; i < all->count; i++) {
		struct pusher *p = &all->one[i];

		if (now_s < p->due_s)
			continue;
		p->due_s = now_s + p->every_s;
		p->kind->push(p->state);
	}
}
