/* SPDX-License-Identifier: MIT */
/* wire.h: clients on socket pairs, with a protocol of lines and a clock that only the
 * test moves.  A request is a line; what is done with it is told by its first letter:
 *     s…  takes 20 ms       b…  has a long answer, lent       !…  is malformed
 *     l…  meanwhile they all leave
 * Any other takes 1 ms and is echoed. */
#ifndef T_WIRE_H
#define T_WIRE_H

#include "unit.h"

#include "wire/clients.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { WIRE_LONG = 200000, WIRE_BUFFER_SIZE = 1024 };

/* These stand in the place of libev's own, for the core only. */
static ev_tstamp wire_now = 1000;
static ev_tstamp wire_step; /* by how much somebody has set the clock */

ev_tstamp ev_now(struct ev_loop *loop)
{
	(void)loop;
	return wire_now + wire_step;
}

/* What deadlines are counted on; other clocks stay the kernel's. */
int clock_gettime(clockid_t clock, struct timespec *t)
{
	if (clock != CLOCK_MONOTONIC_COARSE)
		return (int)syscall(SYS_clock_gettime, clock, t);
	*t = (struct timespec){ .tv_sec = (time_t)wire_now,
				.tv_nsec = (long)((wire_now - (double)(time_t)wire_now) * 1e9) };
	return 0;
}

void ev_now_update(struct ev_loop *loop)
{
	(void)loop;
}

/* ---- the protocol ---- */

struct lines_state {
	bool close;
};

static inline enum parsed lines_parse(void *state, struct request *rq, struct slice in,
				      size_t *used, struct sendbuf *out)
{
	const char *newline = in.n ? memchr(in.p, '\n', in.n) : NULL;

	(void)state;
	(void)out;
	if (!newline)
		return PARSE_MORE;
	*used = (size_t)(newline + 1 - in.p);
	if (*in.p == '!') {
		uwsgi_request_reject(rq, 400, "no line");
		return PARSE_BAD;
	}
	uwsgi_request_var(rq, SLICE("REQUEST_METHOD"), SLICE("GET"));
	uwsgi_request_var(rq, SLICE("LINE"), (struct slice){ in.p, *used - 1 });
	uwsgi_request_var(rq, SLICE("REQUEST_URI"), (struct slice){ in.p, *used - 1 });
	return PARSE_DONE;
}

static inline void lines_head(void *state, const struct head *head, struct sendbuf *out)
{
	((struct lines_state *)state)->close = head->close;
	if (head->status != 200)
		uwsgi_sendbuf_printf(out, "%d ", head->status);
}

static inline void lines_body(void *state, const struct piece *piece, struct sendbuf *out)
{
	(void)state;
	uwsgi_sendbuf_piece(out, piece);
}

static inline enum ended lines_end(void *state, bool complete, struct sendbuf *out)
{
	(void)out;
	if (!complete)
		return ENDED_CUT;
	return ((struct lines_state *)state)->close ? ENDED_CLOSE : ENDED_KEEP;
}

static const struct protocol lines = { .name = "lines",
				       .state_size = sizeof(struct lines_state),
				       .parse = lines_parse,
				       .head = lines_head,
				       .body = lines_body,
				       .end = lines_end };

/* ---- the host ---- */

struct wire {
	struct ev_loop *loop;
	struct clients clients;
	struct listener listener;
	struct listeners listeners;
	struct option_list nothing;
	struct header_rules rules;
	char ran[4096]; /* the requests, in the order they were run in */
	int refused;    /* the status of the last refusal */
	int unsent, released;
};

static const char wire_long[WIRE_LONG];

static inline void wire_run(void *host, struct exchange *x)
{
	struct wire *w = host;
	struct slice line = uwsgi_request_find(&x->rq, SLICE("LINE"));
	size_t at = strlen(w->ran);

	snprintf(w->ran + at, sizeof w->ran - at, "%s%.*s", at ? " " : "", (int)line.n, line.p);
	wire_now += *line.p == 's' ? 0.02 : 0.001;
	if (*line.p == 'l')
		clients_leave(&w->clients);
	uwsgi_response_start(&x->rs, SLICE("200 OK"));
	if (*line.p == 'b')
		uwsgi_response_body(&x->rs, (struct slice){ wire_long, WIRE_LONG }, w);
	else
		uwsgi_response_body(&x->rs, (struct slice){ line.p, line.n + 1 }, NULL);
	uwsgi_response_end(&x->rs);
}

static inline void wire_refused(void *host, struct exchange *x)
{
	((struct wire *)host)->refused = x->rq.reject_status;
}

static inline void wire_unsent(void *host, struct exchange *x)
{
	(void)x;
	((struct wire *)host)->unsent++;
}

static inline void wire_release(void *host, void *const *owners, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_ptr_equal(owners[i], host);
	((struct wire *)host)->released += (int)count;
}

static inline void wire_wait(void *host)
{
	(void)host;
}

static const struct clients_host wire_host = { .run = wire_run,
					       .refused = wire_refused,
					       .unsent = wire_unsent,
					       .pause = wire_wait,
					       .resume = wire_wait,
					       .release = wire_release };

/* ---- the test's side ---- */

static inline int wire_open(void **state)
{
	struct wire *w = calloc(1, sizeof *w);

	w->loop = ev_loop_new(EVFLAG_AUTO);
	w->listener = (struct listener){ .protocol = &lines,
					 .head_timeout_s = 4,
					 .body_timeout_s = 4,
					 .idle_timeout_s = 10,
					 .write_timeout_s = 4 };
	w->rules.remove = &w->nothing;
	w->listeners = (struct listeners){ &w->listener, 1, NULL };
	struct clients_setup setup = {
		.rules = &w->rules,
		.limits = { .post_buffering = 1 << 16 },
		.unread = { .memory = 64 << 20 },
		.buffer_size = WIRE_BUFFER_SIZE,
		.listeners = &w->listeners,
		.room = { .descriptor_limit = 4096, .descriptors_each = 1, .lanes = 1 },
		.neighbours = -1,
		.successors = -1
	};
	clients_init(&w->clients, w->loop, &wire_host, w, &setup);
	*state = w;
	return 0;
}

static inline int wire_close(void **state)
{
	struct wire *w = *state;

	clients_fini(&w->clients);
	ev_loop_destroy(w->loop);
	free(w);
	return 0;
}

/* One turn of the loop, which does not wait. */
static inline void wire_turn(struct wire *w)
{
	ev_run(w->loop, EVRUN_NOWAIT);
}

static inline void wire_say(int client, const char *text)
{
	assert_int_equal(send(client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* A client that has already said this when it is accepted.  Returns its end. */
static inline int wire_connect(struct wire *w, const char *first)
{
	struct sockaddr peer = { .sa_family = AF_UNIX };
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	wire_say(ends[1], first);
	clients_accept(&w->clients, &w->listener, ends[0], &peer, 0);
	return ends[1];
}

/* What the client gets now; "" when nothing is there or the connection has ended. */
static const char *wire_hear(int client)
{
	static char text[4096];
	ssize_t n = recv(client, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* The server has closed it, and not by a reset. */
static inline bool wire_is_closed(int client)
{
	char byte;

	return recv(client, &byte, 1, 0) == 0;
}

static inline struct connection *wire_newest(struct wire *w)
{
	return LIST_FIRST(&w->clients.open);
}

/* So much time goes by, and the timer of this connection fires. */
static inline void wire_pass(struct wire *w, struct connection *c, double seconds)
{
	wire_now += seconds;
	ev_invoke(w->loop, &c->timer, EV_TIMER);
}

#define WIRE_TEST(test) cmocka_unit_test_setup_teardown(test, wire_open, wire_close)

#endif
