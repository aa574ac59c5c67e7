/* SPDX-License-Identifier: MIT */
/* route_fuzz.c: a rule as a user may write it, and a request that is judged by it.  The input is the
 * option's number, the rule, a line end, and what the request's variables hold. */
#include "route.h"

#include "exchange/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const options[] = { "route",     "route-host",   "route-if",   "route-if-not",
				       "route-run", "route-status", "route-label" };

/* What would read files without end, or fill the log. */
static bool is_harmless(const char *rule)
{
	return !strstr(rule, "/dev") && !strstr(rule, "/proc") && !strstr(rule, "log");
}

static void judge(struct rule *r, struct slice text)
{
	static const struct request_limits limits;
	struct request rq;
	const struct chain chain = { r, 1 };

	request_init(&rq, &limits);
	uwsgi_request_var(&rq, SLICE("PATH_INFO"), text);
	uwsgi_request_var(&rq, SLICE("QUERY_STRING"), text);
	uwsgi_request_var(&rq, SLICE("HTTP_HOST"), text);
	uwsgi_request_var(&rq, SLICE("HTTP_COOKIE"), text);
	uwsgi_request_var(&rq, SLICE("HTTP_AUTHORIZATION"), text);
	struct visit v = { .rq = &rq, .status = 200 };

	v.last_change = &v.changes;
	if (chain_judge(&chain, &v) == ANSWERED) {
		assert(v.answer.status >= 200 && v.answer.status < 600);
		for (size_t i = 0; i < v.answer.extra.value.n; i++)
			assert((unsigned char)v.answer.extra.value.p[i] >= ' ');
	}
	for (const struct change *c = v.changes; c; c = c->next)
		assert(c->name.n > 0 && !(c->value.p && memchr(c->value.p, '\n', c->value.n)));
	request_fini(&rq);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { OPTIONS = sizeof options / sizeof *options };
	const char *option = options[size ? data[0] % OPTIONS : 0];
	const uint8_t *end = size ? memchr(data + 1, '\n', size - 1) : NULL;
	enum chain_id chain;
	struct rule r;
	struct error e;

	if (!end)
		return 0;
	char *rule = strndup((const char *)data + 1, (size_t)(end - data) - 1);
	const struct rule_kind *kind =
		rule_kind_find(data[0] % OPTIONS == 5 ? "error-route-status" : option, &chain);

	if (is_harmless(rule)) {
		if (rule_parse(&r, kind, rule, &e) == 0)
			judge(&r, (struct slice){ (const char *)end + 1,
						  size - (size_t)(end + 1 - data) });
		rule_fini(&r);
	}
	free(rule);
	return 0;
}
