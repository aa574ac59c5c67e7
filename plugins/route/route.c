/* SPDX-License-Identifier: MIT */
/* route.c: judges requests before the application is asked, and answers on their way back. */
#include "proxy.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct lane {
	const struct handler_lane *at;
	const struct route_settings *settings;
	struct chain chains[CHAINS];
	struct passwords *passwords; /* NULL: no rule asks a file */
	struct proxy_lane proxies;
	const struct visit *asking; /* its server is being asked, and its job has not ended */
};

/* ---- pages ---- */

/* An open file that is lent. */
struct page_file {
	struct loan loan; /* first: the loan's address is this one's */
	int fd;
	int64_t size;
};

static void close_page(struct loan *loan)
{
	struct page_file *page = (struct page_file *)loan;

	close(page->fd);
	free(page);
}

static const struct option_list *pages_of(const struct lane *lane, int status)
{
	return status == 403   ? &lane->settings->pages[PAGE_403]
	       : status == 404 ? &lane->settings->pages[PAGE_404]
	       : status == 500 ? &lane->settings->pages[PAGE_500]
			       : NULL;
}

/* The first that can be read; NULL: none, or no memory. */
static struct page_file *open_page(const struct lane *lane, int status)
{
	const struct option_list *list = pages_of(lane, status);
	struct stat s;

	for (size_t i = 0; list && i < list->count; i++) {
		int fd = open(list->items[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		struct page_file *page = fd < 0 ? NULL : malloc(sizeof *page);

		if (page && fstat(fd, &s) == 0 && S_ISREG(s.st_mode)) {
			*page = (struct page_file){ { close_page }, fd, s.st_size };
			return page;
		}
		free(page);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

/* ---- headers that become variables ---- */

static void collect_from(const struct option_list *list, bool pulls, struct visit *v,
			 struct response *rs)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *text = list->items[i];
		struct slice name = { text, strcspn(text, " ") };
		struct slice variable = { text + name.n + 1, strlen(text + name.n + 1) };
		struct slice value = uwsgi_response_find(rs, name);

		if (!value.p)
			continue;
		uwsgi_request_var(v->rq, variable, value);
		if (pulls)
			uwsgi_response_set(rs, name, (struct slice){ NULL, 0 });
	}
}

static void collect(const struct lane *lane, struct visit *v, struct response *rs)
{
	collect_from(&lane->settings->collect, false, v, rs);
	collect_from(&lane->settings->pull, true, v, rs);
}

/* ---- answers without the application ---- */

static void change_headers(const struct visit *v, struct response *rs)
{
	for (const struct change *c = v->changes; c; c = c->next) {
		if (c->value.p)
			uwsgi_response_add(rs, c->name, c->value);
		else
			uwsgi_response_set(rs, c->name, c->value);
	}
}

static void start_answer(struct visit *v, struct response *rs, bool has_page)
{
	const struct answer *a = &v->answer;

	uwsgi_response_start(rs, a->line);
	uwsgi_response_header(rs, SLICE("Content-Type"),
			      has_page ? SLICE("text/html") : SLICE("text/plain"));
	if (a->extra.name.p)
		uwsgi_response_header(rs, a->extra.name, a->extra.value);
	v->rs = rs;
	v->status = a->status;
}

/* page: instead of the body; NULL: none. */
static void end_answer(struct lane *lane, struct visit *v, struct response *rs,
		       struct page_file *page)
{
	change_headers(v, rs);
	chain_judge(&lane->chains[CHAIN_FINAL], v);
	if (page)
		uwsgi_response_file(rs, page->fd, 0, page->size, uwsgi_loan(&page->loan));
	else
		uwsgi_response_body(rs, v->answer.body, NULL);
	uwsgi_response_end(rs);
}

/* Rules for answers hold for this one, too; another answer in its place is not judged again. */
static void answer_now(struct lane *lane, struct visit *v, struct response *rs)
{
	struct page_file *page = open_page(lane, v->answer.status);

	start_answer(v, rs, page);
	if (chain_judge(&lane->chains[CHAIN_ERROR], v) == ANSWERED ||
	    chain_judge(&lane->chains[CHAIN_RESPONSE], v) == ANSWERED) {
		if (page)
			close_page(&page->loan);
		page = NULL;
		start_answer(v, rs, false);
	}
	end_answer(lane, v, rs, page);
}

/* ---- the answers of other servers ---- */

/* Rules hold for them as for the application's.  False: one of them gives another answer. */
static bool on_proxied_head(struct job *job)
{
	struct visit *v = job->mine;
	struct lane *lane = v->rules_of;
	struct response *rs = job->rs;

	v->rs = rs;
	v->status = uwsgi_response_status(rs);
	collect(lane, v, rs);
	if (chain_judge(&lane->chains[CHAIN_ERROR], v) == ANSWERED ||
	    chain_judge(&lane->chains[CHAIN_RESPONSE], v) == ANSWERED) {
		job->failed = true;
		job_finish(job);
		start_answer(v, rs, false);
		end_answer(lane, v, rs, NULL);
		return false;
	}
	change_headers(v, rs);
	return true;
}

static void on_proxied_ending(struct job *job)
{
	struct visit *v = job->mine;

	v->job = NULL;
	if (v->rules_of->asking == v)
		v->rules_of->asking = NULL;
	if (!job->failed)
		chain_judge(&v->rules_of->chains[CHAIN_FINAL], v);
}

static void refuse(struct visit *v, struct response *rs, int status)
{
	const char *reason = uwsgi_reason(status);
	char line[64];
	int n = snprintf(line, sizeof line, "%d %s", status, reason);

	v->answer = (struct answer){ .status = status,
				     .line = visit_copy(v, (struct slice){ line, (size_t)n }),
				     .body = { reason, strlen(reason) } };
	answer_now(v->rules_of, v, rs);
}

static void on_no_answer(void *mine, struct response *rs, int status)
{
	struct visit *v = mine;

	if (!uwsgi_response_head_sent(rs)) {
		refuse(v, rs, status);
		return;
	}
	chain_judge(&v->rules_of->chains[CHAIN_FINAL], v);
	uwsgi_response_refuse(rs, status, (struct slice){ NULL, 0 });
}

/* It may end at once, and v with it. */
static enum handled ask_server(struct lane *lane, struct visit *v, struct response *rs)
{
	int status;

	v->job = proxy_ask(v->proxy, v, rs, &status);
	if (!v->job) {
		refuse(v, rs, status);
		return HANDLED_DONE;
	}
	lane->asking = v;
	job_connect(v->job);
	return lane->asking ? HANDLED_LATER : HANDLED_DONE;
}

/* ---- requests ---- */

static struct visit *begin(struct lane *lane, struct request *rq)
{
	struct visit *v = (struct visit *)uwsgi_request_alloc(rq, sizeof *v);

	if (!v)
		return NULL;
	*v = (struct visit){ .rq = rq,
			     .lane = lane->at,
			     .rules_of = lane,
			     .began_us = route_now_us(),
			     .passwords = lane->passwords,
			     .last_change = &v->changes };
	return v;
}

static enum handled before(void *state, struct request *rq, struct response *rs, void **mine)
{
	struct lane *lane = state;
	struct visit *v = *mine;

	if (!v) {
		v = begin(lane, rq);
		if (!v) {
			uwsgi_response_refuse(rs, 500, SLICE("out of memory"));
			return HANDLED_DONE;
		}
		*mine = v;
	}
	switch (chain_judge(&lane->chains[CHAIN_REQUEST], v)) {
	case WAITS:
		return HANDLED_LATER;
	case ANSWERED:
		answer_now(lane, v, rs);
		return HANDLED_DONE;
	case PROXIED:
		return ask_server(lane, v, rs);
	default:
		if (v->limits_time)
			uwsgi_lane_harakiri(lane->at, v->seconds);
		return HANDLED_NOT;
	}
}

static void gone(void *state, void *mine)
{
	struct visit *v = mine;

	(void)state;
	passwords_forget(v);
	if (v->job)
		job_finish(v->job);
}

/* ---- the answers of others ---- */

static void replace(struct response *rs, struct slice type, const struct piece *piece, void *owner)
{
	static const struct slice about_the_body[] = {
		SLICE("Content-Encoding"), SLICE("ETag"),          SLICE("Last-Modified"),
		SLICE("Content-Range"),    SLICE("Accept-Ranges"), SLICE("Cache-Control"),
		SLICE("Expires")
	};

	for (size_t i = 0; i < sizeof about_the_body / sizeof *about_the_body; i++)
		uwsgi_response_set(rs, about_the_body[i], (struct slice){ NULL, 0 });
	uwsgi_response_set(rs, SLICE("Content-Type"), type);
	uwsgi_response_replace(rs, piece, owner);
}

static void answer_instead(const struct answer *a, struct response *rs)
{
	const struct piece piece = { a->body, -1, 0, (int64_t)a->body.n };

	uwsgi_response_set_status(rs, a->line);
	replace(rs, SLICE("text/plain"), &piece, NULL);
	if (a->extra.name.p)
		uwsgi_response_set(rs, a->extra.name, a->extra.value);
}

static void show_page(struct lane *lane, struct visit *v, struct response *rs)
{
	struct page_file *page = uwsgi_response_is_refusal(rs) ? open_page(lane, v->status) : NULL;

	if (!page)
		return;
	const struct piece piece = { { NULL, 0 }, page->fd, 0, page->size };

	replace(rs, SLICE("text/html"), &piece, uwsgi_loan(&page->loan));
}

static void head(void *state, struct response *rs, void **mine)
{
	struct lane *lane = state;
	struct visit *v = *mine;

	if (!v)
		return;
	v->rs = rs;
	v->status = uwsgi_response_status(rs);
	collect(lane, v, rs);
	if (chain_judge(&lane->chains[CHAIN_ERROR], v) == ANSWERED ||
	    chain_judge(&lane->chains[CHAIN_RESPONSE], v) == ANSWERED)
		answer_instead(&v->answer, rs);
	else
		show_page(lane, v, rs);
	change_headers(v, rs);
	v->status = uwsgi_response_status(rs);
}

static void end(void *state, struct next *next, bool complete, void *mine)
{
	struct lane *lane = state;

	(void)next;
	(void)complete;
	if (mine)
		chain_judge(&lane->chains[CHAIN_FINAL], mine);
}

/* ---- life ---- */

static bool wants(const struct config *cfg)
{
	const struct route_settings *s = uwsgi_options(cfg, &route_options);

	for (size_t i = 0; i < CHAINS; i++)
		if (s->rules[i].count)
			return true;
	for (size_t i = 0; i < PAGES; i++)
		if (s->pages[i].count)
			return true;
	return s->collect.count || s->pull.count;
}

static void lane_stop(void *state)
{
	struct lane *lane = state;

	if (!lane)
		return;
	passwords_free(lane->passwords);
	chains_fini(lane->chains);
	free(lane);
}

static void attach_proxies(struct lane *lane, struct ev_loop *loop)
{
	const struct route_settings *s = lane->settings;
	const struct chain *chain = &lane->chains[CHAIN_REQUEST];

	lane->proxies = (struct proxy_lane){
		.loop = loop,
		.connect_s = (double)(s->proxy_connect_s ? s->proxy_connect_s : s->proxy_answer_s),
		.answer_s = (double)s->proxy_answer_s,
		.most = s->proxy_most,
		.head = on_proxied_head,
		.ending = on_proxied_ending,
		.refuse = on_no_answer,
	};
	for (size_t i = 0; i < chain->count; i++) {
		struct proxy *proxy = action_proxy(&chain->rules[i].action);

		if (proxy)
			proxy_attach(proxy, &lane->proxies);
	}
}

/* For all of them, the first thread of the first worker does. */
static void doubt_metrics(const struct lane *lane)
{
	if (lane->at->number || uwsgi_lane_worker(lane->at) != 1)
		return;
	for (size_t c = 0; c < CHAINS; c++)
		for (size_t i = 0; i < lane->chains[c].count; i++) {
			const struct action *a = &lane->chains[c].rules[i].action;

			/* A label has none. */
			if (a->kind)
				metrics_doubt(a, uwsgi_lane_metrics(lane->at));
		}
}

static int lane_start(const struct handler_lane *at, void **state, struct error *e)
{
	struct lane *lane = calloc(1, sizeof *lane);
	size_t at_setting;

	*state = lane;
	if (!lane)
		return uwsgi_error_set(e, "out of memory");
	lane->at = at;
	lane->settings = uwsgi_options(at->config, &route_options);
	if (chains_make(lane->chains, at->config, &at_setting, e))
		return -1;
	attach_proxies(lane, at->loop);
	doubt_metrics(lane);
	if (!chain_may_wait(&lane->chains[CHAIN_REQUEST]))
		return 0;
	lane->passwords = passwords_new(at->loop);
	return lane->passwords ? 0 : uwsgi_error_set(e, "no thread for passwords");
}

static const struct handler handler = {
	.name = "route",
	.order = 10,
	.wants = wants,
	.lane_start = lane_start,
	.lane_stop = lane_stop,
	.before = before,
	.gone = gone,
	.head = head,
	.end = end,
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI,
	.name = "route",
	.options = &route_options,
	.handler = &handler,
};
