/* SPDX-License-Identifier: MIT */
/* account.c: what is counted of each request, on the lane's thread, so that it costs next to nothing:
 * only this lane adds to its row, and others read it at any time. */
#include "work/account.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"
#include "exchange/waited.h"
#include "wire/connection.h"

#include <limits.h>
#include <string.h>

#define NO_TURN UINT_MAX

static void copy_cut(char *to, size_t size, struct slice s)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;

	if (n)
		memcpy(to, s.p, n);
	to[n] = '\0';
}

int account_init(struct account *a, const struct config *cfg, const struct account_setup *setup,
		 struct error *e)
{
	*a = (struct account){ .to = *setup,
			       .slow_us = requestlog_slow_us(cfg),
			       .turn = NO_TURN,
			       .look_until_us = setup->asks_always ? INT64_MAX : 0 };
	return requestlog_init(&a->log, cfg, setup->metrics, e);
}

void account_fini(struct account *a)
{
	requestlog_fini(&a->log);
}

/* ---- its beginning ---- */

void account_leave_turn(struct account *a)
{
	a->turn = NO_TURN;
}

/* Asking costs a system call, so it is done only where the answer can be some milliseconds: the kernel
 * counts these alone. */
static bool may_have_waited(const struct account *a, const struct exchange *x, int64_t began_us)
{
	return began_us < a->look_until_us && !a->to.side_by_side &&
	       connection_is_tcp(x->connection);
}

static void note_wait(struct account *a, struct exchange *x, unsigned turn, int64_t began_us)
{
	x->waited_us = 0;
	if (turn != a->turn) {
		a->turn = turn;
		a->woke_us = began_us;
		if (!x->rq.start.p && !x->rq.taken_us && began_us >= a->look_until_us)
			return;
	}
	struct waited_since since = { .taken_us = x->rq.taken_us,
				      .silent_us = -1,
				      .woke_us = a->woke_us,
				      .began_us = began_us };
	if (x->rq.start.n && request_is_forwarded(&x->rq))
		since.start = x->rq.start;
	else if (may_have_waited(a, x, began_us))
		since.silent_us = sock_silent_us(x->connection->io.fd);
	x->waited_us = waited_us(&since);
}

bool account_begin(struct account *a, struct exchange *x, unsigned turn, int64_t began_us)
{
	struct lane_score *score = a->to.score;
	struct slice method = request_method(&x->rq);

	copy_cut(score->method, sizeof score->method, method);
	copy_cut(score->uri, sizeof score->uri, uwsgi_request_find(&x->rq, SLICE("REQUEST_URI")));
	note_wait(a, x, turn, began_us);
	return method.n > 0;
}

/* ---- its end ---- */

static void write_line(struct account *a, struct exchange *x)
{
	char line[REQUESTLOG_LINE];

	log_write_request(line, requestlog_write(&a->log, line, sizeof line, &x->logged));
	x->has_line = true;
}

/* The request is counted last: a reader that sees one more sees all that it has added. */
static void count(struct lane_score *score, const struct exchange *x, const struct response *rs,
		  uint64_t us)
{
	struct counts *counts = &score->counts;
	unsigned class = (unsigned)rs->status / 100;
	uint64_t average_us = atomic_load_explicit(&score->average_us, memory_order_relaxed);

	counts_add(&counts->sent, rs->head_size + (uint64_t)rs->body);
	counts_took(&counts->run, us);
	atomic_store_explicit(&score->average_us, (average_us + us) / 2, memory_order_relaxed);
	if (x->waited_us)
		counts_took(&counts->wait, x->waited_us);
	else
		counts_add(&counts->wait.bucket[0], 1);
	if (rs->failed)
		counts_add(&counts->failed, 1);
	atomic_thread_fence(memory_order_release);
	counts_add(&counts->answers[class < 6 ? class : 0], 1);
}

static void note_slow(const struct account *a, struct exchange *x, int status, uint64_t us)
{
	struct slow_status slow = { .at_us = x->logged.ended_us,
				    .worker = a->to.worker,
				    .lane = a->to.lane,
				    .status = status,
				    .wait_us = x->waited_us,
				    .run_us = us };

	copy_cut(slow.method, sizeof slow.method, request_method(&x->rq));
	copy_cut(slow.uri, sizeof slow.uri, uwsgi_request_find(&x->rq, SLICE("REQUEST_URI")));
	copy_cut(slow.trace_id, sizeof slow.trace_id, uwsgi_request_trace_id(&x->rq));
	x->slow_number = ring_write(a->to.slow, &slow) + 1;
}

static void note_span(const struct account *a, struct exchange *x, const struct response *rs)
{
	struct span_status span = { .began_us = x->logged.began_us,
				    .ended_us = x->logged.ended_us,
				    .sent = (unsigned long long)rs->body,
				    .worker = a->to.worker,
				    .lane = a->to.lane,
				    .status = rs->status,
				    .failed = rs->failed };

	memcpy(span.trace, x->span.trace, sizeof span.trace);
	memcpy(span.id, x->span.id, sizeof span.id);
	memcpy(span.parent, x->span.parent, sizeof span.parent);
	copy_cut(span.method, sizeof span.method, request_method(&x->rq));
	copy_cut(span.path, sizeof span.path, uwsgi_request_find(&x->rq, SLICE("PATH_INFO")));
	copy_cut(span.client, sizeof span.client, uwsgi_request_find(&x->rq, SLICE("REMOTE_ADDR")));
	ring_write(a->to.spans, &span);
	x->span.is_recorded = false;
}

static void enter(struct account *a, struct exchange *x, const struct response *rs,
		  int64_t began_us)
{
	struct logged *logged = &x->logged;

	*logged = (struct logged){ .rq = &x->rq,
				   .rs = rs,
				   .pid = a->to.pid,
				   .worker = a->to.worker,
				   .lane = a->to.lane,
				   .began_us = began_us,
				   .ended_us = clock_wall_us() };
	/* A wall clock may be set back. */
	uint64_t us = logged->ended_us > began_us ? (uint64_t)(logged->ended_us - began_us) : 0;

	count(a->to.score, x, rs, us);
	if (us >= a->slow_us)
		note_slow(a, x, rs->status, us);
	if (x->span.is_recorded)
		note_span(a, x, rs);
	logged->worker_requests =
		1 + atomic_fetch_add_explicit(&a->to.slot->requests, 1, memory_order_relaxed);
	logged->server_requests =
		1 + atomic_fetch_add_explicit(&a->to.totals->requests, 1, memory_order_relaxed);
	x->has_line = false;
	if (requestlog_wants(&a->log, logged))
		write_line(a, x);
}

void account_end(struct account *a, struct exchange *x, int64_t began_us)
{
	enter(a, x, &x->rs, began_us);
}

void account_struck(struct account *a, struct exchange *x, const struct response *rs,
		    int64_t began_us)
{
	enter(a, x, rs, began_us);
	/* rs is not there for long: account_unsent() must not log it. */
	x->logged.rq = NULL;
}

void account_unsent(struct account *a, struct exchange *x)
{
	x->rs.broken = true;
	counts_add(&a->to.score->counts.unsent, 1);
	if (x->logged.rq && !x->has_line && requestlog_wants_failures(&a->log))
		write_line(a, x);
}

void account_sent(struct account *a, const struct exchange *x, uint64_t us)
{
	struct slow_status slow;

	if (x->slow_number && ring_read(a->to.slow, x->slow_number - 1, &slow)) {
		slow.send_us = us;
		ring_rewrite(a->to.slow, x->slow_number - 1, &slow);
	}
	counts_took(&a->to.score->counts.send, us);
}
