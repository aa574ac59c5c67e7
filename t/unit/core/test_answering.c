/* SPDX-License-Identifier: MIT */
/* test_answering.c: responses that end later than the request began, bodies that are asked for in
 * portions, and peers that leave meanwhile.  A request is a line with the length of its body. */
#include "wire.h"

#include "wire/answering.h"

/* ---- a protocol with bodies ---- */

struct posts_state {
	bool in_body;
	int left;
};

static enum parsed posts_parse(void *state, struct request *rq, struct slice in, size_t *used,
			       struct sendbuf *out)
{
	struct posts_state *s = state;
	const char *newline = memchr(in.p, '\n', in.n);

	(void)out;
	if (!s->in_body) {
		if (!newline)
			return PARSE_MORE;
		s->left = atoi(in.p);
		s->in_body = s->left > 0;
		*used = (size_t)(newline + 1 - in.p);
		uwsgi_request_var(rq, SLICE("LINE"), (struct slice){ in.p, *used - 1 });
		if (!s->in_body)
			return PARSE_DONE;
	}
	size_t here = in.n - *used, n = here < (size_t)s->left ? here : (size_t)s->left;

	if (memchr(in.p + *used, '!', n)) {
		uwsgi_request_reject(rq, 400, "not in a body");
		return PARSE_BAD;
	}
	if (!uwsgi_request_body(rq, (struct slice){ in.p + *used, n }))
		return PARSE_BAD;
	*used += n;
	s->left -= (int)n;
	s->in_body = s->left > 0;
	return s->in_body ? PARSE_MORE : PARSE_DONE;
}

static const struct protocol posts = { .name = "posts",
				       .state_size = sizeof(struct posts_state),
				       .parse = posts_parse,
				       .head = lines_head,
				       .body = lines_body,
				       .end = lines_end };

/* ---- a host that does nothing by itself ---- */

static struct {
	struct exchange *x; /* the one that runs; NULL: none */
	char portions[256];
	int ran, ended, drained, gone, said_all;
	bool ends_at_once;
} seen;

static void say(const char *text)
{
	uwsgi_response_body(&seen.x->rs, (struct slice){ text, strlen(text) }, NULL);
}

static void end(void)
{
	struct exchange *x = seen.x;

	seen.x = NULL;
	uwsgi_response_end(&x->rs);
}

static void note_portion(void)
{
	struct body_view view = uwsgi_request_body_view(&seen.x->rq);
	size_t n = strlen(seen.portions);

	snprintf(seen.portions + n, sizeof seen.portions - n, "%.*s%s", (int)view.bytes.n,
		 view.bytes.n ? view.bytes.p : "", uwsgi_request_is_whole(&seen.x->rq) ? "." : "|");
}

static void later_run(void *host, struct exchange *x)
{
	(void)host;
	seen.ran++;
	seen.x = x;
	note_portion();
	uwsgi_response_start(&x->rs, SLICE("200 OK"));
	if (seen.ends_at_once) {
		say("at once");
		end();
	}
}

static void later_gone(void *host, struct exchange *x)
{
	(void)host;
	seen.gone++;
	seen.x = x;
	end();
}

static void later_ended(void *host, struct exchange *x)
{
	(void)host;
	assert_true(x->rs.ended);
	seen.ended++;
}

static void later_drained(void *host, struct exchange *x)
{
	(void)host;
	(void)x;
	seen.drained++;
}

static void later_body(void *host, struct exchange *x)
{
	(void)host;
	(void)x;
	note_portion();
}

static const struct clients_host later_host = { .run = later_run,
						.gone = later_gone,
						.ended = later_ended,
						.drained = later_drained,
						.body = later_body,
						.refused = wire_refused,
						.unsent = wire_unsent,
						.release = wire_release };

static int later_open(void **state)
{
	int failed = wire_open(state);
	struct wire *w = *state;

	memset(&seen, 0, sizeof seen);
	w->clients.host = &later_host;
	w->clients.limits.post_buffering = INT64_MAX;
	w->clients.limits.limit_post = 1000;
	w->listener.protocol = &posts;
	w->listener.body_timeout_s = 4;
	return failed;
}

#define LATER_TEST(test) cmocka_unit_test_setup_teardown(test, later_open, wire_close)

/* ---- answers ---- */

static void test_an_answer_comes_when_it_is_said(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "0\n"), other = wire_connect(w, "0\n");
	struct exchange *second = seen.x;

	wire_turn(w);
	assert_int_equal(seen.ran, 2);
	assert_string_equal(wire_hear(client), "");
	say("second");
	end();
	assert_string_equal(wire_hear(other), "second");
	assert_int_equal(seen.ended, 1);
	/* The connection goes on, with the same exchange. */
	wire_say(other, "0\n");
	wire_turn(w);
	assert_ptr_equal(seen.x, second);
	say("third");
	end();
	assert_string_equal(wire_hear(other), "third");
	close(client);
	close(other);
	wire_turn(w);
	assert_int_equal(seen.gone, 1);
	assert_int_equal(w->clients.open_count, 0);
}

static void test_what_is_pipelined_runs_when_the_answer_has_ended(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "0\n0\n");

	wire_turn(w);
	assert_int_equal(seen.ran, 1);
	/* Bytes of the next request hide the end: nothing is gone, and the loop does not spin. */
	close(client);
	wire_turn(w);
	assert_int_equal(seen.gone, 0);
	assert_int_equal(ev_pending_count(w->loop), 0);
	say("1");
	end();
	wire_turn(w);
	assert_int_equal(seen.ended, 1);
}

static void test_an_end_outside_of_a_turn_is_followed_by_one(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "0\n0\n");

	wire_turn(w);
	say("1");
	end();
	ev_run(w->loop, EVRUN_ONCE);
	assert_int_equal(seen.ran, 2);
	say("2");
	end();
	assert_string_equal(wire_hear(client), "12");
	close(client);
}

static void test_a_request_may_be_answered_at_once(void **state)
{
	struct wire *w = *state;

	seen.ends_at_once = true;
	int client = wire_connect(w, "0\n0\n");

	wire_turn(w);
	wire_turn(w);
	assert_string_equal(wire_hear(client), "at onceat once");
	assert_int_equal(seen.ended, 2);
	close(client);
	wire_turn(w);
	assert_int_equal(w->clients.open_count, 0);
}

/* ---- unread answers ---- */

static void test_the_host_is_told_when_all_is_sent(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "0\n");

	wire_turn(w);
	for (int i = 0; i < 10 && uwsgi_response_unsent(&seen.x->rs) == 0; i++) {
		uwsgi_response_body(&seen.x->rs, (struct slice){ wire_long, WIRE_LONG }, w);
		assert_true(uwsgi_response_flush(&seen.x->rs));
	}
	assert_true(uwsgi_response_unsent(&seen.x->rs) > 0);
	wire_turn(w);
	assert_int_equal(seen.drained, 0);
	while (seen.drained == 0) {
		wire_hear(client);
		wire_turn(w);
	}
	assert_int_equal(uwsgi_response_unsent(&seen.x->rs), 0);
	end();
	close(client);
	wire_turn(w);
}

static void test_a_client_that_takes_nothing_is_lost(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "0\n");
	struct connection *c = wire_newest(w);

	wire_turn(w);
	for (int i = 0; i < 10 && uwsgi_response_unsent(&seen.x->rs) == 0; i++) {
		uwsgi_response_body(&seen.x->rs, (struct slice){ wire_long, WIRE_LONG }, w);
		uwsgi_response_flush(&seen.x->rs);
	}
	for (int i = 0; i < 8 && seen.gone == 0; i++)
		wire_pass(w, c, 1);
	assert_int_equal(seen.gone, 1);
	assert_int_equal(w->unsent, 1);
	close(client);
}

/* ---- a gateway ---- */

static void gateway_run(void *host, struct exchange *x)
{
	(void)host;
	seen.ran++;
	seen.x = x;
	uwsgi_response_start(&x->rs, SLICE("200 OK"));
}

static void gateway_said_all(void *host, struct exchange *x)
{
	(void)host;
	assert_ptr_equal(x, seen.x);
	seen.said_all++;
}

static const struct clients_host gateway_host = { .run = gateway_run,
						  .gone = later_gone,
						  .said_all = gateway_said_all,
						  .refused = wire_refused,
						  .unsent = wire_unsent,
						  .release = wire_release };

static int gateway_open(void **state)
{
	int failed = later_open(state);

	((struct wire *)*state)->clients.host = &gateway_host;
	return failed;
}

#define GATEWAY_TEST(test) cmocka_unit_test_setup_teardown(test, gateway_open, wire_close)

/* Who has waited for an answer through two of them is watched. */
static void look(struct wire *w)
{
	assert_true(ev_is_active(&w->clients.look));
	ev_invoke(w->loop, &w->clients.look, EV_TIMER);
	wire_turn(w);
}

static void test_a_gateway_hears_that_its_client_has_said_all(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "0\n");

	shutdown(client, SHUT_WR);
	wire_turn(w);
	look(w);
	assert_int_equal(seen.said_all, 0);
	look(w);
	look(w);
	assert_int_equal(seen.said_all, 1);
	say("answer");
	end();
	assert_string_equal(wire_hear(client), "answer");
	/* Nobody is waited for: there is nothing to look for. */
	ev_invoke(w->loop, &w->clients.look, EV_TIMER);
	assert_false(ev_is_active(&w->clients.look));
	close(client);
}

static void test_what_a_client_pipelines_does_not_stop_its_answer(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "0\n"), got = 0;

	look(w);
	for (int i = 0; i < 10 && uwsgi_response_unsent(&seen.x->rs) == 0; i++) {
		uwsgi_response_body(&seen.x->rs, (struct slice){ wire_long, WIRE_LONG }, w);
		assert_true(uwsgi_response_flush(&seen.x->rs));
	}
	look(w);
	wire_say(client, "0\n");
	wire_turn(w);
	for (int i = 0; i < 10000 && uwsgi_response_unsent(&seen.x->rs) > 0; i++) {
		static char text[4096];

		got += (int)recv(client, text, sizeof text, 0);
		wire_turn(w);
	}
	assert_int_equal(uwsgi_response_unsent(&seen.x->rs), 0);
	assert_int_equal(seen.said_all, 0);
	assert_true(got > 0);
	end();
	close(client);
}

/* ---- bodies ---- */

static void test_a_body_comes_in_the_portions_that_are_asked_for(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "6\nab");

	wire_turn(w);
	assert_string_equal(seen.portions, "ab|");
	wire_say(client, "cd");
	wire_turn(w);
	assert_string_equal(seen.portions, "ab|");
	uwsgi_request_read_on(&seen.x->rq);
	uwsgi_request_read_on(&seen.x->rq);
	wire_turn(w);
	assert_string_equal(seen.portions, "ab|cd|");
	uwsgi_request_read_on(&seen.x->rq);
	wire_say(client, "ef");
	wire_turn(w);
	assert_string_equal(seen.portions, "ab|cd|ef.");
	say("whole");
	end();
	assert_string_equal(wire_hear(client), "whole");
	wire_say(client, "0\n");
	wire_turn(w);
	assert_int_equal(seen.ran, 2);
	end();
	close(client);
}

static void test_a_whole_body_is_there_at_once(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "2\nab");

	wire_turn(w);
	assert_string_equal(seen.portions, "ab.");
	uwsgi_request_read_on(&seen.x->rq);
	end();
	close(client);
}

/* Answers that say so are read by clients that are still sending. */
static void test_an_early_answer_ends_the_connection_and_not_with_a_reset(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "900\nab");

	wire_turn(w);
	assert_true(seen.x->rs.close);
	say("enough");
	end();
	wire_say(client, "cd");
	wire_turn(w);
	assert_string_equal(wire_hear(client), "enough");
	assert_true(wire_is_closed(client));
	assert_int_equal(w->clients.open_count, 1);
	close(client);
	wire_turn(w);
	assert_int_equal(w->clients.open_count, 0);
}

static void test_only_the_time_of_the_peer_counts(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "6\nab");
	struct connection *c = wire_newest(w);

	w->clients.body_rate = 1;
	wire_turn(w);
	wire_pass(w, c, 100);
	assert_int_equal(seen.gone, 0);
	uwsgi_request_read_on(&seen.x->rq);
	wire_pass(w, c, 3);
	wire_say(client, "c");
	wire_turn(w);
	uwsgi_request_read_on(&seen.x->rq);
	wire_pass(w, c, 3);
	assert_int_equal(seen.gone, 0);
	wire_pass(w, c, 2);
	assert_int_equal(seen.gone, 1);
	assert_int_equal(w->clients.open_count, 0);
	close(client);
}

static void lose(struct wire *w, const char *first, const char *more)
{
	int client = wire_connect(w, first);

	wire_turn(w);
	seen.gone = 0;
	uwsgi_request_read_on(&seen.x->rq);
	if (*more)
		wire_say(client, more);
	else
		close(client);
	wire_turn(w);
	assert_int_equal(seen.gone, 1);
	wire_turn(w);
	assert_int_equal(w->clients.open_count, 0);
	if (*more)
		close(client);
}

static void test_a_body_that_is_none_or_does_not_end_is_lost(void **state)
{
	lose(*state, "6\nab", "!");
	lose(*state, "6\nab", "");
}

/* What was handed on counts. */
static void test_limit_post_is_for_the_whole_body(void **state)
{
	static char long_[701];
	struct wire *w = *state;

	memset(long_, 'x', 700);
	int client = wire_connect(w, "5000\n");

	wire_say(client, long_);
	wire_turn(w);
	uwsgi_request_read_on(&seen.x->rq);
	wire_turn(w);
	uwsgi_request_read_on(&seen.x->rq);
	wire_say(client, long_);
	wire_turn(w);
	assert_int_equal(seen.gone, 1);
	close(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LATER_TEST(test_an_answer_comes_when_it_is_said),
		LATER_TEST(test_what_is_pipelined_runs_when_the_answer_has_ended),
		LATER_TEST(test_an_end_outside_of_a_turn_is_followed_by_one),
		LATER_TEST(test_a_request_may_be_answered_at_once),
		LATER_TEST(test_the_host_is_told_when_all_is_sent),
		LATER_TEST(test_a_client_that_takes_nothing_is_lost),
		GATEWAY_TEST(test_a_gateway_hears_that_its_client_has_said_all),
		GATEWAY_TEST(test_what_a_client_pipelines_does_not_stop_its_answer),
		LATER_TEST(test_a_body_comes_in_the_portions_that_are_asked_for),
		LATER_TEST(test_a_whole_body_is_there_at_once),
		LATER_TEST(test_an_early_answer_ends_the_connection_and_not_with_a_reset),
		LATER_TEST(test_only_the_time_of_the_peer_counts),
		LATER_TEST(test_a_body_that_is_none_or_does_not_end_is_lost),
		LATER_TEST(test_limit_post_is_for_the_whole_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
