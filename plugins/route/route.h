/* SPDX-License-Identifier: MIT */
/* route.h: what the parts of the routing plugin know of each other. */
#ifndef ROUTE_ROUTE_H
#define ROUTE_ROUTE_H

#include "credentials.h"

#include <uwsgi/plugin.h>

enum { GROUPS = 10 };

/* ---- one request, while rules are judged for it ---- */

/* A header to be added to the answer, or, value {NULL, 0}, taken out of it. */
struct change {
	struct change *next;
	struct slice name, value;
};

/* The answer that an action gives instead of the application. */
struct answer {
	int status;
	struct slice line;
	struct header extra; /* Location, for example; name {NULL, 0}: none */
	struct slice body;
};

struct passwords;
struct inquiry;
struct proxy;
struct job;
struct lane;
enum password { PASSWORD_WRONG, PASSWORD_RIGHT, PASSWORD_LATER };

struct visit {
	struct request *rq;
	const struct handler_lane *lane;
	int64_t began_us; /* since 1970 */
	bool limits_time; /* a rule has said how long the application may take */
	long long seconds;
	struct passwords *passwords; /* NULL: files are asked at once */
	struct inquiry *inquiry;     /* a password that is looked at */
	size_t waits_at;             /* the rule that it is for */
	struct response *rs;         /* its head can be changed; NULL: it is not there yet */
	int status;                  /* of the answer; 0: there is none yet */
	struct change *changes, **last_change;
	struct slice groups[GROUPS]; /* of the last expression that matched */
	struct answer answer;
	struct proxy *proxy; /* whose servers are to answer */
	struct job *job;     /* they are asked; NULL: they are not, or have answered */
	struct lane *rules_of;
};

struct slice visit_copy(struct visit *, struct slice);

/* ---- value.c: text with variables ---- */

/* Since 1970. */
int64_t route_now_us(void);

struct part;

struct value {
	struct part *parts;
	size_t count;
};

/* text stays the caller's and must live as long.  -1 with the reason. */
int value_parse(struct value *, struct slice text, struct error *);
void value_fini(struct value *);
bool value_is_constant(const struct value *);
/* As long as the request; p is never NULL. */
struct slice value_of(const struct value *, struct visit *);

/* ---- condition.c: what route-if asks ---- */

struct condition_kind;

struct condition {
	const struct condition_kind *kind;
	struct value subject, operand;
	struct pattern *pattern;
};

int condition_parse(struct condition *, struct slice text, struct error *);
void condition_fini(struct condition *);
bool condition_holds(const struct condition *, struct visit *);

/* ---- action.c: what a rule does ---- */

enum verdict {
	GO_ON,          /* the next rule */
	TO_APPLICATION, /* no more rules */
	TO_LABEL,
	WAITS,    /* the same rule again, when the request goes on */
	ANSWERED, /* visit->answer is what the client gets */
	PROXIED,  /* visit->proxy is to answer */
};

struct action_kind;

struct action {
	const struct action_kind *kind;
	struct value value, second; /* second: behind the = or : */
	struct slice text;          /* as it was written, behind the name */
	int status;
	long long seconds;
	struct proxy *proxy;
};

int action_parse(struct action *, struct slice text, struct error *);
/* It does nothing here; what does it instead.  NULL: it does what it says. */
const char *action_left_out(const struct action *);
void action_fini(struct action *);
enum verdict action_run(const struct action *, struct visit *);
/* The label that it goes to; {NULL, 0}: it goes nowhere. */
struct slice action_label(const struct action *);
/* Whether it may say WAITS. */
bool action_may_wait(const struct action *);
/* Whether it makes sense only before the application is asked. */
bool action_is_early(const struct action *);
struct slice action_name(const struct action *);
/* NULL: it has none. */
struct proxy *action_proxy(const struct action *);

/* ---- metrics.c ---- */

enum verdict metrics_inc(const struct action *, struct visit *);
enum verdict metrics_dec(const struct action *, struct visit *);
enum verdict metrics_mul(const struct action *, struct visit *);
enum verdict metrics_div(const struct action *, struct visit *);
enum verdict metrics_set(const struct action *, struct visit *);
/* 0: there is none. */
long long metrics_value(const struct visit *, struct slice name);
/* Says in the log if the action changes one that there is not. */
void metrics_doubt(const struct action *, const struct metrics *);

/* ---- basicauth.c ---- */

/* "realm,user:password,…" or "realm,FILE".  -1 with the reason. */
int basicauth_check(struct slice text, struct error *);
/* Whether the request names a user of it with the right password, who is REMOTE_USER then. */
enum password basicauth_judge(struct slice text, struct visit *);
bool basicauth_has_file(struct slice text);

/* ---- passwords.c ---- */

struct ev_loop;

/* A lane's thread for slow hashes.  NULL: no memory, or no thread. */
struct passwords *passwords_new(struct ev_loop *);
void passwords_free(struct passwords *);
/* Whether the file says so of "user:password"; user_size: of "user:".  PASSWORD_LATER: the request is
 * made to go on when it is known, and this is to be asked again. */
enum password passwords_ask(struct visit *, struct slice path, const char *credentials,
			    size_t user_size);
/* The request is over before it was known. */
void passwords_forget(struct visit *);
/* Whether all hashes of the file, if it is there, are such as can be read.  -1 with the reason. */
int passwords_check(struct slice path, struct error *);

/* ---- rules.c ---- */

enum chain_id { CHAIN_REQUEST, CHAIN_ERROR, CHAIN_RESPONSE, CHAIN_FINAL, CHAINS };

enum look { LOOK_ALWAYS, LOOK_LABEL, LOOK_VARIABLE, LOOK_STATUS, LOOK_IF, LOOK_IF_NOT };

struct rule_kind {
	const char *suffix; /* of the option, behind "route" */
	enum look look;
	struct slice variable;
};

struct rule {
	const struct rule_kind *kind;
	struct slice label;
	struct pattern *pattern;
	int status;
	struct condition condition;
	struct action action;
	size_t target; /* of a goto: where the rules go on */
	size_t at;     /* as uwsgi_config_next() left it */
};

struct chain {
	struct rule *rules;
	size_t count;
};

/* text as for value_parse(). */
int rule_parse(struct rule *, const struct rule_kind *, const char *text, struct error *);
void rule_fini(struct rule *);
/* The kind of a rule and its chain by the name of its option; NULL: it is none. */
const struct rule_kind *rule_kind_find(const char *option, enum chain_id *);

/* All rules of a configuration, in their order.  -1 with the reason and, in *at, which setting it is
 * about (rule.at), 0 where its own value is wrong, which has been said.  chains_fini() in any case. */
int chains_make(struct chain chains[CHAINS], const struct config *, size_t *at, struct error *);
void chains_fini(struct chain chains[CHAINS]);
/* Whether a rule may say WAITS. */
bool chain_may_wait(const struct chain *);
/* Judges the rules in turn: ANSWERED, PROXIED, TO_APPLICATION or WAITS. */
enum verdict chain_judge(const struct chain *, struct visit *);

/* ---- settings.c ---- */

enum page { PAGE_403, PAGE_404, PAGE_500, PAGES };

struct route_settings {
	struct option_list rules[CHAINS]; /* read in the order of all of them */
	struct option_list pages[PAGES];
	struct option_list collect, pull; /* "header variable" */
	/* Of the actions http and uwsgi. */
	long long proxy_answer_s, proxy_connect_s, proxy_most;
};

extern const struct option_table route_options;

#endif
