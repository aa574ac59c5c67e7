/* SPDX-License-Identifier: MIT */
/* test_chain.c: a request through handlers to the application, and the answer back. */
#include "unit.h"

#include "exchange/chain.h"

#include <stdio.h>
#include <string.h>

/* What was called, in order. */
static char told[1024];

static void tell(const char *fmt, ...) UWSGI_PRINTF(1, 2);

static void tell(const char *fmt, ...)
{
	size_t n = strlen(told);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(told + n, sizeof told - n, fmt, ap);
	va_end(ap);
}

static void expect(const char *text)
{
	assert_string_equal(told, text);
	told[0] = '\0';
}

/* ---- the protocol and the application ---- */

static void say_head(void *state, const struct head *head, struct sendbuf *out)
{
	(void)state, (void)out;
	tell("head %d %lld;", head->status, (long long)head->length);
}

static void say_body(void *state, const struct piece *piece, struct sendbuf *out)
{
	(void)state;
	tell("body %.*s;", (int)piece->bytes.n, piece->bytes.p);
	uwsgi_sendbuf_piece(out, piece);
}

static enum ended say_end(void *state, bool complete, struct sendbuf *out)
{
	(void)state, (void)out;
	tell("end %d;", complete);
	return ENDED_KEEP;
}

static const struct protocol protocol = {
	.name = "p", .head = say_head, .body = say_body, .end = say_end
};

static void app_handle(void *state, struct request *rq, struct response *rs)
{
	(void)state, (void)rq;
	tell("app;");
	uwsgi_response_start(rs, SLICE("200 OK"));
	uwsgi_response_body(rs, SLICE("abc"), NULL);
	response_end(rs);
}

static void handle_in_part(void *state, struct request *rq, struct response *rs)
{
	(void)state, (void)rq;
	uwsgi_response_start(rs, SLICE("200 OK"));
	uwsgi_response_header(rs, SLICE("Content-Length"), SLICE("10"));
	uwsgi_response_body(rs, SLICE("abc"), NULL);
	response_end(rs);
}

static void app_release(void *state, void *const *owners, size_t count)
{
	(void)state, (void)owners;
	tell("release %zu;", count);
}

static const struct app app = { .name = "a", .handle = app_handle, .release = app_release };

static const struct app in_part = { .name = "i", .handle = handle_in_part, .release = app_release };

/* ---- handlers ---- */

static enum handled next_verdict;

static enum handled before(void *state, struct request *rq, struct response *rs, void **mine)
{
	(void)state, (void)rq;
	tell("before%s;", *mine ? " again" : "");
	*mine = &next_verdict;
	if (next_verdict == HANDLED_DONE) {
		uwsgi_response_start(rs, SLICE("204 No Content"));
		response_end(rs);
	}
	return next_verdict;
}

static void change_head(void *state, struct response *rs, void **mine)
{
	(void)state, (void)mine;
	tell("change;");
	uwsgi_response_any_length(rs);
}

static void twice(void *state, struct next *next, const struct piece *piece, void *mine)
{
	(void)state, (void)mine;
	uwsgi_next_piece(next, piece);
	uwsgi_next_bytes(next, SLICE("+"));
}

static void at_end(void *state, struct next *next, bool complete, void *mine)
{
	(void)state, (void)mine;
	tell("ends %d;", complete);
	uwsgi_next_bytes(next, SLICE("!"));
}

static void replace_head(void *state, struct response *rs, void **mine)
{
	const struct piece page = { SLICE("page"), -1, 0, 4 };

	(void)state, (void)mine;
	uwsgi_response_replace(rs, &page, NULL);
}

static const struct handler asks = { .name = "asks", .before = before };
static const struct handler filters = {
	.name = "filters", .head = change_head, .body = twice, .end = at_end
};
static const struct handler replaces = { .name = "replaces", .head = replace_head };

/* ---- */

struct fixture {
	struct request_limits limits;
	struct request rq;
	struct sendbuf out;
	struct response rs;
	struct chain chain;
	struct counts counts;
};

static void begin(struct fixture *f, const struct handler *const *handlers, size_t count)
{
	struct error e;

	memset(f, 0, sizeof *f);
	told[0] = '\0';
	request_init(&f->rq, &f->limits);
	sendbuf_init(&f->out);
	response_init(&f->rs, &f->rq, &f->out, NULL);
	response_reset(&f->rs, &protocol, NULL);
	f->chain.app = &app;
	f->chain.counts = &f->counts;
	assert_int_equal(chain_init(&f->chain, handlers, count, NULL, &e), 0);
}

static void finish(struct fixture *f)
{
	chain_fini(&f->chain);
	request_fini(&f->rq);
	response_fini(&f->rs);
	sendbuf_fini(&f->out);
}

static void test_who_is_later_asked_again(void **unused)
{
	const struct handler *const handlers[] = { &filters, &asks };
	struct fixture f;

	(void)unused;
	begin(&f, handlers, 2);
	next_verdict = HANDLED_LATER;
	chain_handle(&f.chain, &f.rq, &f.rs);
	expect("before;");
	assert_false(f.rs.ended || f.chain.in_handler);
	next_verdict = HANDLED_NOT;
	chain_handle(&f.chain, &f.rq, &f.rs);
	expect("before again;app;change;head 200 -1;body abc;body +;ends 1;body !;end 1;");
	assert_true(f.rs.ended);
	assert_int_equal(f.rs.body, 5);
	assert_false(chain_give_up(&f.rs));
	finish(&f);
}

static void test_an_answer_passes_only_those_before(void **unused)
{
	const struct handler *const handlers[] = { &asks, &filters };
	struct fixture f;

	(void)unused;
	begin(&f, handlers, 2);
	next_verdict = HANDLED_DONE;
	chain_handle(&f.chain, &f.rq, &f.rs);
	expect("before;head 204 -1;end 1;");
	finish(&f);
}

static void test_another_body_passes_those_before_who_replaced_it(void **unused)
{
	const struct handler *const before_it[] = { &filters, &replaces };
	const struct handler *const behind[] = { &replaces, &filters };
	struct fixture f;

	(void)unused;
	begin(&f, before_it, 2);
	chain_handle(&f.chain, &f.rq, &f.rs);
	expect("app;change;head 200 -1;body page;body +;ends 1;body !;end 1;");
	finish(&f);
	begin(&f, behind, 2);
	chain_handle(&f.chain, &f.rq, &f.rs);
	expect("app;change;head 200 4;body page;ends 1;end 1;");
	finish(&f);
}

static void test_a_whole_body_in_the_place_of_a_part_is_whole_to_those_before(void **unused)
{
	const struct handler *const before_it[] = { &filters, &replaces };
	const struct handler *const behind[] = { &replaces, &filters };
	struct fixture f;

	(void)unused;
	begin(&f, before_it, 2);
	f.chain.app = &in_part;
	chain_handle(&f.chain, &f.rq, &f.rs);
	expect("change;head 200 -1;body page;body +;ends 1;body !;end 1;");
	finish(&f);
	begin(&f, behind, 2);
	f.chain.app = &in_part;
	chain_handle(&f.chain, &f.rq, &f.rs);
	expect("change;head 200 4;body page;ends 0;end 1;");
	finish(&f);
}

static void give_back(struct loan *loan)
{
	(void)loan;
	tell("loan;");
}

static void test_owners_find_whom_they_belong_to(void **unused)
{
	struct loan loan = { give_back };
	int mine;
	void *const owners[] = { &mine, &mine, uwsgi_loan(&loan), uwsgi_loan(&loan), &mine };
	struct fixture f;

	(void)unused;
	begin(&f, NULL, 0);
	chain_release(&f.chain, owners, 5);
	expect("release 2;loan;loan;release 1;");
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_later_asked_again),
		cmocka_unit_test(test_an_answer_passes_only_those_before),
		cmocka_unit_test(test_another_body_passes_those_before_who_replaced_it),
		cmocka_unit_test(test_a_whole_body_in_the_place_of_a_part_is_whole_to_those_before),
		cmocka_unit_test(test_owners_find_whom_they_belong_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
