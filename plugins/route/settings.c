/* SPDX-License-Identifier: MIT */
/* settings.c: the options of routes and of pages for errors. */
#include "route.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int valid_rule(const char *option, const char *text, struct error *e)
{
	enum chain_id chain;
	struct rule r;
	int result = rule_parse(&r, rule_kind_find(option, &chain), text, e);

	rule_fini(&r);
	return result;
}

static int valid_expression(const char *text, struct error *e)
{
	return valid_rule("route", text, e);
}

static int valid_status(const char *text, struct error *e)
{
	return valid_rule("route-status", text, e);
}

static int valid_condition(const char *text, struct error *e)
{
	return valid_rule("route-if", text, e);
}

static int valid_action(const char *text, struct error *e)
{
	return valid_rule("route-run", text, e);
}

#define RULE(option, chain, check, form, sentence, sample)                                         \
	{                                                                                          \
		.name = option, .type = OPT_LIST,                                                  \
		.offset = offsetof(struct route_settings, rules[chain]), .text = true,             \
		.valid = check, .unit = form, .help = sentence, .example = sample                  \
	}
#define MATCH(option, chain, when, what, sample)                                                   \
	RULE(option, chain, valid_expression, "EXPRESSION ACTION",                                 \
	     when ", do this where the expression matches " what, sample)
#define RULES(prefix, chain, when, sample)                                                         \
	MATCH(prefix "route", chain, when, "PATH_INFO", "^/old/ " sample),                         \
		MATCH(prefix "route-host", chain, when, "the header Host", "example log:$0"),      \
		MATCH(prefix "route-uri", chain, when, "REQUEST_URI, which has the query",         \
		      "example log:$0"),                                                           \
		MATCH(prefix "route-qs", chain, when, "QUERY_STRING", "example log:$0"),           \
		MATCH(prefix "route-remote-addr", chain, when, "REMOTE_ADDR", "example log:$0"),   \
		MATCH(prefix "route-remote-user", chain, when, "REMOTE_USER", "example log:$0"),   \
		MATCH(prefix "route-referer", chain, when, "the header Referer",                   \
		      "example log:$0"),                                                           \
		MATCH(prefix "route-user-agent", chain, when, "the header User-Agent",             \
		      "example log:$0"),                                                           \
		RULE(prefix "route-if", chain, valid_condition, "CONDITION ACTION",                \
		     when ", do this where the condition holds",                                   \
		     "eq:${REQUEST_METHOD};PUT " sample),                                          \
		RULE(prefix "route-if-not", chain, valid_condition, "CONDITION ACTION",            \
		     when ", do this where the condition does not hold",                           \
		     "empty:${QUERY_STRING} " sample),                                             \
		RULE(prefix "route-run", chain, valid_action, "ACTION", when ", do this", sample), \
		RULE(prefix "route-label", chain, NULL, "LABEL", "where goto:LABEL goes on",       \
		     "end")
#define ANSWER_RULES(prefix, chain, when, sample)                                                  \
	RULES(prefix, chain, when, sample),                                                        \
		RULE(prefix "route-status", chain, valid_status, "STATUS ACTION",                  \
		     when ", do this for answers of this status", "404 log:${REQUEST_URI}")
#define PAGE(option, status, page)                                                                 \
	{                                                                                          \
		.name = option, .type = OPT_LIST,                                                  \
		.offset = offsetof(struct route_settings, pages[page]), .unit = "FILE",            \
		.help = "the page of the server's own " status                                     \
			" answers; the first file that can be read",                               \
		.example = "/srv/errors/page.html"                                                 \
	}

static int valid_collect(const char *text, struct error *e)
{
	size_t n = strcspn(text, " ");

	if (n > 0 && text[n] && !strchr(text + n + 1, ' ') && text[n + 1])
		return 0;
	return uwsgi_error_set(e, "expected HEADER VARIABLE");
}

static const struct option rows[] = {
	RULES("", CHAIN_REQUEST, "before the application is asked", "last:"),
	ANSWER_RULES("error-", CHAIN_ERROR, "when the status is known, before response-route",
		     "addheader:X-Error: yes"),
	ANSWER_RULES("response-", CHAIN_RESPONSE, "when the head of the answer is known",
		     "addheader:X-Answered: yes"),
	ANSWER_RULES("final-", CHAIN_FINAL, "when all is answered", "donotlog:"),
	PAGE("error-page-403", "403", PAGE_403),
	PAGE("error-page-404", "404", PAGE_404),
	PAGE("error-page-500", "500", PAGE_500),
	{ .name = "route-timeout",
	  .type = OPT_SECONDS,
	  .offset = offsetof(struct route_settings, proxy_answer_s),
	  .initial = "60",
	  .min = 1,
	  .max = 86400,
	  .help = "how long the server of an action http or uwsgi may stay silent before its "
		  "answer, or inside it",
	  .differs = "socket-timeout does that" },
	{ .name = "route-connect-timeout",
	  .type = OPT_SECONDS,
	  .offset = offsetof(struct route_settings, proxy_connect_s),
	  .initial = "0",
	  .max = 86400,
	  .help = "how long the server of such an action may take to accept a connection; 0: as "
		  "long as route-timeout",
	  .differs = "socket-timeout does that" },
	{ .name = "route-max",
	  .type = OPT_INT,
	  .offset = offsetof(struct route_settings, proxy_most),
	  .initial = "1000",
	  .max = 1LL << 30,
	  .help = "requests that each thread may have under way to such servers; the next one gets "
		  "503; 0: any number",
	  .differs = "a worker waits with each" },
	{ .name = "collect-header",
	  .type = OPT_LIST,
	  .offset = offsetof(struct route_settings, collect),
	  .valid = valid_collect,
	  .unit = "HEADER VARIABLE",
	  .help = "make a variable of this header of the answer, for log-format and rules",
	  .example = "X-User-Id USER_ID" },
	{ .name = "response-header-collect", .same_as = "collect-header" },
	{ .name = "pull-header",
	  .type = OPT_LIST,
	  .offset = offsetof(struct route_settings, pull),
	  .valid = valid_collect,
	  .unit = "HEADER VARIABLE",
	  .help = "as collect-header, and the client does not get the header",
	  .example = "X-User-Id USER_ID" },
};

static void tell_left_out(const struct config *cfg, struct report *report,
			  const struct chain chains[CHAINS])
{
	for (size_t c = 0; c < CHAINS; c++)
		for (size_t i = 0; i < chains[c].count; i++) {
			const struct rule *r = &chains[c].rules[i];
			const char *instead = action_left_out(&r->action);

			if (instead)
				uwsgi_config_doubt_at(cfg, report, UWSGI_WARNING, r->at,
						      "the action %s does nothing here; %s",
						      action_name(&r->action).p, instead);
		}
}

static bool is_readable(const char *path)
{
	struct stat st;

	return access(path, R_OK) == 0 && stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* Where single values are wrong, the report has it. */
static void check(const struct config *cfg, struct report *report)
{
	static const char *const pages[PAGES] = { "error-page-403", "error-page-404",
						  "error-page-500" };
	const struct route_settings *s = uwsgi_options(cfg, &route_options);
	struct chain chains[CHAINS];
	struct error e;
	size_t at;

	if (chains_make(chains, cfg, &at, &e) && at)
		uwsgi_config_doubt_at(cfg, report, UWSGI_ERROR, at, "%s", e.text);
	tell_left_out(cfg, report, chains);
	chains_fini(chains);
	for (size_t p = 0; p < PAGES; p++)
		for (size_t i = 0; uwsgi_config_thorough(report) && i < s->pages[p].count; i++)
			if (!is_readable(s->pages[p].items[i]))
				uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, pages[p],
							s->pages[p].items[i], "%s cannot be read",
							s->pages[p].items[i]);
}

const struct option_table route_options = {
	.module = "routes",
	.size = sizeof(struct route_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};
