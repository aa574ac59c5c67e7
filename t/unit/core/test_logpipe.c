/* SPDX-License-Identifier: MIT */
/* test_logpipe.c: the master's own lines on their way to a log that is a pipe, a socket or a file,
 * read late or never.  Standard error is put aside for each test. */
#include "unit.h"

#include "logpipe.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct bench {
	int before; /* standard error as it was */
	int reader;
	struct ev_loop *loop;
	struct logfile file;
	struct logpipe lines;
	char *got;
	size_t n;
};

static void begin(struct bench *b, const int ends[2])
{
	struct error e;

	*b = (struct bench){ .before = dup(STDERR_FILENO), .reader = ends[0] };
	fcntl(b->reader, F_SETFL, O_NONBLOCK);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	b->loop = ev_loop_new(EVFLAG_AUTO);
	b->got = malloc(8 << 20);
	logfile_init(&b->file, "/");
	assert_int_equal(logpipe_open(&b->lines, b->loop, &b->file, &e), 0);
	logpipe_take_own(&b->lines);
}

static void end(struct bench *b)
{
	logpipe_close(&b->lines);
	logfile_enter_child(&b->file);
	ev_loop_destroy(b->loop);
	dup2(b->before, STDERR_FILENO);
	close(b->before);
	close(b->reader);
	free(b->got);
}

/* As somebody who begins to read, until nothing more comes. */
static void read_all(struct bench *b)
{
	ssize_t n = 1;

	for (int idle = 0; idle < 3; idle += n <= 0) {
		n = read(b->reader, b->got + b->n, (8 << 20) - b->n - 1);
		if (n > 0)
			b->n += (size_t)n;
		/* The pause between two turns is 2 ms. */
		ev_run(b->loop, EVRUN_NOWAIT);
		if (n <= 0 && ev_is_active(&b->lines.pause))
			ev_run(b->loop, EVRUN_ONCE);
	}
	b->got[b->n] = '\0';
}

static void assert_lines(const char *text, int from, int to)
{
	char line[32];

	for (int i = from; i < to; i++) {
		size_t n = (size_t)snprintf(line, sizeof line, "line %06d\n", i);

		assert_memory_equal(text, line, n);
		text += n;
	}
}

enum { LINE = sizeof "line 000000", MANY = 20000 };

static void say(int from, int to)
{
	for (int i = from; i < to; i++)
		uwsgi_log(UWSGI_NOTE, "line %06d", i);
}

static void all_come_in_order(const int ends[2])
{
	struct bench b;

	begin(&b, ends);
	say(0, 10);
	assert_int_equal(read(b.reader, b.got, 4096), 10 * LINE); /* at once */
	assert_lines(b.got, 0, 10);
	say(0, MANY);
	read_all(&b);
	assert_int_equal(b.n, MANY * LINE);
	assert_lines(b.got, 0, MANY);
	end(&b);
}

static void test_lines_that_nobody_reads_yet_come_later_in_order(void **unused)
{
	int ends[2];

	(void)unused;
	assert_int_equal(pipe(ends), 0);
	all_come_in_order(ends);
}

static void test_so_they_do_through_a_socket(void **unused)
{
	int ends[2];

	(void)unused;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	all_come_in_order(ends);
}

static void test_what_does_not_fit_is_counted_and_told(void **unused)
{
	enum { TOO_MANY = 200000 };
	unsigned long long lost;
	int ends[2];
	struct bench b;

	(void)unused;
	assert_int_equal(pipe(ends), 0);
	begin(&b, ends);
	say(0, TOO_MANY);
	read_all(&b);
	char *told = strstr(b.got, "error: ");
	assert_non_null(told);
	assert_int_equal(sscanf(told, "error: %llu bytes of the log are lost here: nobody read it",
				&lost), 1);
	int kept = (int)(told - b.got) / LINE;
	assert_lines(b.got, 0, kept);
	assert_int_equal(lost, (TOO_MANY - kept) * LINE);

	/* And on as before. */
	b.n = 0;
	say(0, 5);
	read_all(&b);
	assert_int_equal(b.n, 5 * LINE);
	end(&b);
}

static void test_a_file_gets_a_line_in_one_piece(void **unused)
{
	char name[] = "/tmp/uwsgi-u-XXXXXX";
	int file = mkstemp(name);
	int ends[2] = { open(name, O_RDONLY), file };
	char *text = malloc(20000);
	struct bench b;

	(void)unused;
	unlink(name);
	memset(text, 'x', 19999);
	text[19999] = '\0';
	begin(&b, ends);
	uwsgi_log(UWSGI_NOTE, "%s", text);
	assert_int_equal(lseek(STDERR_FILENO, 0, SEEK_CUR), 20000); /* at once */
	end(&b);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_that_nobody_reads_yet_come_later_in_order),
		cmocka_unit_test(test_so_they_do_through_a_socket),
		cmocka_unit_test(test_what_does_not_fit_is_counted_and_told),
		cmocka_unit_test(test_a_file_gets_a_line_in_one_piece),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
