/* SPDX-License-Identifier: MIT */
/* test_frame.c: responses as bytes: heads, chunks, ends, and which connections live on. */
#include "unit.h"

#include "drive.h"

static const struct http new_client = { .version_1_1 = true, .keep_alive = true };
static const struct http new_client_closing = { .version_1_1 = true };
static const struct http old_client = { .version_1_1 = false };
static const struct http old_client_keeping = { .keep_alive = true };
static const struct http refused = { .version_1_1 = true, .keep_alive = true, .refused = true };

#define MOST_HEADERS 4

struct row {
	const char *name;
	const struct http *state;
	int status;
	struct slice line;
	struct header headers[MOST_HEADERS];
	int64_t length;
	bool bodiless, close;
	const char *body; /* said in two pieces, when there are two bytes */
	bool broken;      /* the end is not complete */
	const char *expected;
	bool lives;
};

#define OK 200, BYTES("200 OK")
#define LENGTH                                                                                     \
	{                                                                                          \
		BYTES("Content-Length"), BYTES("2")                                                \
	}
#define FIELD(name, value)                                                                         \
	{                                                                                          \
		BYTES(name), BYTES(value)                                                          \
	}
#define START "HTTP/1.1 200 OK\r\n"
#define DATE "Date: now\r\n"

static const struct row rows[] = {
	{ "a length",
	  &new_client,
	  OK,
	  { LENGTH, FIELD("A", "b"), FIELD("a", "") },
	  2,
	  .body = "hi",
	  .expected = START "Content-Length: 2\r\nA: b\r\na: \r\n" DATE "\r\nhi",
	  .lives = true },
	{ "no length",
	  &new_client,
	  OK,
	  { FIELD("A", "b") },
	  -1,
	  .body = "hi",
	  .expected = START "A: b\r\n" DATE "Transfer-Encoding: chunked\r\n\r\n"
			    "1\r\nh\r\n1\r\ni\r\n0\r\n\r\n",
	  .lives = true },
	{ "no length and no body",
	  &new_client,
	  OK,
	  { { { 0 }, { 0 } } },
	  -1,
	  .body = "",
	  .expected = START DATE "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	  .lives = true },
	{ "chunks that break off",
	  &new_client,
	  OK,
	  { { { 0 }, { 0 } } },
	  -1,
	  .body = "hi",
	  .broken = true,
	  .expected = START DATE "Transfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n" },
	{ "a length not reached",
	  &new_client,
	  OK,
	  { FIELD("Content-Length", "9") },
	  9,
	  .body = "hi",
	  .broken = true,
	  .expected = START "Content-Length: 9\r\n" DATE "\r\nhi" },
	{ "the client closes",
	  &new_client_closing,
	  OK,
	  { LENGTH },
	  2,
	  .body = "hi",
	  .expected = START "Content-Length: 2\r\n" DATE "Connection: close\r\n\r\nhi" },
	{ "the client closes, no length",
	  &new_client_closing,
	  OK,
	  { { { 0 }, { 0 } } },
	  -1,
	  .body = "h",
	  .expected = START DATE "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
				 "1\r\nh\r\n0\r\n\r\n" },
	{ "the server closes",
	  &new_client,
	  OK,
	  { LENGTH },
	  2,
	  .close = true,
	  .body = "hi",
	  .expected = START "Content-Length: 2\r\n" DATE "Connection: close\r\n\r\nhi" },
	{ "a refusal",
	  &refused,
	  400,
	  BYTES("400 Bad Request"),
	  { LENGTH },
	  2,
	  .body = "no",
	  .expected = "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n" DATE
		      "Connection: close\r\n\r\nno" },

	{ "1.0, a length",
	  &old_client,
	  OK,
	  { LENGTH },
	  2,
	  .body = "hi",
	  .expected = START "Content-Length: 2\r\n" DATE "Connection: close\r\n\r\nhi" },
	{ "1.0, no length",
	  &old_client,
	  OK,
	  { { { 0 }, { 0 } } },
	  -1,
	  .body = "hi",
	  .expected = START DATE "Connection: close\r\n\r\nhi" },
	{ "1.0 keeping, a length",
	  &old_client_keeping,
	  OK,
	  { LENGTH },
	  2,
	  .body = "hi",
	  .expected = START "Content-Length: 2\r\n" DATE "Connection: keep-alive\r\n\r\nhi",
	  .lives = true },
	{ "1.0 keeping, no length",
	  &old_client_keeping,
	  OK,
	  { { { 0 }, { 0 } } },
	  -1,
	  .body = "hi",
	  .expected = START DATE "Connection: close\r\n\r\nhi" },

	{ "HEAD with a length",
	  &new_client,
	  OK,
	  { LENGTH },
	  2,
	  .bodiless = true,
	  .expected = START "Content-Length: 2\r\n" DATE "\r\n",
	  .lives = true },
	{ "HEAD without a length",
	  &new_client,
	  OK,
	  { { { 0 }, { 0 } } },
	  -1,
	  .bodiless = true,
	  .expected = START DATE "\r\n",
	  .lives = true },
	{ "1.0 keeping, HEAD without a length",
	  &old_client_keeping,
	  OK,
	  { { { 0 }, { 0 } } },
	  -1,
	  .bodiless = true,
	  .expected = START DATE "Connection: keep-alive\r\n\r\n",
	  .lives = true },
	{ "204",
	  &new_client,
	  204,
	  BYTES("204 No Content"),
	  { FIELD("content-length", "0") },
	  0,
	  .bodiless = true,
	  .expected = "HTTP/1.1 204 No Content\r\n" DATE "\r\n",
	  .lives = true },
	{ "304",
	  &new_client,
	  304,
	  BYTES("304 Not Modified"),
	  { LENGTH, FIELD("ETag", "x") },
	  2,
	  .bodiless = true,
	  .expected = "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\nETag: x\r\n" DATE "\r\n",
	  .lives = true },
	{ "101",
	  &new_client,
	  101,
	  BYTES("101 Switching Protocols"),
	  { LENGTH },
	  2,
	  .bodiless = true,
	  .expected = "HTTP/1.1 101 Switching Protocols\r\n" DATE "Connection: close\r\n\r\n" },

	{ "a date of its own",
	  &new_client,
	  OK,
	  { FIELD("dAte", "then"), LENGTH },
	  2,
	  .body = "hi",
	  .expected = START "dAte: then\r\nContent-Length: 2\r\n\r\nhi",
	  .lives = true },
	{ "a transfer coding of its own",
	  &new_client,
	  OK,
	  { FIELD("TRANSFER-encoding", "chunked"), LENGTH },
	  2,
	  .body = "hi",
	  .expected = START "Content-Length: 2\r\n" DATE "\r\nhi",
	  .lives = true },
	{ "the application closes",
	  &new_client,
	  OK,
	  { FIELD("connection", "x, Close"), LENGTH },
	  2,
	  .body = "hi",
	  .expected = START "Content-Length: 2\r\n" DATE "Connection: close\r\n\r\nhi" },
	{ "the application keeps",
	  &new_client,
	  OK,
	  { FIELD("Connection", "keep-alive"), LENGTH },
	  2,
	  .body = "hi",
	  .expected = START "Content-Length: 2\r\n" DATE "\r\nhi",
	  .lives = true },
	{ "the application keeps what the client closes",
	  &new_client_closing,
	  OK,
	  { FIELD("Connection", "keep-alive"), LENGTH },
	  2,
	  .body = "hi",
	  .expected = START "Content-Length: 2\r\n" DATE "Connection: close\r\n\r\nhi" },
	{ "a status without a reason",
	  &new_client,
	  299,
	  BYTES("299"),
	  { LENGTH },
	  2,
	  .body = "hi",
	  .expected = "HTTP/1.1 299 \r\nContent-Length: 2\r\n" DATE "\r\nhi",
	  .lives = true },
};

static void say(struct drive *d, const struct row *row)
{
	struct head head = { .status = row->status,
			     .line = row->line,
			     .headers = row->headers,
			     .length = row->length,
			     .bodiless = row->bodiless,
			     .close = row->close,
			     .date = SLICE("now") };

	while (head.header_count < MOST_HEADERS && row->headers[head.header_count].name.n)
		head.header_count++;
	d->state = *row->state;
	http_say_head(&d->state, &head, &d->out);
	for (const char *b = row->body; b && *b; b++) {
		struct piece piece = { .bytes = { b, 1 }, .fd = -1, .length = 1 };
		struct piece nothing = { .bytes = { b, 0 }, .fd = -1, .length = 0 };

		http_say_body(&d->state, &piece, &d->out);
		http_say_body(&d->state, &nothing, &d->out);
	}
}

static void test_responses_are_framed(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct drive d;

		drive_begin(&d);
		say(&d, &rows[i]);
		bool lives = http_say_end(&d.state, !rows[i].broken, &d.out);
		char *text = drive_sent(&d);

		if (strcmp(text, rows[i].expected) || lives != rows[i].lives)
			fail_msg("%s: %s\n%s", rows[i].name, lives ? "lives" : "ends", text);
		free(text);
		drive_end(&d);
	}
}

static void test_chunk_sizes_are_hexadecimal(void **unused)
{
	static const struct {
		int64_t length;
		const char *text;
	} sizes[] = {
		{ 15, "f\r\n" },
		{ 16, "10\r\n" },
		{ 4096, "1000\r\n" },
		{ 0xabcdef, "abcdef\r\n" },
		{ 0x7fffffffffffff, "7fffffffffffff\r\n" },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct piece file = { .fd = 0, .length = sizes[i].length };
		struct drive d;

		drive_begin(&d);
		d.state.chunking = true;
		http_say_body(&d.state, &file, &d.out);
		char *text = drive_sent(&d); /* what stands before the file */

		assert_string_equal(text, sizes[i].text);
		free(text);
		drive_end(&d);
	}
}

/* Heads around the size of the buffer that they are put together in, and far beyond it. */
static void test_heads_of_any_size_come_out_whole(void **unused)
{
	static char value[20000];

	(void)unused;
	memset(value, 'v', sizeof value);
	for (size_t n = 3900; n <= sizeof value; n += n < 4200 ? 1 : 7000) {
		struct header headers[] = { { SLICE("A"), { value, n } },
					    { SLICE("B"), SLICE("c") } };
		struct head head = { .status = 200,
				     .line = SLICE("200 OK"),
				     .headers = headers,
				     .header_count = 2,
				     .length = 0,
				     .date = SLICE("now") };
		struct drive d;

		drive_begin(&d);
		d.state = new_client;
		http_say_head(&d.state, &head, &d.out);
		char *text = drive_sent(&d);

		assert_int_equal(strlen(text), n + sizeof START "A: \r\nB: c\r\n" DATE "\r\n" - 1);
		assert_memory_equal(text, START "A: v", sizeof START "A: v" - 1);
		assert_string_equal(text + strlen(START "A: ") + n, "\r\nB: c\r\n" DATE "\r\n");
		free(text);
		drive_end(&d);
	}
}

static void test_a_head_is_one_write(void **unused)
{
	struct drive d;

	(void)unused;
	drive_begin(&d);
	say(&d, &rows[0]);
	assert_int_equal(d.out.count - d.out.first, 1);
	drive_end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_responses_are_framed),
		cmocka_unit_test(test_chunk_sizes_are_hexadecimal),
		cmocka_unit_test(test_heads_of_any_size_come_out_whole),
		cmocka_unit_test(test_a_head_is_one_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
