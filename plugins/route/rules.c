/* SPDX-License-Identifier: MIT */
/* rules.c: rules in their order: which requests each is for, and where a goto leads. */
#include "route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct slice visit_copy(struct visit *v, struct slice s)
{
	char *p = s.n ? uwsgi_request_alloc(v->rq, s.n) : NULL;

	if (!p)
		return SLICE("");
	memcpy(p, s.p, s.n);
	return (struct slice){ p, s.n };
}

static const struct rule_kind kinds[] = {
	{ "", LOOK_VARIABLE, SLICE("PATH_INFO") },
	{ "-host", LOOK_VARIABLE, SLICE("HTTP_HOST") },
	{ "-uri", LOOK_VARIABLE, SLICE("REQUEST_URI") },
	{ "-qs", LOOK_VARIABLE, SLICE("QUERY_STRING") },
	{ "-remote-addr", LOOK_VARIABLE, SLICE("REMOTE_ADDR") },
	{ "-remote-user", LOOK_VARIABLE, SLICE("REMOTE_USER") },
	{ "-referer", LOOK_VARIABLE, SLICE("HTTP_REFERER") },
	{ "-user-agent", LOOK_VARIABLE, SLICE("HTTP_USER_AGENT") },
	{ "-status", LOOK_STATUS, { NULL, 0 } },
	{ "-if", LOOK_IF, { NULL, 0 } },
	{ "-if-not", LOOK_IF_NOT, { NULL, 0 } },
	{ "-run", LOOK_ALWAYS, { NULL, 0 } },
	{ "-label", LOOK_LABEL, { NULL, 0 } },
};

const struct rule_kind *rule_kind_find(const char *option, enum chain_id *chain)
{
	static const char *const prefixes[CHAINS] = {
		[CHAIN_REQUEST] = "route",
		[CHAIN_ERROR] = "error-route",
		[CHAIN_RESPONSE] = "response-route",
		[CHAIN_FINAL] = "final-route",
	};

	for (enum chain_id c = 0; c < CHAINS; c++) {
		size_t n = strlen(prefixes[c]);

		if (strncmp(option, prefixes[c], n))
			continue;
		*chain = c;
		for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
			if (!strcmp(option + n, kinds[i].suffix))
				return &kinds[i];
	}
	return NULL;
}

/* ---- one rule ---- */

static int parse_subject(struct rule *r, struct slice subject, struct error *e)
{
	if (r->kind->look == LOOK_IF || r->kind->look == LOOK_IF_NOT)
		return condition_parse(&r->condition, subject, e);
	char *text = strndup(subject.p, subject.n), *end;

	if (!text)
		return uwsgi_error_set(e, "out of memory");
	if (r->kind->look == LOOK_STATUS) {
		r->status = (int)strtol(text, &end, 10);
		if (*end || r->status < 100 || r->status > 999)
			uwsgi_error_set(e, "expected a status, such as 404");
		else
			end = NULL;
		free(text);
		return end ? -1 : 0;
	}
	r->pattern = uwsgi_pattern_new(text, e);
	free(text);
	return r->pattern ? 0 : -1;
}

int rule_parse(struct rule *r, const struct rule_kind *kind, const char *text, struct error *e)
{
	static const char *const expected[] = {
		[LOOK_VARIABLE] = "EXPRESSION",
		[LOOK_STATUS] = "STATUS",
		[LOOK_IF] = "CONDITION",
		[LOOK_IF_NOT] = "CONDITION",
	};
	size_t n = strcspn(text, " \t"), blanks = strspn(text + n, " \t");

	*r = (struct rule){ .kind = kind };
	if (kind->look == LOOK_LABEL) {
		r->label = (struct slice){ text, strlen(text) };
		return 0;
	}
	if (kind->look == LOOK_ALWAYS)
		return action_parse(&r->action, (struct slice){ text, strlen(text) }, e);
	if (n == 0 || !text[n + blanks])
		return uwsgi_error_set(e, "expected %s ACTION", expected[kind->look]);
	if (parse_subject(r, (struct slice){ text, n }, e))
		return -1;
	return action_parse(&r->action,
			    (struct slice){ text + n + blanks, strlen(text + n + blanks) }, e);
}

void rule_fini(struct rule *r)
{
	uwsgi_pattern_free(r->pattern);
	condition_fini(&r->condition);
	action_fini(&r->action);
}

/* ---- all of them ---- */

static int add_rule(struct chain *chain, const struct rule_kind *kind, const char *text,
		    struct error *e)
{
	struct rule *grown = reallocarray(chain->rules, chain->count + 1, sizeof *grown);

	if (!grown)
		return uwsgi_error_set(e, "out of memory");
	chain->rules = grown;
	return rule_parse(&grown[chain->count++], kind, text, e);
}

/* Labels are looked for behind the goto: rules end. */
static int find_targets(struct chain *chain, size_t *at, struct error *e)
{
	for (size_t i = 0; i < chain->count; i++) {
		struct rule *r = &chain->rules[i];
		struct slice label = action_label(&r->action);

		if (!label.p)
			continue;
		for (r->target = i + 1; r->target < chain->count; r->target++)
			if (uwsgi_same(chain->rules[r->target].label, label))
				break;
		*at = r->at;
		if (r->target == chain->count)
			return uwsgi_error_set(e, "goto:%.*s: no such label stands behind it",
					       (int)label.n, label.p);
	}
	return 0;
}

static int check_place(const struct chain *chain, enum chain_id id, struct error *e)
{
	const struct action *a = &chain->rules[chain->count - 1].action;

	if (id == CHAIN_REQUEST || !action_is_early(a))
		return 0;
	return uwsgi_error_set(e, "the action %s changes a request, which has been answered here",
			       action_name(a).p);
}

int chains_make(struct chain chains[CHAINS], const struct config *cfg, size_t *at, struct error *e)
{
	const char *option, *value;
	enum chain_id id;

	memset(chains, 0, CHAINS * sizeof *chains);
	*at = 0;
	for (size_t i = 0; uwsgi_config_next(cfg, &i, &option, &value);) {
		const struct rule_kind *kind = rule_kind_find(option, &id);

		if (!kind)
			continue;
		if (add_rule(&chains[id], kind, value, e))
			return -1;
		chains[id].rules[chains[id].count - 1].at = i;
		if (check_place(&chains[id], id, e)) {
			*at = i;
			return -1;
		}
	}
	for (id = 0; id < CHAINS; id++)
		if (find_targets(&chains[id], at, e))
			return -1;
	return 0;
}

void chains_fini(struct chain chains[CHAINS])
{
	for (size_t c = 0; c < CHAINS; c++) {
		for (size_t i = 0; i < chains[c].count; i++)
			rule_fini(&chains[c].rules[i]);
		free(chains[c].rules);
	}
	memset(chains, 0, CHAINS * sizeof *chains);
}

/* ---- judging ---- */

/* An expression that takes too many steps does not match. */
static bool applies(const struct rule *r, struct visit *v)
{
	switch (r->kind->look) {
	case LOOK_LABEL:
		return false;
	case LOOK_VARIABLE:
		return uwsgi_pattern_groups(r->pattern,
					    uwsgi_request_find(v->rq, r->kind->variable), v->groups,
					    GROUPS) == 1;
	case LOOK_STATUS:
		return v->status == r->status;
	case LOOK_IF:
		return condition_holds(&r->condition, v);
	case LOOK_IF_NOT:
		return !condition_holds(&r->condition, v);
	case LOOK_ALWAYS:
		break;
	}
	return true;
}

bool chain_may_wait(const struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		if (action_may_wait(&chain->rules[i].action))
			return true;
	return false;
}

enum verdict chain_judge(const struct chain *chain, struct visit *v)
{
	for (size_t i = v->inquiry ? v->waits_at : 0; i < chain->count; i++) {
		const struct rule *r = &chain->rules[i];
		enum verdict verdict = v->inquiry || applies(r, v) ? action_run(&r->action, v) : GO_ON;

		v->waits_at = i;
		if (verdict != GO_ON && verdict != TO_LABEL)
			return verdict;
		if (verdict == TO_LABEL)
			i = r->target;
	}
	return TO_APPLICATION;
}
