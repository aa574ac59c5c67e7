/* SPDX-License-Identifier: MIT */
/* keyval.c: the lists that uWSGI's options have: "key=value,key=value", "name;name". */
#include "metrics.h"

#include <errno.h>
#include <stdlib.h>

static struct slice until(const char **at, char end)
{
	const char *begin = *at, *stop = strchr(begin, end);

	*at = stop ? stop + 1 : begin + strlen(begin);
	return (struct slice){ begin, stop ? (size_t)(stop - begin) : strlen(begin) };
}

bool keyval_is(struct slice word, const char *text)
{
	return uwsgi_same(word, (struct slice){ text, strlen(text) });
}

bool keyval_next(const char **at, struct slice *key, struct slice *value)
{
	if (!**at)
		return false;
	struct slice pair = until(at, ',');
	const char *equals = memchr(pair.p, '=', pair.n);

	*key = (struct slice){ pair.p, equals ? (size_t)(equals - pair.p) : pair.n };
	*value = equals ? (struct slice){ equals + 1, pair.n - key->n - 1 } : (struct slice){ 0 };
	return true;
}

bool keyval_number(struct slice text, long long *n)
{
	char copy[32], *end;

	if (text.n == 0 || text.n >= sizeof copy)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	errno = 0;
	*n = strtoll(copy, &end, 10);
	while (*end == ' ')
		end++;
	return !*end && end > copy && !errno;
}

bool keyval_name(struct slice *list, struct slice *name)
{
	while (list->n && *list->p == ';')
		*list = (struct slice){ list->p + 1, list->n - 1 };
	if (!list->n)
		return false;
	const char *end = memchr(list->p, ';', list->n);

	*name = (struct slice){ list->p, end ? (size_t)(end - list->p) : list->n };
	*list = (struct slice){ list->p + name->n, list->n - name->n };
	return true;
}

const struct metric *keyval_metric(const struct metrics *all, struct slice name,
				   const char *wanted_by)
{
	const struct metric *m = uwsgi_metrics_find(all, name);

	if (!m)
		uwsgi_log(UWSGI_WARNING, "%s: there is no metric \"%.*s\"", wanted_by, (int)name.n,
			  name.p);
	return m;
}
