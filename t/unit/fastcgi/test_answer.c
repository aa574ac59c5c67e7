/* SPDX-License-Identifier: MIT */
/* test_answer.c: what a FastCGI socket says: records of output, the end of the request, and
 * whether the connection lives on. */
#include "say.h"

#include "records.h"

#include <sys/mman.h>

#define END "\1\3\0\1\0\x08\0\0\0\0\0\0\0\0\0\0"
#define END_OF_OUTPUT "\1\6\0\1\0\0\0\0"
#define GIVEN_UP "\1\2\0\1\0\0\0\0"

static const struct header headers[] = { { SLICE("A"), SLICE("b") } };
static const struct head head = {
	.status = 200,
	.line = SLICE("200 OK"),
	.headers = headers,
	.header_count = 1,
	.length = -1,
};

static void request(struct feed *f, const char *flags, bool whole)
{
	struct records r = { .n = 0 };
	struct slice in = *flags ? RECORDS(&r, BEGIN(1, KEEP), PARAMS(1, ""), STDIN(1, ""))
				 : RECORDS(&r, BEGIN(1, ONCE), PARAMS(1, ""), STDIN(1, ""));

	if (!whole)
		in = RECORDS(&r, BEGIN(1, KEEP), STDIN(1, "x"));
	say_request(f, uwsgi_plugin.protocol, in, whole ? PARSE_DONE : PARSE_BAD);
}

static void test_a_whole_answer(void **unused)
{
	const struct protocol *p = uwsgi_plugin.protocol;
	struct feed f;

	(void)unused;
	for (int keep = 0; keep < 2; keep++) {
		const struct piece piece = say_memory(SLICE("hello")), none = say_memory(SLICE(""));

		request(&f, keep ? KEEP : ONCE, true);
		p->head(f.state, &head, &f.out);
		p->body(f.state, &piece, &f.out);
		p->body(f.state, &none, &f.out);
		assert_int_equal(p->end(f.state, true, &f.out), keep);
		say_expect(&f, SLICE("\1\6\0\1\0\x18\0\0Status: 200 OK\r\nA: b\r\n\r\n"
				     "\1\6\0\1\0\5\0\0hello" END_OF_OUTPUT END));
		feed_close(&f);
	}
}

/* FastCGI has no words for it: the core closes what lives on here. */
static void test_a_connection_that_the_server_closes(void **unused)
{
	const struct protocol *p = uwsgi_plugin.protocol;
	struct head closing = head;
	struct feed f;

	(void)unused;
	closing.close = true;
	request(&f, KEEP, true);
	p->head(f.state, &closing, &f.out);
	assert_int_equal(p->end(f.state, true, &f.out), ENDED_KEEP);
	feed_close(&f);
}

static void test_a_connection_that_must_end(void **unused)
{
	const struct protocol *p = uwsgi_plugin.protocol;
	struct feed f;

	(void)unused;
	request(&f, KEEP, true);
	p->head(f.state, &head, &f.out);
	assert_false(p->end(f.state, false, &f.out));
	say_expect(&f, SLICE("\1\6\0\1\0\x18\0\0Status: 200 OK\r\nA: b\r\n\r\n" GIVEN_UP));
	feed_close(&f);

	request(&f, KEEP, true);
	p->begin(f.state, NULL, &(const struct peer){ .tcp = true });
	p->head(f.state, &head, &f.out);
	assert_int_equal(p->end(f.state, false, &f.out), ENDED_CUT);
	say_expect(&f, SLICE("\1\6\0\1\0\x18\0\0Status: 200 OK\r\nA: b\r\n\r\n"));
	feed_close(&f);

	request(&f, KEEP, false);
	p->head(f.state, &head, &f.out);
	assert_false(p->end(f.state, true, &f.out));
	say_expect(&f, SLICE("\1\6\0\1\0\x18\0\0Status: 200 OK\r\nA: b\r\n\r\n" END_OF_OUTPUT END));
	feed_close(&f);
}

/* A web server's cache may not tell the two apart. */
static void test_the_answer_to_head_is_not_for_caches(void **unused)
{
	static const struct header cached[] = { { SLICE("X-accel-expires"), SLICE("60") },
						{ SLICE("A"), SLICE("b") } };
	const struct protocol *p = uwsgi_plugin.protocol;
	struct head to_head = head;
	struct feed f;

	(void)unused;
	to_head.headers = cached;
	to_head.header_count = 2;
	to_head.bodiless = to_head.head_only = true;
	request(&f, ONCE, true);
	p->head(f.state, &to_head, &f.out);
	assert_int_equal(p->end(f.state, true, &f.out), ENDED_CLOSE);
	say_expect(&f, SLICE("\1\6\0\1\0\x2c\0\0Status: 200 OK\r\nA: b\r\n"
			     "X-Accel-Expires: 0\r\n\r\n" END_OF_OUTPUT END));
	feed_close(&f);
}

static void test_nothing_is_said_before_a_request_has_begun(void **unused)
{
	const struct protocol *p = uwsgi_plugin.protocol;
	const struct piece piece = say_memory(SLICE("hello"));
	struct feed f;

	(void)unused;
	say_request(&f, p, SLICE("GET / HTTP/1.1\r\n\r\n"), PARSE_BAD);
	p->head(f.state, &head, &f.out);
	p->body(f.state, &piece, &f.out);
	assert_false(p->end(f.state, true, &f.out));
	say_expect(&f, SLICE(""));
	feed_close(&f);
}

/* The largest content that keeps records aligned. */
enum { MOST = 65528 };

/* Of n bytes of a body, the records that carry them. */
static char *in_records(const char *bytes, size_t n, size_t *size)
{
	char *to = malloc(n + (n / MOST + 1) * RECORD_HEADER);

	assert_non_null(to);
	*size = 0;
	for (size_t at = 0; at < n;) {
		size_t part = n - at < MOST ? n - at : MOST;

		record_write(to + *size, RECORD_STDOUT, 1, part);
		memcpy(to + *size + RECORD_HEADER, bytes + at, part);
		*size += RECORD_HEADER + part;
		at += part;
	}
	return to;
}

static void test_bodies_larger_than_a_record(void **unused)
{
	static const size_t sizes[] = { 1, 65527, 65528, 65529, 131056, 131057, 200000 };
	const struct protocol *p = uwsgi_plugin.protocol;
	char *bytes = malloc(200100);
	int file = memfd_create("body", MFD_CLOEXEC);

	(void)unused;
	assert_non_null(bytes);
	for (size_t i = 0; i < 200100; i++)
		bytes[i] = (char)(i * 7 >> 3);
	assert_int_equal(write(file, bytes, 200100), 200100);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		const struct piece pieces[] = {
			say_memory((struct slice){ bytes + 100, sizes[i] }),
			{ .fd = file, .at = 100, .length = (int64_t)sizes[i] },
		};
		size_t n;
		char *expected = in_records(bytes + 100, sizes[i], &n);

		for (size_t k = 0; k < COUNT(pieces); k++) {
			struct feed f;

			request(&f, KEEP, true);
			p->body(f.state, &pieces[k], &f.out);
			say_expect(&f, (struct slice){ expected, n });
			feed_close(&f);
		}
		free(expected);
	}
	free(bytes);
	close(file);
}

static void test_a_head_larger_than_its_buffer(void **unused)
{
	static char value[9000], text[10000];
	const struct header header = { SLICE("A"), { value, sizeof value } };
	const struct head large = { .line = SLICE("200 OK"),
				    .headers = &header,
				    .header_count = 1 };
	const struct protocol *p = uwsgi_plugin.protocol;
	struct feed f;
	size_t n, got = 0;

	(void)unused;
	memset(value, 'v', sizeof value);
	int expected = snprintf(text, sizeof text, "Status: 200 OK\r\nA: %.9000s\r\n\r\n", value);
	request(&f, KEEP, true);
	p->head(f.state, &large, &f.out);
	char *said = feed_said(&f.out, &n);
	for (size_t at = 0; at < n;) {
		struct record r = record_read((struct slice){ said + at, n - at });

		assert_int_equal(r.type, RECORD_STDOUT);
		assert_true(r.content > 0 && r.content <= n - at - RECORD_HEADER);
		assert_memory_equal(said + at + RECORD_HEADER, text + got, r.content);
		got += r.content;
		at += RECORD_HEADER + r.content + r.padding;
	}
	assert_int_equal(got, expected);
	free(said);
	feed_close(&f);
}

static void test_requests_follow_each_other(void **unused)
{
	const struct protocol *p = uwsgi_plugin.protocol;
	struct records r = { .n = 0 };
	struct slice in = RECORDS(&r, BEGIN(1, KEEP), PAIRS(1, "A=1"), PARAMS(1, ""), ABORT(1),
				  BEGIN(2, KEEP), PAIRS(2, "A=2"), PARAMS(2, ""), STDIN(2, "x"),
				  STDIN(2, ""), BEGIN(1, ONCE), PARAMS(1, ""), STDIN(1, ""));
	struct feed f;

	(void)unused;
	feed_open(&f, p, in);
	assert_int_equal(feed_parse(&f, in.n), PARSE_AGAIN);
	feed_next(&f);
	assert_int_equal(feed_parse(&f, in.n), PARSE_DONE);
	assert_memory_equal(uwsgi_request_find(&f.rq, SLICE("A")).p, "2", 1);
	assert_int_equal(uwsgi_request_body_view(&f.rq).length, 1);
	assert_true(p->end(f.state, true, &f.out));
	feed_next(&f);
	assert_int_equal(feed_parse(&f, in.n), PARSE_DONE);
	assert_null(uwsgi_request_find(&f.rq, SLICE("A")).p);
	assert_false(p->end(f.state, true, &f.out));
	assert_int_equal(f.taken, in.n);
	feed_close(&f);
}

static void test_the_web_server_is_the_first_to_end_a_kept_connection(void **unused)
{
	struct protocol_timeouts few = { 4, 4, 4 }, many = { 100, 100, 100 };

	(void)unused;
	uwsgi_plugin.protocol->timeouts(NULL, &few);
	uwsgi_plugin.protocol->timeouts(NULL, &many);
	assert_true(few.idle > 60 && few.head == 4 && few.body == 4);
	assert_int_equal(many.idle, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_answer),
		cmocka_unit_test(test_a_connection_that_the_server_closes),
		cmocka_unit_test(test_a_connection_that_must_end),
		cmocka_unit_test(test_the_answer_to_head_is_not_for_caches),
		cmocka_unit_test(test_nothing_is_said_before_a_request_has_begun),
		cmocka_unit_test(test_bodies_larger_than_a_record),
		cmocka_unit_test(test_a_head_larger_than_its_buffer),
		cmocka_unit_test(test_requests_follow_each_other),
		cmocka_unit_test(test_the_web_server_is_the_first_to_end_a_kept_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
