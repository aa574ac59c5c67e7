/* SPDX-License-Identifier: MIT */
/* request.c: what a client has said: whether it is a request, whether it may be answered, and by whom. */
#include "server.h"

#include <stdio.h>
#include <string.h>

void request_refuse(struct client *c, int status, const char *why)
{
	char line[200];

	c->keep = c->head_only = false;
	c->have = 0;
	snprintf(line, sizeof line, "%s\n", why);
	client_refuse(c, status, NULL, line);
}

static void refuse(struct client *c, const struct verdict *v)
{
	char line[200];
	const struct answer a = {
		v->status,
		"text/plain; charset=utf-8",
		v->status == 401 ? "WWW-Authenticate: Basic realm=\"uwsgi\", charset=\"UTF-8\"\r\n"
				 : NULL,
		{ line, (size_t)snprintf(line, sizeof line, "%s\n", v->why) }
	};

	if (v->guessed)
		client_answer_late(c, &a);
	else
		client_answer(c, &a);
}

static size_t count_busy(const struct server *s)
{
	size_t busy = 0;

	for (size_t i = 0; i < PLACES; i++)
		busy += s->clients[i].busy;
	return busy;
}

static void answer(struct client *c, const struct route *route, const struct asked *asked)
{
	bool is_post = uwsgi_same(asked->method, SLICE("POST"));
	bool is_get = c->head_only || uwsgi_same(asked->method, SLICE("GET"));

	if (!route || (c->visitor == VISITOR_HEALTH && !route->is_probe)) {
		client_refuse(c, 404, NULL, "there is no such thing here\n");
	} else if (route->takes_post ? !is_post : !is_get) {
		client_refuse(c, 405,
			      route->takes_post ? "Allow: POST\r\n" : "Allow: GET, HEAD\r\n",
			      "this method is not for what it was asked of\n");
	} else if (!route->is_probe && count_busy(c->server) >= BUSY_MAX) {
		client_refuse(c, 503, "Retry-After: 1\r\n",
			      "too many ask at once; try again in a second\n");
	} else {
		c->busy = !route->is_probe;
		route->answer(c, asked);
	}
}

static struct slice find_accept(const struct http_head *head)
{
	for (size_t i = 0; i < head->count; i++)
		if (uwsgi_same_name(head->fields[i].name, SLICE("Accept")))
			return head->fields[i].value;
	return SLICE("");
}

static void route_request(struct client *c, const struct http_head *head,
			  const struct http_meaning *meaning, const struct http_target *target)
{
	const struct route *route = route_find(target->path);
	struct verdict v = { 0 };

	c->head_only = uwsgi_same(head->method, SLICE("HEAD"));
	c->keep = !c->said_all && !meaning->close && (head->minor > 0 || meaning->keep_alive);
	if (c->visitor != VISITOR_HEALTH && !(route && route->is_probe))
		v = access_judge(c->server->settings, c->visitor, route, head, meaning);
	if (v.status) {
		refuse(c, &v);
		return;
	}
	const struct asked asked = { .method = head->method,
				     .query = target->query,
				     .accept = find_accept(head),
				     .known = v.known };

	answer(c, route, &asked);
}

static void take_request(struct client *c, struct slice text)
{
	struct http_refusal why = { 0 };
	struct http_head head;
	struct http_meaning meaning;
	struct http_target target;

	if (!http_parse_head(text, &head, &why) || !http_read_fields(&head, &meaning, &why) ||
	    !http_split_target(&head, &target, &why))
		request_refuse(c, why.status, why.why);
	else if (meaning.chunked || meaning.length > 0)
		request_refuse(c, 413, "no request has a body here");
	else if (target.authority.whole.n &&
		 !uwsgi_same_name(target.authority.whole, meaning.host.whole))
		request_refuse(c, 400, "the request target and Host name two hosts");
	else
		route_request(c, &head, &meaning, &target);
}

static void refuse_long_head(struct client *c)
{
	if (memchr(c->in, '\n', c->have))
		request_refuse(c, 431, "the head of the request is too long");
	else
		request_refuse(c, 414, "the request line is too long");
}

void request_look(struct client *c)
{
	const struct slice in = { c->in, c->have };
	struct http_refusal why = { 0 };
	struct slice text;

	switch (http_find_head(&c->search, in, &text, &why)) {
	case HTTP_END_MISSING:
		if (c->have == sizeof c->in)
			refuse_long_head(c);
		else if (c->said_all)
			client_end(c);
		return;
	case HTTP_END_BAD:
		request_refuse(c, why.status, why.why);
		return;
	case HTTP_END_FOUND:
		break;
	}
	size_t used = (size_t)(text.p - c->in) + text.n;
	char head[HEAD_MAX];

	/* A copy, since answering may make room for the next one. */
	memcpy(head, text.p, text.n);
	c->search = (struct http_search){ 0 };
	c->have -= used;
	memmove(c->in, c->in + used, c->have);
	take_request(c, (struct slice){ head, text.n });
}
