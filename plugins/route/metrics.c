/* SPDX-License-Identifier: MIT */
/* metrics.c: rules that count: the actions metricinc: and so on, and ${metric[NAME]}.  As with uWSGI, a
 * metric that there is not is no error; the log says so. */
#include "route.h"

#include <stdlib.h>

static const struct metric *find(const struct visit *v, struct slice name)
{
	return uwsgi_metrics_find(uwsgi_lane_metrics(v->lane), name);
}

/* "NAME" or "NAME,NUMBER", which a client may choose: the least one has no counterpart. */
static enum verdict change(const struct action *a, struct visit *v, enum metric_change how,
			   bool negated)
{
	struct slice text = value_of(&a->value, v), name = text;
	const char *comma = memchr(text.p, ',', text.n);
	char digits[24] = "1";

	if (comma) {
		name.n = (size_t)(comma - text.p);
		size_t n = text.n - name.n - 1;

		n = n < sizeof digits ? n : sizeof digits - 1;
		memcpy(digits, comma + 1, n);
		digits[n] = '\0';
	}
	const struct metric *m = find(v, name);
	long long by = strtoll(digits, NULL, 10);

	if (m && !m->collected)
		uwsgi_metric_change(m, how, negated ? (long long)(0 - (unsigned long long)by) : by);
	return GO_ON;
}

enum verdict metrics_inc(const struct action *a, struct visit *v)
{
	return change(a, v, METRIC_ADD, false);
}

enum verdict metrics_dec(const struct action *a, struct visit *v)
{
	return change(a, v, METRIC_ADD, true);
}

enum verdict metrics_mul(const struct action *a, struct visit *v)
{
	return change(a, v, METRIC_MULTIPLY, false);
}

enum verdict metrics_div(const struct action *a, struct visit *v)
{
	return change(a, v, METRIC_DIVIDE, false);
}

enum verdict metrics_set(const struct action *a, struct visit *v)
{
	return change(a, v, METRIC_SET, false);
}

/* A name with variables in it is known when a request comes. */
void metrics_doubt(const struct action *a, const struct metrics *all)
{
	struct slice action = action_name(a), name = a->text;
	const char *comma = name.n ? memchr(name.p, ',', name.n) : NULL;

	if (comma)
		name.n = (size_t)(comma - name.p);
	if (action.n < 6 || memcmp(action.p, "metric", 6) || !name.n ||
	    memchr(name.p, '$', name.n) || uwsgi_metrics_find(all, name))
		return;
	uwsgi_log(UWSGI_WARNING, "route: %.*s: there is no metric \"%.*s\"", (int)action.n,
		  action.p, (int)name.n, name.p);
}

long long metrics_value(const struct visit *v, struct slice name)
{
	const struct metric *m = find(v, name);

	return m ? uwsgi_metric_get(m) : 0;
}
