/* SPDX-License-Identifier: MIT */
/* test_response.c: what a protocol is told, for what an application says. */
#include "unit.h"

#include "exchange/response.h"

#include <stdio.h>
#include <string.h>

/* A protocol that writes down what it is told. */
struct record {
	char text[4096];
};

static void note(struct record *r, const char *fmt, ...) UWSGI_PRINTF(2, 3);

static void note(struct record *r, const char *fmt, ...)
{
	size_t n = strlen(r->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->text + n, sizeof r->text - n, fmt, ap);
	va_end(ap);
}

static void on_head(void *state, const struct head *head, struct sendbuf *out)
{
	(void)out;
	note(state, "head %.*s length=%lld%s%s\n", (int)head->line.n, head->line.p,
	     (long long)head->length, head->bodiless ? " bodiless" : "",
	     head->close ? " close" : "");
	for (size_t i = 0; i < head->header_count; i++)
		note(state, "%.*s: %.*s\n", (int)head->headers[i].name.n, head->headers[i].name.p,
		     (int)head->headers[i].value.n, head->headers[i].value.p);
}

static void on_body(void *state, const struct piece *piece, struct sendbuf *out)
{
	if (piece->fd >= 0)
		note(state, "file %lld+%lld\n", (long long)piece->at, (long long)piece->length);
	else
		note(state, "body %.*s\n", (int)(piece->bytes.n < 20 ? piece->bytes.n : 20),
		     piece->bytes.p);
	uwsgi_sendbuf_piece(out, piece);
}

static enum ended on_end(void *state, bool complete, struct sendbuf *out)
{
	(void)out;
	note(state, "end %s\n", complete ? "complete" : "cut");
	return ENDED_KEEP;
}

static const struct protocol recorder = {
	.name = "recorder", .head = on_head, .body = on_body, .end = on_end
};

struct fixture {
	struct request_limits limits;
	struct request rq;
	struct sendbuf out;
	struct response rs;
	struct record record;
};

static void begin(struct fixture *f, const char *method)
{
	memset(f, 0, sizeof *f);
	request_init(&f->rq, &f->limits);
	uwsgi_request_var(&f->rq, SLICE("REQUEST_METHOD"),
			  (struct slice){ method, strlen(method) });
	sendbuf_init(&f->out);
	response_init(&f->rs, &f->rq, &f->out, NULL);
	response_reset(&f->rs, &recorder, &f->record);
}

static void finish(struct fixture *f, const char *expected)
{
	assert_string_equal(f->record.text, expected);
	assert_true(f->rs.ended);
	request_fini(&f->rq);
	response_fini(&f->rs);
	sendbuf_fini(&f->out);
}

static void test_one_block_gets_its_length(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f, "GET");
	uwsgi_response_start(&f.rs, SLICE("200 OK"));
	uwsgi_response_header(&f.rs, SLICE("A"), SLICE("b"));
	uwsgi_response_body(&f.rs, SLICE("hello"), NULL);
	uwsgi_response_body(&f.rs, SLICE(""), NULL);
	uwsgi_response_body(&f.rs, SLICE("!"), NULL);
	response_end(&f.rs);
	assert_int_equal(f.rs.body, 6);
	assert_int_equal(f.rs.status, 200);
	assert_true(f.rs.keep);
	finish(&f,
	       "head 200 OK length=6\nA: b\nContent-Length: 6\nbody hello\nbody !\nend complete\n");
}

static void test_a_flushed_block_leaves_the_length_unknown(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f, "GET");
	uwsgi_response_start(&f.rs, SLICE("200 OK"));
	uwsgi_response_body(&f.rs, SLICE("hello"), NULL);
	response_open(&f.rs);
	assert_false(uwsgi_response_start(&f.rs, SLICE("500 Late")));
	uwsgi_response_body(&f.rs, SLICE("more"), NULL);
	response_end(&f.rs);
	finish(&f, "head 200 OK length=-1\nbody hello\nbody more\nend complete\n");
}

static void test_a_declared_length_is_kept_to(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f, "GET");
	uwsgi_response_start(&f.rs, SLICE("200 OK"));
	uwsgi_response_header(&f.rs, SLICE("content-LENGTH"), SLICE("3"));
	uwsgi_response_body(&f.rs, SLICE("hello"), NULL);
	uwsgi_response_body(&f.rs, SLICE("x"), NULL);
	response_end(&f.rs);
	finish(&f, "head 200 OK length=3\ncontent-LENGTH: 3\nbody hel\nend complete\n");

	begin(&f, "GET");
	uwsgi_response_start(&f.rs, SLICE("200 OK"));
	uwsgi_response_header(&f.rs, SLICE("Content-Length"), SLICE("9"));
	uwsgi_response_body(&f.rs, SLICE("hello"), NULL);
	response_end(&f.rs);
	assert_false(f.rs.keep);
	finish(&f, "head 200 OK length=9\nContent-Length: 9\nbody hello\nend cut\n");
}

static void test_a_length_that_is_none_is_dropped(void **unused)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1x", "99999999999999999999" };

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct fixture f;

		begin(&f, "GET");
		uwsgi_response_start(&f.rs, SLICE("200 OK"));
		uwsgi_response_header(&f.rs, SLICE("Content-Length"),
				      (struct slice){ bad[i], strlen(bad[i]) });
		response_end(&f.rs);
		finish(&f, "head 200 OK length=0\nContent-Length: 0\nend complete\n");
	}
}

static void test_responses_without_a_body_never_get_one(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f, "HEAD");
	uwsgi_response_start(&f.rs, SLICE("200 OK"));
	uwsgi_response_body(&f.rs, SLICE("hello"), NULL);
	response_end(&f.rs);
	finish(&f, "head 200 OK length=5 bodiless\nContent-Length: 5\nend complete\n");

	begin(&f, "HEAD");
	uwsgi_response_start(&f.rs, SLICE("200 OK"));
	response_end(&f.rs);
	finish(&f, "head 200 OK length=-1 bodiless\nend complete\n");

	begin(&f, "GET");
	uwsgi_response_start(&f.rs, SLICE("204 No Content"));
	uwsgi_response_body(&f.rs, SLICE("hello"), NULL);
	response_end(&f.rs);
	finish(&f, "head 204 No Content length=-1 bodiless\nend complete\n");
}

static void test_starting_again_replaces_what_was_held(void **unused)
{
	struct fixture f;
	char big[UWSGI_COPY_MAX + 1] = "";
	int owner;

	(void)unused;
	begin(&f, "GET");
	uwsgi_response_start(&f.rs, SLICE("200 OK"));
	uwsgi_response_header(&f.rs, SLICE("A"), SLICE("b"));
	uwsgi_response_body(&f.rs, (struct slice){ big, sizeof big }, &owner);
	assert_true(uwsgi_response_start(&f.rs, SLICE("500 Oops")));
	assert_int_equal(f.out.done_count, 1);
	assert_ptr_equal(f.out.done[0], &owner);
	uwsgi_response_body(&f.rs, SLICE("sorry"), NULL);
	response_end(&f.rs);
	finish(&f, "head 500 Oops length=5\nContent-Length: 5\nbody sorry\nend complete\n");
}

static void test_many_blocks_open_the_head_without_a_length(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f, "GET");
	uwsgi_response_start(&f.rs, SLICE("200 OK"));
	for (int i = 0; i <= RESPONSE_HELD; i++)
		uwsgi_response_body(&f.rs, SLICE("x"), NULL);
	response_end(&f.rs);
	assert_int_equal(f.rs.body, RESPONSE_HELD + 1);
	assert_int_equal(strncmp(f.record.text, "head 200 OK length=-1\n", 22), 0);
	f.record.text[0] = '\0';
	finish(&f, "");
}

/* Also when it is longer than what the queue copies by itself. */
static void test_what_nobody_lends_is_copied(void **unused)
{
	struct fixture f;
	char big[3 * UWSGI_COPY_MAX + 1] = "";

	(void)unused;
	begin(&f, "GET");
	uwsgi_response_start(&f.rs, SLICE("200 OK"));
	response_open(&f.rs);
	uwsgi_response_body(&f.rs, (struct slice){ big, sizeof big }, NULL);
	assert_int_equal(f.out.lent, 0);
	assert_int_equal(f.out.pending, sizeof big);
	response_end(&f.rs);
	f.record.text[0] = '\0';
	finish(&f, "");
}

static void test_failing_says_500_or_cuts(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f, "GET");
	uwsgi_response_start(&f.rs, SLICE("200 OK"));
	uwsgi_response_header(&f.rs, SLICE("A"), SLICE("b"));
	response_refuse(&f.rs, 500, (struct slice){ 0 });
	finish(&f, "head 500 Internal Server Error length=22\n"
		   "Content-Type: text/plain; charset=utf-8\nContent-Length: 22\n"
		   "body Internal Server Erro\nbody \n\nend complete\n");

	begin(&f, "GET");
	uwsgi_response_start(&f.rs, SLICE("200 OK"));
	uwsgi_response_body(&f.rs, SLICE("hello"), NULL);
	response_open(&f.rs);
	response_refuse(&f.rs, 500, (struct slice){ 0 });
	assert_false(f.rs.keep);
	finish(&f, "head 200 OK length=-1\nbody hello\nend cut\n");
}

static void test_files_are_passed_on_with_their_length(void **unused)
{
	struct fixture f;
	int owner;

	(void)unused;
	begin(&f, "GET");
	uwsgi_response_start(&f.rs, SLICE("200 OK"));
	uwsgi_response_file(&f.rs, 3, 10, 1000, &owner);
	response_end(&f.rs);
	assert_int_equal(f.out.done_count, 0);
	sendbuf_drop(&f.out);
	assert_ptr_equal(f.out.done[0], &owner);
	finish(&f, "head 200 OK length=1000\nContent-Length: 1000\nfile 10+1000\nend complete\n");
}

/* Memory runs out before the head is said, or only for what comes behind it. */
static void test_without_memory_for_the_head_500_is_said(void **unused)
{
	struct fixture f;
	int owner;

	(void)unused;
	begin(&f, "GET");
	uwsgi_response_start(&f.rs, SLICE("200 OK"));
	uwsgi_response_header(&f.rs, SLICE("A"), SLICE("b"));
	f.rq.arena.failed = true;
	uwsgi_response_body(&f.rs, SLICE("hello"), &owner);
	response_end(&f.rs);
	assert_true(f.rs.no_memory);
	assert_false(f.out.failed);
	assert_int_equal(f.rs.status, 500);
	assert_ptr_equal(f.out.done[0], &owner);
	finish(&f, "head 500 Internal Server Error length=0 close\nend complete\n");

	begin(&f, "HEAD");
	uwsgi_response_start(&f.rs, SLICE("200 OK"));
	f.out.failed = true; /* a header had no room */
	response_open(&f.rs);
	uwsgi_response_body(&f.rs, SLICE("hello"), NULL);
	response_end(&f.rs);
	finish(&f, "head 500 Internal Server Error length=0 close\nend complete\n");

	begin(&f, "GET");
	uwsgi_response_start(&f.rs, SLICE("200 OK"));
	response_open(&f.rs);
	f.out.failed = true;
	response_end(&f.rs);
	assert_false(f.rs.no_memory || f.rs.keep);
	finish(&f, "head 200 OK length=-1\nend complete\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_block_gets_its_length),
		cmocka_unit_test(test_a_flushed_block_leaves_the_length_unknown),
		cmocka_unit_test(test_a_declared_length_is_kept_to),
		cmocka_unit_test(test_a_length_that_is_none_is_dropped),
		cmocka_unit_test(test_responses_without_a_body_never_get_one),
		cmocka_unit_test(test_starting_again_replaces_what_was_held),
		cmocka_unit_test(test_many_blocks_open_the_head_without_a_length),
		cmocka_unit_test(test_what_nobody_lends_is_copied),
		cmocka_unit_test(test_failing_says_500_or_cuts),
		cmocka_unit_test(test_files_are_passed_on_with_their_length),
		cmocka_unit_test(test_without_memory_for_the_head_500_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
